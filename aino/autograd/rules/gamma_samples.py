"""How the logarithm of a gamma-distributed number moves with the concentration.

A sample stands where the distribution function F has the same value as before: its slope is
``-∂F/∂a / ∂F/∂x``, whatever way it was drawn. In l = ln z that is

    dl/da = -(M₁ + (l - ψ(a)) M₀),    Mₙ = ∫₋∞⁰ wⁿ e^(a w - z (eʷ - 1)) dw,

and as the derivatives of one Mₙ are made of others, all orders follow.

Source: Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients" (2018).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.gamma import digamma, psi
from aino.autograd.rules.in_double import in_double
from aino.autograd.rules.zeta import polygamma

#: Where the integrand is so small that the rest does not count: e⁻²⁶ of what it is at 0.
_SMALL = 26.0
_SLOPE_TERMS = 18
_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(20)


def _moments(a, l, orders):
    """Return Mₙ for some n; above the point where l = ψ(a), -∫₀^∞ of the same.

    In dl/da the two are the same, as the integral over all w vanishes there, and each is taken
    where nothing cancels.
    """
    z = np.exp(l)
    below = (l < psi(a)) | (l < -2.0)
    near = below & (z < 1.0)
    found = [np.empty_like(a) for _ in orders]
    for chosen, compute in ((near, _series), (~near, _integrals)):
        if chosen.any():
            values = compute(a[chosen], z[chosen], below[chosen], orders)
            for into, value in zip(found, values, strict=True):
                into[chosen] = value
    return found


def _series(a, z, below, orders):
    """Return Mₙ of small z: ``(-1)ⁿ n! eᶻ Σ (-z)ᵏ / k! / (a + k)ⁿ⁺¹``."""
    power = np.exp(z)
    totals = [np.zeros_like(a) for _ in orders]
    for k in range(_SLOPE_TERMS):
        share = 1.0 / (a + k)
        for total, n in zip(totals, orders, strict=True):
            total += power * share ** (n + 1)
        power = power * (-z / (k + 1))
    return [(-1) ** n * math.factorial(n) * t for n, t in zip(orders, totals, strict=True)]


def _integrals(a, z, below, orders):
    """Return Mₙ by Gauss and Legendre, over as far as the integrand e^(a w - z (eʷ - 1)) counts."""
    grown = np.expm1 if z.max() > 1e5 else lambda w: np.exp(w) - 1.0
    side = np.where(below, -1.0, 1.0)
    ahead = side * (z - a)
    # As far as a parabola says, which is too far where z eʷ soon counts more.
    far = 2.0 * _SMALL / (ahead + np.sqrt(ahead * ahead + 2.0 * _SMALL * z))
    far = np.where(below, far, np.minimum(far, np.log1p((_SMALL + a * far) / z)))
    end = side * far
    for _ in range(3):  # Newton's steps to where the exponent is so low
        growth = grown(end)
        end -= (a * end - z * growth + _SMALL) / (a - z - z * growth)
    totals = [np.zeros_like(a) for _ in orders]
    for place, weight in zip(0.5 + 0.5 * _PLACES, 0.5 * _WEIGHTS, strict=True):
        w = end * place
        term = np.exp(a * w - z * grown(w)) * weight
        for total, n in zip(totals, orders, strict=True):
            total += term * w**n if n else term
    return [-end * total for total in totals]


@functools.cache  # two traces record the same kernel
def _moment(n):
    """Return the kernel of Mₙ."""
    return in_double(lambda a, l: _moments(a, l, (n,))[0])


def _slope(a, l):
    plain, weighted = _moments(a, l, (0, 1))
    return -(weighted + (l - psi(a)) * plain)


gamma_moment: Any = primitive(
    "gamma_moment", lambda a, l, n: _moment(n)(a, l), formula="∫ wⁿ e^(a w - eˡ (eʷ - 1)) dw",
    jacobian="diagonal",
    broadcasts=True, promotes="float", inputs="a l",
    a=lambda g, a, l, n: g * gamma_moment(a, l, n + 1),
    l=lambda g, a, l, y, n: g * (
        (-n * gamma_moment(a, l, n - 1) if n else 1.0) - (a - np.exp(l)) * y
    ),
)  # fmt: skip

log_gamma_slope: Any = primitive(
    "log_gamma_slope", in_double(_slope), formula="-∂F/∂a / ∂F/∂l",
    jacobian="diagonal", broadcasts=True,
    promotes="float", inputs="a l",
    a=lambda g, a, l: -g * (
        gamma_moment(a, l, 2) + (l - digamma(a)) * gamma_moment(a, l, 1)
        - polygamma(a, 1) * gamma_moment(a, l, 0)
    ),
    l=lambda g, a, l, y: -g * ((l - digamma(a)) + (a - np.exp(l)) * y),
)  # fmt: skip

log_gamma_sample: Any = primitive(
    "log_gamma_sample", lambda a, drawn: drawn + np.zeros_like(a), formula="l ~ ln Gamma(a)",
    broadcasts=True, promotes="float", inputs="a drawn",
    a=lambda g, a, y: g * log_gamma_slope(a, y),
)  # fmt: skip
