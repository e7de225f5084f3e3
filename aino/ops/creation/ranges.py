"""Ranges of numbers, and the places of triangles."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor
from aino.dtypes import COMPLEX_OF, as_dtype, get_default_dtype
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.creation.from_data import born
from aino.ops.public import takes_out
from aino.types import DeviceLike, DType

__all__ = ["arange", "range", "linspace", "logspace", "tril_indices", "triu_indices"]


@takes_out
def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return start, start + step, start + 2 step, ..., as far as it is below ``end``.

    Raises ``ValueError`` where the step is 0, leads away from ``end``, or something is infinite.

    Arguments:
        start: the first number; of one number alone it is ``end``, and 0 the first.
        end: where the range stops, itself left out.
        step: the distance of two neighbours, negative to count down.
        dtype: int64 for None if all three are integers, else the default dtype.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.arange(3), aino.arange(1.0, 2.0, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    start, end, step = _bounds("arange", start, end, step)
    if step == 0:
        raise ArgumentError("arange: the step must not be zero")
    if not math.isfinite(start + end + step):
        raise ArgumentError(f"arange: no finite range leads from {start} to {end} by {step}")
    if (end - start) * step < 0:
        raise ArgumentError(f"arange: a step of {step} does not lead from {start} to {end}")
    whole = all(isinstance(value, int) for value in (start, end, step))
    if dtype is None:
        dtype = dtypes.int64 if whole else get_default_dtype()
    dtype = as_dtype(dtype)
    if dtype == dtypes.int64:
        # As in PyTorch, all three are cut first; of other integers after they were counted.
        start, end, step, whole = int(start), int(end), int(step), True
        if step == 0:
            raise ArgumentError(f"arange: the step is zero when it is cut to {dtype}")
    if whole:
        array = np.arange(start, end, step)
    else:
        count = math.ceil((end - start) / step)
        if dtype.kind in "iu":
            start, step = int(start), int(step)
        array = start + step * np.arange(count)
    return born(array.astype(dtype), device, requires_grad, layout, pin_memory)


@takes_out
def range(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return start, start + step, ... up to ``end``, which is included.

    ``arange`` is preferred, whose end is left out as in Python's own ``range``. Raises
    ``ValueError`` where the step is 0, or leads away from ``end``.

    Arguments:
        start: the first number; of one number alone it is ``end``, and 0 the first.
        end: where the range stops, itself included if a step leads there.
        step: the distance of two neighbours, negative to count down.
        dtype: the default dtype for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.range(1, 3)
    tensor([1., 2., 3.])
    """
    start, end, step = _bounds("range", start, end, step)
    if step == 0:
        raise ArgumentError("range: the step must not be zero")
    count = math.floor((end - start) / step) + 1
    if count < 1:
        raise ArgumentError(f"range: a step of {step} does not lead from {start} to {end}")
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    array = (start + step * np.arange(count)).astype(dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def _bounds(name, start, end, step):
    """Return the three as numbers; a single one is the end, and 0 the start."""
    if end is None:
        start, end = 0, start
    if end is None:
        raise TypeError(f"{name}: the end is missing")
    return _number(0 if start is None else start), _number(end), _number(step)


def _number(value):
    return value.item() if isinstance(value, (Tensor, np.generic, np.ndarray)) else value


@takes_out
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return numbers from ``start`` to ``end``, both included, at equal distances.

    Raises ``ValueError`` for a negative number of steps.

    Arguments:
        start: the first number.
        end: the last number.
        steps: how many numbers, 0 or more; of one it is ``start``.
        dtype: the default dtype for None, its complex one for a complex start or end.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    steps = _count("linspace", steps)
    start, end = _number(start), _number(end)
    if dtype is None:
        dtype = get_default_dtype()
        dtype = COMPLEX_OF[dtype] if isinstance(start + end, complex) else dtype
    dtype = as_dtype(dtype)
    if dtype.kind in "iu" and steps > 1:
        array = _integers_between(int(start), int(end), steps, dtype)
    else:
        array = _equally_distant(start, end, steps).astype(dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def _count(name, steps) -> int:
    if not hasattr(steps, "__index__"):
        raise DtypeError(f"{name}: the number of steps is an integer, not {steps!r}")
    if index(steps) < 0:
        raise ArgumentError(f"{name}: the number of steps must not be negative, got {steps}")
    return index(steps)


def _equally_distant(start, end, steps):
    # Of an infinite end NumPy would warn in its own name, which AINO's filter does not know.
    with np.errstate(all="ignore"):
        return np.linspace(start, end, steps)


def _integers_between(start, end, steps, dtype):
    """Return integers at equal distances, cut towards zero: in integers, so that none is missed."""
    places = np.arange(steps) * (end - start) + start * (steps - 1)
    return (np.sign(places) * (np.absolute(places) // (steps - 1))).astype(dtype)


@takes_out
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the powers of ``base`` to equally distant exponents: baseˢᵗᵃʳᵗ, ..., baseᵉⁿᵈ.

    Raises ``ValueError`` for a negative number of steps.

    Arguments:
        start: the first exponent.
        end: the last exponent.
        steps: how many numbers, 0 or more.
        base: what is raised to the powers.
        dtype: the default dtype for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    steps = _count("logspace", steps)
    exponents = _equally_distant(_number(start), _number(end), steps)
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    array = np.power(float(base), exponents).astype(dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return where the lower triangle of a matrix is, row by row: rows, then columns, ``(2, n)``.

    Raises ``ShapeError`` for a negative length.

    Arguments:
        row: how many rows the matrix has.
        col: how many columns it has.
        offset: the highest diagonal that belongs to it: 0 the main one, above it > 0.
        dtype: int64 for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    array = _places("tril_indices", np.tril_indices, row, col, offset, dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return where the upper triangle of a matrix is, row by row: rows, then columns, ``(2, n)``.

    Raises ``ShapeError`` for a negative length.

    Arguments:
        row: how many rows the matrix has.
        col: how many columns it has.
        offset: the lowest diagonal that belongs to it: 0 the main one, above it > 0.
        dtype: int64 for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    array = _places("triu_indices", np.triu_indices, row, col, offset, dtype)
    return born(array, device, requires_grad, layout, pin_memory)


def _places(name, find, row, col, offset, dtype):
    if row < 0 or col < 0:
        raise ShapeError(f"{name}: a matrix has no negative length, got {row} and {col}")
    found = np.stack(find(row, offset, col))
    return found.astype(dtypes.int64 if dtype is None else as_dtype(dtype))
