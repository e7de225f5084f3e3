"""What ``linalg`` says about square matrices: inverses, determinants, factors, powers.

Every function takes a matrix ``(n, n)`` or a stack of them ``(..., n, n)``, of a floating-point
or complex dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from aino.autograd.duck import still
from aino.autograd.primitive import unmoved
from aino.autograd.rules import elementwise, matrices, shape
from aino.autograd.rules.matrices import LinAlgError
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.ops.arguments import other_names
from aino.ops.linalg.linear import matmul
from aino.ops.linalg.shared import adjoint, is_vector, same_dtype, square
from aino.ops.out import all_into, into
from aino.ops.public import method
from aino.ops.return_types import slogdet as slogdet_result

__all__ = ["det", "slogdet", "logdet", "inverse", "cholesky", "matrix_power", "LinAlgError"]


def inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse: A A⁻¹ = 1. Raises ``LinAlgError`` where there is none.

    Arguments:
        A: square matrices ``(..., n, n)``.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.inv(aino.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return into(out, matrices.inv(square("inv", A)), "inv")


@method
def inverse(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse of a square matrix, as ``linalg.inv`` does.

    Arguments:
        input: square matrices ``(..., n, n)``.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.inverse(aino.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return inv(input, out=out)


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """Return X with A X = B, or with X A = B where ``left`` is False.

    Raises ``LinAlgError`` where A is singular.

    Arguments:
        A: square matrices ``(..., n, n)``.
        B: matrices ``(..., n, k)``, or vectors: 1-D, or of the shape of ``A`` less its last axis.
        left: whether A stands on the left.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.solve(aino.tensor([[2.0, 0.0], [0.0, 4.0]]), aino.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    return into(out, solution("solve", matrices.solve, A, B, left), "solve")


def solution(name: str, rule: Any, A: Tensor, B: Tensor, left: bool) -> Tensor:
    """Return what ``rule`` solves, for vectors too and for A on the right."""
    square(name, A)
    vector = is_vector(A, B)
    same_dtype(name, A, B)
    if vector and not left:
        raise ShapeError(
            f"{name}: a vector can't stand on the left of A; left=False needs a matrix"
        )
    if vector:
        B = shape.reshape(B, (*B.shape, 1))
    if B.ndim < 2 or B.shape[-2 if left else -1] != A.shape[-1]:
        raise ShapeError(
            f"{name}: A of shape {tuple(A.shape)} does not fit B of shape {tuple(B.shape)}"
        )
    if left:
        X = rule(A, B)
    else:
        X = shape.transposed(rule(shape.transposed(A), shape.transposed(B)))
    return shape.reshape(X, tuple(X.shape[:-1])) if vector else X


@method
@other_names(A="input")
def det(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the determinant: ``(..., n, n) -> (...)``. Its slope are the cofactors.

    Arguments:
        input: square matrices ``(..., n, n)``.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.det(aino.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return into(out, matrices.det(square("det", input)), "det")


@method
@other_names(A="input")
def slogdet(input: Tensor, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return the sign of the determinant and the logarithm of its size, ``(sign, logabsdet)``.

    Arguments:
        input: square matrices ``(..., n, n)``.
        out: two tensors that are written and returned.

    >>> import aino
    >>> aino.slogdet(-aino.eye(3)).sign
    tensor(-1.)
    """
    square("slogdet", input)
    found = slogdet_result(matrices.signdet(input), matrices.logabsdet(input))
    return all_into(out, found, "slogdet")


@method
def logdet(input: Tensor) -> Tensor:
    """Return the logarithm of the determinant; nan where that is negative.

    >>> import aino
    >>> aino.logdet(aino.eye(2))
    tensor(0.)
    """
    sign, size = slogdet(input)
    if input.dtype.kind == "c":
        return elementwise.add(elementwise.log(sign), size)
    negative = np.where(still(sign.array) < 0, np.nan, 0.0).astype(input.dtype)
    return elementwise.add(size, make(negative))


@method
def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Return the triangle L with L Lᴴ = A of a positive definite matrix.

    Only the lower triangle of A is read. Raises ``LinAlgError`` where A isn't positive definite.

    Arguments:
        input: the matrix A ``(n, n)``, or a stack of them ``(..., n, n)``.
        upper: whether to return Lᴴ, an upper triangle.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.cholesky(aino.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    lower = matrices.cholesky(square("cholesky", input))
    return into(out, adjoint(lower) if upper else lower, "cholesky")


@method
def matrix_power(input: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """Return a square matrix multiplied by itself n times.

    Raises ``ShapeError`` unless it is square, ``LinAlgError`` where an inverse is needed that there
    is not.

    Arguments:
        input: the matrix ``(m, m)``, or a stack of them ``(..., m, m)``.
        n: how many times; its inverse where n is negative, the identity for 0.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.matrix_power(aino.tensor([[1, 1], [0, 1]]), 5)
    tensor([[1, 5],
            [0, 1]])
    """
    n = index(n)
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise ShapeError(f"matrix_power: expected square matrices, got {tuple(input.shape)}")
    if n == 0:
        unit = np.zeros(input.shape, input.dtype)
        unit[...] = np.eye(input.shape[-1])
        return into(out, unmoved(make(unit), input), "matrix_power")
    square, n = (inv(input), -n) if n < 0 else (input, n)
    result: Any = None
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    return into(out, shape.clone(result) if result is input else result, "matrix_power")
