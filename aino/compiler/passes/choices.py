"""Let a choice between two values be made in the memory of one of them, where nobody needs it.

``np.where`` makes its result anew at every call, and walks three operands; ``np.putmask`` puts the
other value into those elements that are not kept. The slope of a ramp is such a choice.
"""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.analysis import Analysis, analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Region, Storage, is_contiguous, new_temporary
from aino.compiler.passes.common_subexpressions import rewrite
from aino.compiler.passes.constants import constant


def choose_in_place(program: Program) -> int:
    """Put one of two values into the memory of the other; return how many choices are made so."""
    analysis = analysed(program)
    replaced: dict[Storage, Storage] = {}
    calls: list[Call] = []
    count = 0
    for position, call in enumerate(program.calls):
        if replaced:
            rewrite(call, replaced)
        made = _in_place(call, position, analysis)
        if made is None:
            calls.append(call)
            continue
        count += 1
        target = made[-1].writes[0]
        target.storage.written = True
        replaced[call.results[0].storage] = target.storage
        calls += made
    program.calls[:] = calls
    return count


def _in_place(call: Call, position: int, analysis: Analysis) -> list[Call] | None:
    """Return the calls that make a choice in the memory of one of its operands, if they can."""
    if call.function is not np.where or len(call.arguments) != 3 or call.keywords:
        return None
    condition, first, second = call.arguments
    (result,) = call.results
    if not isinstance(condition, Region) or result.storage in analysis.outputs:
        return None
    if condition.shape != result.shape or not is_contiguous(condition):
        return None
    for kept, put in ((second, first), (first, second)):
        if not _can_go(kept, result, position, analysis) or not _can_come(put, kept):
            continue
        if condition.storage is kept.storage:
            continue
        calls = []
        mask = condition
        if kept is first:
            mask = new_temporary(condition.shape, np.dtype(bool))
            test: np.ufunc = np.logical_not
            operands: tuple = (condition,)
            if condition.dtype.kind == "f":  # the same, and quicker
                test, operands = np.equal, (condition, constant(np.zeros((), condition.dtype)))
            calls.append(_after(call, Operation.UFUNC, test, operands, [mask]))
        elif condition.dtype.kind != "b":
            continue
        change = _after(call, Operation.FUNCTION, np.putmask, (kept, mask, put), [])
        change.writes = [kept]
        return [*calls, change]
    return None


def _can_go(value, result: Region, position: int, analysis: Analysis) -> bool:
    """Tell whether a value's own memory can become that of the result."""
    return (
        isinstance(value, Region)
        and value.is_whole
        and value.storage.kind == "temporary"
        and value.storage not in analysis.outputs
        and not analysis.may_be_kept(value.storage)
        and analysis.last_read(value.storage) == position
        and analysis.last_write(value.storage) < position
        and value.dtype == result.dtype
        and value.shape == result.shape
        and value.strides == result.strides
        and is_contiguous(value)
        and result.storage not in analysis.writers
    )


def _can_come(value, kept: Region) -> bool:
    """Tell whether ``np.putmask`` puts a value where ``np.where`` has it."""
    if not isinstance(value, Region):
        return type(value) in (bool, int, float)
    return value.storage is not kept.storage and value.dtype == kept.dtype and value.shape == ()


def _after(call: Call, operation: Operation, function, arguments, results) -> Call:
    """Return a call that stands where another stood, for the same reason."""
    return Call(
        operation, function, arguments, {}, results, section=call.section,
        primitive=call.primitive, rule=call.rule, line=call.line, owner=call.owner,
    )  # fmt: skip
