"""Inverses, solutions and factors with a word on whether they exist, in place of an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aino.autograd.rules import matrices
from aino.autograd.rules.triangular import singular_at
from aino.autograd.tensor import Tensor
from aino.ops.arguments import wrapped
from aino.ops.linalg import return_types
from aino.ops.linalg.matrices import solution
from aino.ops.linalg.shared import adjoint, nonsingular, square
from aino.ops.out import all_into
from aino.tracing import checked


def cholesky_ex(
    A: Tensor,
    *,
    upper: bool = False,
    check_errors: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return Cholesky's factor, ``A = L Lᴴ``, and whether there is one: ``(L, info)``.

    Arguments:
        A: Hermitian matrices ``(..., n, n)``, of which the lower triangle is read.
        upper: whether Lᴴ is returned.
        check_errors: whether a matrix without a factor raises ``LinAlgError``.
        out: two tensors that are written and returned; ``info`` is int32.

    ``info`` is 0 where A is positive definite, else the order of its first leading minor that is
    not; there L is nan.

    >>> import aino
    >>> aino.linalg.cholesky_ex(aino.tensor([[1.0, 0.0], [0.0, -1.0]])).info
    tensor(2, dtype=aino.int32)
    """
    L, info = matrices.cholesky_ex(square("cholesky_ex", A))
    if check_errors:
        checked(nonsingular, info.array, "cholesky_ex: a matrix is not positive definite")
    if upper:
        L = adjoint(L)
    return all_into(out, return_types.linalg_cholesky_ex(L, info), "cholesky_ex")


def inv_ex(A: Tensor, *, check_errors: bool = False, out: Sequence[Tensor] | None = None) -> Any:
    """Return the inverse, and whether there is one: ``(inverse, info)``.

    Arguments:
        A: square matrices ``(..., n, n)``.
        check_errors: whether a singular matrix raises ``LinAlgError``.
        out: two tensors that are written and returned; ``info`` is int32.

    ``info`` is 0, or tells the first zero on the diagonal of U in ``A = P L U``, counted from 1;
    there the inverse is infinite.

    >>> import aino
    >>> aino.linalg.inv_ex(aino.tensor([[0.0]]))
    aino.return_types.linalg_inv_ex(
    inverse=tensor([[inf]]),
    info=tensor(1, dtype=aino.int32))
    """
    inverse = matrices.inverse_or_inf(square("inv_ex", A))
    info = wrapped(singular_at(A.array))
    if check_errors:
        checked(nonsingular, info.array, "inv_ex: a matrix is singular")
    return all_into(out, return_types.linalg_inv_ex(inverse, info), "inv_ex")


def solve_ex(
    A: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    check_errors: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return X with ``A X = B``, and whether there is one: ``(result, info)``.

    Arguments:
        A: square matrices ``(..., n, n)``.
        B: matrices ``(..., n, k)`` or vectors, as for ``linalg.solve``.
        left: whether A stands on the left; else ``X A = B``.
        check_errors: whether a singular matrix raises ``LinAlgError``.
        out: two tensors that are written and returned; ``info`` is int32.

    ``info`` is 0, or tells the first zero on the diagonal of U in ``A = P L U``, counted from 1;
    there the result is nan.

    >>> import aino
    >>> aino.linalg.solve_ex(aino.tensor([[2.0]]), aino.tensor([1.0])).result
    tensor([0.5000])
    """
    X = solution("solve_ex", matrices.solve_or_nan, A, B, left)
    info = wrapped(singular_at(A.array))
    if check_errors:
        checked(nonsingular, info.array, "solve_ex: a matrix is singular")
    return all_into(out, return_types.linalg_solve_ex(X, info), "solve_ex")
