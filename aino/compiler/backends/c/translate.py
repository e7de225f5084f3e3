"""A recording as statements: function by function where a row takes it, else call by call."""

from __future__ import annotations

from typing import Any

import aino.compiler.backends.c.rows  # noqa: F401  # fills the table
from aino.compiler.backends.c.builder import Builder
from aino.compiler.backends.c.table import CALLS, DeclinedError, RefusedError
from aino.compiler.export.recording import Recording, Span
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.errors import CompileError


def translate(recording: Recording, quantized: bool, name: str) -> Builder:
    """Return all of a recording as statements; raise ``CompileError`` for what can't be."""
    return _Translator(recording, quantized, name).translate()


class _Translator:
    """Goes through the calls of a recording, and the functions that made them."""

    def __init__(self, recording: Recording, quantized: bool, name: str) -> None:
        self.recording = recording
        self.calls = recording.program.calls
        self.builder = Builder(recording.program, quantized)
        self.name = name
        self.spans: dict[int, list[Span]] = {}
        for span in recording.spans:
            self.spans.setdefault(span.first, []).append(span)

    def translate(self) -> Builder:
        self._between(0, len(self.calls), ())
        return self.builder

    def _between(self, start: int, stop: int, around: tuple[Span, ...]) -> None:
        """Write the calls from one to another; ``around``: the functions that are gone into."""
        place = start
        while place < stop:
            builder = self.builder
            builder.path = self.recording.path_at(place)
            span = next((s for s in self.spans.get(place, ()) if s not in around), None)
            if span is None:
                call = self.calls[place]
                if not builder.fold([call]):
                    self._call(call)
                place += 1
                continue
            if not builder.fold(self.calls[place : span.last]) and not self._whole(span):
                self._between(place, span.last, (*around, span))
            place = span.last

    def _whole(self, span: Span) -> bool:
        """Write a function as one; tell whether its row takes these arguments."""
        builder, row = self.builder, span.row
        before = len(builder.statements)
        given = {**span.arguments, "result": span.result}
        try:
            row(builder, **{name: given[name] for name in row.takes})
        except DeclinedError:
            del builder.statements[before:]
            return False
        except RefusedError as error:
            raise self._refused(error, self.calls[span.first]) from None
        return True

    def _call(self, call: Call) -> None:
        if call.operation is Operation.CHECK:
            return  # what checks indices in Python is checked where they are used
        try:
            self._row_of(call)(self.builder, call)
        except (RefusedError, DeclinedError) as error:
            raise self._refused(error, call) from None

    def _row_of(self, call: Call) -> Any:
        key = call.operation.value
        row = CALLS.get((key, call.function)) or CALLS.get((key, None))
        if row is None and call.operation is Operation.KERNEL:
            row = CALLS.get((key, getattr(call.function, "__wrapped__", call.function)))
        if call.operation is Operation.DRAW:
            raise RefusedError("a random draw; call model.eval() before")
        if row is None:
            raise RefusedError(_spoken(call))
        return row

    def _refused(self, error: Exception, call: Call) -> CompileError:
        what = str(error) or f"{_spoken(call)} in this form"
        where = f", in the module {self.builder.path!r}" if self.builder.path else ""
        line = f" ({call.line})" if call.line else ""
        return CompileError(f"{self.name} can't be written as C, because of {what}{where}{line}")


def _spoken(call: Call) -> str:
    """Return what a call is, in words."""
    if call.function is None:
        return f"a call of the kind {call.operation.value!r}"
    name = getattr(call.function, "__name__", call.function)
    made = f"the kernel {name}" if call.operation is Operation.KERNEL else f"np.{name}"
    if call.operation in (Operation.REDUCE, Operation.ACCUMULATE, Operation.AT, Operation.REDUCEAT):
        made += f".{call.operation.value}"
    return f"{call.primitive} ({made})" if call.primitive else made
