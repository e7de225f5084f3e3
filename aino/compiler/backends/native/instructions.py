"""Which instructions a call is for the walker: its kind, and what it reads and writes.

Only calls are described of which the walker's instructions do the very same; whether they can be
made for these dtypes and strides the walker itself is asked (``stretches.can_walk``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.compiler.backends.native.stretches import loop_dtypes
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region, Subscript, is_contiguous, region_at, reshaped, sliced
from aino.nn.functional.classification import class_places
from aino.tracing import UnlikeError

#: Kinds whose detail is a ufunc and axes.
OF_AXES = ("reduce", "accumulate")
#: What the walker does not write out: they run, and make what they make.
_LINES = {Operation.LOOP, Operation.CHECK, Operation.DRAW, Operation.SEED}


@dataclass(frozen=True, eq=False)
class Constant:
    """A plain number, or a mask, among the operands of a call, as an array."""

    array: np.ndarray


@dataclass
class Instruction:
    """A call, or a part of one, as the walker is told of it.

    ``operands``: regions, regions as flat memory, constants, or names; the first is written.
    ``detail``: of a reduction its axes, of a chain its links as text.
    """

    kind: str
    operands: list[Any]
    call: Call
    detail: Any = None
    quiet: int = 0
    #: The expression that is computed before the stretch, of one that writes a number.
    number: str = ""


def described(call: Call, text: Callable[[Any], str]) -> list[Instruction] | None:
    """Return a call as instructions, None where it has to stay a line of Python.

    ``text`` writes a number that is computed at each call.
    """
    if len(call.results) > 1 or call.operation in _LINES:
        return None
    if call.operation is Operation.SET:
        table, index, source = call.arguments
        return _operands("put", call, [table, _alone(index), source])
    if call.function is np.putmask and not call.keywords:
        return _operands("put_where", call, list(call.arguments))
    if call.out is None and len(call.results) != 1:
        return None
    if call.operation is Operation.NUMBER:
        return [Instruction("number", [call.target], call, 0, number=text(call.arguments[0]))]
    describe = _BY_OPERATION.get(call.operation)
    if call.operation in (Operation.FUNCTION, Operation.UFUNC, Operation.KERNEL):
        describe = _BY_FUNCTION.get(call.function, describe)
    if call.operation is Operation.METHOD:
        describe = _BY_METHOD.get(call.function)
    return None if describe is None else describe(call, call.target)


def _operands(kind: str, call: Call, items: list[Any], detail: Any = None):
    """Return an instruction of these operands; plain numbers take the dtype of the first."""
    if not isinstance(items[0], Region):
        return None
    operands = [
        x if isinstance(x, (Region, Constant)) else _constant(x, items[0].dtype) for x in items
    ]
    return None if None in operands else [Instruction(kind, operands, call, detail)]


def _constant(number: Any, dtype: np.dtype) -> Constant | None:
    """Return a plain number of a dtype, None where NumPy would have to cast to it otherwise."""
    if type(number) not in (bool, int, float, complex):
        return None
    try:
        fits = np.result_type(dtype, number) == dtype
        return Constant(np.array(number, dtype)) if fits else None
    except (OverflowError, TypeError):
        return None


def _alone(index: Any) -> Any:
    """Return the only part of an index."""
    return index[0] if isinstance(index, tuple) and len(index) == 1 else index


def _given(call: Call, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the arguments of a function by name, None where there are others."""
    if len(call.arguments) > len(names) or not set(call.keywords) <= set(names):
        return None
    return {**dict(zip(names, call.arguments)), **call.keywords}


# Of each operation, and of some of NumPy's functions


def _copy(call: Call, out: Region):
    return _operands("copy", call, [out, call.arguments[0]])


def _reshape(call: Call, out: Region):
    """Return a copy into a result that is shaped as its source."""
    source = call.arguments[0]
    if call.keywords or not isinstance(source, Region) or not is_contiguous(out):
        return None
    return _operands("copy", call, [reshaped(out, source.shape), source])


def _get(call: Call, out: Region):
    table, index = call.arguments
    index = _alone(index)
    if call.keywords or not isinstance(index, Region):
        return None
    return _operands("take", call, [out, table, index])


def _take(call: Call, out: Region):
    given = _given(call, ("a", "indices", "axis", "out", "mode"))
    if given is None or given.get("mode") not in (None, "raise", "clip") or given.get("out"):
        return None
    table, places, axis = given["a"], given["indices"], given.get("axis")
    if not isinstance(table, Region) or not isinstance(places, Region):
        return None
    if axis is None and is_contiguous(table):
        table, axis = reshaped(table, (table.size,)), 0
    if axis not in (0, -len(table.shape)) or type(axis) is not int:
        return None
    clips = "clip" if given.get("mode") == "clip" else None
    return _operands("take", call, [out, table, places], clips)


def _where(call: Call, out: Region):
    if len(call.arguments) != 3 or call.keywords or not isinstance(call.arguments[0], Region):
        return None
    return _operands("choose", call, [out, *call.arguments])


def _triangle(call: Call, out: Region):
    """Return a choice between a matrix and zero, by a mask, as NumPy makes triangles."""
    given = _given(call, ("m", "k"))
    if given is None or type(given.get("k", 0)) is not int:
        return None
    matrix, k = given["m"], given.get("k", 0)
    if not isinstance(matrix, Region) or matrix.shape != out.shape or len(out.shape) < 2:
        return None
    lower = call.function is np.tril
    rows, columns = out.shape[-2:]
    mask = Constant(np.tri(rows, columns, k if lower else k - 1, dtype=bool))
    zero = Constant(np.zeros(1, out.dtype))
    return _operands("choose", call, [out, mask, *((matrix, zero) if lower else (zero, matrix))])


