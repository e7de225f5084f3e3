"""The same memory in another shape: views; and where a view is not possible, copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Size, Tensor, make
from aino.dtypes import as_dtype
from aino.errors import ArgumentError, GradientError, ShapeError
from aino.layouts import check_memory_format, contiguous_format
from aino.ops.arguments import dim_of, dims_of, in_places_or_named, ints_of, numpy_names
from aino.ops.public import method
from aino.types import DType

__all__ = [
    "reshape", "ravel", "flatten", "unflatten", "squeeze", "unsqueeze",
    "diagonal", "clone",
]  # fmt: skip


@method
def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """Return the same elements in another shape, as a view where their memory allows it.

    Raises ``ShapeError`` when the number of elements differs.

    Arguments:
        input: a tensor.
        sizes, shape: the lengths, as numbers, as one sequence, or as ``shape=``; a single -1 is
            worked out.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]]).reshape(-1)
    tensor([1, 2, 3, 4])
    """
    if shape is not None:
        sizes = ints_of(in_places_or_named(sizes, shape, "shape"))
    elif len(sizes) == 1 and sizes[0].__class__ is not int:
        sizes = ints_of(sizes)
    return rules.reshape(input, tuple(sizes))


@method
def view(input: Tensor, *sizes: Any, size: Any = None, dtype: DType | None = None) -> Tensor:
    """Return a view in another shape, or of the same bytes read as another dtype.

    Never copies: raises ``ShapeError`` where the elements don't lie in memory as the new shape
    would have them, ``GradientError`` for a dtype of a tensor that requires a gradient.

    Arguments:
        input: a tensor.
        sizes, size: the lengths, as numbers, as one sequence, or as ``size=``; a single -1 is
            worked out.
        dtype: the dtype, in place of a shape; it may also be the only argument.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]]).view(4)
    tensor([1, 2, 3, 4])
    """
    if size is not None or dtype is not None:
        sizes = in_places_or_named(sizes, size if dtype is None else dtype, "the size or dtype")
    if len(sizes) == 1 and (isinstance(sizes[0], (np.dtype, str, type))):
        return _view_as_dtype(input, as_dtype(sizes[0]))
    result = reshape(input, *sizes)
    array, base = input.array, result.array.base
    if base is None or (base is not array and base is not array.base):
        raise ShapeError(
            f"view: a tensor of shape {array.shape} and strides {array.strides} (in bytes) can't "
            f"be seen as {result.array.shape} without a copy; use reshape()"
        )
    return result


def _view_as_dtype(input, dtype):
    if dtype == input.array.dtype:
        return rules.reshape(input, input.array.shape)
    if input.requires_grad:
        raise GradientError(
            f"view: bytes read as {dtype} have no gradient; detach() the tensor first, or cast "
            f"it with .to({dtype})"
        )
    try:
        return make(input.array.view(dtype))
    except ValueError as error:
        raise ShapeError(f"view: {input.array.dtype} can't be read as {dtype} ({error})") from None


@method
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view in the shape of another tensor.

    Raises ``ShapeError`` where that needs a copy.

    Arguments:
        input: a tensor.
        other: the tensor whose shape is taken.

    >>> import aino
    >>> aino.zeros(2, 3).view_as(aino.zeros(6)).shape
    aino.Size([6])
    """
    return view(input, other.array.shape)


