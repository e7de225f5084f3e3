"""Picking out of a tensor: along a dimension, by condition; and copies with a part replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.duck import still
from aino.autograd.primitive import cast
from aino.autograd.rules import index as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import int64
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops.arguments import dim_of, numpy_names, whole
from aino.ops.index.subscript import explained
from aino.ops.public import method, takes_out
from aino.ops.shape.broadcasting import broadcast_shapes, broadcast_tensors

__all__ = [
    "index_select", "select", "narrow", "take", "take_along_dim", "gather",
    "masked_select", "nonzero", "argwhere",
    "select_scatter", "slice_scatter", "diagonal_scatter",
]  # fmt: skip

ndarray = np.ndarray
_ALL = slice(None)


# Along one dimension


def checked(index, length: int, what: str, lowest: int = 0):
    """Return an index tensor's array; raises ``IndexError`` unless lowest <= index < length."""
    array = index.array
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{what}: the index must be of integers, not {array.dtype}")
    if array.dtype is not int64:
        array = array.astype(int64)
    tracing.checked(check_bounds, array, length, what, lowest)
    return array


def check_bounds(array, length: int, what: str, lowest: int = 0) -> None:
    """Raise ``IndexError`` unless lowest <= index < length for all of an array."""
    if array.size:
        low, high = np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)
        if low < lowest or high >= length:
            outside = low if low < lowest else high
            raise BoundsError(
                f"{what}: index {outside} is out of bounds for a dimension of size {length}"
            )


