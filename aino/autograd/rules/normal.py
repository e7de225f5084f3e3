"""The normal distribution: the scaled error function, logarithms of probabilities, quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.constants import ROOT_HALF, ROOT_TWO_BY_PI, TWO_BY_ROOT_PI
from aino.autograd.rules.in_double import in_double, pieces
from aino.autograd.rules.quantiles import normal_quantile
from aino.autograd.rules.special import complement, plain_erf, scaled_erfc


def _erfcx(x):
    y = scaled_erfc(np.absolute(x))
    return np.where(x < 0, 2.0 * np.exp(x * x) - y, y)


erfcx: Any = primitive(
    "erfcx", in_double(_erfcx), formula="e^(x²) (1 - erf x)",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x, y: g * (2.0 * x * y - TWO_BY_ROOT_PI),
)  # fmt: skip


ndtr = primitive(
    "ndtr", in_double(lambda x: 0.5 * complement(x * -ROOT_HALF)), formula="½ (1 + erf(x / √2))",
    jacobian="diagonal",
    promotes="float", inputs="x",
    x=lambda g, x: g * (np.exp(-0.5 * x * x) * (0.5 * ROOT_TWO_BY_PI)),
)  # fmt: skip


def _log_ndtr(x):
    return pieces(
        x,
        (x < -1.0, lambda x: np.log(0.5 * scaled_erfc(x * -ROOT_HALF)) - 0.5 * x * x),
        (x < 1.0, lambda x: np.log(0.5 + 0.5 * plain_erf(x * ROOT_HALF))),
        (x >= 1.0, lambda x: np.log1p(-0.5 * scaled_erfc(x * ROOT_HALF) * np.exp(-0.5 * x * x))),
    )


def _log_ndtr_to_x(g, x):
    return g * (ROOT_TWO_BY_PI / erfcx(x * -ROOT_HALF))


log_ndtr = primitive(
    "log_ndtr", in_double(_log_ndtr), formula="ln(½ (1 + erf(x / √2)))",
    jacobian="diagonal", promotes="float",
    inputs="x", x=_log_ndtr_to_x,
)  # fmt: skip


ndtri = primitive(
    "ndtri", in_double(lambda p: normal_quantile(p - 0.5, np.minimum(p, 1.0 - p))),
    formula="x with ½ (1 + erf(x / √2)) = p", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, y: g * (np.exp(0.5 * y * y) / (0.5 * ROOT_TWO_BY_PI)),
)  # fmt: skip