@method
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the same elements in the shape of another tensor, as a view where that is possible.

    Arguments:
        input: a tensor.
        other: the tensor whose shape is taken.

    >>> import aino
    >>> aino.zeros(2, 3).reshape_as(aino.zeros(6)).shape
    aino.Size([6])
    """
    return rules.reshape(input, other.array.shape)


@method
def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dimension.

    >>> import aino
    >>> aino.ravel(aino.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return rules.reshape(input, (-1,)) if input.array.size else rules.reshape(input, (0,))


@method
def flatten(input: Tensor, start_dim: Any = 0, end_dim: Any = -1) -> Tensor:
    """Return the tensor with a run of dimensions made one.

    Raises ``ShapeError`` where the last comes before the first.

    Arguments:
        input: a tensor.
        start_dim: the first of them.
        end_dim: the last of them.

    >>> import aino
    >>> aino.zeros(2, 3, 4).flatten(1).shape
    aino.Size([2, 12])
    """
    shape = input.array.shape
    start, end = dim_of(start_dim, len(shape)), dim_of(end_dim, len(shape))
    if not shape:
        return rules.reshape(input, (1,))
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if start == end:
        return input
    merged = Size(shape[start : end + 1]).numel()
    return rules.reshape(input, (*shape[:start], merged, *shape[end + 1 :]))


@method
def unflatten(input: Tensor, dim: Any, sizes: Any) -> Tensor:
    """Return the tensor with one dimension split into several.

    Raises ``ShapeError`` where the lengths don't multiply to its own.

    Arguments:
        input: a tensor.
        dim: the dimension.
        sizes: the lengths of the new ones; one may be -1, and is worked out.

    >>> import aino
    >>> aino.zeros(2, 12).unflatten(1, (3, -1)).shape
    aino.Size([2, 3, 4])
    """
    shape = input.array.shape
    dim, sizes = dim_of(dim, len(shape)), list(ints_of((sizes,)))
    if sizes.count(-1) == 1 and shape:
        known = -Size(sizes).numel()
        sizes[sizes.index(-1)] = shape[dim] // known if known else 0
    if not shape or Size(sizes).numel() != shape[dim]:
        raise ShapeError(f"unflatten: dim {dim} of shape {shape} can't be split into {sizes}")
    return rules.reshape(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@method
@numpy_names
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Return a view without dimensions of length 1.

    Arguments:
        input: a tensor.
        dim: which may go: a number or several, of which longer ones stay; None for all.

    >>> import aino
    >>> aino.zeros(1, 2, 1).squeeze().shape, aino.zeros(1, 2, 1).squeeze(0).shape
    (aino.Size([2]), aino.Size([2, 1]))
    """
    shape = input.array.shape
    if dim is None:
        return rules.reshape(input, tuple([n for n in shape if n != 1]))
    dims = dims_of((dim,) if hasattr(dim, "__index__") else dim, len(shape))
    return rules.reshape(input, tuple([n for i, n in enumerate(shape) if n != 1 or i not in dims]))


@method
@numpy_names
def unsqueeze(input: Tensor, dim: Any) -> Tensor:
    """Return a view with a new dimension of length 1.

    Arguments:
        input: a tensor.
        dim: which dimension of the result it is.

    >>> import aino
    >>> aino.zeros(2, 3).unsqueeze(-1).shape
    aino.Size([2, 3, 1])
    """
    shape = input.array.shape
    dim = dim_of(dim, len(shape) + 1)
    return rules.reshape(input, (*shape[:dim], 1, *shape[dim:]))


# Other views and copies


@method
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a view of the diagonals over two dimensions, on a new last dimension.

    Raises ``ShapeError`` where both are the same.

    Arguments:
        input: a tensor.
        offset: which one: 0 the main diagonal, above it > 0, below it < 0.
        dim1: the dimension of rows.
        dim2: the dimension of columns.

    >>> import aino
    >>> aino.diagonal(aino.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    rank = input.array.ndim
    dim1, dim2 = dim_of(dim1, rank), dim_of(dim2, rank)
    if dim1 == dim2:
        raise ShapeError(f"diagonal: dim1 and dim2 are the same dimension, {dim1}")
    return rules.diagonal(input, offset, dim1, dim2)


@method
def unfold(input: Tensor, dimension: Any, size: Any, step: Any) -> Tensor:
    """Return a view of all windows along a dimension, on a new last dimension.

    Raises ``ShapeError`` for a window that does not fit, ``ValueError`` for a step below 1.

    Arguments:
        input: a tensor.
        dimension: the dimension.
        size: how long a window is.
        step: how far the next window is from the one before.

    >>> import aino
    >>> aino.tensor([1, 2, 3, 4]).unfold(0, 2, 1)
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    shape = input.array.shape
    dimension = dim_of(dimension, len(shape))
    length = shape[dimension] if shape else 1
    if not 0 <= size <= length:
        raise ShapeError(
            f"unfold: size {size} does not fit into dim {dimension} of length {length}"
        )
    if step <= 0:
        raise ArgumentError(f"unfold: step must be positive, got {step}")
    if not shape:
        return rules.reshape(input, (1,))[:size]
    return rules.windows(input, dimension, size, step)


@method
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Return a copy, through which the gradient flows back.

    Arguments:
        input: a tensor.
        memory_format: ``aino.contiguous_format`` lays rows one after the other; else as in input.

    >>> import aino
    >>> x = aino.ones(2)
    >>> x.clone().array is x.array
    False
    """
    if memory_format is None:
        return rules.clone(input)
    check_memory_format(memory_format)
    return rules.clone(input, "C") if memory_format is contiguous_format else rules.clone(input)


@method
def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return the tensor itself if its rows lie one after the other, else a copy in which they do.

    Arguments:
        input: a tensor.
        memory_format: ``aino.contiguous_format``, which None means, too.

    >>> import aino
    >>> aino.zeros(2, 3).t().contiguous().stride()
    (2, 1)
    """
    if memory_format is not None:
        check_memory_format(memory_format)
    return input if input.array.flags.c_contiguous else rules.clone(input, "C")
