"""Tensors of a given shape, filled with a number; ranges and grids."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor
from aino.dtypes import COMPLEX_OF, as_dtype, get_default_dtype, scalar_dtype
from aino.errors import DtypeError, ShapeError
from aino.ops.creation.from_data import born, is_live, live, numbers
from aino.ops.public import method
from aino.types import DeviceLike, DType, Number

__all__ = [
    "zeros", "ones", "full", "empty", "eye", "arange", "range", "linspace", "logspace",
    "zeros_like", "ones_like", "full_like", "empty_like", "tril_indices", "triu_indices",
]  # fmt: skip


def shape_of(size, keywords=None) -> tuple[int, ...]:
    """Return the shape that ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))`` asks for."""
    if keywords:
        if "size" in keywords:
            if size:
                raise TypeError("a shape was given twice: as numbers and as size=")
            size = (keywords["size"],)
        no_more(keywords)
    if not size:
        raise TypeError("a shape is missing: give its lengths, or () for a single number")
    first = size[0]
    several = isinstance(first, (Tensor, np.ndarray)) and first.ndim > 0
    if len(size) == 1 and (several or not hasattr(first, "__index__")):
        size = first
    try:
        shape = tuple([index(length) for length in size])
    except TypeError:
        raise DtypeError(f"a shape is made of integers, got {size!r}") from None
    if shape and min(shape) < 0:
        raise ShapeError(f"a shape has no negative length, got {shape}")
    return shape


def _filled(array_maker, name, sentence):
    """Return the function that makes new tensors by ``np.zeros``, ``np.ones`` or ``np.empty``."""

    def create(
        *size, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more
    ):
        shape = shape_of(size, more)
        dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
        return born(array_maker(shape, dtype), device, requires_grad)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"""{sentence}

    The shape is given as numbers or as one sequence; the dtype is the default one.

    >>> import aino
    >>> aino.{name}(2, 3).shape
    aino.Size([2, 3])
    """
    return create


def no_more(keywords) -> None:
    """Raise for a keyword that would be ignored, unless that makes no difference."""
    for key, value in keywords.items():
        if key not in ("size", "memory_format") and value is not None:
            raise TypeError(f"there is no argument {key!r} here")


zeros = _filled(np.zeros, "zeros", "Return a new tensor full of zeros.")
ones = _filled(np.ones, "ones", "Return a new tensor full of ones.")
empty = _filled(np.empty, "empty", "Return a new tensor of whatever is in its memory.")


def full(
    size: Any,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor full of ``fill_value``, which decides the dtype if none is given.

    >>> import aino
    >>> aino.full((2,), 7)
    tensor([7, 7])
    """
    if isinstance(fill_value, Tensor):
        dtype = fill_value.dtype if dtype is None else dtype
        fill_value = fill_value.item()
    if is_live(fill_value):
        dtype = None if dtype is None else as_dtype(dtype)
        return born(live(fill_value, dtype, shape_of((size,))), device, requires_grad)
    dtype = scalar_dtype(fill_value) if dtype is None else as_dtype(dtype)
    return born(_full(shape_of((size,)), fill_value, dtype), device, requires_grad)


def _full(shape, value, dtype):
    """Return a full array; unlike NumPy it changes no number to make it fit."""
    number = numbers(value, dtype)
    if dtype.kind == "f" and np.isinf(number) and math.isfinite(value):
        raise DtypeError(f"{value!r} is too large for {dtype}")
    return np.full(shape, number, dtype)


def zeros_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return zeros of the shape and dtype of ``input``."""
    no_more(more)
    dtype = None if dtype is None else as_dtype(dtype)
    return born(np.zeros_like(input.array, dtype), device, requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return ones of the shape and dtype of ``input``."""
    no_more(more)
    dtype = None if dtype is None else as_dtype(dtype)
    return born(np.ones_like(input.array, dtype), device, requires_grad)


def empty_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return a new tensor of the shape and dtype of ``input``, of whatever is in its memory."""
    no_more(more)
    dtype = None if dtype is None else as_dtype(dtype)
    return born(np.empty_like(input.array, dtype), device, requires_grad)


def full_like(
    input: Tensor,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return ``fill_value`` everywhere, of the shape and dtype of ``input``."""
    no_more(more)
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    dtype = input.dtype if dtype is None else as_dtype(dtype)
    if is_live(fill_value):
        return born(live(fill_value, dtype, input.array.shape), device, requires_grad)
    number = _full((), fill_value, dtype)
    return born(np.full_like(input.array, number, dtype), device, requires_grad)


