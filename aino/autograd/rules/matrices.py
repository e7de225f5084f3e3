"""Inverses, determinants and factors of square matrices, alone or in stacks."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.shape import tril
from aino.autograd.sums import sum_over
from aino.errors import AinoError


class LinAlgError(AinoError, np.linalg.LinAlgError, RuntimeError):
    """A matrix that has no inverse, or no factors of the kind that was asked for."""


def _inverse(x):
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"inv: a matrix (shape {x.shape}) is singular") from None


inv = primitive("inv", _inverse, formula="x⁻¹", x=lambda g, y: -(y.mT @ g @ y.mT))


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
