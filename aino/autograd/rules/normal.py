"""The normal distribution: the scaled error function, logarithms of probabilities, quantiles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import chebyshev, in_double, pieces
from aino.autograd.rules.special import erf_kernel, erfc_kernel

_ROOT_HALF = math.sqrt(0.5)
_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)
_ROOT_TWO_BY_PI = math.sqrt(2.0 / math.pi)

# (1 + 2x) erfcx x for x ≥ 0 by Chebyshev's polynomials of (x - 3.75) / (x + 3.75), the variable of
# Shepherd and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x" (1981). The
# coefficients were computed with 60 digits.
# fmt: off
_SCALED = (
    2.3551578691348034, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189,
    -0.026658668435305753, 0.009074997670705265, -0.002413163540417608, 0.0004907758365258086,
    -6.916973302501207e-05, 4.13902798607301e-06, 7.74038306619849e-07, -2.1886401049234397e-07,
    1.076499946567091e-08, 4.521959811218287e-09, -7.754400208831351e-10, -6.318088340886684e-11,
    2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
    3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15,
    7.418235256624044e-17, 5.068148904796111e-17,
)
# fmt: on


def _scaled(x):
    """Return e^(x²) erfc x of what is not negative."""
    t = np.where(np.isinf(x), 1.0, (x - 3.75) / (x + 3.75))
    return chebyshev(_SCALED, t) / (1.0 + 2.0 * x)


def _erfcx(x):
    y = _scaled(np.absolute(x))
    return np.where(x < 0, 2.0 * np.exp(x * x) - y, y)


erfcx: Any = primitive(
    "erfcx", in_double(_erfcx), formula="e^(x²) (1 - erf x)", promotes="float", inputs="x",
    x=lambda g, x, y: g * (2.0 * x * y - _TWO_BY_ROOT_PI),
)  # fmt: skip


ndtr = primitive(
    "ndtr", in_double(lambda x: 0.5 * erfc_kernel(x * -_ROOT_HALF)), formula="½ (1 + erf(x / √2))",
    promotes="float", inputs="x",
    x=lambda g, x: g * (np.exp(-0.5 * x * x) * (0.5 * _ROOT_TWO_BY_PI)),
)  # fmt: skip


def _log_ndtr(x):
    return pieces(
        x,
        (x < -1.0, lambda x: np.log(0.5 * _scaled(x * -_ROOT_HALF)) - 0.5 * x * x),
        (x < 1.0, lambda x: np.log(0.5 + 0.5 * erf_kernel(x * _ROOT_HALF))),
        (x >= 1.0, lambda x: np.log1p(-0.5 * _scaled(x * _ROOT_HALF) * np.exp(-0.5 * x * x))),
    )


def _log_ndtr_to_x(g, x):
    return g * (_ROOT_TWO_BY_PI / erfcx(x * -_ROOT_HALF))


log_ndtr = primitive(
    "log_ndtr", in_double(_log_ndtr), formula="ln(½ (1 + erf(x / √2)))", promotes="float",
    inputs="x", x=_log_ndtr_to_x,
)  # fmt: skip


def lower_quantile(p):
    """Return the x at which the normal distribution has reached p, of 0 < p ≤ ½.

    A first guess, then Halley's method on the logarithm, whose error is cubed at every step.
    Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.23.
    """
    wanted = np.log(p)
    t = np.sqrt(-2.0 * wanted)
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    x = above / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
    for _ in range(2):
        scaled = _scaled(np.maximum(x * -_ROOT_HALF, 0.0))
        excess = np.log(0.5 * scaled) - 0.5 * x * x - wanted
        slope = _ROOT_TWO_BY_PI / scaled
        step = excess / slope
        x = x - step / (1.0 + 0.5 * step * (x + slope))
    return x


def central_quantile(z):
    """Return the x at which erf(x / √2) is z, of -½ ≤ z ≤ ½, by Newton's and Halley's method."""
    wanted = np.absolute(z)
    x = wanted * (1.2533141373155003 + wanted * wanted * 0.3281)
    for _ in range(3):
        slope = _ROOT_TWO_BY_PI * np.exp(-0.5 * x * x)
        step = (erf_kernel(x * _ROOT_HALF) - wanted) / slope
        x = x - step / (1.0 + 0.5 * step * x)
    return np.copysign(x, z)


def _ndtri(p):
    return pieces(
        p,
        ((p > 0.0) & (p < 0.25), lower_quantile),
        ((p >= 0.25) & (p <= 0.75), lambda p: central_quantile(2.0 * p - 1.0)),
        ((p > 0.75) & (p < 1.0), lambda p: -lower_quantile(1.0 - p)),
        (p == 0.0, lambda p: np.full_like(p, -math.inf)),
        (p == 1.0, lambda p: np.full_like(p, math.inf)),
    )


ndtri = primitive(
    "ndtri", in_double(_ndtri), formula="x with ½ (1 + erf(x / √2)) = p", promotes="float",
    inputs="x", x=lambda g, y: g * (np.exp(0.5 * y * y) / (0.5 * _ROOT_TWO_BY_PI)),
)  # fmt: skip
