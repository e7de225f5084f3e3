"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import elementwise, join, linalg, reduce, shape
from aino.autograd.rules.complex import conj
from aino.autograd.tensor import Tensor, make
from aino.dtypes import get_default_dtype, result_type
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops.out import into
from aino.ops.public import method, takes_out
from aino.ops.reduce import reduction

__all__ = [
    "matmul", "mm", "bmm", "mv", "dot", "vdot", "outer", "ger", "kron", "trace", "cross",
    "block_diag", "cdist",
]  # fmt: skip


@method
@takes_out
def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the matrix product: ``(..., n, k) @ (..., k, m) -> (..., n, m)``.

    Raises ``ShapeError`` when the inner lengths differ, ``DtypeError`` when the dtypes of two
    tensors do; with an array of NumPy's they promote.

    Arguments:
        input: matrices, their leading dimensions broadcast; of one dimension, a row, and the
            dimension is gone from the result.
        other: matrices, likewise; of one dimension, a column.

    >>> import aino
    >>> aino.matmul(aino.tensor([[1.0, 2.0], [3.0, 4.0]]), aino.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    try:
        rank, other_rank = input.array.ndim, other.array.ndim
    except AttributeError:  # an array beside a tensor, or what is neither
        rank, other_rank = [getattr(x, "ndim", None) for x in (input, other)]
        if rank is None or other_rank is None:
            raise DtypeError(
                f"matmul: expected two tensors, got {type(input).__name__} and "
                f"{type(other).__name__}"
            ) from None
    try:
        if rank == 2 and other_rank == 2:
            return linalg.mm(input, other)
        if rank == 0 or other_rank == 0:
            raise ShapeError(
                f"matmul: both operands need at least one axis, got shapes {tuple(input.shape)} "
                f"and {tuple(other.shape)}"
            )
        if other_rank == 1:
            return linalg.dot(input, other) if rank == 1 else linalg.mv(input, other)
        if rank == 1:
            return linalg.mv(_transposed(input, other), input)
        return linalg.rows_mm(input, other) if other_rank == 2 else linalg.bmm(input, other)
    except DtypeError:
        if type(input) is not np.ndarray and type(other) is not np.ndarray:
            raise
        dtype = result_type(input, other)
        if input.dtype == dtype == other.dtype:
            raise
        return matmul(cast(input, dtype), cast(other, dtype))


def _transposed(row, matrices):
    """Return the matrices transposed, so that a row on their left becomes a column."""
    if row.shape[0] != matrices.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {tuple(row.shape)} and {tuple(matrices.shape)} do not fit together: "
            f"inner lengths {row.shape[0]} and {matrices.shape[-2]} differ"
        )
    return shape.transposed(matrices)


def _check_ranks(name, input, other, rank, other_rank) -> None:
    if input.ndim != rank or other.ndim != other_rank:
        raise ShapeError(
            f"{name}: expected a {rank}-D and a {other_rank}-D tensor, got shapes "
            f"{tuple(input.shape)} and {tuple(other.shape)}"
        )