def _join(call: Call, out: Region):
    """Return copies into the parts of a result."""
    given = _given(call, ("arrays", "axis"))
    if given is None or not isinstance(given["arrays"], (tuple, list)):
        return None
    parts, axis = given["arrays"], given.get("axis", 0)
    stacks = call.function is np.stack
    if not all(isinstance(part, Region) for part in parts):
        return None
    if axis is None and not stacks:
        return _join_flat(call, out, parts)
    if type(axis) is not int:
        return None
    axis %= max(len(out.shape), 1)
    found, start = [], 0
    for part in parts:
        shape = (*part.shape[:axis], 1, *part.shape[axis:]) if stacks else part.shape
        if len(shape) != len(out.shape):
            return None
        target = _slice(out, axis, start, start + shape[axis])
        start += shape[axis]
        if target.shape != shape:
            return None
        target = _without(target, axis) if stacks else target
        found.append(Instruction("copy", [target, part], call))
    return found if start == out.shape[axis] else None


def _join_flat(call: Call, out: Region, parts: Any):
    """Return copies of whole arrays, one after the other."""
    if not is_contiguous(out) or sum(part.size for part in parts) != out.size:
        return None
    found, start = [], 0
    for part in parts:
        target = reshaped(sliced(out, start, start + part.size), part.shape)
        found.append(Instruction("copy", [target, part], call))
        start += part.size
    return found


def _slice(value: Region, axis: int, start: int, stop: int) -> Region:
    """Return a slice of a region along one axis."""
    shape = (*value.shape[:axis], stop - start, *value.shape[axis + 1 :])
    cut = Subscript((*[slice(None)] * axis, slice(start, stop)))
    offset = value.offset + start * value.strides[axis]
    return region_at(value.storage, shape, value.dtype, value.strides, offset, value, cut)


def _without(value: Region, axis: int) -> Region:
    """Return a region without an axis of length 1."""
    shape = (*value.shape[:axis], *value.shape[axis + 1 :])
    strides = (*value.strides[:axis], *value.strides[axis + 1 :])
    cut = Subscript((*[slice(None)] * axis, 0, Ellipsis))  # an array, even of no axes
    return region_at(value.storage, shape, value.dtype, strides, value.offset, value, cut)


def _dot(call: Call, out: Region):
    return None if call.keywords else _operands("product", call, [out, *call.arguments])


def _matmul(call: Call, out: Region):
    return None if call.keywords else _operands("stack", call, [out, *call.arguments])


def _ufunc(call: Call, out: Region):
    """Return a ufunc whose operands have the dtypes of its loop: nothing is cast."""
    found = loop_dtypes(call)
    if found is None:
        return None
    given = [
        x if isinstance(x, Region) else Constant(np.array(x, dtype))
        for x, dtype in zip(call.arguments, found)
    ]
    return [Instruction("ufunc", [out, *given], call)]


def _along(call: Call, out: Region, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the arguments of a reduction that stays in its dtype, None where it is another."""
    given = _given(call, names)
    source = None if given is None else given["array"]
    if not isinstance(source, Region) or source.dtype != out.dtype or not source.shape:
        return None
    assert given is not None
    return given if given.get("dtype") in (None, out.dtype, out.dtype.type) else None


def _reduce(call: Call, out: Region):
    given = _along(call, out, ("array", "axis", "dtype", "keepdims"))
    if given is None or len(call.arguments) > 2:
        return None
    source, axis = given["array"], given.get("axis", 0)
    axes = range(len(source.shape)) if axis is None else axis
    axes = tuple(axes) if isinstance(axes, (tuple, range)) else (axes,)
    axes = tuple(sorted(axis % len(source.shape) for axis in axes))
    kept = tuple([n for axis, n in enumerate(source.shape) if axis not in axes])
    if given.get("keepdims") and is_contiguous(out):
        out = reshaped(out, kept)
    return [Instruction("reduce", [out, source], call, axes)] if out.shape == kept else None


def _accumulate(call: Call, out: Region):
    given = _along(call, out, ("array", "axis", "dtype"))
    if given is None or type(given.get("axis", 0)) is not int:
        return None
    source = given["array"]
    axis = given.get("axis", 0) % len(source.shape)
    return [Instruction("accumulate", [out, source], call, axis)]


def _class_places(call: Call, out: Region):
    labels, shape = call.arguments
    return _operands("class_places", call, [out, labels], (shape[1], UnlikeError))


_BY_OPERATION = {
    Operation.COPY: _copy,
    Operation.GET: _get,
    Operation.UFUNC: _ufunc,
    Operation.REDUCE: _reduce,
    Operation.ACCUMULATE: _accumulate,
}
_BY_METHOD = {"copy": _copy, "astype": _copy, "reshape": _reshape}
_BY_FUNCTION = {
    np.take: _take, np.where: _where, np.tril: _triangle, np.triu: _triangle,
    np.concatenate: _join, np.stack: _join, np.dot: _dot, np.matmul: _matmul,
    inspect.unwrap(class_places): _class_places,
}  # fmt: skip
