"""Norms under names of their own, from before ``aino.linalg``."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.ops.arguments import dim_of
from aino.ops.public import takes_out
from aino.ops.reduce.norms import matrix_norm, norm

__all__ = ["frobenius_norm", "nuclear_norm", "norm_except_dim"]


@takes_out
def frobenius_norm(
    input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the root of the sum of squares over some dimensions; all for none of them.

    Arguments:
        input: a tensor of floating or complex dtype.
        dim: the dimensions that go, one or several.
        keepdim: whether they stay, of length 1.

    >>> import aino
    >>> aino.frobenius_norm(aino.tensor([[3.0, 4.0]]), (0, 1))
    tensor(5.)
    """
    return norm(input, 2, dim, keepdim)


@takes_out
def nuclear_norm(
    input: Tensor, dim: Any = (-2, -1), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the sum of the singular values of matrices.

    Arguments:
        input: a matrix, or a tensor with two dimensions of matrices.
        dim: those two; True or False here means ``keepdim``, as in PyTorch.
        keepdim: whether they stay, of length 1.

    >>> import aino
    >>> aino.nuclear_norm(aino.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor(7.)
    """
    if isinstance(dim, bool):
        dim, keepdim = (-2, -1), dim
    return matrix_norm(input, "nuc", tuple(dim), keepdim)


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Return the norms of the slices along one dimension, which stays; weight norm divides by it.

    Arguments:
        v: a tensor of floating or complex dtype.
        pow: which norm.
        dim: the dimension that counts the slices; -1 for the norm of all.

    >>> import aino
    >>> aino.norm_except_dim(aino.tensor([[3.0, 4.0], [0.0, 2.0]]))
    tensor([[5.],
            [2.]])
    """
    if dim == -1:
        return norm(v, pow)
    dim = dim_of(dim, v.array.ndim)
    others = tuple([i for i in range(v.array.ndim) if i != dim])
    # The slices of a vector are its numbers; no dimension at all would mean all of them.
    return norm(v, pow, others, True) if others else norm(v.unsqueeze(1), pow, 1)
