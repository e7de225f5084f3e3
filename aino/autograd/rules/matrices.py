"""Inverses, determinants and factors of square matrices, alone or in stacks."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.shape import tril
from aino.autograd.sums import sum_over
from aino.errors import AinoError, GradientError
from aino.tracing import opaque, over_leading


class LinAlgError(AinoError, np.linalg.LinAlgError, RuntimeError):
    """A matrix that has no inverse, or no factors of the kind that was asked for."""


def computed(name, factors, x, *options):
    """Return what a function of NumPy's makes of a matrix; raise ``LinAlgError`` where it fails."""
    try:
        return factors(x, *options)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            f"{name}: the algorithm found no factors of a matrix (shape {x.shape}); are all its "
            "elements finite?"
        ) from None


def _inverse(x):
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"inv: a matrix (shape {x.shape}) is singular") from None


inv = primitive(
    "inv", _inverse, formula="x⁻¹",
    x=lambda g, y: -(y.mT @ g @ y.mT),
    jvp={"x": lambda t, y: -(y @ t @ y)},
)  # fmt: skip


def _inverse_or_inf(x):
    singular = (np.linalg.slogdet(x)[0] == 0)[..., None, None]
    regular = np.where(singular, np.eye(x.shape[-1], dtype=x.dtype), x)
    return np.where(singular, np.inf, np.linalg.inv(regular))


#: ``inv``, infinite where there is no inverse.
inverse_or_inf = primitive(
    "inverse_or_inf", _inverse_or_inf, formula="x⁻¹, or ∞", x=lambda g, y: -(y.mT @ g @ y.mT)
)


def _solution_or_nan(a, b):
    singular = (np.linalg.slogdet(a)[0] == 0)[..., None, None]
    regular = np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a)
    return np.where(singular, np.nan, np.linalg.solve(regular, b))


#: ``solve``, not a number where there is no solution or more than one.
solve_or_nan = primitive(
    "solve_or_nan", _solution_or_nan, formula="a⁻¹ b, or nan", broadcasts=True,
    a=lambda g, a, y: -(solve_or_nan(a.mT, g) @ y.mT),
    b=lambda g, a: solve_or_nan(a.mT, g),
)  # fmt: skip


def _solution(a, b):
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"solve: a matrix (shape {a.shape}) is singular") from None


solve = primitive(
    "solve", _solution, formula="a⁻¹ b", broadcasts=True,
    a=lambda g, a, y: -(solve(a.mT, g) @ y.mT),
    b=lambda g, a: solve(a.mT, g),
)  # fmt: skip

det = primitive(
    "det", lambda x: np.linalg.det(x), formula="det x",
    x=lambda g, x: g[..., None, None] * cofactors(x),
)  # fmt: skip


def _cofactors(x):
    """Return det(x) x⁻ᵀ, which exists for a singular matrix too, by way of its SVD."""
    u, s, vh = np.linalg.svd(x)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :])
    products = np.multiply.reduce(others, axis=-1).astype(s.dtype)
    sign = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return (sign * np.conjugate(u) * products[..., None, :]) @ np.conjugate(vh)


def _cofactors_slope(g, x):
    """Differentiate det(x) x⁻ᵀ where the matrix is regular."""
    w = inv(x).mT
    along = sum_over(g * w, (g.ndim - 2, g.ndim - 1), True)
    return det(x)[..., None, None] * (along * w - w @ g.mT @ w)


cofactors = primitive("cofactors", _cofactors, formula="det(x) x⁻ᵀ", x=_cofactors_slope)

logabsdet = primitive(
    "logabsdet", lambda x: np.linalg.slogdet(x)[1], formula="ln |det x|",
    x=lambda g, x: g[..., None, None] * inv(x).mT,
)  # fmt: skip


def _turn(g, x, y):
    """Differentiate a sign: a complex one turns on a circle, a real one does not move."""
    along = g * y
    return (0.5 * (along - np.conjugate(along)))[..., None, None] * inv(x).mT


signdet = primitive(
    "signdet", lambda x: np.linalg.slogdet(x)[0], formula="det x / |det x|", x=_turn
)


def _cholesky(x):
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            f"cholesky: a matrix (shape {x.shape}) is not positive definite"
        ) from None


def _cholesky_slope(g, y):
    """Source: Murray, Differentiation of the Cholesky decomposition (2016)."""
    inner = y.mT @ g
    half = 0.5 * (tril(inner, 0) + tril(inner, -1))
    middle = 0.5 * (half + np.conjugate(half).mT)
    return solve(np.conjugate(y).mT, solve(y.mT, middle).mT).mT


