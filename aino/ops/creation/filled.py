"""Tensors of a given shape, filled with a number."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, get_default_dtype, scalar_dtype
from aino.errors import DtypeError, ShapeError
from aino.layouts import check_memory_format, contiguous_format
from aino.ops.creation.from_data import born, is_live, live, numbers
from aino.ops.out import dtype_for, into
from aino.ops.public import method, takes_out
from aino.types import DeviceLike, DType, Number

__all__ = [
    "zeros", "ones", "empty", "full", "eye", "zeros_like", "ones_like", "full_like", "empty_like",
]  # fmt: skip


def shape_of(sizes, size=None) -> tuple[int, ...]:
    """Return the shape that ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))`` asks for."""
    if size is not None:
        if sizes:
            raise TypeError("a shape was given twice: as numbers and as size=")
        sizes = (size,)
    if not sizes:
        raise TypeError("a shape is missing: give its lengths, or () for a single number")
    first = sizes[0]
    several = isinstance(first, (Tensor, np.ndarray)) and first.ndim > 0
    if len(sizes) == 1 and (several or not hasattr(first, "__index__")):
        sizes = first
    try:
        shape = tuple([index(length) for length in sizes])
    except TypeError:
        raise DtypeError(f"a shape is made of integers, got {sizes!r}") from None
    if shape and min(shape) < 0:
        raise ShapeError(f"a shape has no negative length, got {shape}")
    return shape


def _filled(array_maker, name, sentence):
    """Return the function that makes new tensors by ``np.zeros`` or ``np.ones``."""

    def create(
        *sizes: Any,
        size: Any = None,
        dtype: DType | None = None,
        layout: Any = None,
        device: DeviceLike = None,
        pin_memory: bool = False,
        requires_grad: bool = False,
        out: Tensor | None = None,
    ) -> Tensor:
        shape = shape_of(sizes, size)
        if out is not None:
            dtype = dtype_for(out, dtype, name)
        dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
        made = born(array_maker(shape, dtype), device, requires_grad, layout, pin_memory)
        return made if out is None else into(out, made, name)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"""{sentence}

    Raises ``ShapeError`` for a negative length, ``DtypeError`` for one that is no integer.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``; ``()`` is 0-d.
        dtype: the default dtype, float32, for None.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        pin_memory: True raises ``DeviceError``: there is no accelerator to pin memory for.
        requires_grad: whether gradients flow back to the tensor.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.{name}(2, 3).shape
    aino.Size([2, 3])
    """
    return create


zeros = _filled(np.zeros, "zeros", "Return a new tensor full of zeros.")
ones = _filled(np.ones, "ones", "Return a new tensor full of ones.")


def empty(
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a new tensor of whatever is in its memory.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``; ``()`` is 0-d.
        dtype, layout, device, pin_memory, requires_grad: as for ``zeros``.
        memory_format: ``aino.contiguous_format``, which None means, too.
        out: a tensor that takes the shape and is returned.

    >>> import aino
    >>> aino.empty(2, 3).shape
    aino.Size([2, 3])
    """
    check_memory_format(memory_format)
    dtype = dtype_for(out, dtype, "empty")
    array = np.empty(
        shape_of(sizes, size), get_default_dtype() if dtype is None else as_dtype(dtype)
    )
    return into(out, born(array, device, requires_grad, layout, pin_memory), "empty")


