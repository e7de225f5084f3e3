"""Products of several matrices, in the order that takes the fewest multiplications."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import shape
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.ops.linalg.linear import mm
from aino.ops.out import into

__all__ = ["chain_matmul"]


def chain_matmul(*matrices: Any, out: Tensor | None = None) -> Tensor:
    """Return the product of all the matrices, in the order that takes the fewest multiplications.

    Arguments:
        matrices: matrices of which each has as many rows as the one before has columns.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.chain_matmul(aino.ones(2, 3), aino.ones(3, 4), aino.ones(4, 1)).shape
    aino.Size([2, 1])
    """
    for matrix in matrices:
        if matrix.ndim != 2:
            raise ShapeError(f"chain_matmul: expected matrices, got shape {tuple(matrix.shape)}")
    return (
        into(out, matrices[0], "chain_matmul")
        if len(matrices) == 1
        else multi_dot(matrices, out=out)
    )


def multi_dot(tensors: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the product of two or more matrices, in the cheapest order.

    The first and the last may be vectors: a row and a column. Raises ``ShapeError`` for fewer than
    two, or other shapes.

    Arguments:
        tensors: the matrices, each with as many rows as the one before has columns.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.multi_dot([aino.ones(2, 3), aino.ones(3, 4), aino.ones(4)]).shape
    aino.Size([2])
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise ShapeError(f"multi_dot: expected at least 2 tensors, got {len(tensors)}")
    row, column = tensors[0].ndim == 1, tensors[-1].ndim == 1
    if row:
        tensors[0] = shape.reshape(tensors[0], (1, tensors[0].shape[0]))
    if column:
        tensors[-1] = shape.reshape(tensors[-1], (tensors[-1].shape[0], 1))
    for tensor in tensors:
        if tensor.ndim != 2:
            raise ShapeError(f"multi_dot: expected matrices, got shape {tuple(tensor.shape)}")
    lengths = [tensors[0].shape[0], *(tensor.shape[1] for tensor in tensors)]
    product = _bracketed(tensors, _cheapest(lengths), 0, len(tensors) - 1)
    if row or column:
        left = [] if row else [lengths[0]]
        product = shape.reshape(product, (*left, *([] if column else [lengths[-1]])))
    return into(out, product, "multi_dot")


def _cheapest(lengths):
    """Return where to split each run i..j of a chain of matrices.

    Source: Cormen et al., Introduction to Algorithms, 15.2.
    """
    count = len(lengths) - 1
    cost = [[0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for span in range(1, count):
        for i in range(count - span):
            j = i + span
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            )
    return split


def _bracketed(tensors, split, i, j):
    if i == j:
        return tensors[i]
    k = split[i][j]
    return mm(_bracketed(tensors, split, i, k), _bracketed(tensors, split, k + 1, j))
