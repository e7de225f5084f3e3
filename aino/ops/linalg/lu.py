"""The factors L and U, and systems that are solved with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.rules import elementwise, shape
from aino.autograd.rules import triangular as rules
from aino.autograd.rules.index import getitem
from aino.autograd.tensor import Tensor, make
from aino.errors import BoundsError, DtypeError, ShapeError
from aino.ops.arguments import other_names
from aino.ops.linalg import return_types
from aino.ops.linalg.shared import adjoint as mirrored
from aino.ops.linalg.shared import matrices_of, nonsingular, right_side, square
from aino.ops.out import all_into, into
from aino.tracing import checked

__all__ = ["lu", "lu_solve", "lu_unpack"]


def _without_zero(info, name) -> None:
    what = "U has a zero on its diagonal, and what is solved with it would be divided by zero"
    nonsingular(info, f"{name}: {what}; linalg.lu and lu_factor_ex give the factors all the same")


def lu_factor_ex(
    A: Tensor,
    *,
    pivot: bool = True,
    check_errors: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return L and U in one matrix, the interchanges of rows, and where U has a zero.

    ``(LU, pivots, info)``: as ``lu_factor``, but without an error for a singular matrix.

    Arguments:
        A: matrices ``(..., m, n)``.
        pivot: whether rows are exchanged, so that the largest number of a column is divided by.
        check_errors: whether a singular matrix raises ``LinAlgError``.
        out: three tensors that are written and returned; ``pivots`` and ``info`` are int32.

    ``info`` is 0, or tells the first zero on the diagonal of U, counted from 1.

    >>> import aino
    >>> aino.linalg.lu_factor_ex(aino.tensor([[0.0, 1.0], [0.0, 2.0]])).info
    tensor(1, dtype=aino.int32)
    """
    lu, pivots, _, info = rules.lu(matrices_of("lu_factor_ex", A), bool(pivot))
    if check_errors:
        checked(_without_zero, info.array, "lu_factor_ex")
    found = return_types.linalg_lu_factor_ex(lu, pivots, info)
    return all_into(out, found, "lu_factor_ex")


def lu_factor(A: Tensor, *, pivot: bool = True, out: Sequence[Tensor] | None = None) -> Any:
    """Return L and U in one matrix, and the interchanges of rows: ``A = P L U``.

    ``(LU, pivots)``: U is the upper triangle, L the rest with 1 on its diagonal; row i was
    exchanged with row ``pivots[i]``, counted from 1, one after the other. ``lu_solve`` takes them,
    ``lu_unpack`` makes matrices of them.

    Arguments:
        A: matrices ``(..., m, n)``.
        pivot: whether rows are exchanged, so that the largest number of a column is divided by.
        out: two tensors that are written and returned; ``pivots`` is int32.

    Raises ``LinAlgError`` where U has a zero on its diagonal.

    >>> import aino
    >>> aino.linalg.lu_factor(aino.tensor([[1.0, 2.0], [2.0, 2.0]]))
    aino.return_types.linalg_lu_factor(
    LU=tensor([[2.0000, 2.0000],
            [0.5000, 1.0000]]),
    pivots=tensor([2, 2], dtype=aino.int32))
    """
    lu, pivots, _, info = rules.lu(matrices_of("lu_factor", A), bool(pivot))
    checked(_without_zero, info.array, "lu_factor")
    return all_into(out, return_types.linalg_lu_factor(lu, pivots), "lu_factor")


def lu_factors(A: Tensor, *, pivot: bool = True, out: Sequence[Tensor] | None = None) -> Any:
    """Return the factors ``A = P L U``: a permutation, a lower and an upper triangular matrix.

    Arguments:
        A: matrices ``(..., m, n)``.
        pivot: whether rows are exchanged; without, P is an empty tensor and A = L U.
        out: three tensors that are written and returned, ``(..., m, m)``, ``(..., m, k)`` and
            ``(..., k, n)`` with ``k = min(m, n)``.

    The gradient exists where the first k columns are linearly independent.

    >>> import aino
    >>> aino.linalg.lu(aino.tensor([[1.0, 2.0], [2.0, 2.0]])).L
    tensor([[1.0000, 0.0000],
            [0.5000, 1.0000]])
    """
    lu, _, order, _ = rules.lu(matrices_of("lu", A), bool(pivot))
    P = _permutation(order.array, A.dtype) if pivot else make(np.zeros(0, A.dtype))
    return all_into(out, return_types.linalg_lu(P, *_unpacked(lu)), "lu")


def _permutation(order, dtype) -> Tensor:
    """Return the matrices P of which column i has its 1 in the row that row i was."""
    rows = np.arange(order.shape[-1])[:, None]
    return make((order[..., None, :] == rows).astype(dtype))


def _unpacked(lu: Tensor) -> tuple[Tensor, Tensor]:
    m, n = lu.shape[-2:]
    k = min(m, n)
    unit = make(np.eye(m, k, dtype=lu.dtype))
    lower = elementwise.add(shape.tril(getitem(lu, (..., slice(0, k))), -1), unit)
    return lower, shape.triu(getitem(lu, (..., slice(0, k), slice(None))), 0)