@takes_out
def full(
    size: Any,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return a new tensor full of one number.

    Raises ``DtypeError`` where the dtype can't hold the number.

    Arguments:
        size: the shape, a sequence of lengths.
        fill_value: the number, or a tensor of one element.
        dtype: for None it follows from the number: int64, bool, the default dtype or its complex.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.full((2,), 7)
    tensor([7, 7])
    """
    if isinstance(fill_value, Tensor):
        dtype = fill_value.dtype if dtype is None else dtype
        fill_value = fill_value.item()
    shape = shape_of((size,))
    if is_live(fill_value):
        array = live(fill_value, None if dtype is None else as_dtype(dtype), shape)
    else:
        array = _full(
            shape, fill_value, scalar_dtype(fill_value) if dtype is None else as_dtype(dtype)
        )
    return born(array, device, requires_grad, layout, pin_memory)


def _full(shape, value, dtype):
    """Return a full array; unlike NumPy it changes no number to make it fit."""
    number = numbers(value, dtype)
    if dtype.kind == "f" and np.isinf(number) and math.isfinite(value):
        raise DtypeError(f"{value!r} is too large for {dtype}")
    return np.full(shape, number, dtype)


@takes_out
def eye(
    n: int,
    m: Any = None,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the identity matrix: ones on the diagonal, zeros elsewhere.

    Raises ``ShapeError`` for a negative length.

    Arguments:
        n: how many rows.
        m: how many columns; as many as rows for None.
        dtype: the default dtype for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if n < 0 or (m is not None and m < 0):
        raise ShapeError(f"eye: a matrix has no negative length, got {n} and {m}")
    return born(np.eye(n, m, dtype=dtype), device, requires_grad, layout, pin_memory)


# Of the shape of another tensor


def _order(memory_format):
    """Return NumPy's letter for a memory format."""
    if memory_format is None:
        return "K"
    check_memory_format(memory_format)
    return "C" if memory_format is contiguous_format else "K"


def zeros_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return zeros of the shape of ``input``.

    Arguments:
        input: the tensor whose shape is taken.
        dtype: that of ``input`` for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.
        memory_format: ``aino.contiguous_format`` lays rows one after the other; else as in input.

    >>> import aino
    >>> aino.zeros_like(aino.tensor([1, 2]))
    tensor([0, 0])
    """
    array = np.zeros_like(
        input.array, None if dtype is None else as_dtype(dtype), _order(memory_format)
    )
    return born(array, device, requires_grad, layout, pin_memory)


def ones_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return ones of the shape of ``input``.

    Arguments:
        input: the tensor whose shape is taken.
        dtype: that of ``input`` for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.
        memory_format: ``aino.contiguous_format`` lays rows one after the other; else as in input.

    >>> import aino
    >>> aino.ones_like(aino.tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    array = np.ones_like(
        input.array, None if dtype is None else as_dtype(dtype), _order(memory_format)
    )
    return born(array, device, requires_grad, layout, pin_memory)


def empty_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return a new tensor of the shape of ``input``, of whatever is in its memory.

    Arguments:
        input: the tensor whose shape is taken.
        dtype: that of ``input`` for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.
        memory_format: ``aino.contiguous_format`` lays rows one after the other; else as in input.

    >>> import aino
    >>> aino.empty_like(aino.ones(2, 3), dtype=aino.int8).dtype
    dtype('int8')
    """
    array = np.empty_like(
        input.array, None if dtype is None else as_dtype(dtype), _order(memory_format)
    )
    return born(array, device, requires_grad, layout, pin_memory)


def full_like(
    input: Tensor,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return a tensor of the shape of ``input``, full of one number.

    Raises ``DtypeError`` where the dtype can't hold the number.

    Arguments:
        input: the tensor whose shape is taken.
        fill_value: the number, or a tensor of one element.
        dtype: that of ``input`` for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.
        memory_format: ``aino.contiguous_format`` lays rows one after the other; else as in input.

    >>> import aino
    >>> aino.full_like(aino.ones(2), 7)
    tensor([7., 7.])
    """
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    dtype = input.dtype if dtype is None else as_dtype(dtype)
    order = _order(memory_format)
    if is_live(fill_value):
        array = live(fill_value, dtype, input.array.shape)
    else:
        array = np.full_like(input.array, _full((), fill_value, dtype), dtype, order)
    return born(array, device, requires_grad, layout, pin_memory)


# Of the dtype of another tensor


@method
def new_zeros(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return zeros of this tensor's dtype, in another shape.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``.
        dtype: this tensor's for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.ones(2, dtype=aino.float64).new_zeros(3).dtype
    dtype('float64')
    """
    array = np.zeros(shape_of(sizes, size), self.dtype if dtype is None else as_dtype(dtype))
    return born(array, device, requires_grad, layout, pin_memory)


@method
def new_ones(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return ones of this tensor's dtype, in another shape.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``.
        dtype: this tensor's for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.ones(2, dtype=aino.float64).new_ones(3).dtype
    dtype('float64')
    """
    array = np.ones(shape_of(sizes, size), self.dtype if dtype is None else as_dtype(dtype))
    return born(array, device, requires_grad, layout, pin_memory)


@method
def new_empty(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor of this tensor's dtype, of whatever is in its memory.

    Arguments:
        sizes, size: the shape, as numbers, as one sequence, or as ``size=``.
        dtype: this tensor's for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.ones(2, dtype=aino.float64).new_empty(3).dtype
    dtype('float64')
    """
    array = np.empty(shape_of(sizes, size), self.dtype if dtype is None else as_dtype(dtype))
    return born(array, device, requires_grad, layout, pin_memory)


@method
def new_full(
    self: Tensor,
    size: Any,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor of this tensor's dtype in another shape, full of one number.

    Arguments:
        size: the shape, a sequence of lengths.
        fill_value: the number, or a tensor of one element.
        dtype: this tensor's for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.ones(2).new_full((3,), 7)
    tensor([7., 7., 7.])
    """
    return full(
        size,
        fill_value,
        dtype=self.dtype if dtype is None else dtype,
        layout=layout,
        device=device,
        pin_memory=pin_memory,
        requires_grad=requires_grad,
    )
