"""A program checks itself: now and then a call runs as a trace, and the two are compared.

What no reader of code can see (a clock, a file, a library in C) may change what a function does.
A trace is a real run, so that nothing is lost by it; a difference drops the program and says so.
"""

from __future__ import annotations

import math
import time
import warnings
import weakref
from itertools import repeat
from operator import length_hint
from typing import Any

from aino.compiler.ir.program import Program
from aino.compiler.tracing.agreement import TraceMismatch, compare
from aino.errors import CompileWarning

#: After how many calls a program is compared with its function for the first time.
FIRST = 128
#: How often the time of a trace the program has to run until the next: so checks cost 2 %.
SELDOM = 50
#: How often the programs of one function may be dropped, until it goes on without.
DROPPED = 2
clock = time.perf_counter


class SelfCheck:
    """When the program of one specialization is compared with its function again.

    ``reference`` is the trace that the program was made of, as it was before the passes.
    """

    def __init__(self, reference: Program, name: str) -> None:
        self.reference = reference
        self.name = name
        #: Whether the call that is being made is the one to compare.
        self.due = False
        self.calls = 0
        self.compared_at = 0
        self._took: float | None = None
        self._began = 0.0
        self._dispatch: Any = None

    def turn(self, arguments, keywords):
        """Make the call at which the calls to come have run out: timed, or given to a trace."""
        if self._took is None:
            self.wait(1)
            begin = clock()
            result = self._dispatch(arguments, keywords)
            self._took = clock() - begin
            return result
        self.due = True
        self.wait(1)
        self._began = clock()
        return self._miss

    def attach(self, dispatch, miss) -> None:
        """Begin to count the calls of a dispatch, which answers ``miss`` to be traced."""
        self._dispatch, self._miss = dispatch, miss
        known = weakref.ref(self)

        def turn(arguments, keywords):
            """Ask the check, which is known weakly: it knows the dispatch, and goes with it."""
            check = known()
            return miss if check is None else check.turn(arguments, keywords)

        self._turn = turn
        self.wait(FIRST - 1)

    def wait(self, calls: int) -> None:
        """Let so many calls pass: they are counted by an iterator, which costs next to nothing."""
        self.calls += calls
        self._dispatch.__globals__["_turn"] = self._turn
        self._dispatch.__globals__["_calls_to_come"] = repeat(None, calls)

    def made(self) -> int:
        """Return how many calls the program has made."""
        return self.calls - length_hint(self._dispatch.__globals__["_calls_to_come"])

    def difference(self, trace, program: Program) -> str | None:
        """Return what a trace did otherwise than the program, None if nothing."""
        changed = trace.reading.changed()
        if changed is not None:
            return f"{changed.spoken} was changed by the function itself"
        try:
            compare(self.reference, program)
        except TraceMismatch as difference:
            return str(difference)
        return None

    def passed(self) -> None:
        """Set the next comparison: so late that all of them cost next to nothing."""
        spent = clock() - self._began
        self.compared_at = self.calls
        self.wait(max(FIRST, min(math.ceil(SELDOM * spent / max(self._took or 0, 1e-9)), 10**9)))

    def warn(self, difference: str) -> None:
        """Say that results may have been wrong, since when, and why."""
        since = (
            f"since call {self.compared_at + 1} of its program, the first after the last that was "
            "compared" if self.compared_at else "since the first call of its program"
        )  # fmt: skip
        warnings.warn(
            f"{self.name} no longer does what its program does, so results may be stale {since} "
            f"(this is call {self.calls}): {difference}. It changes with something that is not "
            "seen, such as a clock or a file: give it as an argument. The program is dropped",
            CompileWarning,
            stacklevel=2,
        )
