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

_STEP, _FIRST, _LAST = 0.09, -40, 42


def _nodes():
    """Return distances and weights of the double exponential rule of e⁻ᵘ and the like over u > 0.

    Source: Takahasi and Mori, "Double exponential formulas for numerical integration" (1974).
    """
    places = [_STEP * k for k in range(_FIRST, _LAST)]
    distances = [math.exp(t - math.exp(-t)) for t in places]
    weights = [_STEP * u * (1.0 + math.exp(-t)) for t, u in zip(places, distances, strict=True)]
    return list(zip(distances, weights, strict=True))


def _integral(a, l, factor):
    """Return the integral of e^(a w - z (eʷ - 1)) times a ``factor`` of w over w < 0.

    Above the point where l = ψ(a) it is less what the integral over all w is: that vanishes for
    the factor w + l - ψ(a), and there nothing cancels.
    """
    z = np.exp(l)
    below = (l < psi(a)) | (l < -2.0)
    steep = np.absolute(a - z) + np.sqrt(z)
    width = np.where(below, -1.0 / np.minimum(a, steep), 1.0 / steep)
    total = np.zeros_like(a)
    for distance, weight in _nodes():
        w = width * distance
        total += np.exp(a * w - z * np.expm1(w)) * factor(w) * weight
    return -width * total


@functools.cache  # two traces record the same kernel
def _moment(n):
    """Return the kernel of Mₙ."""
    return in_double(lambda a, l: _integral(a, l, lambda w: w**n))


def _slope(a, l):
    ahead = l - psi(a)
    return -_integral(a, l, lambda w: w + ahead)


gamma_moment: Any = primitive(
    "gamma_moment", lambda a, l, n: _moment(n)(a, l), formula="∫ wⁿ e^(a w - eˡ (eʷ - 1)) dw",
    broadcasts=True, promotes="float", inputs="a l",
    a=lambda g, a, l, n: g * gamma_moment(a, l, n + 1),
    l=lambda g, a, l, y, n: g * (
        (-n * gamma_moment(a, l, n - 1) if n else 1.0) - (a - np.exp(l)) * y
    ),
)  # fmt: skip

log_gamma_slope: Any = primitive(
    "log_gamma_slope", in_double(_slope), formula="-∂F/∂a / ∂F/∂l", broadcasts=True,
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
