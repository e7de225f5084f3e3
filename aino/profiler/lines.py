"""The lines of compiled programs, timed as they run."""

from __future__ import annotations

import sys
from threading import get_ident
from time import perf_counter_ns as now
from types import CodeType, FrameType
from typing import Any

from aino.compiler.backends.numpy.lines import Source
from aino.compiler.guards.text import code_of
from aino.profiler.events import FunctionEvent


class Lines:
    """Times each line of the programs that a compiled function runs, inside a ``with`` block.

    Python tells when a line begins; a stretch that is walked in C is one line.
    """

    def __init__(self, recorder: Any, compiled: Any) -> None:
        self._recorder = recorder
        self._compiled = compiled
        self._sources: dict[CodeType, Source | None] = {}

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        if self._before is None:  # else a debugger is at work, which is not disturbed
            sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            sys.settrace(None)

    def _called(self, frame: FrameType, kind: str, argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith("<program ") or code.co_name == "build":
            return None
        if code not in self._sources:
            self._sources[code] = self._source_of(code)
        source = self._sources[code]
        return None if source is None else _Run(self._recorder, source, code.co_firstlineno)

    def _source_of(self, code: CodeType) -> Source | None:
        """Return the program that code was made from."""
        forward = self._compiled._forward
        known = [*self._compiled._specializations.values()]
        known += forward._specializations.values() if forward is not None else []
        for specialization in known:
            for source in (specialization.native, specialization.source):
                if source is not None and code in _steps(source.text):
                    return source
        return None


def _steps(text: str) -> list[CodeType]:
    """Return the code of the functions that the text of a program defines within ``build``."""
    whole = code_of(text, f"<program {len(text)}>")
    inner = [part for part in whole.co_consts if isinstance(part, CodeType)]
    return [step for part in inner for step in part.co_consts if isinstance(step, CodeType)]


class _Run:
    """One run of a program: what is called at each of its lines."""

    def __init__(self, recorder: Any, source: Source, first: int) -> None:
        self._recorder = recorder
        self._source = source
        self._first = first
        self._line: int | None = None
        self._begun = 0

    def __call__(self, frame: FrameType, kind: str, argument: Any) -> _Run:
        stopped = now()
        if self._line is not None and kind in ("line", "return"):
            self._add(self._line, stopped)
        self._line = frame.f_lineno if kind == "line" else None
        self._begun = now()
        return self

    def _add(self, number: int, stopped: int) -> None:
        place = number - self._first - 1
        if not 0 <= place < len(self._source.body):
            return
        line = self._source.body[place]
        event = FunctionEvent(line.text.strip(), "line", get_ident(), None)
        event.start, event.stop, event.note = self._begun, stopped, line.note
        self._recorder.add_line(event)
        event.cpu_parent.overhead += now() - stopped  # type: ignore[union-attr]
