"""Hurwitz's zeta function, and its multiples: the derivatives of the digamma function."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import in_double, pieces
from aino.errors import GradientError

#: Bernoulli's numbers B₂, B₄, ...
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798
)  # fmt: skip
_TERMS = 12
#: Up to this exponent products lose no more digits than a power does.
_FEW = 8


def _inverse_power(x, s):
    """Return ``x⁻ˢ``: for a small whole s by products, ten times as soon and as exactly."""
    if type(s) is not int or s > _FEW:
        return np.power(x, -float(s) if type(s) is int else -s)
    y, square = None, 1.0 / x
    while True:
        if s & 1:
            y = square if y is None else y * square
        s >>= 1
        if not s:
            return y
        square = square * square


def _sum(s, q, unit=1.0):
    """Return ``Σₖ ((q + k) / unit)⁻ˢ`` for s > 1 and q > 0, by the sum of Euler and Maclaurin.

    Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 23.1.30.
    """
    total = _inverse_power(q / unit, s)
    for k in range(1, _TERMS):
        total = total + _inverse_power((q + k) / unit, s)
    a = q + _TERMS
    last = _inverse_power(a / unit, s)
    term = last * (s / a)
    series = last * (a / (s - 1.0)) + 0.5 * last
    for k, number in enumerate(BERNOULLI, 1):
        series = series + number / math.factorial(2 * k) * term
        term = term * ((s + (2 * k - 1)) / a) * ((s + 2 * k) / a)
    return np.where(last == 0.0, total, total + series)


def _zeta_below(s, q):
    """Return ζ(s, q) of a negative q between integers and an integer s.

    The terms below 0 are a finite piece of another such sum: ``±(ζ(s, f) - ζ(s, 1 - q))``, where
    f is what stands nearest to 0 among ``-q, -q - 1, ...``
    """
    f = -q - np.floor(-q)
    below = _sum(s, f) - _sum(s, 1.0 - q)
    return _sum(s, 1.0 - f) + np.where(s % 2.0 == 0.0, below, -below)


def hurwitz(s, q):
    """Return ζ(s, q) = Σₖ (q + k)⁻ˢ: inf where a term is, nan where it is not known or not real.

    ``s`` is an array, or one whole number for all.
    """
    y = np.full_like(q, math.nan)
    known = (s > 1.0) & np.isfinite(s)
    above, below = known & (q > 0.0), known & (q < 0.0) & (s == np.floor(s)) & (q != np.floor(q))
    for chosen, compute in ((above, _sum), (below, _zeta_below)):
        if chosen.any():
            y[chosen] = compute(s if type(s) is int else s[chosen], q[chosen])
    y[known & (q == math.inf)] = 0.0
    y[(s == 1.0) | (known & (q <= 0.0) & (q == np.floor(q)))] = math.inf
    endless = (s == math.inf) & (q > 0.0)
    y[endless] = np.where(q < 1.0, math.inf, np.where(q == 1.0, 1.0, 0.0))[endless]
    return np.where(np.isnan(s) | np.isnan(q), math.nan, y)


def _no_slope_of_zeta():
    raise GradientError(
        "zeta: the derivative with respect to the first argument, the exponent, is not known "
        "here, only that with respect to the second; detach() it where the gradient may end"
    )


zeta: Any = primitive(
    "zeta", in_double(hurwitz), formula="ζ(s, q) = Σ (q + k)⁻ˢ",
    jacobian="diagonal", broadcasts=True,
    promotes="float", inputs="s q",
    s=lambda g: _no_slope_of_zeta(),
    q=lambda g, s, q: g * (-s * zeta(s + 1.0, q)),
)  # fmt: skip


@functools.cache  # two traces record the same kernel
def _many(n):
    """Return the kernel of ψ⁽ⁿ⁾ = (-1)ⁿ⁺¹ n! ζ(n + 1, x)."""
    sign = 1.0 if n % 2 else -1.0
    size = math.lgamma(n + 1.0)
    factorial = float(math.factorial(n)) if n <= 170 else math.inf

    def plain(x):
        return hurwitz(n + 1, x) * factorial

    def by_logarithms(x):
        return np.exp(size - (n + 1.0) * np.log(x)) * _sum(n + 1.0, x, x)

    def compute(x):
        # Where n! is infinite, or the sum is nothing, their product is found in logarithms.
        far = (x > 0.0) & ((n > 170) | ((n + 1.0) * np.log(np.maximum(x, 1.0)) > 600.0))
        return sign * pieces(x, (x == math.inf, np.zeros_like), (far, by_logarithms), (~far, plain))

    return in_double(compute)


polygamma: Any = primitive(
    "polygamma", lambda x, n: _many(n)(x), formula="ψ⁽ⁿ⁾(x)", jacobian="diagonal", promotes="float",
    x=lambda g, x, n: g * polygamma(x, n + 1),
)  # fmt: skip
