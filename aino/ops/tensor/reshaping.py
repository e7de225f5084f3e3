"""Tensors that take another shape, or other memory, in place.

A view that was taken before keeps its own shape, and shares the memory, as in PyTorch.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.mode import enable_grad, mode
from aino.autograd.node import Leaf, extras_of
from aino.autograd.rules import strided
from aino.autograd.tensor import Tensor, make, note_reshaped, refresh
from aino.errors import DtypeError, GradientError, InplaceError, ShapeError
from aino.layouts import check_memory_format
from aino.ops.arguments import ints_of
from aino.ops.creation.filled import shape_of
from aino.ops.shape import shaping, transposing
from aino.ops.shape.strided import as_strided
from aino.ops.tensor.storage import TypedStorage, UntypedStorage
from aino.tracing import forbid_layout
from aino.user_warnings import warn

__all__: list[str] = []


def _takes(self: Tensor, name: str, function: Any, *arguments: Any) -> Tensor:
    """Let a tensor be the view of itself that a function returns."""
    forbid_layout(f"{name}()", f"use {name[:-1]}(), which returns a view")
    if self.view_of is not None:
        refresh(self)
    if type(self.node) is Leaf:
        _check_leaf(self, name)
        self.array = function(make(self.array), *arguments).array
        self.node.shape = self.array.shape
    else:
        before = make(self.array, self.node)
        before.view_of = self.view_of
        with enable_grad():  # recorded or not, the shape changes, and so must the node
            result = function(before, *arguments)
        if result is before:
            return self
        if self.view_of is not None:
            self.view_of = result.view_of
        old, self.array, self.node = self.node, result.array, result.node
        if old is not None and old.extras is not None and old.extras.keeper is not None:
            extras_of(self.node).keeper, old.extras.keeper = old.extras.keeper, None
    note_reshaped(self)
    return self


def _check_leaf(self, name) -> None:
    if mode.level:
        raise InplaceError(
            f"{name}: a leaf that requires a gradient can't be changed in place; use no_grad(), or "
            f"{name[:-1]}(), which returns a view"
        )
    if self.grad is not None:
        raise InplaceError(
            f"{name}: this leaf has a gradient of its old shape, {self.array.shape}; set grad to "
            "None first"
        )


def squeeze_(self: Tensor, dim: Any = None) -> Tensor:
    """Lose the dimensions of length 1, in place: all, or those among ``dim``; returns itself."""
    return _takes(self, "squeeze_", shaping.squeeze, dim)


def unsqueeze_(self: Tensor, dim: Any) -> Tensor:
    """Take a new dimension of length 1 at ``dim``, in place; returns itself."""
    return _takes(self, "unsqueeze_", shaping.unsqueeze, dim)


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange the dimensions ``dim0`` and ``dim1``, in place; returns itself."""
    return _takes(self, "transpose_", transposing.transpose, dim0, dim1)


def swapdims_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange the dimensions ``dim0`` and ``dim1``, in place: ``transpose_``."""
    return _takes(self, "swapdims_", transposing.transpose, dim0, dim1)


def swapaxes_(self: Tensor, axis0: int, axis1: int) -> Tensor:
    """Exchange the dimensions ``axis0`` and ``axis1``, in place: ``transpose_``."""
    return _takes(self, "swapaxes_", transposing.transpose, axis0, axis1)


def t_(self: Tensor) -> Tensor:
    """Exchange the two dimensions of a matrix, in place; returns itself."""
    return _takes(self, "t_", transposing.t)


def as_strided_(self: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """Show the memory by other strides, in place; returns itself.

    Arguments:
        size, stride, storage_offset: as for ``as_strided``.

    >>> import aino
    >>> aino.as_strided_(aino.tensor([1, 2, 3, 4]), (2, 2), (1, 2))
    tensor([[1, 3],
            [2, 4]])
    """
    return _takes(self, "as_strided_", as_strided, size, stride, storage_offset)


# Other memory


def _check_unrecorded(self, name) -> None:
    """Raise where a tensor requires a gradient: what it was computed from is gone."""
    if self.requires_grad:
        raise GradientError(
            f"{name}: can't give other memory to a tensor that requires a gradient; detach() it"
        )


def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Take another shape, in place, of as many elements as may be; returns itself.

    The elements stay as they lie in memory, those that come to them hold whatever is there. More
    than the memory holds need new memory; where others share it, which would lose them, that
    raises ``InplaceError``. Raises ``GradientError`` where a gradient is required.

    Arguments:
        sizes: the shape, as numbers or as one sequence.
        memory_format: ``aino.contiguous_format``, which None means, too.

    >>> import aino
    >>> aino.tensor([1, 2, 3, 4]).resize_(2, 1)
    tensor([[1],
            [2]])
    """
    check_memory_format(memory_format)
    forbid_layout("resize_()", "make a new tensor")
    _check_unrecorded(self, "resize_")
    shape = shape_of(sizes)
    if shape == self.array.shape:
        return self
    stride = tuple([math.prod(shape[dim + 1 :]) for dim in range(len(shape))])
    start = strided.layout_of(self.array)[1]
    length = owner(self.array).nbytes // self.array.itemsize
    if start + math.prod(shape) > length:
        _grow(self, start + math.prod(shape))
    return _takes(self, "resize_", as_strided, shape, stride, start)


