"""The package ``aino-native`` as programs use it: imported where there is one, and asked first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.native.trials import TRIALS, agrees, stretch_type
from aino.user_warnings import warn_of_numbers

#: What floating-point arithmetic says, in the order in which it is told: names of ``np.errstate``.
_FLAGS = (
    ("divide", "divide by zero"), ("over", "overflow"), ("under", "underflow"),
    ("invalid", "invalid value"),
)  # fmt: skip


def slots(rows: list[tuple]) -> Any:
    """Return slots of objects, (object, descriptor, value), that are compared or set together."""
    import aino_native

    return aino_native.Slots(rows)


def arguments(rows: list[tuple], roots: list, apart: Callable[..., bool]) -> Any:
    """Return what compares the arguments of a call with those that a program was made for.

    ``rows``: of each argument (class, slot of its array, slot of its node, an array of its form,
    dtype, whether strides count, the first argument that is the same array, the first that is the
    same object). ``roots``: what the program writes, in which no argument may lie.
    """
    import aino_native

    return aino_native.Arguments(rows, roots, apart)


def entry(**told: Any) -> Any:
    """Return a call by one program that C makes from end to end.

    ``told``: what it compares and runs, by the names that native/src/entry.c has for it.
    """
    import aino_native

    return aino_native.Entry(**told)


def entrance(lock: Any, session: Any, eagerly: type, entries: tuple, function: Any,
             code: Any) -> Any:  # fmt: skip
    """Return what asks one entry after the other, by one thread at a time.

    ``function``: what makes the calls in Python, and all of them while its code is not ``code``.
    """
    import aino_native

    return aino_native.Entrance(lock, session, eagerly, entries, function, code)


def on_flags(name: str) -> Callable[..., None]:
    """Return what tells of overflow and its kin in a program, as ``np.errstate`` has it now."""

    def tell(*raised: int) -> None:
        handling: dict[str, Any] = {**np.geterr()}
        handler: Any = np.geterrcall()
        status = sum([flag << place for place, flag in enumerate(raised)])
        for (kind, spoken), flag in zip(_FLAGS, raised):
            how = handling[kind] if flag else "ignore"
            message = f"{spoken} encountered in {name}"
            if how == "warn":
                warn_of_numbers(message)
            elif how == "raise":
                raise FloatingPointError(message)
            elif how == "print":
                print(f"Warning: {message}", file=sys.stderr)
            elif how == "call":
                handler(spoken, status)
            elif how == "log":
                handler.write(f"Warning: {message}\n")

    return tell


def loop_dtypes(call: Call) -> tuple[np.dtype, ...] | None:
    """Return the dtypes of a ufunc's operands and result, None where one would be cast first.

    Plain numbers among the operands take the dtype of the others.
    """
    function, arguments = call.function, call.arguments
    if call.operation is not Operation.UFUNC or call.keywords or function.nout != 1:
        return None
    if not all(isinstance(x, (Region, bool, int, float, complex)) for x in arguments):
        return None
    if any(isinstance(x, SymbolicNumber) for x in arguments):
        return None
    given = [x.dtype if isinstance(x, Region) else type(x) for x in arguments]
    try:
        found = function.resolve_dtypes((*given, None))
    except (TypeError, ValueError):
        return None
    asked = [x.dtype if isinstance(x, Region) else d for x, d in zip(arguments, found)]
    return found if [*asked, call.target.dtype] == list(found) else None


def can_walk(kind: str, forms: tuple, detail: Any, quiet: int) -> bool:
    """Tell whether an instruction can be made of operands of this form: the walker is asked.

    A loop is used only where it gives what NumPy gives, bit for bit, here and now.
    """
    try:
        stretch_type()([], 1, [(kind, forms, detail, quiet)], None)
    except (ValueError, TypeError):
        return False
    dtypes = tuple([form.dtype for form in forms])
    if kind not in TRIALS or (kind == "copy" and dtypes[0] == dtypes[1]):
        return True
    return agrees(kind, detail[0] if isinstance(detail, tuple) else detail, dtypes)
