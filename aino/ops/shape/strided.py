"""Tensors by strides: views of the memory that is there, and new memory laid out so."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.rules import index as index_rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.rules import strided as rules
from aino.autograd.tensor import Tensor, refresh
from aino.dtypes import as_dtype, get_default_dtype
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import ints_of
from aino.ops.creation.from_data import born
from aino.tracing import forbid_layout
from aino.types import DeviceLike, DType

__all__ = [
    "as_strided", "as_strided_scatter", "slice_inverse", "empty_strided", "empty_permuted",
    "new_empty_strided",
]  # fmt: skip


def _sizes(name, size, stride):
    size, stride = ints_of((size,)), ints_of((stride,))
    if len(size) != len(stride):
        raise ShapeError(f"{name}: {len(size)} sizes and {len(stride)} strides")
    if size and min(size) < 0:
        raise ShapeError(f"{name}: a shape has no negative length, got {size}")
    if stride and min(stride) < 0:
        raise ArgumentError(
            f"{name}: strides must not be negative, got {stride}; flip() the result"
        )
    return size, stride


def _in_memory(name, input, size, stride, storage_offset):
    """Return sizes, strides and offset, checked against the memory there is."""
    size, stride = _sizes(name, size, stride)
    array = input.array
    offset = rules.layout_of(array)[1] if storage_offset is None else int(storage_offset)
    _, last = rules.extent(size, stride, offset)
    length = owner(array).nbytes // array.itemsize
    if offset < 0 or last >= length:
        raise ShapeError(
            f"{name}: sizes {size} and strides {stride} from offset {offset} reach up to element "
            f"{last}, the memory has {length}"
        )
    return size, stride, offset


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """Return a view of the memory of ``input``: ``y[i, j] = memory[offset + i·s₀ + j·s₁]``.

    Gradients go to the elements that stand there. Where several elements of the view are one in
    memory it can't be written. Raises ``ShapeError`` for what lies beyond the memory, and
    ``CompileError`` in a compiled function, which lays its values out itself.

    Arguments:
        input: a tensor.
        size: the shape of the view.
        stride: the distance of neighbours along each dimension, in elements.
        storage_offset: where the first element stands in memory; where the input's does for None.

    >>> import aino
    >>> aino.as_strided(aino.tensor([1, 2, 3, 4]), (3, 2), (1, 1))
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    forbid_layout("as_strided()", "use reshape(), unfold(), diagonal(), expand() or a subscript")
    size, stride, offset = _in_memory("as_strided", input, size, stride, storage_offset)
    source = input
    if not _is_inside(input.array, size, stride, offset):
        # Beyond its own elements are those of what it is a view of.
        while source.view_of is not None:
            refresh(source)
            source = source.view_of.parent
        if source.array.dtype != input.array.dtype:
            raise DtypeError(
                f"as_strided: the view reaches beyond the tensor, which is a view of one of "
                f"{source.array.dtype}; take it of that"
            )
    layout = rules.layout_of(source.array)
    result = rules.as_strided(source, size, stride, offset, layout)
    loose = source.view_of is None and not rules.is_dense(source.array.shape, layout[0])
    if _overlaps(size, stride, offset) or (loose and source.node is not None):
        result.array.flags.writeable = False
    return result


def _is_inside(array, size, stride, offset) -> bool:
    """Tell whether a view shows no other elements than the array's own."""
    strides, start = rules.layout_of(array)
    first, last = rules.extent(size, stride, offset)
    lowest, highest = rules.extent(array.shape, strides, start)
    if first > last:
        return True
    if first < lowest or last > highest:
        return False
    if rules.is_dense(array.shape, strides):
        return True
    numbers = rules.numbers_of(size, stride, offset, array.shape, (strides, start))
    return bool((numbers < array.size).all())