def _grow(self, count) -> None:
    """Give a tensor memory for ``count`` elements, what it has at their front."""
    holders = _holders(self)  # before there are names here that hold them, too
    array = self.array
    memory = array if array.base is None else array.base
    whole = type(memory) is np.ndarray and memory.base is None and memory.dtype == array.dtype
    # Who else holds an array has a part in its memory.
    shared = any(map(operator.gt, holders, _unshared(memory is not array)))
    if shared or not (whole and memory.flags.c_contiguous):
        raise InplaceError(
            f"resize_: the memory of {array.size} elements is shared, or not AINO's, and can't "
            f"grow to {count}; clone() the tensor first"
        )
    grown = np.empty(count, array.dtype)
    grown[: memory.size] = memory.reshape(-1)
    self.array = grown


def _holders(tensor) -> tuple[int, int]:
    """Return how often the array of a tensor is held, and the memory that it may be a view of."""
    array = tensor.array
    memory = array if array.base is None else array.base
    return sys.getrefcount(array), sys.getrefcount(memory)


@functools.cache
def _unshared(viewed: bool) -> tuple[int, int]:
    """Return how often they are held where nobody else does: each Python counts in its own way."""
    return _holders(make(np.empty(2)[:1] if viewed else np.empty(2)))


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Take the shape of another tensor, in place, as ``resize_`` does; returns itself.

    Arguments:
        the_template: the tensor whose shape is taken.
        memory_format: as for ``resize_``.

    >>> import aino
    >>> aino.resize_as_(aino.tensor([1, 2, 3, 4]), aino.zeros(1, 2))
    tensor([[1, 2]])
    """
    return resize_(self, the_template.array.shape, memory_format=memory_format)


def resize(self: Tensor, *sizes: Any) -> Tensor:
    """Return the same elements in another shape; deprecated by PyTorch, ``reshape`` is the word.

    Raises ``ShapeError`` for a shape of more or fewer elements.

    Arguments:
        sizes: the shape, as numbers or as one sequence.

    >>> import aino
    >>> aino.arange(4).reshape(2, 2).tolist()
    [[0, 1], [2, 3]]
    """
    warn("resize is deprecated, as PyTorch's is: use reshape")
    size = ints_of(sizes)
    if math.prod(size) != self.array.size or min(size, default=0) < 0:
        raise ShapeError(
            f"resize: shape {size} does not have the {self.array.size} elements of "
            f"{self.array.shape}; resize_ takes another number of them"
        )
    return shaping.reshape(self, size)


def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """Return the same elements in the shape of another tensor; deprecated as ``resize``.

    Arguments:
        tensor: the tensor whose shape is taken.
    """
    return resize(self, *tensor.array.shape)


def set_(
    self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Tensor:
    """Take the memory, the shape and the strides of another tensor, in place; returns itself.

    Raises ``DtypeError`` for another dtype, ``GradientError`` where a gradient is required.

    Arguments:
        source: the tensor, or what ``untyped_storage()`` returned; None leaves no element.
        storage_offset: with a size, where the first element stands in the source's memory.
        size: the shape; that of the source for None.
        stride: the distance of neighbours, in elements; one row after the other for None.

    >>> import aino
    >>> x, y = aino.zeros(2), aino.arange(4.0)
    >>> x.set_(y, 1, (2,)).mul_(10), y
    (tensor([10., 20.]), tensor([ 0., 10., 20.,  3.]))
    """
    forbid_layout("set_()", "use the other tensor itself")
    _check_unrecorded(self, "set_")
    if source is None:
        source = make(np.empty((0,), self.array.dtype))
    elif isinstance(source, UntypedStorage):
        dtype = source.dtype if isinstance(source, TypedStorage) else self.array.dtype
        memory = source.array
        count = memory.nbytes // dtype.itemsize
        source = make(np.ndarray((count,), dtype, memory))
    if not isinstance(source, Tensor):
        raise DtypeError(f"set_: the source is a tensor or its storage, not {type(source)}")
    if source.array.dtype != self.array.dtype:
        raise DtypeError(f"set_: a source of {source.array.dtype} for {self.array.dtype}")
    _check_unrecorded(source, "set_")
    if size is not None:
        size = shape_of((size,))
        if stride is None:
            stride = tuple([math.prod(size[dim + 1 :]) for dim in range(len(size))])
        source = as_strided(source, size, stride, storage_offset)
    self.array, self.node, self.view_of = source.array, None, source.view_of
    note_reshaped(self)
    return self


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Tell whether two tensors show the same elements of the same memory in the same shape.

    >>> import aino
    >>> x = aino.zeros(2)
    >>> x.is_set_to(x.detach()), x.is_set_to(x[:1])
    (True, False)
    """
    mine, other = self.array, tensor.array
    return bool(
        mine.dtype == other.dtype
        and mine.shape == other.shape
        and mine.strides == other.strides
        and mine.__array_interface__["data"][0] == other.__array_interface__["data"][0]
    )
