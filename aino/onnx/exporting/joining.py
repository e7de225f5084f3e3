"""The recordings of several lengths as one program, with sizes in the places of numbers.

Run by run the calls must be the same, but for those of a function that is written as one: how
such a function computes may depend on the length, as sums do that BLAS is quicker for. With one
recording nothing changes but the form.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.export.recording import Recording, Span
from aino.compiler.ir.printer import called
from aino.compiler.ir.program import Kept, NumberOf, Program, Returned
from aino.compiler.ir.regions import Answer, Attribute, Given, Method, Region, Storage, Subscript
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.program import Joined, Memory, Step, Value, Whole
from aino.onnx.exporting.sizes import size_of
from aino.pytree import is_container, parts_of, refilled


def join(recordings: list[Recording]) -> Joined:
    """Return the program that all recordings are; raise where they differ in more than lengths."""
    joiner = _Joiner()
    first = recordings[0]
    cursors = [_Cursor(recording) for recording in recordings]
    items = _sequence(cursors, [len(r.program.calls) for r in recordings], joiner)
    arguments = [
        joiner.memory(storages)
        for storages in zip(*[recording.program.arguments for recording in recordings])
    ]
    result = joiner.join([recording.program.result for recording in recordings], "")
    return Joined(arguments, items, result, _changes(first.program), first.roots)


class _Cursor:
    """Where one recording has been read to: the next call, and the next span."""

    def __init__(self, recording: Recording, call: int = 0, span: int = 0) -> None:
        self.recording = recording
        self.call = call
        self.span = span

    def copy(self) -> _Cursor:
        return _Cursor(self.recording, self.call, self.span)

    def take_span(self) -> Span | None:
        """Return the span that begins here, and go into it; None where none does."""
        spans = self.recording.spans
        while self.span < len(spans) and spans[self.span].first < self.call:
            self.span += 1
        if self.span < len(spans) and spans[self.span].first == self.call:
            self.span += 1
            return spans[self.span - 1]
        return None


def _sequence(cursors: list[_Cursor], stops: list[int], joiner: _Joiner) -> list[Step | Whole]:
    """Return the calls of all runs up to where each stops."""
    items: list[Step | Whole] = []
    while all(cursor.call < stop for cursor, stop in zip(cursors, stops)):
        found = _whole(cursors, joiner)
        if found is not None:
            items += found
            continue
        calls = [cursor.recording.program.calls[cursor.call] for cursor in cursors]
        if len({(call.operation, call.function) for call in calls}) > 1:
            told = " or ".join(dict.fromkeys(called(call) for call in calls))
            raise _unlike(f"it calls {told}", calls[0].line)
        items.append(joiner.step(calls, cursors[0].recording.path_at(cursors[0].call)))
        for cursor in cursors:
            cursor.call += 1
    for cursor, stop in zip(cursors, stops):
        if cursor.call < stop:
            line = cursor.recording.program.calls[cursor.call].line
            raise _unlike("it makes more calls for some lengths", line)
    return items


def _whole(cursors: list[_Cursor], joiner: _Joiner) -> list[Step | Whole] | None:
    """Return the function that begins here in all runs, or its calls; None where none does."""
    before = [cursor.copy() for cursor in cursors]
    spans = [cursor.take_span() for cursor in cursors]
    first = spans[0]
    if first is None or any(span is None or span.row is not first.row for span in spans):
        for cursor, old in zip(cursors, before):
            cursor.span = old.span
        return None
    path = cursors[0].recording.path_at(first.first)
    inner: list[Step | Whole] | OnnxExporterError
    stops = [span.last for span in spans if span is not None]
    try:
        inner = _sequence([cursor.copy() for cursor in cursors], stops, joiner)
    except OnnxExporterError as error:
        inner = error
    for cursor, stop in zip(cursors, stops):
        cursor.call = stop
    try:
        arguments = {
            key: joiner.join([span.arguments[key] for span in spans if span is not None], "")
            for key in first.row.takes if key != "result"
        }  # fmt: skip
        result = joiner.join([span.result for span in spans if span is not None], "")
    except OnnxExporterError:
        if isinstance(inner, OnnxExporterError):
            raise inner from None
        return inner
    return [Whole(first.row, arguments, result, path, inner)]


def _changes(program: Program) -> str:
    """Say what a program changes that is there after it, empty for nothing."""
    for call in program.calls:
        for value in call.touches():
            storage = value.storage
            if storage.kind in ("static", "gradient"):
                at = f" ({call.line})" if call.line else ""
                return f"a tensor of shape {value.shape} in place{at}"
    if program.gradients or program.given_gradients:
        return "gradients"
    if program.updates:
        return "numbers of an optimizer"
    return program.stored[0][0].place.spoken if program.stored else ""


def _unlike(what: str, line: str) -> OnnxExporterError:
    at = f" ({line})" if line else ""
    return OnnxExporterError(
        f"the function does something else for other lengths of its dynamic dimensions: {what}"
        f"{at}; give them fixed lengths, or let the function not depend on them"
    )


class _Joiner:
    """Makes one of what stands at the same place of all recordings."""

    def __init__(self) -> None:
        self._values: dict[tuple, Value] = {}
        self._memories: dict[tuple, Memory] = {}

    def memory(self, storages: tuple[Storage, ...]) -> Memory:
        """Return the memory that is these storages."""
        if storages not in self._memories:
            self._memories[storages] = Memory(storages)
        return self._memories[storages]

    def value(self, regions: tuple[Region, ...]) -> Value:
        """Return the value that is these regions."""
        known = self._values.get(regions)
        if known is None:
            if len({len(region.shape) for region in regions}) > 1:
                raise _unlike("its arrays have other numbers of dimensions", "")
            known = self._values[regions] = Value(
                self.memory(tuple([region.storage for region in regions])),
                tuple([size_of(lengths) for lengths in zip(*[r.shape for r in regions])]),
                regions,
            )
            if all(region.parent is not None for region in regions):
                known.parent = self.value(tuple([region.parent for region in regions]))
                known.cut = self._cut([region.cut for region in regions])
        return known

    def _cut(self, cuts: list[Any]) -> Any:
        cut = cuts[0]
        if len({type(other) for other in cuts}) > 1:
            raise _unlike("its views are others", "")
        if type(cut) is Subscript:
            return Subscript(self.join([c.index for c in cuts], ""))
        if type(cut) is Method:
            arguments = self.join([c.arguments for c in cuts], "")
            return Method(cut.name, arguments, self.join([c.keywords for c in cuts], ""))
        if type(cut) is Answer:
            return Answer(self.step([c.call for c in cuts], ""), cut.position, cut.original)
        assert type(cut) in (Attribute, Given)
        return cut if type(cut) is Attribute else Given([c.array for c in cuts])

    def step(self, calls, path: str) -> Step:
        """Return one step for the calls of all runs."""
        first, line = calls[0], calls[0].line
        joined: dict[str, Any] = {
            name: self.join([getattr(call, name) for call in calls], line)
            for name in ("results", "out", "writes")
        }
        error = None
        try:
            for name in ("arguments", "keywords"):
                joined[name] = self.join([getattr(call, name) for call in calls], line)
        except OnnxExporterError as found:
            joined, error = {"arguments": (), "keywords": {}, **joined}, found
        return Step(first.operation, first.function, line=line, primitive=first.primitive,
                    path=path, error=error, **joined)  # fmt: skip

    def join(self, items: list, line: str) -> Any:
        """Return one item for what all runs have at a place."""
        first = items[0]
        if type(first) is Region and all(type(item) is Region for item in items):
            return self.value(tuple(items))
        if len({type(item) for item in items}) > 1:
            raise _unlike(f"it has {' or '.join(repr(item) for item in items)}", line)
        if type(first) is Returned:
            if first.original is not None:
                same = all(item.original == first.original for item in items)
                if not same:
                    raise _unlike("it returns other tensors", line)
            return Returned(self.value(tuple([item.value for item in items])), first.original)  # type: ignore[arg-type]
        if type(first) in (Kept, NumberOf):
            return first
        if type(first) is slice:
            return slice(*[self.join([getattr(item, part) for item in items], line)
                           for part in ("start", "stop", "step")])  # fmt: skip
        if is_container(first):
            parts = [parts_of(item) for item in items]
            if len({len(p) for p in parts}) > 1:
                raise _unlike("it has lists of other lengths", line)
            return refilled(first, [self.join(list(part), line) for part in zip(*parts)])
        if isinstance(first, (int, np.integer)) and not isinstance(first, (bool, np.bool_)):
            return size_of(int(item) for item in items)
        if isinstance(first, np.ndarray):
            if all(np.array_equal(item, first) for item in items):
                return first
            raise _unlike("an array of indices is another", line)
        if all(item is first or item == first or (item != item and first != first)
               for item in items):  # fmt: skip
            return first
        raise _unlike(f"it computes with {' or '.join(repr(item) for item in items)}", line)
