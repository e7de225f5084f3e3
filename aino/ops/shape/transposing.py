"""Axes in another order: views of the same memory."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.ops.arguments import dim_of, dims_of, in_places_or_named, ints_of
from aino.ops.public import method

__all__ = [
    "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "adjoint",
]  # fmt: skip


@method
def permute(input: Tensor, *axes: Any, dims: Any = None) -> Tensor:
    """Return a view with the dimensions in another order.

    Raises ``ShapeError`` unless each dimension comes once.

    Arguments:
        input: a tensor.
        axes, dims: the dimensions in their new order, as numbers, as one sequence, or as ``dims=``.

    >>> import aino
    >>> aino.zeros(2, 3, 4).permute(2, 0, 1).shape
    aino.Size([4, 2, 3])
    """
    rank = input.array.ndim
    if dims is not None:
        axes = in_places_or_named(axes, dims, "dims")
    dims = dims_of(ints_of(axes), rank)
    if len(dims) != rank:
        raise ShapeError(
            f"permute: {len(dims)} dims given for a tensor of shape {input.array.shape}"
        )
    return rules.permute(input, dims)


@method
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged.

    Arguments:
        input: a tensor.
        dim0: one of them.
        dim1: the other.

    >>> import aino
    >>> aino.zeros(2, 3, 4).transpose(0, 2).shape
    aino.Size([4, 3, 2])
    """
    rank = input.array.ndim
    dim0, dim1 = dim_of(dim0, rank), dim_of(dim1, rank)
    if rank > 1 and {dim0, dim1} == {rank - 1, rank - 2}:
        return rules.transposed(input)
    axes = list(range(rank))
    if rank:
        axes[dim0], axes[dim1] = dim1, dim0
    return rules.permute(input, tuple(axes))


@method
def swapaxes(input: Tensor, axis0: Any, axis1: Any) -> Tensor:
    """Return a view with two dimensions exchanged: NumPy's name for ``transpose``.

    Arguments:
        input: a tensor.
        axis0: one of them.
        axis1: the other.

    >>> import aino
    >>> aino.zeros(2, 3, 4).swapaxes(0, 2).shape
    aino.Size([4, 3, 2])
    """
    return transpose(input, axis0, axis1)


@method
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return a view with two dimensions exchanged: another name for ``transpose``.

    Arguments:
        input: a tensor.
        dim0: one of them.
        dim1: the other.

    >>> import aino
    >>> aino.zeros(2, 3, 4).swapdims(0, 2).shape
    aino.Size([4, 3, 2])
    """
    return transpose(input, dim0, dim1)


@method
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Return a view with dimensions moved to other places, the rest in their order.

    Raises ``ShapeError`` where there are not as many places as dimensions.

    Arguments:
        input: a tensor.
        source: the dimensions that are moved: a number or several.
        destination: their places in the result.

    >>> import aino
    >>> aino.zeros(2, 3, 4).movedim(0, -1).shape
    aino.Size([3, 4, 2])
    """
    rank = input.array.ndim
    origins, places = (
        dims_of((dims,) if hasattr(dims, "__index__") else dims, rank)
        for dims in (source, destination)
    )
    if len(origins) != len(places):
        raise ShapeError(f"movedim: {len(origins)} dims can't be moved to {len(places)} places")
    if not rank:
        return rules.permute(input, ())
    order = [dim for dim in range(rank) if dim not in origins]
    for place, origin in sorted(zip(places, origins)):
        order.insert(place, origin)
    return rules.permute(input, tuple(order))


@method
def moveaxis(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Return a view with dimensions moved to other places: NumPy's name for ``movedim``.

    Arguments:
        input: a tensor.
        source: the dimensions that are moved: a number or several.
        destination: their places in the result.

    >>> import aino
    >>> aino.zeros(2, 3, 4).moveaxis(0, -1).shape
    aino.Size([3, 4, 2])
    """
    return movedim(input, source, destination)


@method
def t(input: Tensor) -> Tensor:
    """Return a matrix transposed; a vector or a number as it is.

    >>> import aino
    >>> aino.t(aino.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    if input.array.ndim > 2:
        raise ShapeError(f"t: at most two dimensions, got shape {input.array.shape}; use mT")
    return rules.transposed(input) if input.array.ndim == 2 else input[...]


def T(input):
    """The tensor with its dimensions in reverse order; of a matrix, its transpose."""
    rank = input.array.ndim
    if rank == 2:
        return rules.transposed(input)
    return rules.permute(input, tuple(range(rank - 1, -1, -1)))


def mT(input):
    """The matrices of the last two dimensions, transposed."""
    if input.array.ndim < 2:
        raise ShapeError(f"mT: at least two dimensions, got shape {input.array.shape}")
    return rules.transposed(input)


def H(input):
    """A matrix transposed and conjugated."""
    if input.array.ndim not in (0, 2):
        raise ShapeError(f"H: a matrix is expected, got shape {input.array.shape}; use mH")
    return adjoint(input) if input.array.ndim else input.conj()


@method
def adjoint(input: Tensor) -> Tensor:
    """Return the matrices of the last two dimensions, transposed and conjugated.

    >>> import aino
    >>> aino.adjoint(aino.tensor([[1.0, 2.0]])).shape
    aino.Size([2, 1])
    """
    matrices = mT(input)
    return matrices.conj() if input.array.dtype.kind == "c" else matrices
