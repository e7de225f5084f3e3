"""Put calls into the form in which NumPy is quick with small matrices, bit for bit the same.

NumPy walks a broadcast or a reduction row by row: 32 rows of 3 cost 32 starts of a loop. A copy
that spreads the row or column first, or a transposed copy, leaves one long loop. Operands of one
shape spare NumPy the iterator: a row is read as a matrix of one row.
"""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Region, is_contiguous, new_temporary, reshaped, turned
from aino.compiler.passes.constants import constant
from aino.compiler.passes.memory_plan import is_elementwise

#: Rows longer than this are walked quickly enough, in a broadcast and in a maximum.
LONGEST = 256
LONGEST_TURNED = 32
#: Larger matrices leave the nearest cache: they are walked once rather than twice.
LARGEST = 1 << 17
#: Fewer rows than this are not worth a copy.
FEWEST = 3


def lower_small_rows(program: Program) -> int:
    """Spread broadcast operands and turn reduced rows of small matrices; return how many.

    Python numbers become 0-d arrays, which NumPy takes in half the time.
    """
    calls: list[Call] = []
    count = 0
    for call in program.calls:
        _settle_numbers(call)
        before = _spread(call) if is_elementwise(call) else _turned(call)
        if before is not None:
            count += 1
            calls.append(before)
        calls.append(call)
    program.calls[:] = calls
    program.analysis = None  # operands are changed that nobody counts
    return count


def _settle_numbers(call: Call) -> None:
    """Give a ufunc its Python numbers as 0-d arrays, of the dtype that NumPy would give them."""
    if not is_elementwise(call) or not any(type(x) in (int, float) for x in call.arguments):
        return
    kinds = [x.dtype if isinstance(x, Region) else x for x in call.arguments]
    if not all(isinstance(x, Region) or type(x) in (int, float) for x in call.arguments):
        return
    dtype = np.result_type(*kinds)
    if dtype.kind == "f":
        call.arguments = tuple(
            x if isinstance(x, Region) else constant(np.array(x, dtype)) for x in call.arguments
        )


def _spread(call: Call) -> Call | None:
    """Let a call read a row or column that is spread over a matrix; return the spreading."""
    target = call.out or call.results[0]
    if call.keywords:
        return None
    arguments = tuple(_in_shape(v, target) for v in call.arguments)
    shapes = [v.shape for v in arguments if isinstance(v, Region)]
    if call.out is not None or np.broadcast_shapes(*shapes) == target.shape:
        call.arguments = arguments  # else an operand of one number gives the result its rank
    if len(target.shape) != 2 or not is_contiguous(target):
        return None
    rows, columns = target.shape
    if columns > LONGEST or rows < FEWEST or columns == 1:
        return None
    if target.size * target.dtype.itemsize > LARGEST:
        return None
    for position, value in enumerate(call.arguments):
        if isinstance(value, Region) and value.shape in ((columns,), (1, columns), (rows, 1)):
            spread = new_temporary(target.shape, value.dtype)
            given = list(call.arguments)
            given[position] = spread
            call.arguments = tuple(given)
            return Call(Operation.COPY, None, (value,), {}, [], out=spread, section=call.section,
                        primitive=call.primitive, rule=call.rule, line=call.line,
                        owner=call.owner)  # fmt: skip
    return None


def _in_shape(value, target: Region):
    """Return an operand in the shape in which NumPy needs no iterator for it."""
    if not isinstance(value, Region):
        return value
    if value.size == 1 and target.size > 1:
        return reshaped(value, ())
    lasting = value.storage.kind not in ("argument", "gradient")
    if value.size == target.size and lasting and is_contiguous(value) and is_contiguous(target):
        return reshaped(value, target.shape)
    return value


def _turned(call: Call) -> Call | None:
    """Let a maximum over rows be taken over columns of a transposed copy; return the copying."""
    if call.function not in (np.maximum, np.minimum) or call.operation is not Operation.REDUCE:
        return None
    if not set(call.keywords) <= {"axis", "keepdims"} or len(call.arguments) != 1:
        return None
    (value,) = call.arguments
    target = call.out or call.results[0]
    if len(value.shape) != 2 or call.keywords.get("axis") != 1 or not is_contiguous(target):
        return None
    rows, columns = value.shape
    if columns > LONGEST_TURNED or rows < FEWEST or columns == 1:
        return None
    copy = new_temporary((columns, rows), value.dtype)
    call.arguments = (copy,)
    call.keywords = {"axis": 0}
    call.out, call.results = reshaped(target, (rows,)), []
    target.storage.written = True
    return Call(Operation.COPY, None, (turned(value),), {}, [], out=copy, section=call.section,
                primitive=call.primitive, rule=call.rule, line=call.line,
                owner=call.owner)  # fmt: skip