def _checked_pivots(name: str, LU: Tensor, pivots: Tensor) -> Any:
    """Return the array of the interchanges; raise where they are none of the matrices'."""
    *batch, m, n = LU.shape
    if pivots.dtype != np.int32:
        raise DtypeError(f"{name}: pivots are int32, as lu_factor gives them, not {pivots.dtype}")
    if tuple(pivots.shape) != (*batch, min(m, n)):
        raise ShapeError(
            f"{name}: pivots of shape {tuple(pivots.shape)} do not belong to factors of shape "
            f"{tuple(LU.shape)}"
        )
    checked(_within, pivots.array, m, name)
    return pivots.array


def _within(pivots, rows, name) -> None:
    if pivots.size and (pivots.min() < 1 or pivots.max() > rows):
        raise BoundsError(
            f"{name}: pivots lie in 1, ..., {rows}, got {pivots.min()}, ..., {pivots.max()}"
        )


def lu_unpack(
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
    *,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return the matrices ``(P, L, U)`` that ``linalg.lu_factor`` has packed.

    Arguments:
        LU_data: L and U in one matrix, ``(..., m, n)``.
        LU_pivots: the interchanges, int32, ``(..., min(m, n))``.
        unpack_data: whether L and U are wanted; else they are empty tensors.
        unpack_pivots: whether P is wanted; else it is an empty tensor.
        out: three tensors that are written and returned.

    Raises ``ShapeError`` and ``DtypeError`` for pivots that belong to no such matrices.

    >>> import aino
    >>> aino.lu_unpack(*aino.linalg.lu_factor(aino.tensor([[1.0, 2.0], [2.0, 2.0]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    if LU_data.ndim < 2:
        raise ShapeError(f"lu_unpack: expected matrices, got shape {tuple(LU_data.shape)}")
    P = L = U = make(np.zeros(0, LU_data.dtype))
    if unpack_pivots:
        pivots = _checked_pivots("lu_unpack", LU_data, LU_pivots)
        P = _permutation(rules.order_of(pivots, LU_data.shape[-2]), LU_data.dtype)
    if unpack_data:
        L, U = _unpacked(LU_data)
    return all_into(out, return_types.lu_unpack(P, L, U), "lu_unpack")


def solve_by_lu(
    LU: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return X with ``A X = B``, from the factors of A that ``linalg.lu_factor`` returns.

    Arguments:
        LU: L and U in one matrix, ``(..., n, n)``.
        pivots: the interchanges, int32, ``(..., n)``.
        B: matrices ``(..., n, k)``; leading dimensions are broadcast.
        left: whether A stands on the left; else ``X A = B`` with B ``(..., k, n)``.
        adjoint: whether Aᴴ stands for A.
        out: a tensor that is written and returned.

    Raises ``LinAlgError`` where A is singular, ``ShapeError`` where shapes do not fit together.

    >>> import aino
    >>> LU, pivots = aino.linalg.lu_factor(aino.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> aino.linalg.lu_solve(LU, pivots, aino.ones(2, 1))
    tensor([[0.5000],
            [0.2500]])
    """
    square("lu_solve", LU)
    right_side("lu_solve", LU, B, left)
    order = rules.order_of(_checked_pivots("lu_solve", LU, pivots), LU.shape[-1])
    if left:
        X = _by_lu(LU, order, B, adjoint)
    else:
        X = mirrored(_by_lu(LU, order, mirrored(B), not adjoint))
    return into(out, X, "lu_solve")


def _by_lu(LU: Tensor, order, B: Tensor, adjoint: bool) -> Tensor:
    batch = np.broadcast_shapes(tuple(LU.shape[:-2]), tuple(B.shape[:-2]))
    if tuple(B.shape[:-2]) != batch:
        B = shape.expand(B, (*batch, *B.shape[-2:]))
    if not adjoint:
        Y = rules.solve_triangular(LU, rules.rows_at(B, order), False, True)
        return rules.solve_triangular(LU, Y, True, False)
    LUh = mirrored(LU)
    Y = rules.solve_triangular(LUh, B, False, False)
    X = rules.solve_triangular(LUh, Y, True, True)
    return rules.rows_at(X, np.argsort(order, axis=-1))


@other_names(input="b")
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the solution of ``A x = b``, as ``linalg.lu_solve`` does.

    Arguments:
        b: matrices ``(..., n, k)``.
        LU_data: L and U of A in one matrix, ``(..., n, n)``.
        LU_pivots: the interchanges, int32, ``(..., n)``.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.lu_solve(aino.ones(1, 1), *aino.linalg.lu_factor(aino.tensor([[2.0]])))
    tensor([[0.5000]])
    """
    return solve_by_lu(LU_data, LU_pivots, b, out=out)


def lu(
    A: Tensor,
    pivot: bool = True,
    get_infos: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return L and U in one matrix and the interchanges, as ``linalg.lu_factor`` does.

    Arguments:
        A: matrices ``(..., m, n)``.
        pivot: whether rows are exchanged.
        get_infos: whether there is a third result, ``info``, which tells of singular matrices;
            see ``linalg.lu_factor_ex``.
        out: two or three tensors that are written and returned.

    >>> import aino
    >>> aino.lu(aino.tensor([[2.0]]))[1]
    tensor([1], dtype=aino.int32)
    """
    lu, pivots, _, info = rules.lu(matrices_of("lu", A), bool(pivot))
    if get_infos:
        return all_into(out, return_types.linalg_lu_factor_ex(lu, pivots, info), "lu")
    return all_into(out, return_types.linalg_lu_factor(lu, pivots), "lu")
