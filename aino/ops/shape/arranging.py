"""Copies in another order: turned, repeated, cut to triangles, laid on diagonals and grids."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.rules import index as index_rules
from aino.autograd.rules import join as join_rules
from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, BoundsError, ShapeError
from aino.ops.arguments import dim_of, dims_of, in_places_or_named, ints_of, numpy_names, whole
from aino.ops.public import method, takes_out
from aino.ops.shape.broadcasting import broadcast_tensors, listed

__all__ = [
    "flip", "fliplr", "flipud", "roll", "rot90",
    "tile", "repeat_interleave", "tril", "triu",
    "diag", "diagflat", "diag_embed", "meshgrid", "cartesian_prod",
]  # fmt: skip


@method
def flip(input: Tensor, *axes: Any, dims: Any = None) -> Tensor:
    """Return a copy with the order of elements reversed along dimensions.

    Arguments:
        input: a tensor.
        axes, dims: the dimensions, as numbers, as one sequence, or as ``dims=``.

    >>> import aino
    >>> aino.flip(aino.tensor([1, 2, 3]), (0,))
    tensor([3, 2, 1])
    """
    dims = ints_of(in_places_or_named(axes, dims, "dims"))
    return rules.flip(input, dims_of(dims, input.array.ndim))


@method
def fliplr(input: Tensor) -> Tensor:
    """Return a copy with the order along the second dimension reversed.

    >>> import aino
    >>> aino.fliplr(aino.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if input.array.ndim < 2:
        raise ShapeError(f"fliplr: at least two dimensions, got shape {input.array.shape}")
    return rules.flip(input, (1,))


@method
def flipud(input: Tensor) -> Tensor:
    """Return a copy with the order along the first dimension reversed.

    >>> import aino
    >>> aino.flipud(aino.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if input.array.ndim < 1:
        raise ShapeError("flipud: at least one dimension, got a 0-d tensor")
    return rules.flip(input, (0,))


@method
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Return a copy turned round: what leaves at the end comes in at the start.

    Raises ``ShapeError`` where there are not as many shifts as dimensions.

    Arguments:
        input: a tensor.
        shifts: by how many places: a number, or one for each of ``dims``.
        dims: along which dimensions: a number or several; None turns the flattened tensor.

    >>> import aino
    >>> aino.roll(aino.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    shifts = ints_of((shifts,))
    if dims is None or dims == ():
        if len(shifts) != 1:
            raise ShapeError(f"roll: {len(shifts)} shifts, but no dims")
        return rules.roll(input, shifts[0], None)
    dims = ints_of((dims,))
    if not input.array.ndim:
        raise BoundsError(f"roll: dims {dims} of a 0-d tensor, which has none")
    dims = tuple([dim_of(dim, input.array.ndim) for dim in dims])
    if len(shifts) != len(dims):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(dims)} dims")
    return rules.roll(input, shifts, dims)


@method
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Return a copy turned by right angles in the plane of two dimensions.

    Arguments:
        input: a tensor.
        k: by how many; negative to turn the other way.
        dims: the two dimensions; it is turned from the first towards the second.

    >>> import aino
    >>> aino.rot90(aino.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if len(dims) != 2:
        raise ArgumentError(f"rot90: a plane has two dims, got {tuple(dims)}")
    first, second = dims_of(dims, input.array.ndim)
    k %= 4
    if k == 0:
        return rules.clone(input)
    if k == 2:
        return rules.flip(input, (first, second))
    axes = list(range(input.array.ndim))
    axes[first], axes[second] = second, first
    return rules.permute(rules.flip(input, (second if k == 1 else first,)), tuple(axes))


@method
def repeat(input: Tensor, *sizes: Any, repeats: Any = None) -> Tensor:
    """Return copies of the tensor laid side by side.

    Raises ``ShapeError`` for fewer counts than dimensions, and for a negative one.

    Arguments:
        input: a tensor.
        sizes, repeats: how often along each dimension, as numbers, as one sequence, or as
            ``repeats=``; more counts than dimensions add some in front.

    >>> import aino
    >>> aino.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts = ints_of(in_places_or_named(sizes, repeats, "repeats"))
    if len(counts) < input.array.ndim:
        raise ShapeError(
            f"repeat: {len(counts)} counts for a tensor of {input.array.ndim} dimensions"
        )
    if min(counts, default=0) < 0:
        raise ShapeError(f"repeat: counts must not be negative, got {counts}")
    return rules.repeat(input, counts)


@method
def tile(input: Tensor, *counts: Any, dims: Any = None) -> Tensor:
    """Return copies of the tensor laid side by side, as often as the last dimensions are counted.

    Arguments:
        input: a tensor.
        counts, dims: how often along the last dimensions, as numbers, as one sequence, or as
            ``dims=``; along others once.

    >>> import aino
    >>> aino.tile(aino.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    counts = ints_of(in_places_or_named(counts, dims, "dims"))
    return repeat(input, (1,) * (input.array.ndim - len(counts)) + counts)


@method
@numpy_names
def repeat_interleave(
    input: Any = None, repeats: Any = None, dim: Any = None, *, output_size: int | None = None
) -> Tensor:
    """Return each element along a dimension repeated, one after the other.

    Of one tensor, ``repeat_interleave(repeats)``, it repeats 0, 1, 2, ... Raises ``ShapeError`` for
    another number of counts, ``ValueError`` for a negative one.

    Arguments:
        input: a tensor.
        repeats: how often: one number for all, or a tensor with one for each.
        dim: the dimension; None for the flattened tensor.
        output_size: the length of the result along it, which a compiled function can't know from
            a tensor of ``repeats``; another than it is raises ``ValueError``.

    >>> import aino
    >>> aino.repeat_interleave(aino.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    if input is None or repeats is None:
        # Of counts alone: how often each of 0, 1, 2, ... is repeated.
        repeats = input if repeats is None else repeats
        input = make(np.arange(repeats.array.size))
    flat = dim is None
    dim = 0 if dim is None else dim_of(dim, input.array.ndim)
    if flat or not input.array.ndim:
        input = rules.reshape(input, (input.array.size,))
    shape = input.array.shape
    length = shape[dim]
    if type(repeats) is int and repeats >= 0:
        _check_repeats(np.asarray(repeats), length, output_size)
        before, after = shape[: dim + 1], shape[dim + 1 :]
        beside = rules.reshape(input, (*before, 1, *after))
        repeated = rules.spread(beside, (*before, repeats, *after))
        return rules.reshape(repeated, (*shape[:dim], length * repeats, *after))
    repeats = repeats.array if isinstance(repeats, Tensor) else np.asarray(repeats)
    if repeats.ndim > 1 or (repeats.size not in (1, length)):
        raise ShapeError(
            f"repeat_interleave: repeats of shape {repeats.shape} for a dim of length {length}"
        )
    if output_size is None:
        repeats = tracing.data_for_shape(
            repeats, "repeat_interleave(x, repeats)", "give output_size, or repeats as a number"
        )
        tracing.checked(_check_repeats, repeats, length, None)
    else:
        output_size = int(output_size)
        tracing.checked(_check_repeats, repeats, length, output_size)
    if type(repeats) is np.ndarray and repeats.size == 1 and repeats.dtype.kind in "iu":
        # As often for all: then the gradient is a sum over an axis.
        times, shape = int(repeats.reshape(())), input.array.shape
        apart = rules.reshape(input, (*shape[: dim + 1], 1, *shape[dim + 1 :]))
        spread = rules.spread(apart, (*shape[: dim + 1], times, *shape[dim + 1 :]))
        return rules.reshape(spread, (*shape[:dim], length * times, *shape[dim + 1 :]))
    return index_rules.take(input, _repeated(length, repeats, output_size), dim, False)


def _check_repeats(repeats, length: int, size: int | None) -> None:
    if repeats.size and repeats.min() < 0:
        raise ArgumentError("repeat_interleave: repeats must not be negative")
    total = int(repeats.sum()) * (length if repeats.size == 1 else 1)
    if size is not None and total != size:
        raise ArgumentError(
            f"repeat_interleave: output_size is {size}, but the repeats make {total} elements"
        )


@tracing.opaque
def _repeated(length, repeats, _size):
    """Return 0, 1, 2, ... each as often as it is repeated: so many numbers as were told."""
    return np.repeat(np.arange(length, dtype=np.int64), repeats)


# Triangles and diagonals


def _matrices(input, name: str) -> None:
    if input.array.ndim < 2:
        raise ShapeError(f"{name}: at least two dimensions, got shape {input.array.shape}")


@method(inplace=True)
@takes_out
def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the lower triangles of matrices, zero elsewhere.

    Raises ``ShapeError`` for fewer than two dimensions.

    Arguments:
        input: matrices ``(..., n, m)``.
        diagonal: the highest diagonal that stays: 0 the main one, above it > 0.

    >>> import aino
    >>> aino.tril(aino.tensor([[1, 2], [3, 4]]))
    tensor([[1, 0],
            [3, 4]])
    """
    _matrices(input, "tril")
    return rules.tril(input, whole(diagonal, "tril: diagonal"))


@method(inplace=True)
@takes_out
def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the upper triangles of matrices, zero elsewhere.

    Raises ``ShapeError`` for fewer than two dimensions.

    Arguments:
        input: matrices ``(..., n, m)``.
        diagonal: the lowest diagonal that stays: 0 the main one, above it > 0.

    >>> import aino
    >>> aino.triu(aino.tensor([[1, 2], [3, 4]]))
    tensor([[1, 2],
            [0, 4]])
    """
    _matrices(input, "triu")
    return rules.triu(input, whole(diagonal, "triu: diagonal"))


@method
@takes_out
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the matrix with a vector on its diagonal, or the diagonal of a matrix, as a copy.

    Raises ``ShapeError`` for another number of dimensions.

    Arguments:
        input: a vector ``(n,)`` or a matrix ``(n, m)``.
        diagonal: which one: 0 the main diagonal, above it > 0, below it < 0.

    >>> import aino
    >>> aino.diag(aino.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    rank = input.array.ndim
    if rank not in (1, 2):
        raise ShapeError(f"diag: a vector or a matrix is expected, got shape {input.array.shape}")
    if rank == 1:
        return diag_embed(input, diagonal)
    return rules.clone(rules.diagonal(input, diagonal, 0, 1))


@method
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return the matrix with all elements of a tensor on its diagonal, zeros elsewhere.

    Arguments:
        input: a tensor.
        offset: which one: 0 the main diagonal, above it > 0, below it < 0.

    >>> import aino
    >>> aino.diagflat(aino.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(rules.reshape(input, (input.array.size,)), offset)


@method
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return matrices with the last dimension of a tensor on their diagonals, zeros elsewhere.

    Raises ``ShapeError`` for a 0-d tensor.

    Arguments:
        input: a tensor ``(..., n)``.
        offset: which one: 0 the main diagonal, above it > 0, below it < 0.
        dim1: which dimension of the result the rows are.
        dim2: which the columns are.

    >>> import aino
    >>> aino.diag_embed(aino.tensor([[1, 2], [3, 4]]))
    tensor([[[1, 0],
             [0, 2]],
    <BLANKLINE>
            [[3, 0],
             [0, 4]]])
    """
    shape = input.array.shape
    if not shape:
        raise ShapeError("diag_embed: at least one dimension, got a 0-d tensor")
    dim1, dim2 = dims_of((dim1, dim2), len(shape) + 1)
    length = shape[-1] + abs(offset)
    lengths = iter(shape[:-1])
    full = [length if i in (dim1, dim2) else next(lengths) for i in range(len(shape) + 1)]
    return rules.on_diagonal(input, offset, dim1, dim2, tuple(full))


# Grids


def meshgrid(*tensors: Any, indexing: Any = None) -> tuple[Tensor, ...]:
    """Return the coordinates of a grid: tensor i varies along dimension i, the rest repeat it.

    Raises ``ShapeError`` for tensors of more than one dimension.

    Arguments:
        tensors: vectors or numbers, one for each dimension of the grid, or one list of them.
        indexing: ``"ij"``, also for None, or ``"xy"``, which exchanges the first two dimensions.

    >>> import aino
    >>> aino.meshgrid(aino.tensor([1, 2]), aino.tensor([3, 4, 5]), indexing="ij")[0]
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    if indexing not in (None, "ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing must be 'ij' or 'xy', not {indexing!r}")
    tensors = listed(tensors)
    if max([tensor.array.ndim for tensor in tensors], default=0) > 1:
        raise ShapeError("meshgrid: the tensors must have one dimension at most")
    places = list(range(len(tensors)))
    if indexing == "xy" and len(places) > 1:
        places[:2] = 1, 0
    spread = []
    for place, tensor in zip(places, tensors):
        shape = [1] * len(tensors)
        shape[place] = tensor.array.size
        spread.append(rules.reshape(tensor, tuple(shape)))
    return broadcast_tensors(spread) if spread else ()


def cartesian_prod(*tensors: Any) -> Tensor:
    """Return all combinations of an element of each vector, as rows.

    >>> import aino
    >>> aino.cartesian_prod(aino.tensor([1, 2]), aino.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    tensors = listed(tensors)
    for tensor in tensors:
        if tensor.array.ndim != 1:
            raise ShapeError(f"cartesian_prod: vectors are expected, got {tensor.array.shape}")
    if len(tensors) == 1:
        return tensors[0]
    columns = [rules.reshape(grid, (-1, 1)) for grid in meshgrid(*tensors, indexing="ij")]
    return join_rules.cat(columns, 1)
