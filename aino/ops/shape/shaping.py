"""The same memory in another shape: views; and where a view is not possible, copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Size, Tensor, make
from aino.dtypes import as_dtype
from aino.errors import GradientError, ShapeError
from aino.ops.arguments import dim_of, dims_of, ints_of, numpy_names
from aino.ops.public import method

__all__ = [
    "reshape", "ravel", "flatten", "unflatten", "squeeze", "unsqueeze",
    "broadcast_to", "broadcast_tensors", "broadcast_shapes",
    "atleast_1d", "atleast_2d", "atleast_3d", "diagonal", "clone",
]  # fmt: skip


@method
def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """Return the same elements in another shape; one length may be −1 and is worked out.

    The result is a view of the input where its memory allows, else a copy. Raises
    ``ShapeError`` when the number of elements differs.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]]).reshape(-1)
    tensor([1, 2, 3, 4])
    """
    if shape is not None:
        sizes = shape
    elif len(sizes) == 1 and sizes[0].__class__ is not int:
        sizes = ints_of(sizes)
    return rules.reshape(input, tuple(sizes))


@method
def view(input: Tensor, *sizes: Any) -> Tensor:
    """Return a view in another shape; with a dtype, of the same bytes read as that dtype.

    Never copies: raises ``ShapeError`` where the elements don't lie in memory as the new shape
    would have them.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]]).view(4)
    tensor([1, 2, 3, 4])
    """
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
    """Return a view in the shape of ``other``."""
    return view(input, other.array.shape)


@method
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the same elements in the shape of ``other``."""
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
    """Return the dimensions from ``start_dim`` to ``end_dim`` made one.

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
    """Return ``dim`` split into dimensions of ``sizes``; one of them may be −1.

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
    """Return the input without its dimensions of length 1: all, or those among ``dim``.

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
    """Return the input with a new dimension of length 1 at ``dim``.

    >>> import aino
    >>> aino.zeros(2, 3).unsqueeze(-1).shape
    aino.Size([2, 3, 1])
    """
    shape = input.array.shape
    dim = dim_of(dim, len(shape) + 1)
    return rules.reshape(input, (*shape[:dim], 1, *shape[dim:]))


# Broadcasting


@method
def expand(input: Tensor, *sizes: Any, implicit: Any = False) -> Tensor:
    """Return a view in which dimensions of length 1 are repeated; −1 keeps a dimension.

    New dimensions are added in front. No memory is taken, so the result can't be written.

    >>> import aino
    >>> aino.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    shape = input.array.shape
    target = list(ints_of(sizes))
    added = len(target) - len(shape)
    fits = added >= 0
    for place, size in enumerate(target):
        own = shape[place - added] if place >= added else None
        if size == -1 and own is not None:
            target[place] = own
        elif size < 0 or (own is not None and own not in (1, size)):
            fits = False
    if not fits:
        raise ShapeError(
            f"expand: a tensor of shape {shape} does not broadcast to {ints_of(sizes)}"
        )
    return rules.expand(input, tuple(target))


@method
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the input broadcast to the shape of ``other``."""
    return expand(input, other.array.shape)


@method
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Return a view of the input broadcast to ``size``.

    >>> import aino
    >>> aino.broadcast_to(aino.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, size)


def broadcast_shapes(*shapes: Any) -> Any:
    """Return the shape that tensors of these shapes are broadcast to together.

    >>> import aino
    >>> aino.broadcast_shapes((2, 1), (3,))
    aino.Size([2, 3])
    """
    shapes = tuple([ints_of((shape,)) if not hasattr(shape, "__index__") else (shape,)
                    for shape in shapes])  # fmt: skip
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ShapeError(
            f"shapes {', '.join(map(str, shapes))} do not broadcast together"
        ) from None


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return views of the tensors, broadcast to the shape that they have in common.

    >>> import aino
    >>> [x.shape for x in aino.broadcast_tensors(aino.zeros(2, 1), aino.zeros(3))]
    [aino.Size([2, 3]), aino.Size([2, 3])]
    """
    tensors = listed(tensors)
    shape = broadcast_shapes(*[tensor.array.shape for tensor in tensors])
    return tuple([rules.expand(tensor, tuple(shape)) for tensor in tensors])


def listed(tensors):
    """Return the tensors of ``f(a, b)`` or ``f([a, b])``."""
    if len(tensors) == 1 and not isinstance(tensors[0], Tensor):
        tensors = tensors[0]
    return list(tensors)


def _at_least(tensors, added):
    """Return one tensor, or a tuple of several, with ``added[rank]`` axes (before, after) new."""
    brought = []
    for tensor in listed(tensors):
        shape = tensor.array.shape
        before, after = added[len(shape)] if len(shape) < len(added) else (0, 0)
        if before or after:
            tensor = rules.reshape(tensor, (1,) * before + shape + (1,) * after)
        brought.append(tensor)
    return brought[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else tuple(brought)


def atleast_1d(*tensors: Any) -> Any:
    """Return tensors as views of at least one dimension.

    >>> import aino
    >>> aino.atleast_1d(aino.tensor(1.0)).shape
    aino.Size([1])
    """
    return _at_least(tensors, [(1, 0)])


def atleast_2d(*tensors: Any) -> Any:
    """Return tensors as views of at least two dimensions; a vector becomes a row.

    >>> import aino
    >>> aino.atleast_2d(aino.zeros(3)).shape
    aino.Size([1, 3])
    """
    return _at_least(tensors, [(2, 0), (1, 0)])


def atleast_3d(*tensors: Any) -> Any:
    """Return tensors as views of at least three dimensions: ``(1, n, 1)``, ``(n, m, 1)``.

    >>> import aino
    >>> aino.atleast_3d(aino.zeros(3)).shape
    aino.Size([1, 3, 1])
    """
    return _at_least(tensors, [(3, 0), (1, 1), (0, 1)])


# Other views and copies


@method
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a view of the diagonals over two dimensions, on a new last dimension.

    ``offset`` > 0 lies above the main diagonal, < 0 below.

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
    """Return a view of all windows of ``size`` along a dimension, ``step`` apart.

    The windows stand on a new last dimension.

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
        raise ValueError(f"unfold: step must be positive, got {step}")
    if not shape:
        return rules.reshape(input, (1,))[:size]
    return rules.windows(input, dimension, size, step)


@method
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Return a copy with the input's gradient flowing through it.

    >>> import aino
    >>> x = aino.ones(2)
    >>> x.clone().array is x.array
    False
    """
    return rules.clone(input)


@method
def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """Return the tensor itself if its elements lie in order, else a copy in which they do."""
    return input if input.array.flags.c_contiguous else rules.clone(input, "C")