@method
@numpy_names
@takes_out
def index_select(input: Tensor, dim: Any, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the slices at given indices along a dimension, as a copy.

    Raises ``IndexError`` for an index that is out of bounds.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, integers, 0-d or 1-D; none may be negative.

    >>> import aino
    >>> aino.index_select(aino.tensor([[1, 2], [3, 4]]), 1, aino.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    if index.array.ndim > 1:
        raise BoundsError(f"index_select: the index must be a vector, got {index.array.shape}")
    array = checked(index, shape[dim] if shape else 1, "index_select").reshape((-1,))
    if not shape:
        return shape_rules.clone(input)
    return rules.take(input, index if array is index.array else array, dim, False)


@method
@numpy_names
def select(input: Tensor, dim: Any, index: Any) -> Tensor:
    """Return the slice at one index along a dimension, as a view without it.

    Raises ``IndexError`` for an index that is out of bounds.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the index; negative ones count from the end.

    >>> import aino
    >>> aino.select(aino.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = input.array.shape
    if not shape:
        raise BoundsError("select: a 0-d tensor has no dimension to select from")
    dim, index = dim_of(dim, len(shape)), int(whole(index, "select: the index"))
    if not -shape[dim] <= index < shape[dim]:
        raise BoundsError(
            f"select: index {index} is out of range for dimension {dim} of shape {shape}"
        )
    return rules.getitem(input, (*(_ALL,) * dim, index, ...))


@method
@numpy_names
@takes_out
def narrow(
    input: Tensor, dim: Any, start: Any, length: int, *, out: Tensor | None = None
) -> Tensor:
    """Return a view of a run of slices along a dimension.

    Raises ``IndexError`` for a start out of bounds, ``ShapeError`` where the run is too long.

    Arguments:
        input: a tensor.
        dim: the dimension.
        start: where the run begins: a number or a 0-d tensor; negative ones count from the end.
        length: how many slices.

    >>> import aino
    >>> aino.narrow(aino.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = input.array.shape
    if not shape:
        raise ShapeError("narrow: a 0-d tensor can't be narrowed")
    if isinstance(start, Tensor) and (start.array.ndim or start.array.dtype.kind not in "iu"):
        raise DtypeError(
            "narrow: start is an integer, or a 0-d tensor of one, not a tensor of "
            f"{start.array.dtype} of shape {start.array.shape}"
        )
    dim = dim_of(dim, len(shape))
    start, length = int(whole(start, "narrow: start")), int(whole(length, "narrow: length"))
    if not -shape[dim] <= start <= shape[dim]:
        raise BoundsError(f"narrow: start {start} is out of range for a length of {shape[dim]}")
    start += shape[dim] if start < 0 else 0
    if length < 0 or start + length > shape[dim]:
        raise ShapeError(
            f"narrow: start ({start}) + length ({length}) exceeds dim {dim} of size {shape[dim]}"
        )
    return rules.getitem(input, (*(_ALL,) * dim, slice(start, start + length)))


@method
@takes_out
def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the elements of the flattened input at given indices.

    Raises ``IndexError`` for an index that is out of bounds, ``DtypeError`` unless it is int64.

    Arguments:
        input: a tensor.
        index: the indices, in the shape of the result; negative ones count from the end.

    >>> import aino
    >>> aino.take(aino.tensor([[1, 2], [3, 4]]), aino.tensor([0, -1]))
    tensor([1, 4])
    """
    flat = shape_rules.reshape(input, (input.array.size,))
    if index.array.dtype is not int64:
        raise DtypeError(f"take: the index must be of int64, not {index.array.dtype}")
    try:
        return rules.take(flat, index, 0, False)
    except IndexError as error:
        raise explained(error, 1) from None


@method
@numpy_names
@takes_out
def gather(
    input: Tensor, dim: Any, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None
) -> Tensor:
    """Return the elements at given indices along a dimension: ``yᵢⱼ = x[indexᵢⱼ, j]`` for dim 0.

    Raises ``IndexError`` for an index that is out of bounds, ``ShapeError`` for one that does not
    fit.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: as many dimensions as the input, none of them longer than there, but ``dim``.
        sparse_grad: has no effect: gradients are dense.

    >>> import aino
    >>> aino.gather(aino.tensor([[1, 2], [3, 4]]), 1, aino.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    return gathered(input, dim, index, fitting(shape, dim, index, "gather"))


def gathered(input, dim, index, array):
    """Gather by a checked index."""
    if not array.ndim or not input.array.ndim or not array.size:
        flat = shape_rules.reshape(input, (input.array.size,))
        return rules.take(flat, array, 0, False)
    return rules.gather(input, index if array is index.array else array, dim, False)


def fitting(shape, dim, index, what):
    """Return the array of an index that names one place along ``dim`` for each of its elements."""
    array = checked(index, shape[dim] if shape else 1, what)
    if not array.size:  # nothing is asked for, in whatever shape
        return array
    if max(array.ndim, 1) != max(len(shape), 1):
        raise ShapeError(
            f"{what}: the index has shape {array.shape}, the input {shape}; both need the same "
            "number of dimensions"
        )
    for i, (length, bound) in enumerate(zip(array.shape, shape)):
        if i != dim and length > bound and array.size:
            raise ShapeError(
                f"{what}: an index of shape {array.shape} is larger than the input {shape} at "
                f"dimension {i}, apart from dimension {dim}"
            )
    return array


@method
@numpy_names
@takes_out
def take_along_dim(
    input: Tensor, indices: Any, dim: Any = None, *, out: Tensor | None = None
) -> Tensor:
    """Return the elements at given indices along a dimension; the others are broadcast.

    Raises ``ShapeError`` unless both have the same number of dimensions.

    Arguments:
        input: a tensor.
        indices: the indices; negative ones count from the end, if there is a ``dim``.
        dim: the dimension; None for both tensors flattened.

    >>> import aino
    >>> x = aino.tensor([[3, 1], [2, 4]])
    >>> aino.take_along_dim(x, aino.argsort(x, 1), 1)
    tensor([[1, 3],
            [2, 4]])
    """
    negatives = dim is not None
    if dim is None:
        input = shape_rules.reshape(input, (input.array.size,))
        indices, dim = shape_rules.reshape(indices, (indices.array.size,)), 0
    shape, wanted = input.array.shape, indices.array.shape
    if len(shape) != len(wanted):
        raise ShapeError(
            f"take_along_dim: input and indices need the same number of dimensions, got {shape} "
            f"and {wanted}"
        )
    dim = dim_of(dim, len(shape))
    others = broadcast_shapes(
        (*shape[:dim], *shape[dim + 1 :]), (*wanted[:dim], *wanted[dim + 1 :])
    )

    def spread(tensor):
        target = (*others[:dim], tensor.array.shape[dim], *others[dim:])
        return tensor if tensor.array.shape == target else shape_rules.expand(tensor, target)

    array, length = indices.array, shape[dim] if shape else 1
    if negatives and array.dtype.kind == "i":
        indices = make(np.where(array < 0, array + length, array))
    return gather(spread(input), dim, spread(indices))


# By condition


@method
@takes_out
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the elements where a mask is True, in one dimension.

    Raises ``DtypeError`` unless the mask is boolean.

    Arguments:
        input: a tensor.
        mask: a tensor of booleans; both are broadcast.

    >>> import aino
    >>> x = aino.tensor([1, 2, 3])
    >>> aino.masked_select(x, x > 1)
    tensor([2, 3])
    """
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_select: the mask must be of booleans, not {mask.array.dtype}")
    if input.array.shape != mask.array.shape:
        input, mask = broadcast_tensors(input, mask)
    flat = shape_rules.reshape(input, (input.array.size,))
    return rules.take(flat, np.flatnonzero(mask.array), 0, True)


@method
@takes_out
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None) -> Any:
    """Return where the elements are not zero, as a row of indices for each.

    Arguments:
        input: a tensor.
        as_tuple: whether to return a tuple instead, with the indices of each dimension.

    >>> import aino
    >>> aino.nonzero(aino.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    array = still(input.array)
    if as_tuple:
        return tuple([make(index) for index in np.atleast_1d(array).nonzero()])
    return make(np.argwhere(array))


@method
def argwhere(input: Tensor) -> Tensor:
    """Return the indices of the elements that are not zero, one row for each.

    >>> import aino
    >>> aino.argwhere(aino.tensor([0, 1, 1]))
    tensor([[1],
            [2]])
    """
    return nonzero(input)


# A copy with a part replaced


def _replaced(input, src, index, name):
    part = input.array[index]
    if part.shape != src.array.shape:
        raise ShapeError(
            f"{name}: src must have the shape of the part that it replaces, {part.shape}, "
            f"not {src.array.shape}"
        )
    if src.array.dtype != input.array.dtype:
        src = cast(src, input.array.dtype)
    return rules.put(input, src, index, None)


@method
@numpy_names
def select_scatter(input: Tensor, src: Any, dim: Any, index: Tensor) -> Tensor:
    """Return a copy in which one slice along a dimension is replaced.

    Raises ``ShapeError`` where ``src`` has another shape than the slice.

    Arguments:
        input: a tensor.
        src: what replaces ``select(input, dim, index)``.
        dim: the dimension.
        index: the index; negative ones count from the end.

    >>> import aino
    >>> aino.select_scatter(aino.zeros(2, 2), aino.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    select(input, dim, index)
    dim = dim_of(dim, input.array.ndim)
    return _replaced(input, src, (*(_ALL,) * dim, int(index), ...), "select_scatter")


@method
@numpy_names
@takes_out
def slice_scatter(
    input: Tensor,
    src: Any,
    dim: Any = 0,
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy in which a run of slices along a dimension is replaced.

    Raises ``ShapeError`` where ``src`` has another shape than the run, ``ValueError`` for a step
    below 1.

    Arguments:
        input: a tensor.
        src: what replaces the run.
        dim: the dimension.
        start: where the run begins; at the first slice for None.
        end: where it ends, itself left out; behind the last for None.
        step: every how many-th slice is replaced.

    >>> import aino
    >>> aino.slice_scatter(aino.zeros(3), aino.ones(2), start=1)
    tensor([0., 1., 1.])
    """
    if step <= 0:
        raise ArgumentError(f"slice_scatter: step must be positive, got {step}")
    dim = dim_of(dim, input.array.ndim)
    index = (*(_ALL,) * dim, slice(start, end, step), ...)
    return _replaced(input, src, index, "slice_scatter")


@method
def diagonal_scatter(
    input: Tensor, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """Return a copy in which a diagonal is replaced.

    Raises ``ShapeError`` where ``src`` has another shape than the diagonal.

    Arguments:
        input: a tensor.
        src: what replaces ``diagonal(input, offset, dim1, dim2)``.
        offset: which one: 0 the main diagonal, above it > 0, below it < 0.
        dim1: the dimension of rows.
        dim2: the dimension of columns.

    >>> import aino
    >>> aino.diagonal_scatter(aino.zeros(2, 2), aino.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = input.array.shape
    dim1, dim2 = dim_of(dim1, len(shape)), dim_of(dim2, len(shape))
    part = input.array.diagonal(offset, dim1, dim2)
    if part.shape != src.array.shape:
        raise ShapeError(
            f"diagonal_scatter: the diagonal has shape {part.shape}, src {src.array.shape}"
        )
    if src.array.dtype != input.array.dtype:
        src = cast(src, input.array.dtype)
    return shape_rules.put_diagonal(input, src, offset, dim1, dim2)
