"""Systems with a triangular matrix, and with Cholesky's factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.rules import shape
from aino.autograd.rules import triangular as rules
from aino.autograd.tensor import Tensor, make
from aino.ops.arguments import other_names
from aino.ops.linalg import return_types
from aino.ops.linalg.shared import adjoint, right_side, square
from aino.ops.out import all_into, into

__all__ = ["cholesky_inverse", "cholesky_solve", "triangular_solve"]


def solve_triangular(
    A: Tensor,
    B: Tensor,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return X with ``A X = B``, of A only one triangle being read.

    Arguments:
        A: matrices ``(..., n, n)``.
        B: matrices ``(..., n, k)``; leading dimensions are broadcast.
        upper: whether the upper triangle is read; else the lower one.
        left: whether A stands on the left; else ``X A = B`` with B ``(..., k, n)``.
        unitriangular: whether the diagonal counts as 1, whatever stands there.
        out: a tensor that is written and returned.

    Raises ``LinAlgError`` where the diagonal has a zero, ``ShapeError`` where shapes do not fit.

    >>> import aino
    >>> A = aino.tensor([[2.0, 1.0], [0.0, 1.0]])
    >>> aino.linalg.solve_triangular(A, aino.tensor([[3.0], [1.0]]), upper=True)
    tensor([[1.],
            [1.]])
    """
    square("solve_triangular", A)
    right_side("solve_triangular", A, B, left)
    upper, unit = bool(upper), bool(unitriangular)
    if left:
        X = rules.solve_triangular(A, B, upper, unit)
    else:
        turned = shape.transposed(A), shape.transposed(B)
        X = shape.transposed(rules.solve_triangular(*turned, not upper, unit))
    return into(out, X, "solve_triangular")


@other_names(input="b")
def triangular_solve(
    b: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    *,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return ``(solution, cloned_coefficient)`` of a triangular system; see ``solve_triangular``.

    Arguments:
        b: matrices ``(..., n, k)``.
        A: matrices ``(..., n, n)``.
        upper: whether the upper triangle of A is read; else the lower one.
        transpose: whether Aᵀ stands for A.
        unitriangular: whether the diagonal counts as 1, whatever stands there.
        out: two tensors that are written and returned.

    >>> import aino
    >>> aino.triangular_solve(aino.ones(1, 1), aino.tensor([[2.0]])).solution
    tensor([[0.5000]])
    """
    square("triangular_solve", A)
    right_side("triangular_solve", A, b, True)
    upper, unit = bool(upper), bool(unitriangular)
    matrix = shape.transposed(A) if transpose else A
    X = rules.solve_triangular(matrix, b, upper != bool(transpose), unit)
    copy = shape.clone(shape.expand(A, (*X.shape[:-2], *A.shape[-2:])))
    return all_into(out, return_types.triangular_solve(X, copy), "triangular_solve")


@other_names(input="B", input2="L")
def cholesky_solve(
    B: Tensor, L: Tensor, upper: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return X with ``A X = B``, from Cholesky's factor ``A = L Lᴴ``.

    Arguments:
        B: matrices ``(..., n, k)``; leading dimensions are broadcast.
        L: the factor, ``(..., n, n)``, of which one triangle is read.
        upper: whether it is the upper factor: ``A = Lᴴ L``.
        out: a tensor that is written and returned.

    Raises ``LinAlgError`` where the diagonal of L has a zero.

    >>> import aino
    >>> aino.cholesky_solve(aino.ones(1, 1), aino.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    square("cholesky_solve", L)
    right_side("cholesky_solve", L, B, True)
    lower, above = (adjoint(L), L) if upper else (L, adjoint(L))
    X = rules.solve_triangular(above, rules.solve_triangular(lower, B, False, False), True, False)
    return into(out, X, "cholesky_solve")


@other_names(input="L")
def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse of ``A = L Lᴴ``, from Cholesky's factor.

    Arguments:
        L: the factor, ``(..., n, n)``, of which one triangle is read.
        upper: whether it is the upper factor: ``A = Lᴴ L``.
        out: a tensor that is written and returned.

    Raises ``LinAlgError`` where the diagonal of L has a zero.

    >>> import aino
    >>> aino.cholesky_inverse(aino.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    unit = make(np.eye(square("cholesky_inverse", L).shape[-1], dtype=L.dtype))
    return into(out, cholesky_solve(unit, L, upper), "cholesky_inverse")
