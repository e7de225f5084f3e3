"""Rows of how gamma-distributed samples move with the concentration.

The oracles integrate what the kernels do over another range, by Gauss and Legendre.
"""

import numpy as np
import pytest

from aino.autograd.rules import gamma_samples
from tests.calculus.row import Row, between, case, positive, real

scipy = pytest.importorskip("scipy.special")

_EDGES = np.array([-80.0, -20.0, -8.0, -4.0, -2.0, -1.0, -0.5, 0.0])
_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_HALF = np.diff(_EDGES)[:, None] / 2
W = (_EDGES[:-1, None] + _HALF * (1 + _PLACES)).ravel()
WEIGHTS = (_HALF * _WEIGHTS).ravel()


def moment(a, l, n):
    """∫ wⁿ e^(a w - z (eʷ - 1)) dw over w < 0."""
    a, l = np.broadcast_arrays(a, l)
    kernel = np.exp(a[..., None] * W - np.exp(l)[..., None] * np.expm1(W))
    return (kernel * W**n * WEIGHTS).sum(-1)


def slope(a, l):
    return -(moment(a, l, 1) + (l - scipy.digamma(a)) * moment(a, l, 0))


ROWS = [
    Row("log_gamma_slope", gamma_samples.log_gamma_slope, slope,
        [case(positive(3, 4), real(4)), case(between(3.0, 6.0, 5), between(0.0, 2.0, 5))],
        covers="log_gamma_slope", torch=None, method="", elementwise=True, rtol=1e-7),
    *[Row(f"gamma_moment {n}", gamma_samples.gamma_moment, moment,
          [case(between(2.0, 4.0, 3, 4), between(-2.0, 0.0, 4), n)], covers="gamma_moment",
          torch=None, method="", rtol=1e-7) for n in (0, 1, 2)],
    Row("log_gamma_sample", gamma_samples.log_gamma_sample, lambda a, l: l + 0.0 * a,
        [case(positive(3, 4), real(4).constant())], order=0, covers="log_gamma_sample",
        torch=None, method="", elementwise=True),
]  # fmt: skip
