"""The incomplete gamma functions, SciPy's (the extra ``scipy``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.elementwise import xlogy
from aino.autograd.rules.gamma import lgamma
from aino.autograd.rules.in_double import in_double, of_scipy
from aino.errors import GradientError


def _no_slope_of_exponent(name):
    raise GradientError(
        f"{name}: the derivative with respect to the first argument, the exponent, is not known "
        "here, only that with respect to the second; detach() it where the gradient may end"
    )


def _density(a, x):
    """Return the slope of the lower function: x to the a - 1, e⁻ˣ, over Γ(a)."""
    return np.exp(xlogy(a - 1.0, x) - x - lgamma(a))


gammainc: Any = primitive(
    "gammainc", in_double(lambda a, x: of_scipy("gammainc")(a, x)),
    formula="1 / Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt", broadcasts=True, promotes="float", inputs="a x",
    a=lambda g: _no_slope_of_exponent("gammainc"),
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
    formula="1 / Γ(a) ∫ₓ^∞ tᵃ⁻¹ e⁻ᵗ dt", broadcasts=True, promotes="float", inputs="a x",
    a=lambda g: _no_slope_of_exponent("gammaincc"),
    x=lambda g, a, x: -g * _density(a, x),
)  # fmt: skip