def eye(
    n: int,
    m: Any = None,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the identity matrix of n rows (and m columns).

    >>> import aino
    >>> aino.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if n < 0 or (m is not None and m < 0):
        raise ShapeError(f"eye: a matrix has no negative length, got {n} and {m}")
    return born(np.eye(n, m, dtype=dtype), device, requires_grad)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, ... below ``end``: int64 for integers, else the default dtype.

    >>> import aino
    >>> aino.arange(3), aino.arange(1.0, 2.0, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    if end is None:
        start, end = 0, start
    start, end, step = (_number(value) for value in (start, end, step))
    if step == 0:
        raise ValueError("arange: the step must not be zero")
    if not math.isfinite(start + end + step):
        raise ValueError(f"arange: no finite range leads from {start} to {end} by {step}")
    if (end - start) * step < 0:
        raise ValueError(f"arange: a step of {step} does not lead from {start} to {end}")
    whole = all(isinstance(value, int) for value in (start, end, step))
    if dtype is None:
        dtype = dtypes.int64 if whole else get_default_dtype()
    dtype = as_dtype(dtype)
    if dtype == dtypes.int64:
        # As in PyTorch, all three are cut first; of other integers after they were counted.
        start, end, step, whole = int(start), int(end), int(step), True
        if step == 0:
            raise ValueError(f"arange: the step is zero when it is cut to {dtype}")
    if whole:
        return born(np.arange(start, end, step).astype(dtype), device, requires_grad)
    count = math.ceil((end - start) / step)
    if dtype.kind in "iu":
        start, step = int(start), int(step)
    return born((start + step * np.arange(count)).astype(dtype), device, requires_grad)


def range(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, ... up to ``end``, which is included; ``arange`` is preferred."""
    if end is None:
        start, end = 0, start
    start, end, step = (_number(value) for value in (start, end, step))
    count = math.floor((end - start) / step) + 1
    if count < 1:
        raise ValueError(f"range: a step of {step} does not lead from {start} to {end}")
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    return born((start + step * np.arange(count)).astype(dtype), device, requires_grad)


def _number(value):
    return value.item() if isinstance(value, (Tensor, np.generic, np.ndarray)) else value


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``steps`` numbers from ``start`` to ``end``, both included, at equal distances.

    >>> import aino
    >>> aino.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if steps < 0:
        raise ValueError(f"linspace: the number of steps must not be negative, got {steps}")
    start, end = _number(start), _number(end)
    if dtype is None:
        dtype = get_default_dtype()
        dtype = COMPLEX_OF[dtype] if isinstance(start + end, complex) else dtype
    dtype = as_dtype(dtype)
    if dtype.kind in "iu" and steps > 1:
        return born(_integers_between(int(start), int(end), steps, dtype), device, requires_grad)
    return born(np.linspace(start, end, steps).astype(dtype), device, requires_grad)


def _integers_between(start, end, steps, dtype):
    """Return integers at equal distances, cut towards zero: in integers, so that none is missed."""
    places = np.arange(steps) * (end - start) + start * (steps - 1)
    return (np.sign(places) * (np.absolute(places) // (steps - 1))).astype(dtype)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``base`` to the powers of ``linspace(start, end, steps)``.

    >>> import aino
    >>> aino.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    if steps < 0:
        raise ValueError(f"logspace: the number of steps must not be negative, got {steps}")
    exponents = np.linspace(_number(start), _number(end), steps)
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    return born(np.power(float(base), exponents).astype(dtype), device, requires_grad)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = dtypes.int64,
    device: DeviceLike = None,
    layout: Any = None,
) -> Tensor:
    """Return the rows and columns of a matrix' lower triangle, as a ``(2, n)`` tensor.

    >>> import aino
    >>> aino.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return born(np.stack(np.tril_indices(row, offset, col)).astype(as_dtype(dtype)), device, False)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = dtypes.int64,
    device: DeviceLike = None,
    layout: Any = None,
) -> Tensor:
    """Return the rows and columns of a matrix' upper triangle, as a ``(2, n)`` tensor."""
    return born(np.stack(np.triu_indices(row, offset, col)).astype(as_dtype(dtype)), device, False)


# Beside another tensor


@method
def new_zeros(
    self: Tensor,
    *size: Any,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return zeros of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad, **more)


@method
def new_ones(
    self: Tensor,
    *size: Any,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return ones of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return ones(*size, dtype=dtype, device=device, requires_grad=requires_grad, **more)


@method
def new_empty(
    self: Tensor,
    *size: Any,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    **more: Any,
) -> Tensor:
    """Return a new tensor of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return empty(*size, dtype=dtype, device=device, requires_grad=requires_grad, **more)


@method
def new_full(
    self: Tensor,
    size: Any,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``fill_value`` everywhere, of this tensor's dtype, of another shape."""
    dtype = self.dtype if dtype is None else dtype
    return full(size, fill_value, dtype=dtype, device=device, requires_grad=requires_grad)
