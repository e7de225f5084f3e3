"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

from aino.autograd.rules import linalg
from aino.errors import DtypeError, ShapeError

__all__ = ["matmul", "mm", "bmm", "mv", "dot"]


def matmul(input, other):
    """Return the matrix product: ``(..., n, k) @ (..., k, m) -> (..., n, m)``.

    Leading axes are broadcast. A 1-D operand is a row on the left, a column on the right, and
    its axis is gone from the result. Raises ``ShapeError`` when the inner lengths differ,
    ``DtypeError`` when the dtypes do.

    >>> import aino
    >>> aino.matmul(aino.tensor([[1.0, 2.0], [3.0, 4.0]]), aino.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    try:
        rank, other_rank = input.ndim, other.ndim
    except AttributeError:
        raise DtypeError(
            f"matmul: expected two tensors, got {type(input).__name__} and {type(other).__name__}"
        ) from None
    if rank == 2 and other_rank == 2:
        return linalg.mm(input, other)
    if rank == 0 or other_rank == 0:
        raise ShapeError(
            f"matmul: both operands need at least one axis, got shapes {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
    if other_rank == 1:
        return linalg.dot(input, other) if rank == 1 else linalg.mv(input, other)
    if rank == 1:
        return linalg.mv(_transposed(input, other), input)
    return linalg.rows_mm(input, other) if other_rank == 2 else linalg.bmm(input, other)


def _transposed(row, matrices):
    """Return the matrices transposed, so that a row on their left becomes a column."""
    if row.shape[0] != matrices.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {tuple(row.shape)} and {tuple(matrices.shape)} do not fit together: "
            "the last axis of the first meets the last but one of the second"
        )
    return matrices.mT


def _check_ranks(name, input, other, rank, other_rank) -> None:
    if input.ndim != rank or other.ndim != other_rank:
        raise ShapeError(
            f"{name}: expected a {rank}-D and a {other_rank}-D tensor, got shapes "
            f"{tuple(input.shape)} and {tuple(other.shape)}"
        )


def mm(input, mat2):
    """Return the product of two matrices: ``(n, k), (k, m) -> (n, m)``.

    >>> import aino
    >>> aino.mm(aino.eye(2), aino.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    _check_ranks("mm", input, mat2, 2, 2)
    return linalg.mm(input, mat2)


def bmm(input, mat2):
    """Return the products of two stacks of matrices: ``(b, n, k), (b, k, m) -> (b, n, m)``.

    >>> import aino
    >>> aino.bmm(aino.ones(4, 2, 3), aino.ones(4, 3, 5)).shape
    aino.Size([4, 2, 5])
    """
    _check_ranks("bmm", input, mat2, 3, 3)
    if input.shape[0] != mat2.shape[0]:
        raise ShapeError(
            f"bmm: {input.shape[0]} matrices (shape {tuple(input.shape)}) can't be multiplied by "
            f"{mat2.shape[0]} (shape {tuple(mat2.shape)}); matmul broadcasts"
        )
    return linalg.bmm(input, mat2)


def mv(input, vec):
    """Return a matrix times a vector: ``(n, k), (k,) -> (n,)``.

    >>> import aino
    >>> aino.mv(aino.eye(2), aino.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    _check_ranks("mv", input, vec, 2, 1)
    return linalg.mv(input, vec)


def dot(input, tensor):
    """Return the sum of the products of two vectors, Σ aᵢ bᵢ: ``(n,), (n,) -> ()``.

    >>> import aino
    >>> aino.dot(aino.tensor([1.0, 2.0]), aino.tensor([3.0, 4.0]))
    tensor(11.)
    """
    _check_ranks("dot", input, tensor, 1, 1)
    return linalg.dot(input, tensor)
