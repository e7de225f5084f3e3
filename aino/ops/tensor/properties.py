"""What a tensor says of itself: its size, its place in memory, its kind of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.tensor import Tensor
from aino.errors import BoundsError
from aino.layouts import channels_last, channels_last_3d, check_memory_format
from aino.ops.public import method
from aino.ops.tensor.conversion import as_bool

__all__ = [
    "is_tensor", "is_floating_point", "is_complex", "is_signed", "is_nonzero", "is_same_size",
    "numel",
]  # fmt: skip


@method(aliases=("nelement",))
def numel(input: Tensor) -> int:
    """Return the number of elements.

    >>> import aino
    >>> aino.numel(aino.ones(2, 3))
    6
    """
    return input.array.size


@method
def element_size(self: Tensor) -> int:
    """Return the bytes of one element.

    >>> import aino
    >>> aino.ones(2).element_size()
    4
    """
    return self.array.itemsize


@method(aliases=("ndimension",))
def dim(self: Tensor) -> int:
    """Return the number of axes.

    >>> import aino
    >>> aino.ones(2, 3).dim()
    2
    """
    return self.array.ndim


@method
def size(self: Tensor, dim: Any = None) -> Any:
    """Return the shape, or the length of one axis.

    Arguments:
        dim: which axis; None for the shape.

    >>> import aino
    >>> aino.ones(2, 3).size(), aino.ones(2, 3).size(-1)
    (aino.Size([2, 3]), 3)
    """
    return self.shape if dim is None else self.array.shape[_axis(self, dim)]


@method
def stride(self: Tensor, dim: Any = None) -> Any:
    """Return the distance between neighbours along each axis, or one, in elements.

    Arguments:
        dim: which axis; None for a tuple of all.

    >>> import aino
    >>> aino.ones(2, 3).stride()
    (3, 1)
    """
    steps = tuple([step // self.array.itemsize for step in self.array.strides])
    return steps if dim is None else steps[_axis(self, dim)]


def _axis(self, dim):
    count = max(self.array.ndim, 1)
    if not -count <= dim < count or not self.array.ndim:
        raise BoundsError(
            f"dimension out of range (expected to be in range of [{-count}, {count - 1}], but got "
            f"{dim})"
        )
    return dim


@method
def data_ptr(self: Tensor) -> int:
    """Return the address of the first element."""
    return _address(self.array)


@method
def storage_offset(self: Tensor) -> int:
    """Return how many elements lie in memory before the first, in what owns the memory.

    >>> import aino
    >>> aino.arange(4)[1:].storage_offset()
    1
    """
    return (_address(self.array) - _address(owner(self.array))) // self.array.itemsize


def _address(array):
    return array.__array_interface__["data"][0]


@method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Tell whether the elements lie one after the other in memory, the last axis fastest.

    Arguments:
        memory_format: which axis is the fastest: ``aino.channels_last`` means the second.

    >>> import aino
    >>> aino.ones(2, 3).t().is_contiguous()
    False
    """
    array, axes = self.array, _CHANNELS_LAST.get(memory_format)
    if axes is not None:
        return array.ndim == axes and np.moveaxis(array, 1, -1).flags.c_contiguous
    check_memory_format(memory_format)
    return array.flags.c_contiguous


#: How many axes a tensor has whose channels may come last.
_CHANNELS_LAST = {channels_last: 4, channels_last_3d: 5}


def is_tensor(obj: Any) -> bool:
    """Tell whether an object is a tensor.

    >>> import aino
    >>> aino.is_tensor(aino.ones(2)), aino.is_tensor([1.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


@method
def is_floating_point(input: Tensor) -> bool:
    """Tell whether the dtype is a floating-point one.

    >>> import aino
    >>> aino.is_floating_point(aino.tensor([1]))
    False
    """
    return input.array.dtype.kind == "f"


@method
def is_complex(input: Tensor) -> bool:
    """Tell whether the dtype is complex.

    >>> import aino
    >>> aino.is_complex(aino.tensor([1j]))
    True
    """
    return input.array.dtype.kind == "c"


@method
def is_signed(input: Tensor) -> bool:
    """Tell whether the dtype has negative numbers.

    >>> import aino
    >>> aino.is_signed(aino.ones(2, dtype=aino.uint8))
    False
    """
    return input.array.dtype.kind in "ifc"


@method
def is_nonzero(input: Tensor) -> bool:
    """Tell whether the only element is not zero.

    Raises ``ShapeError`` where there are more elements, or none.

    >>> import aino
    >>> aino.is_nonzero(aino.tensor([2.0]))
    True
    """
    return as_bool(input)


@method
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors have the same shape.

    Arguments:
        input: a tensor.
        other: the other.

    >>> import aino
    >>> aino.is_same_size(aino.ones(2), aino.zeros(2))
    True
    """
    return input.array.shape == other.array.shape
