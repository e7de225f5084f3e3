"""Orthogonal polynomials by their recurrences, and their derivatives of any order by the same.

Each family has ``pₖ₊₁ = (aₖ x + bₖ) pₖ - cₖ pₖ₋₁``; differentiated m times this is
``(aₖ x + bₖ) pₖ⁽ᵐ⁾ + m aₖ pₖ⁽ᵐ⁻¹⁾ - cₖ pₖ₋₁⁽ᵐ⁾``. Source: Abramowitz and Stegun, 22.7.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import in_double
from aino.errors import ArgumentError, GradientError


def _chebyshev(first):
    """Return the recurrence of one of Chebyshev's four kinds, which differ in p₁ = f₁ x + f₀."""
    return lambda k: (*first, 0.0) if k == 0 else (2.0, 0.0, 1.0)


def _shifted_family(family):
    """Return the recurrence of a family in 2x - 1."""

    def coefficients(k):
        a, b, c = family(k)
        return 2.0 * a, b - a, c

    return coefficients


#: By name: k -> (aₖ, bₖ, cₖ).
FAMILIES = {
    "chebyshev_t": _chebyshev((1.0, 0.0)),
    "chebyshev_u": _chebyshev((2.0, 0.0)),
    "chebyshev_v": _chebyshev((2.0, -1.0)),
    "chebyshev_w": _chebyshev((2.0, 1.0)),
    "hermite_h": lambda k: (2.0, 0.0, 2.0 * k),
    "hermite_he": lambda k: (1.0, 0.0, float(k)),
    "laguerre": lambda k: (-1.0 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1)),
    "legendre": lambda k: ((2 * k + 1) / (k + 1), 0.0, k / (k + 1)),
}
FAMILIES |= {
    f"shifted_chebyshev_{kind}": _shifted_family(FAMILIES[f"chebyshev_{kind}"]) for kind in "tuvw"
}
#: Beyond this degree a recurrence would run for minutes.
_HIGHEST = 10_000_000


@functools.cache  # two traces record the same kernel
def _kernel(family, order):
    """Return the kernel of the derivatives of this order; degrees are cut to whole numbers."""
    coefficients = FAMILIES[family]

    def compute(x, n):
        degree = np.trunc(np.where(np.isnan(n), -1.0, n))
        highest = int(min(np.maximum.reduce(degree, initial=0.0), _HIGHEST + 1))
        if highest > _HIGHEST:
            raise ArgumentError(f"a polynomial of degree {np.maximum.reduce(degree):g} is too long")
        before = [np.zeros_like(x) for _ in range(order + 1)]
        now = [np.ones_like(x), *before[1:]]
        y = np.where(degree == 0, now[order], 0.0)
        for k in range(highest):
            a, b, c = coefficients(k)
            line = a * x + b
            after = [line * now[0] - c * before[0]]
            after += [
                line * now[m] + (m * a) * now[m - 1] - c * before[m] for m in range(1, order + 1)
            ]
            before, now = now, after
            y = np.where(degree == k + 1, now[order], y)
        return np.where(np.isnan(x) & (degree >= 0), math.nan, y)

    return in_double(compute)


def _no_slope_of_degree():
    raise GradientError(
        "a polynomial has no derivative with respect to its degree; detach() the degree"
    )


polynomial: Any = primitive(
    "polynomial", lambda x, n, family, order: _kernel(family, order)(x, n), formula="pₙ⁽ᵐ⁾(x)",
    jacobian="diagonal",
    broadcasts=True, promotes="float", inputs="x n",
    x=lambda g, x, n, family, order: g * polynomial(x, n, family, order + 1),
    n=lambda g: _no_slope_of_degree(),
)  # fmt: skip
