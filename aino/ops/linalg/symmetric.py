"""Symmetric matrices that need not be definite: L D Lᵀ, by way of SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.rules import symmetric as rules
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.ops.linalg import return_types
from aino.ops.linalg.shared import nonsingular, right_side, square
from aino.ops.out import all_into, into
from aino.tracing import checked


def ldl_factor_ex(
    A: Tensor,
    *,
    hermitian: bool = False,
    check_errors: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return the factors ``A = L D Lᵀ`` in one matrix, as ``linalg.ldl_factor`` does, and info.

    Arguments:
        A: symmetric or Hermitian matrices ``(..., n, n)``; the lower triangle is read.
        hermitian: whether complex matrices are Hermitian: ``A = L D Lᴴ``.
        check_errors: whether a singular matrix raises ``LinAlgError``.
        out: three tensors that are written and returned; ``pivots`` and ``info`` are int32.

    ``info`` is 0, or tells the first zero on the diagonal of D, counted from 1. Needs SciPy:
    raises ``MissingExtraError`` without it. The gradient raises ``GradientError``.

    >>> import aino
    >>> aino.linalg.ldl_factor_ex(aino.zeros(1, 1)).info
    tensor(1, dtype=aino.int32)
    """
    ld, pivots, info = rules.ldl(square("ldl_factor_ex", A), bool(hermitian))
    if check_errors:
        checked(nonsingular, info.array, "ldl_factor_ex: a matrix is singular")
    found = return_types.linalg_ldl_factor_ex(ld, pivots, info)
    return all_into(out, found, "ldl_factor_ex")


def ldl_factor(A: Tensor, *, hermitian: bool = False, out: Sequence[Tensor] | None = None) -> Any:
    """Return the factors ``A = L D Lᵀ`` in one matrix, and the interchanges: ``(LD, pivots)``.

    A need not be definite: D has blocks of one or two rows, and ``pivots`` tells which, as LAPACK's
    sytrf does. ``ldl_solve`` takes them.

    Arguments:
        A: symmetric or Hermitian matrices ``(..., n, n)``; the lower triangle is read.
        hermitian: whether complex matrices are Hermitian: ``A = L D Lᴴ``.
        out: two tensors that are written and returned; ``pivots`` is int32.

    Raises ``LinAlgError`` where A is singular, ``MissingExtraError`` without SciPy. The gradient
    raises ``GradientError``.

    >>> import aino
    >>> aino.linalg.ldl_factor(aino.tensor([[2.0, 1.0], [1.0, 2.0]])).LD
    tensor([[2.0000, 0.0000],
            [0.5000, 1.5000]])
    """
    ld, pivots, info = rules.ldl(square("ldl_factor", A), bool(hermitian))
    checked(nonsingular, info.array, "ldl_factor: a matrix is singular")
    return all_into(out, return_types.linalg_ldl_factor(ld, pivots), "ldl_factor")


def ldl_solve(
    LD: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    hermitian: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return X with ``A X = B``, from the factors of A that ``linalg.ldl_factor`` returns.

    Arguments:
        LD: L and D in one matrix, ``(..., n, n)``; it gets no gradient.
        pivots: the interchanges, int32, ``(..., n)``.
        B: matrices ``(..., n, k)``; leading dimensions are broadcast.
        hermitian: whether complex matrices are Hermitian: ``A = L D Lᴴ``.
        out: a tensor that is written and returned.

    Raises ``LinAlgError`` where A is singular, ``ShapeError`` where shapes do not fit together.

    >>> import aino
    >>> LD, pivots = aino.linalg.ldl_factor(aino.tensor([[2.0]]))
    >>> aino.linalg.ldl_solve(LD, pivots, aino.ones(1, 1))
    tensor([[0.5000]])
    """
    square("ldl_solve", LD)
    right_side("ldl_solve", LD, B, True)
    if pivots.dtype != np.int32 or tuple(pivots.shape) != tuple(LD.shape[:-1]):
        raise ShapeError(
            f"ldl_solve: pivots are int32 of shape {tuple(LD.shape[:-1])}, as ldl_factor gives "
            f"them, not {pivots.dtype} of shape {tuple(pivots.shape)}"
        )
    return into(out, rules.ldl_solve(LD, B, pivots, bool(hermitian)), "ldl_solve")