@method
@takes_out
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the product of two matrices: ``(n, k), (k, m) -> (n, m)``.

    Raises ``ShapeError`` for other shapes; ``matmul`` broadcasts.

    Arguments:
        input: the left matrix.
        mat2: the right one.

    >>> import aino
    >>> aino.mm(aino.eye(2), aino.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    _check_ranks("mm", input, mat2, 2, 2)
    return linalg.mm(input, mat2)


@method
@takes_out
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the products of two stacks of matrices: ``(b, n, k), (b, k, m) -> (b, n, m)``.

    Raises ``ShapeError`` for other shapes; ``matmul`` broadcasts.

    Arguments:
        input: the left matrices.
        mat2: the right ones.

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


@method
@takes_out
def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return a matrix times a vector: ``(n, k), (k,) -> (n,)``.

    Raises ``ShapeError`` for other shapes.

    Arguments:
        input: the matrix.
        vec: the vector.

    >>> import aino
    >>> aino.mv(aino.eye(2), aino.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    _check_ranks("mv", input, vec, 2, 1)
    return linalg.mv(input, vec)


@method
@takes_out
def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sum of the products of two vectors, Σ aᵢ bᵢ: ``(n,), (n,) -> ()``.

    Raises ``ShapeError`` for other shapes.

    Arguments:
        input: a vector.
        tensor: the other.

    >>> import aino
    >>> aino.dot(aino.tensor([1.0, 2.0]), aino.tensor([3.0, 4.0]))
    tensor(11.)
    """
    _check_ranks("dot", input, tensor, 1, 1)
    return linalg.dot(input, tensor)


@method
@takes_out
def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the scalar product of two vectors, Σ conj(aᵢ) bᵢ: ``(n,), (n,) -> ()``.

    Raises ``ShapeError`` for other shapes.

    Arguments:
        input: a vector, which is conjugated.
        other: the other.

    >>> import aino
    >>> aino.vdot(aino.tensor([1.0j]), aino.tensor([1.0j]))
    tensor(1.+0.j)
    """
    _check_ranks("vdot", input, other, 1, 1)
    return linalg.dot(conj(input) if input.dtype.kind == "c" else input, other)


@method(aliases=("ger",))
@takes_out
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return all products aᵢ bⱼ of the elements of two vectors: ``(n,), (m,) -> (n, m)``.

    Raises ``ShapeError`` for other shapes.

    Arguments:
        input: a vector.
        vec2: the other.

    >>> import aino
    >>> aino.outer(aino.tensor([1, 2]), aino.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    _check_ranks("outer", input, vec2, 1, 1)
    return elementwise.mul(shape.reshape(input, (input.shape[0], 1)), vec2)


ger = outer


@method
@takes_out
def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the Kronecker product: every element of the first times all of the second.

    ``(n, m), (p, q) -> (np, mq)``, and so for any number of dimensions.

    Arguments:
        input: a tensor; the shorter shape is led by 1s.
        other: the other.

    >>> import aino
    >>> aino.kron(aino.tensor([1, 10]), aino.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    rank = max(input.ndim, other.ndim)
    left = (1,) * (rank - input.ndim) + tuple(input.shape)
    right = (1,) * (rank - other.ndim) + tuple(other.shape)
    spread = shape.reshape(input, tuple([n for length in left for n in (length, 1)]))
    tile = shape.reshape(other, tuple([n for length in right for n in (1, length)]))
    result = tuple([n * m for n, m in zip(left, right)])
    return shape.reshape(elementwise.mul(spread, tile), result)


@method
def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix: ``(n, m) -> ()``.

    >>> import aino
    >>> aino.trace(aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, got shape {tuple(input.shape)}")
    return reduction.sum(shape.diagonal(input, 0, 0, 1))


@method
@takes_out
def cross(input: Tensor, other: Tensor, dim: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Return the vector product along a dimension of length 3.

    Raises ``ShapeError`` where its length is another.

    Arguments:
        input: a tensor.
        other: the other, of as many dimensions, broadcast.
        dim: the dimension; the first of length 3 for None.

    >>> import aino
    >>> aino.cross(aino.tensor([1, 0, 0]), aino.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if dim is None:
        threes = [axis for axis, length in enumerate(input.shape) if length == 3]
        if not threes:
            raise ShapeError(f"cross: no axis of shape {tuple(input.shape)} has length 3")
        dim = threes[0]
    return vector_product(input, other, dim=dim)


def vector_product(
    input: Tensor, other: Tensor, *, dim: Any = -1, out: Tensor | None = None
) -> Tensor:
    """Return the vector product along a dimension of length 3.

    Raises ``ShapeError`` where its length is another.

    Arguments:
        input: a tensor.
        other: the other, of as many dimensions, broadcast.
        dim: the dimension.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.cross(aino.tensor([1, 0, 0]), aino.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if input.ndim != other.ndim:
        raise ShapeError(
            f"cross: shapes {tuple(input.shape)} and {tuple(other.shape)} differ in their number "
            "of axes"
        )
    if not -input.ndim <= dim < input.ndim:
        raise BoundsError(f"cross: there is no axis {dim} in shape {tuple(input.shape)}")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise ShapeError(
            f"cross: axis {dim} has to have length 3, got shapes {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
    return into(out, linalg.cross(input, other, dim % input.ndim), "cross")


def block_diag(*tensors: Any) -> Tensor:
    """Return a matrix with these matrices along its diagonal, zeros elsewhere.

    Vectors count as rows, 0-d tensors as 1 by 1.

    >>> import aino
    >>> aino.block_diag(aino.ones(1, 2), aino.tensor([[3.0]]))
    tensor([[1., 1., 0.],
            [0., 0., 3.]])
    """
    blocks = []
    for tensor in tensors:
        if tensor.ndim > 2:
            raise ShapeError(f"block_diag: expected matrices, got shape {tuple(tensor.shape)}")
        if tensor.ndim < 2:
            tensor = shape.reshape(tensor, (1, tensor.shape[0] if tensor.ndim else 1))
        blocks.append(tensor)
    dtype = result_type(*blocks) if blocks else None
    width = sum([block.shape[1] for block in blocks])
    rows, before = [], 0
    for block in blocks:
        after = width - before - block.shape[1]
        rows.append(shape.pad(cast(block, dtype), ((0, 0), (before, after)), 0))
        before += block.shape[1]
    return join.cat(rows, 0) if rows else make(np.zeros((1, 0), get_default_dtype()))


#: How PyTorch may compute distances, which differ in their last digits.
_COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)  # fmt: skip


def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """Return the distances of all pairs of rows: ``(..., n, d), (..., m, d) -> (..., n, m)``.

    Distances are p-norms, (Σ |x - y|ᵖ)^(1/p). Raises ``ShapeError`` unless both are rows of one
    length, of floating-point numbers.

    Arguments:
        x1: rows, their leading dimensions broadcast.
        x2: the others.
        p: the order of the norm, 0 or more; ∞ takes the largest difference.
        compute_mode: has no effect: differences are always computed one by one, which is exact.

    >>> import aino
    >>> aino.cdist(aino.tensor([[0.0, 0.0]]), aino.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    if compute_mode not in _COMPUTE_MODES:
        raise ArgumentError(
            f"cdist: compute_mode is one of {', '.join(_COMPUTE_MODES)}, not {compute_mode!r}"
        )
    for x in (x1, x2):
        if x.ndim < 2 or x.dtype.kind != "f":
            raise ShapeError(
                f"cdist: expected rows of floating-point numbers, got {x.dtype} of shape "
                f"{tuple(x.shape)}"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(
            f"cdist: rows of shapes {tuple(x1.shape)} and {tuple(x2.shape)} differ in length"
        )
    if p < 0:
        raise ArgumentError(f"cdist: the order p of a norm is 0 or more, not {p}")
    difference = elementwise.sub(x1[..., :, None, :], x2[..., None, :, :])
    return reduce.distance(difference, float(p), difference.ndim - 1)
