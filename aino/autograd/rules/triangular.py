"""Systems with a triangular matrix, and the factors L and U.

NumPy has neither, and SciPy's take one matrix at a time where a stack may have thousands of small
ones: so they are written here, over whole stacks and in blocks, which are products of matrices.
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.index import gather
from aino.autograd.rules.matrices import LinAlgError
from aino.autograd.rules.shape import tril, triu
from aino.tracing import opaque, over_leading

#: Up to so many rows a block is solved, or factorised column by column, without being split.
_BLOCK = 64


def _upper_solution(a, b, unit):
    """Solve with the upper triangle of ``a``, from the last rows to the first."""
    n = a.shape[-1]
    if n <= _BLOCK:
        block = np.triu(a)
        if unit:
            block = np.where(np.eye(n, dtype=bool), np.ones((), a.dtype), block)
        return np.linalg.solve(block, b)
    half = n // 2
    below = _upper_solution(a[..., half:, half:], b[..., half:, :], unit)
    rest = b[..., :half, :] - a[..., :half, half:] @ below
    return np.concatenate([_upper_solution(a[..., :half, :half], rest, unit), below], -2)


def _triangular_solution(a, b, upper, unit):
    try:
        if upper:
            return _upper_solution(a, b, unit)
        # Backwards along both axes a lower triangle is an upper one.
        return _upper_solution(a[..., ::-1, ::-1], b[..., ::-1, :], unit)[..., ::-1, :]
    except np.linalg.LinAlgError:
        raise LinAlgError(
            f"a triangular matrix (shape {a.shape}) has a 0 on its diagonal, and no inverse"
        ) from None


def _triangular_slope(g, a, y, upper, unit):
    full = solve_triangular(a.mT, g, not upper, unit) @ y.mT
    return -(triu(full, int(unit)) if upper else tril(full, -int(unit)))


solve_triangular = primitive(
    "solve_triangular", _triangular_solution, formula="a⁻¹ b", broadcasts=True,
    a=_triangular_slope,
    b=lambda g, a, upper, unit: solve_triangular(a.mT, g, not upper, unit),
)  # fmt: skip


# LU with row interchanges: column by column in panels, which then act on the rest as products


def _size(x):
    """Return what LAPACK compares to choose a pivot."""
    return np.abs(x.real) + np.abs(x.imag) if x.dtype.kind == "c" else np.abs(x)


def _panel(columns, pivot, pivots, order, info, start) -> None:
    """Factorise a few columns, which lie here as rows, in place.

    Notes the interchanges of what follows row ``start``: in ``pivots`` one by one, in ``order``
    the row that each row was.
    """
    each = np.arange(len(columns))
    for j in range(columns.shape[1]):
        if pivot:
            place = _size(columns[:, j, j:]).argmax(1) + j
            pivots[:, start + j] = place + (start + 1)
            for x in (columns.mT, order):
                row = x[each, place]
                x[each, place] = x[:, j]
                x[:, j] = row
        divisor = columns[:, j, j]
        info[(divisor == 0) & (info == 0)] = start + j + 1
        divisor = np.where(divisor == 0, np.ones((), columns.dtype), divisor)
        columns[:, j, j + 1 :] /= divisor[:, None]
        columns[:, j + 1 :, j + 1 :] -= columns[:, j + 1 :, j, None] * columns[:, j, None, j + 1 :]


def _order(pivots, length):
    flat = pivots.reshape((math.prod(pivots.shape[:-1]), pivots.shape[-1]))
    rows = np.empty((len(flat), length), np.int64)
    rows[:] = np.arange(length)
    each = np.arange(len(flat))
    for j in range(flat.shape[1]):
        place = flat[:, j].astype(np.int64) - 1
        row = rows[each, place]
        rows[each, place] = rows[:, j]
        rows[:, j] = row
    return rows.reshape((*pivots.shape[:-1], length))


def factorised(x, pivot):
    """Return L and U in one, the interchanges as LAPACK counts them, the row that each row was
    before them, and where U has its first 0 (counted from 1, 0 where there is none).
    """
    *batch, m, n = x.shape
    k = min(m, n)
    a = x.reshape((math.prod(batch), m, n)).copy()
    pivots = np.empty((len(a), k), np.int32)
    pivots[:] = np.arange(1, k + 1)
    info = np.zeros(len(a), np.int32)
    order = np.empty((len(a), m), np.int64)
    order[:] = np.arange(m)
    each = np.arange(len(a))[:, None]
    for start in range(0, k, _BLOCK):
        stop = min(start + _BLOCK, k)
        columns = a[:, start:, start:stop].mT.copy()
        local = np.empty((len(a), m - start), np.int64)
        local[:] = np.arange(m - start)
        _panel(columns, pivot, pivots, local, info, start)
        if pivot:
            a[:, start:] = a[:, start:][each, local]
            order[:, start:] = order[:, start:][each, local]
        a[:, start:, start:stop] = columns.mT
        if stop < n:
            corner, beside = a[:, start:stop, start:stop], a[:, start:stop, stop:]
            beside[...] = _triangular_solution(corner, beside, False, True)
            a[:, stop:, stop:] -= a[:, stop:, start:stop] @ beside
    shape = tuple(batch)
    found = a.reshape(x.shape), pivots.reshape((*shape, k)), order.reshape((*shape, m))
    return (*found, info.reshape(shape))


#: The row that each of so many rows was before the interchanges, as LAPACK counts them, were made.
order_of = opaque(over_leading(_order))


def rows_at(x, order):
    """Return the rows of matrices in this order."""
    return gather(x, np.broadcast_to(order[..., :, None], x.shape), len(x.shape) - 2, True)


def _lu_slope(g, g_pivots, g_order, g_info, lu, order):
    k = min(lu.shape[-2:])
    square = lu[..., :k, :k]
    lower, upper = tril(g[..., :k], -1), triu(g[..., :k, :], 0)
    inner = lower[..., :k, :] + tril(square, -1).mT @ lower[..., :k, :]
    outer = upper[..., :k] @ triu(square, 0).mT
    beside, below = upper[..., k:], lower[..., k:, :]
    inner = inner - beside @ lu[..., :k, k:].mT
    outer = outer - lu[..., k:, :k].mT @ below
    middle = tril(inner, -1) + triu(outer, 0)
    left = solve_triangular(square.mT, middle, True, True)
    slope = solve_triangular(square, left.mT, True, False).mT
    if lu.shape[-1] > k:
        slope = np.concatenate([slope, solve_triangular(square.mT, beside, True, True)], -1)
    if lu.shape[-2] > k:
        slope = np.concatenate([slope, solve_triangular(square, below.mT, True, False).mT], -2)
    return rows_at(slope, np.argsort(order, axis=-1))


lu = primitive(
    "lu", opaque(over_leading(factorised)), inputs="x", outputs="lu pivots order info",
    formula="l and u with x = p l u", x=_lu_slope,
)  # fmt: skip


@opaque
@over_leading
def singular_at(x):
    """Return for each square matrix where U has its first 0, counted from 1, and 0 if nowhere.

    A matrix is singular where NumPy's factorisation says so, which its inverse is made by.
    """
    singular = np.linalg.slogdet(x)[0] == 0
    if not singular.any():
        return np.zeros(x.shape[:-2], np.int32)
    info = factorised(x, True)[3]
    return np.where(singular, np.where(info > 0, info, x.shape[-1]), 0).astype(np.int32)
