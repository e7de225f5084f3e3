"""The incomplete gamma functions, SciPy's (the extra ``scipy``)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.elementwise import xlogy
from aino.autograd.rules.gamma import lgamma
from aino.autograd.rules.gamma_samples import log_gamma_slope
from aino.autograd.rules.in_double import in_double, of_scipy


def _density(a, x):
    """Return the slope of the lower function: x to the a - 1, e⁻ˣ, over Γ(a)."""
    return np.exp(xlogy(a - 1.0, x) - x - lgamma(a))


def _slope_of_exponent(a, x):
    """Return how the lower function changes with a: as x does that stays where F is, backwards."""
    inside = (x > 0) & (x < math.inf)
    place = np.log(np.where(inside, x, 1.0))
    density = np.exp(a * place - np.exp(place) - lgamma(a))
    return np.where(inside, -density * log_gamma_slope(a, place), 0.0)


gammainc: Any = primitive(
    "gammainc", in_double(lambda a, x: of_scipy("gammainc")(a, x)),
    formula="1 / Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt", promotes="float",
    jacobian="diagonal", broadcasts=True, inputs="a x",
    a=lambda g, a, x: g * _slope_of_exponent(a, x),
    x=lambda g, a, x: g * _density(a, x),
)  # fmt: skip


def _upper(a, x):
    """Return what the lower function lacks to 1, where that is not lost; SciPy's is slow."""
    y = 1.0 - of_scipy("gammainc")(a, x)
    little = ~(y >= 0.1)
    y[little] = of_scipy("gammaincc")(a[little], x[little])
    return y


gammaincc: Any = primitive(
    "gammaincc", in_double(_upper),
    formula="1 / Γ(a) ∫ₓ^∞ tᵃ⁻¹ e⁻ᵗ dt", promotes="float",
    jacobian="diagonal", broadcasts=True, inputs="a x",
    a=lambda g, a, x: -g * _slope_of_exponent(a, x),
    x=lambda g, a, x: -g * _density(a, x),
)  # fmt: skip
