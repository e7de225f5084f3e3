"""The recordings of several lengths as one program, with sizes in the places of numbers.

Run by run the calls must be the same; a number that is another each time becomes a ``Size``. With
one recording nothing changes but the form: places of memory are ``Value``s here.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.printer import called
from aino.compiler.ir.program import Kept, NumberOf, Program, Returned
from aino.compiler.ir.regions import (
    Answer,
    Attribute,
    Given,
    Method,
    Region,
    Storage,
    Subscript,
)
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.recording import Recording, Span
from aino.onnx.exporting.sizes import size_of
from aino.pytree import is_container, mapped, parts_of, refilled


@dataclass(eq=False)
class Memory:
    """A piece of memory: the storage that it is in each run, and the first of them as the one."""

    storages: tuple[Storage, ...]

    @property
    def kind(self) -> str:
        return self.storages[0].kind


class Value:
    """A region of memory. ``parent`` and ``cut``: how it is cut out of another one."""

    def __init__(self, memory: Memory, shape: tuple, regions: tuple[Region, ...]) -> None:
        self.memory = memory
        self.shape = shape
        self.dtype: np.dtype = regions[0].dtype
        self.regions = regions
        self.parent: Value | None = None
        self.cut: Any = None
        #: Whether it covers its memory from end to end.
        self.is_whole = regions[0].is_whole

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass(eq=False)
class Step:
    """A call of the joined program; ``path`` is that of the module that made it."""

    operation: Operation
    function: Any
    arguments: tuple
    keywords: dict[str, Any]
    results: list[Value]
    out: Value | None
    writes: list[Value]
    line: str
    primitive: str
    path: str
    #: Why the runs can't be written as one call, None where they can.
    error: OnnxExporterError | None = None

    @property
    def result(self) -> Value:
        """The region that it fills."""
        return self.out if self.out is not None else self.results[0]

    def touches(self) -> list[Value]:
        """Return what it writes, be it made by it or there before."""
        return [*self.results, *([self.out] if self.out is not None else []), *self.writes]


@dataclass(eq=False)
class Whole:
    """A function that made the steps ``first`` to ``last`` (excluded), as one."""

    row: Any
    arguments: dict[str, Any]
    result: Any
    first: int
    last: int
    path: str

    def given(self) -> dict[str, Any]:
        """Return what its row is called with."""
        own = {"result": self.result} if "result" in self.row.takes else {}
        return {**self.arguments, **own}


@dataclass(eq=False)
class Joined:
    """The program of all recordings."""

    arguments: list[Memory]
    steps: list[Step]
    wholes: list[Whole]
    result: Any
    #: What it changes of the world outside, in words; empty where it changes nothing.
    changed: str


def join(recordings: list[Recording]) -> Joined:
    """Return the program that all recordings are; raise where they differ in more than lengths."""
    joiner, first = _Joiner(), recordings[0]
    aligned = _Aligned(joiner, recordings)
    aligned.section(
        [(0, len(recording.program.calls)) for recording in recordings],
        [recording.spans for recording in recordings],
    )
    arguments = [
        joiner.memory(storages)
        for storages in zip(*[recording.program.arguments for recording in recordings])
    ]
    result = joiner.join([recording.program.result for recording in recordings], "")
    return Joined(arguments, aligned.steps, aligned.wholes, result, _changes(first.program))


class _Aligned:
    """The steps of all recordings, put side by side.

    A kernel may choose by the lengths how it computes: a long sum is made of sums. So where the
    calls inside of a function are others, the function itself is what is the same in all runs.
    """

    def __init__(self, joiner: _Joiner, recordings: list[Recording]) -> None:
        self.joiner = joiner
        self.recordings = recordings
        self.steps: list[Step] = []
        self.wholes: list[Whole] = []

    def section(self, ranges: list[tuple[int, int]], spans: list[list[Span]]) -> None:
        """Add the steps of the calls in ``ranges``, in which the functions ``spans`` ran."""
        calls = [
            recording.program.calls[start:end]
            for recording, (start, end) in zip(self.recordings, ranges)
        ]
        difference = _difference(calls)
        if difference is None:
            self._call_by_call(calls, ranges[0][0], spans)
            return
        outer = [_outermost(own) for own in spans]
        rows = {tuple([span.row for span in own]) for own in outer}
        if len(rows) > 1 or not outer[0]:
            raise difference
        places = [start for start, _ in ranges]
        for same in zip(*outer):
            self._between(places, [span.first for span in same])
            self._function(same, [_inside(span, own) for span, own in zip(same, spans)])
            places = [span.last for span in same]
        self._between(places, [end for _, end in ranges])

    def _between(self, starts: list[int], ends: list[int]) -> None:
        self.section(list(zip(starts, ends)), [[] for _ in starts])

    def _call_by_call(self, calls, number: int, spans: list[list[Span]]) -> None:
        """Add calls that are the same in all runs; the first has this number in the first one."""
        first, start = self.recordings[0], len(self.steps)
        for place, same in enumerate(zip(*calls)):
            self.steps.append(self.joiner.step(same, first.path_at(number + place)))
        if len({len(own) for own in spans}) > 1:
            raise _unlike("it takes other ways", "")
        for group in zip(*spans):
            with contextlib.suppress(OnnxExporterError):  # call by call it may be the same
                whole = self._whole(group)
                whole.first = start + group[0].first - number
                whole.last = start + group[0].last - number
                self.wholes.append(whole)

    def _function(self, spans: tuple[Span, ...], inside: list[list[Span]]) -> None:
        """Add a function whose calls may be others in each run."""
        start, place = len(self.steps), len(self.wholes)
        whole = None
        with contextlib.suppress(OnnxExporterError):
            whole = self._whole(spans)
            self.wholes.append(whole)
        try:
            self.section([(span.first, span.last) for span in spans], inside)
        except OnnxExporterError as error:
            if whole is None:
                raise
            # It can be written as one alone, and else is an error where its result is read.
            del self.steps[start:], self.wholes[place + 1 :]
            results: list[Value] = []
            mapped(whole.result, lambda x: results.append(x) if isinstance(x, Value) else None)
            self.steps.append(
                Step(Operation.KERNEL, None, (), {}, results, None, [], "", "", whole.path, error)
            )
        if whole is not None:
            whole.first, whole.last = start, len(self.steps)

    def _whole(self, spans: tuple[Span, ...]) -> Whole:
        return self.joiner.whole(spans, self.recordings[0].path_at(spans[0].first))


def _difference(calls: list[list[Any]]) -> OnnxExporterError | None:
    """Say in what runs differ that should make the same calls, None where they do."""
    for same in zip(*calls):
        if len({(call.operation, call.function) for call in same}) > 1:
            told = " or ".join(dict.fromkeys(called(call) for call in same))
            return _unlike(f"it calls {told}", same[0].line)
    shortest, longest = min(calls, key=len), max(calls, key=len)
    if len(shortest) == len(longest):
        return None
    return _unlike("it makes more calls for some lengths", longest[len(shortest)].line)


def _outermost(spans: list[Span]) -> list[Span]:
    """Return the functions that no other one of these called."""
    outer: list[Span] = []
    for span in spans:
        if not outer or span.first >= outer[-1].last:
            outer.append(span)
    return outer


def _inside(span: Span, spans: list[Span]) -> list[Span]:
    """Return the functions that a function called."""
    return [s for s in spans if s is not span and span.first <= s.first and s.last <= span.last]


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

    def whole(self, spans, path: str) -> Whole:
        """Return one whole function for the spans of all runs."""
        first = spans[0]
        arguments = {
            key: self.join([span.arguments[key] for span in spans], "") for key in first.row.takes
            if key != "result"
        }  # fmt: skip
        result = self.join([span.result for span in spans], "")
        return Whole(first.row, arguments, result, first.first, first.last, path)

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
