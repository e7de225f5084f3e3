"""Let a minus sign travel to an addition or subtraction, which takes it up for nothing.

``(-a) · b`` is ``-(a · b)``, and ``x + -y`` is ``x - y``, bit for bit but for the sign of a zero:
so a negation disappears when every road from it ends in a sum.
"""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.analysis import analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Region, Storage, moved

#: The sign of an operand is the sign of the result.
_CARRIERS = (np.multiply, np.divide, np.dot)
#: The sign of an operand makes no difference.
_EVEN = (np.square, np.absolute)


def absorb_signs(program: Program) -> int:
    """Drop negations that sums can take up; return how many."""
    free = _free_of_charge(program)
    #: A storage whose content is wanted with the other sign -> the storage that holds it.
    turned: dict[Storage, Storage] = {}
    kept: list[Call] = []
    for call in program.calls:
        if _is_negation(call) and free.get(call.results[0].storage):
            source = call.arguments[0].storage
            turned[call.results[0].storage] = source
            continue
        minus = [isinstance(v, Region) and v.storage in turned for v in call.arguments]
        if any(minus):
            call.arguments = tuple(
                moved(v, turned[v.storage]) if is_minus else v
                for v, is_minus in zip(call.arguments, minus)
            )
            if _take_up(call, minus):
                turned[call.results[0].storage] = call.results[0].storage
        kept.append(call)
    dropped = len(program.calls) - len(kept)
    program.calls[:] = kept
    return dropped


def _free_of_charge(program: Program) -> dict[Storage, bool]:
    """Tell of each storage whether all its readers can do with its negative instead."""
    analysis = analysed(program)
    written = analysis.writers
    lasting = written.keys() | analysis.outputs
    doubtful = _perhaps_negative(program)
    free: dict[Storage, bool] = {}
    for call in reversed(program.calls):
        for value in call.results:
            if value.storage in lasting or (_is_negation(call) and not _is_exact(call, written)):
                free[value.storage] = False
        for position, value in enumerate(call.arguments):
            if isinstance(value, Region):
                takes = _takes_minus(call, position, free, doubtful)
                free[value.storage] = takes and free.get(value.storage, True)
        inside = [v for v in call.reads() if not any(v is item for item in call.arguments)]
        free.update({value.storage: False for value in inside})
    return free


def _perhaps_negative(program: Program) -> set[Storage]:
    """Return the storages to which the sign of a negation may come."""
    found: set[Storage] = set()
    for call in program.calls:
        if _is_negation(call) or any(value.storage in found for value in call.reads()):
            found.update(value.storage for value in call.results)
    return found


def _is_negation(call: Call) -> bool:
    return (
        call.function is np.negative
        and call.operation is Operation.UFUNC
        and not call.keywords
        and call.out is None
    )


def _is_exact(call: Call, written) -> bool:
    """Tell whether the operand of a negation can stand for its result, sign apart."""
    source, result = call.arguments[0], call.results[0]
    return (
        isinstance(source, Region)
        and source.is_whole
        and source.storage not in written
        and source.strides == result.strides
        and result.dtype.kind in "fc"
    )


def _takes_minus(call: Call, position: int, free, doubtful) -> bool:
    """Tell whether a call can read the negative of one operand instead, and nobody pays."""
    function = call.function
    if call.keywords or call.operation not in (Operation.UFUNC, Operation.FUNCTION):
        return False
    if function in _EVEN:
        return True
    if function not in (np.add, np.subtract, *_CARRIERS) or len(call.arguments) != 2:
        return False
    if function is np.subtract and position == 1:
        return True
    if bool(call.results) and free.get(call.results[0].storage, False):
        return True
    other = call.arguments[1 - position]
    if function is not np.add or other is call.arguments[position]:
        return False
    if not isinstance(other, Region) or other.storage not in doubtful:
        return True
    # Of two operands that may both be negative one is taken.
    return position == 0 or not free.get(other.storage, False)


def _take_up(call: Call, minus: list[bool]) -> bool:
    """Let a call do with the negatives of some operands; tell whether its result is negative."""
    function = call.function
    if function in _EVEN:
        return False
    first, second = minus
    if function in _CARRIERS:
        return first != second
    if function is np.add:
        if first and second:
            return True
        call.function = np.subtract
        if first:
            call.arguments = call.arguments[::-1]
    elif second and not first:
        call.function = np.add
    elif first and second:
        call.arguments = call.arguments[::-1]
        return False
    else:
        call.function = np.add
        call.primitive = ""
        return True
    call.primitive = ""
    return False
