"""The normal distribution: the scaled error function, logarithms of probabilities, quantiles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.constants import ROOT_HALF, ROOT_TWO_BY_PI, TWO_BY_ROOT_PI
from aino.autograd.rules.in_double import in_double, pieces
from aino.autograd.rules.special import complement, erf_kernel, scaled_erfc


def _erfcx(x):
    y = scaled_erfc(np.absolute(x))
    return np.where(x < 0, 2.0 * np.exp(x * x) - y, y)


erfcx: Any = primitive(
    "erfcx", in_double(_erfcx), formula="e^(x²) (1 - erf x)", promotes="float", inputs="x",
    x=lambda g, x, y: g * (2.0 * x * y - TWO_BY_ROOT_PI),
)  # fmt: skip


ndtr = primitive(
    "ndtr", in_double(lambda x: 0.5 * complement(x * -ROOT_HALF)), formula="½ (1 + erf(x / √2))",
    promotes="float", inputs="x",
    x=lambda g, x: g * (np.exp(-0.5 * x * x) * (0.5 * ROOT_TWO_BY_PI)),
)  # fmt: skip


def _log_ndtr(x):
    return pieces(
        x,
        (x < -1.0, lambda x: np.log(0.5 * scaled_erfc(x * -ROOT_HALF)) - 0.5 * x * x),
        (x < 1.0, lambda x: np.log(0.5 + 0.5 * erf_kernel(x * ROOT_HALF))),
        (x >= 1.0, lambda x: np.log1p(-0.5 * scaled_erfc(x * ROOT_HALF) * np.exp(-0.5 * x * x))),
    )


def _log_ndtr_to_x(g, x):
    return g * (ROOT_TWO_BY_PI / erfcx(x * -ROOT_HALF))


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
        scaled = scaled_erfc(np.maximum(x * -ROOT_HALF, 0.0))
        excess = np.log(0.5 * scaled) - 0.5 * x * x - wanted
        slope = ROOT_TWO_BY_PI / scaled
        step = excess / slope
        x = x - step / (1.0 + 0.5 * step * (x + slope))
    return x


def central_quantile(z):
    """Return the x at which erf(x / √2) is z, of -½ ≤ z ≤ ½, by Newton's and Halley's method."""
    wanted = np.absolute(z)
    x = wanted * (1.2533141373155003 + wanted * wanted * 0.3281)
    for _ in range(3):
        slope = ROOT_TWO_BY_PI * np.exp(-0.5 * x * x)
        step = (erf_kernel(x * ROOT_HALF) - wanted) / slope
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
    inputs="x", x=lambda g, y: g * (np.exp(0.5 * y * y) / (0.5 * ROOT_TWO_BY_PI)),
)  # fmt: skip
