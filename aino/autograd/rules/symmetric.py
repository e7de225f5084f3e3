"""Indefinite symmetric matrices: L D Lᵀ, where D has blocks of one or two rows.

The factors are LAPACK's, by way of SciPy, one matrix after the other.

Source: Bunch and Kaufman, Some stable methods for calculating inertia and solving symmetric
linear systems (1977).
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.decompositions import adjoint, conj
from aino.autograd.rules.matrices import LinAlgError
from aino.errors import GradientError, MissingExtraError
from aino.tracing import opaque, over_leading


def _lapack():
    try:
        from scipy.linalg import lapack
    except ImportError:
        raise MissingExtraError(
            "ldl_factor needs SciPy: install it by pip install 'aino[scipy]'"
        ) from None
    return lapack


@opaque
@over_leading
def _ldl(x, hermitian):
    """Return L and D in one, the interchanges and blocks as LAPACK tells them, and its info."""
    kind = "hetrf" if hermitian and x.dtype.kind == "c" else "sytrf"
    factor = getattr(_lapack(), {"f": "s", "d": "d", "F": "c", "D": "z"}[x.dtype.char] + kind)
    n = x.shape[-1]
    flat = np.tril(x).reshape((math.prod(x.shape[:-2]), n, n))
    pivots, info = np.empty((len(flat), n), np.int32), np.zeros(len(flat), np.int32)
    for i in range(len(flat) if n else 0):
        flat[i], pivots[i], info[i] = factor(flat[i], lower=1)
    return flat.reshape(x.shape), pivots.reshape(x.shape[:-1]), info.reshape(x.shape[:-2])


def _no_slope():
    raise GradientError(
        "the factors of ldl_factor have no derivative, which linalg.solve and linalg.inv have"
    )


ldl = primitive(
    "ldl", _ldl, inputs="x", outputs="ld pivots info", formula="l and d with x = l d lᵀ",
    x=lambda g, g_pivots, g_info: _no_slope(),
)  # fmt: skip


def _blocks(pivots):
    """Return where blocks of two rows begin: negative numbers come in pairs."""
    begins = np.zeros(pivots.shape, bool)
    for k in range(pivots.shape[-1]):
        begins[:, k] = (pivots[:, k] < 0) & ~begins[:, k - 1] if k else pivots[:, k] < 0
    return begins


@opaque
def _ldl_solution(ld, b, pivots, hermitian):
    n, columns = b.shape[-2:]
    batch = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
    count = math.prod(batch)
    ld = np.broadcast_to(ld, (*batch, n, n)).reshape((count, n, n))
    x = np.array(np.broadcast_to(b, (*batch, n, columns))).reshape((count, n, columns))
    pivots = np.broadcast_to(pivots, (*batch, n)).reshape((count, n))
    begins, each = _blocks(pivots), np.arange(count)
    single = pivots > 0
    lower = np.tril(ld, -1)
    beside = np.diagonal(lower, -1, 1, 2) * begins[:, :-1]
    middle = ld * np.eye(n, dtype=ld.dtype)
    row = np.arange(n - 1) if n else np.arange(0)
    lower[:, row + 1, row] -= beside
    middle[:, row + 1, row] = beside
    middle[:, row, row + 1] = conj(beside) if hermitian else beside
    upper = adjoint(lower) if hermitian else lower.mT

    def exchange(k) -> None:
        """Exchange the row of a block's last column with the one its pivot names."""
        here = np.where(begins[:, k], min(k + 1, n - 1), k)
        there = np.where(single[:, k] | begins[:, k], np.abs(pivots[:, k]) - 1, k)
        x[each, here], x[each, there] = x[each, there], x[each, here]

    for k in range(n):
        exchange(k)
        x[:, k + 1 :] -= lower[:, k + 1 :, k, None] * x[:, k, None]
    x = np.linalg.solve(middle, x)
    for k in range(n - 1, -1, -1):
        x[:, k] -= (upper[:, k, None, k + 1 :] @ x[:, k + 1 :])[:, 0]
        exchange(k)
    return x.reshape((*batch, n, columns))


def _solved(ld, b, pivots, hermitian):
    try:
        return _ldl_solution(ld, b, pivots, hermitian)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"ldl_solve: a matrix (shape {ld.shape}) is singular") from None


def _slope_of_b(g, ld, pivots, hermitian):
    if hermitian:  # whose transpose is its conjugate
        return conj(ldl_solve(ld, conj(g), pivots, True))
    return ldl_solve(ld, g, pivots, False)


ldl_solve = primitive(
    "ldl_solve", _solved, inputs="ld b pivots", formula="(l d lᵀ)⁻¹ b", broadcasts=True,
    ld=lambda g: _no_slope(),
    b=_slope_of_b,
)  # fmt: skip