def _overlaps(size, stride, offset) -> bool:
    """Tell whether several elements are one in memory."""
    reach = 0
    for step, length in sorted([(s, n) for s, n in zip(stride, size) if n != 1]):
        if step <= reach:
            places = rules.places_in_memory(size, stride, offset).reshape(-1)
            return len(np.unique(places)) < len(places)
        reach += step * (length - 1)
    return False


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: Any = None
) -> Tensor:
    """Return a copy of ``input`` with ``src`` where ``as_strided`` would look.

    Raises ``ShapeError`` where that lies beyond the elements of the input, or several elements of
    ``src`` would stand in one place.

    Arguments:
        input: a tensor.
        src: what is written, of shape ``size`` and the input's dtype.
        size, stride, storage_offset: as for ``as_strided``.

    >>> import aino
    >>> aino.as_strided_scatter(aino.zeros(2, 2), aino.tensor([1.0, 2.0]), (2,), (3,))
    tensor([[1., 0.],
            [0., 2.]])
    """
    name = "as_strided_scatter"
    forbid_layout(f"{name}()", "use slice_scatter(), diagonal_scatter() or index_put()")
    size, stride, offset = _in_memory(name, input, size, stride, storage_offset)
    array = input.array
    if src.array.shape != size:
        raise ShapeError(f"{name}: src has shape {src.array.shape}, the view {size}")
    if src.array.dtype != array.dtype:
        raise DtypeError(f"{name}: src is of {src.array.dtype}, the input of {array.dtype}")
    numbers = rules.numbers_of(size, stride, offset, array.shape, rules.layout_of(array))
    if (numbers >= array.size).any():
        raise ShapeError(f"{name}: the view reaches beyond the elements of the input")
    if _overlaps(size, stride, offset):
        raise ShapeError(f"{name}: several elements of src would stand in one place")
    flat = shape_rules.reshape(input, (array.size,))
    values = shape_rules.reshape(src, (src.array.size,))
    return shape_rules.reshape(index_rules.put(flat, values, (...,), (numbers,)), array.shape)


def slice_inverse(
    input: Tensor, src: Tensor, dim: Any = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    """Return the tensor that ``input``, a slice of it, was taken of: a view of the same memory.

    Arguments:
        input: the slice.
        src: a tensor that lies in memory as the whole does.
        dim, start, end, step: how the slice was taken, not read: ``src`` says enough.

    >>> import aino
    >>> x = aino.arange(4)
    >>> aino.slice_inverse(x[1:3], x, 0, 1, 3)
    tensor([0, 1, 2, 3])
    """
    strides, offset = rules.layout_of(src.array)
    return as_strided(input, src.array.shape, strides, offset)


def _laid_out(size, stride, dtype):
    """Return new memory, laid out by strides."""
    _, last = rules.extent(size, stride, 0)
    memory = np.empty(last + 1, dtype)
    return np.ndarray(size, dtype, memory, 0, [step * dtype.itemsize for step in stride])


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor of whatever is in its memory, laid out by strides.

    Arguments:
        size: the shape.
        stride: the distance of neighbours along each dimension, in elements.
        dtype, layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    size, stride = _sizes("empty_strided", size, stride)
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    return born(_laid_out(size, stride, dtype), device, requires_grad, layout, pin_memory)


def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor of whatever is in its memory, its dimensions laid out in an order.

    Arguments:
        size: the shape.
        physical_layout: the dimensions, from the one whose neighbours lie farthest apart.
        dtype, layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    size, order = ints_of((size,)), ints_of((physical_layout,))
    if sorted(order) != list(range(len(size))):
        raise ShapeError(f"empty_permuted: {order} is no order of {len(size)} dimensions")
    stride, step = [0] * len(size), 1
    for dim in reversed(order):
        stride[dim] = step
        step *= max(size[dim], 1)
    return empty_strided(
        size, stride, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory,
        requires_grad=requires_grad,
    )  # fmt: skip


def new_empty_strided(
    self: Tensor,
    size: Any,
    stride: Any,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new tensor of this tensor's dtype, of whatever is in its memory, by strides.

    Arguments:
        size: the shape.
        stride: the distance of neighbours along each dimension, in elements.
        dtype: this tensor's for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino
    >>> aino.ones(2, dtype=aino.int8).new_empty_strided((2, 3), (1, 2)).dtype
    dtype('int8')
    """
    return empty_strided(
        size, stride, dtype=self.array.dtype if dtype is None else dtype, layout=layout,
        device=device, pin_memory=pin_memory, requires_grad=requires_grad,
    )  # fmt: skip
