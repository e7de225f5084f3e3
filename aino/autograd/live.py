"""The door between ordinary code and a trace.

While ``aino.compile`` traces a function, ``session.trace`` is the trace of this thread. Code that
reads numbers which change from step to step (learning rates, step counts), draws random numbers
or changes Python state asks here, and pays one attribute read when nothing is traced.
"""

from __future__ import annotations

import threading
from typing import Any

from aino.errors import CompileError


class Session(threading.local):
    """The trace that this thread is in, None in ordinary code."""

    trace: Any = None


session = Session()


def hyperparameters(group):
    """Return an optimizer's group, its numbers standing for themselves in a trace.

    A compiled program reads them again at every call, and writes back what the step changes.
    """
    trace = session.trace
    return group if trace is None else trace.mapping(group)


def is_tracing() -> bool:
    """Tell whether this thread is being traced."""
    return session.trace is not None


def forbid_in_trace(what: str, instead: str) -> None:
    """Raise ``CompileError`` in a trace: a compiled program would not do ``what`` again."""
    if session.trace is not None:
        raise CompileError(
            f"{what} changes Python state that a compiled step would not change again; {instead}"
            f"{session.trace.where()}"
        )


class Pending:
    """A gradient that a compiled program left in a buffer: copied out when somebody asks."""

    __slots__ = ("buffer", "make")

    def __init__(self, buffer, make) -> None:
        self.buffer = buffer
        self.make = make

    def take(self):
        """Return the gradient as a tensor of its own."""
        return self.make(self.buffer.copy())
