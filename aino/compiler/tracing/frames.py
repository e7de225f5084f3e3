"""Which functions of the user's run in a trace: the interpreter tells when each begins."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from aino.compiler.guards.bytecode import summary_of
from aino.compiler.guards.ownership import is_foreign
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.errors import CompileError
from aino.tracing import session

#: The codes of AINO's, NumPy's and Python's own functions that any trace has heard of, without
#: those that are written for one program. By identity, and kept alive for it: the hash of a code
#: is computed from all of it each time.
_FOREIGN: dict[int, Any] = {}


@contextlib.contextmanager
def watched_frames(trace, reading):
    """Let ``reading`` meet every function of the user's that begins to run in this thread.

    A profiler that is at work hears of everything as well, or goes on afterwards.
    """
    before: Any = sys.getprofile()
    heard = before if callable(before) else None
    foreign = _FOREIGN
    generated: dict[int, Any] = {}
    users: dict[int, Any] = {}

    def hear(frame, event, argument):
        if id(frame.f_code) in foreign or (event != "call" and event != "return"):
            return  # thousands of times in a trace
        code = frame.f_code
        if id(code) not in users:
            if id(code) in generated:
                return
            lasting = code.co_filename[0] != "<" or code.co_filename.startswith("<primitive ")
            known = users if _is_users(frame) else foreign if lasting else generated
            known[id(code)] = code
            if known is not users:
                return
        if session.trace is trace:
            session.trace = None  # what is read is not part of the program
            try:
                if event == "call":
                    reading.ran(code, frame.f_globals, dict(frame.f_locals))
                if summary_of(code).types:
                    _ask_types(trace, summary_of(code).types, frame.f_locals)
            except Exception as error:
                reading.trouble = error
            finally:
                session.trace = trace
            if reading.iterators:
                raise CompileError(iterator_refusal(reading))  # before it is advanced

    def hear_both(frame, event, argument):
        heard(frame, event, argument)  # type: ignore[misc]
        hear(frame, event, argument)

    if heard is None:
        session.hear = hear
    sys.setprofile(hear if heard is None else hear_both)
    try:
        yield
    finally:
        session.hear = None
        if before is None or heard is not None:
            sys.setprofile(before)
        else:
            sys.setprofile(None)
            before.enable()  # cProfile's, which is no function


def iterator_refusal(reading) -> str:
    """Return why what takes from an iterator from outside is refused."""
    spoken = next(iter(reading.iterators.values()))
    return (
        f"the function takes from the iterator {spoken}, which a program would not advance; "
        "take from it outside, and give what comes as an argument"
    )


def _is_users(frame) -> bool:
    """Tell whether a function is the user's; one that was generated is its class's module's."""
    filename = frame.f_code.co_filename
    if not filename.startswith("<"):
        return not is_foreign(filename)
    globals_ = frame.f_globals
    module = str(globals_.get("__name__", ""))
    if is_foreign(filename) or module.startswith(("namedtuple_", "aino.")):
        return False
    return "__file__" not in globals_ or not is_foreign(globals_["__file__"])


def _ask_types(trace, names, locals_: dict[str, Any]) -> None:
    """Note the numbers whose very type is asked: it is not that of the number they stand for."""
    if "" in names:
        trace.frozen |= trace.places.keys()
    for name, value in locals_.items():
        if type(value) is SymbolicNumber and (name in names or None in names):
            trace.frozen |= value._origins()