cholesky = primitive("cholesky", _cholesky, formula="l with l lᴴ = x", x=_cholesky_slope)


def _minors(x):
    """Return Cholesky's factor, nan where there is none, and the first minor that is not positive.

    Column by column over a whole stack: NumPy stops at the first matrix that has no factor.
    """
    *batch, n, _ = x.shape
    a = np.tril(x).reshape((math.prod(batch), n, n))
    info = np.zeros(len(a), np.int32)
    for j in range(n):
        minor = a[:, j, j].real
        info[~(minor > 0) & (info == 0)] = j + 1
        a[:, j:, j] /= np.sqrt(np.where(minor > 0, minor, 1.0))[:, None]
        column = a[:, j + 1 :, j]
        a[:, j + 1 :, j + 1 :] -= np.tril(column[:, :, None] * np.conjugate(column)[:, None, :])
    a[info > 0] = np.nan
    return a.reshape(x.shape), info.reshape(tuple(batch))


@opaque
@over_leading
def _cholesky_ex(x):
    try:
        return np.linalg.cholesky(x), np.zeros(x.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        return _minors(x)


cholesky_ex = primitive(
    "cholesky_ex", _cholesky_ex, inputs="x", outputs="l info", formula="l with l lᴴ = x, or nan",
    x=lambda g, g_info, l: _cholesky_slope(g, l),
)  # fmt: skip


# Singular values. Their slope is made of the vectors beside them: U diag(g) Vᴴ, whose own
# derivative is known in closed form, as a linear map that is its own adjoint


def _factors(x):
    return computed("svd", np.linalg.svd, x, False)


def _weighted(x, weights):
    u, _, vh = _factors(x)
    return (u * weights[..., None, :]) @ vh


def _quotients(difference, level):
    """Return quotients, and 0 where what is divided by is 0: there values meet, or vanish."""
    apart = level != 0
    return np.where(apart, difference / np.where(apart, level, 1.0), 0.0)


def _weighted_turn(h, x, weights):
    """Return how U diag(weights) Vᴴ moves with x along ``h``."""
    u, s, vh = _factors(x)
    v, uh = np.conjugate(vh.mT), np.conjugate(u.mT)
    inner = uh @ h @ v
    mirrored = np.conjugate(inner.mT)
    row, column = s[..., :, None], s[..., None, :]
    g_row, g_column = weights[..., :, None], weights[..., None, :]
    turned = _quotients(g_row - g_column, row - column) * (inner + mirrored)
    turned = turned + _quotients(g_row + g_column, row + column) * (inner - mirrored)
    ratio = _quotients(weights, s)
    left, right = (h @ v) * ratio[..., None, :], ratio[..., :, None] * (uh @ h)
    outside = (left - u @ (uh @ left)) @ vh + u @ (right - (right @ v) @ vh)
    return 0.5 * (u @ turned @ vh) + outside


def _weighted_share(h, x):
    u, _, vh = _factors(x)
    return sum_over(np.conjugate(u) * (h @ np.conjugate(vh.mT)), h.ndim - 2).real


def _no_third():
    raise GradientError("singular values have no third derivatives here")


weighted_turn = primitive(
    "weighted_turn", _weighted_turn, formula="∂(U diag(w) Vᴴ) / ∂x · h", inputs="h x weights",
    h=lambda g: _no_third(), x=lambda g: _no_third(), weights=lambda g: _no_third(),
)  # fmt: skip

weighted_share = primitive(
    "weighted_share", _weighted_share, formula="Re diag(Uᴴ h V)", inputs="h x",
    h=lambda g: _no_third(), x=lambda g: _no_third(),
)  # fmt: skip

weighted_vectors = primitive(
    "weighted_vectors", _weighted, formula="U diag(w) Vᴴ", inputs="x weights",
    x=lambda g, x, weights: np.conjugate(weighted_turn(np.conjugate(g), x, weights)),
    weights=lambda g, x: weighted_share(np.conjugate(g), x),
    jvp={
        "x": lambda t, x, weights: weighted_turn(t, x, weights),
        "weights": lambda t, x: weighted_vectors(x, t),
    },
)  # fmt: skip

singular_values = primitive(
    "singular_values", lambda x: computed("svd", np.linalg.svd, x, False, False),
    formula="σ with x = U σ Vᴴ",
    x=lambda g, x: np.conjugate(weighted_vectors(x, g)),
    jvp={"x": lambda t, x: weighted_share(t, x)},
)  # fmt: skip
