"""The logarithm of the gamma function, and the first of its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import chebyshev, in_double, pieces, power_series
from aino.autograd.rules.zeta import BERNOULLI, polygamma
from aino.errors import DtypeError

# Far from 0 the asymptotic series (Abramowitz and Stegun, "Handbook of Mathematical Functions",
# 6.1.41 and 6.3.18) are as good as exact, and what is near is shifted there. Around 1 and 2, where
# ln Γ is 0, it has a series of its own: ln Γ(x) / ((x - 1) (x - 2)) for 1 ≤ x ≤ 3 by Chebyshev's
# polynomials of x - 2. The coefficients were computed with 60 digits.

# fmt: off
_BETWEEN = (
    0.8829780509100285, -0.11119580321752523, 0.01951044826068884, -0.003922461463025264,
    0.0008478989895953857, -0.00019153855341365593, 4.454470184975607e-05, -1.05728743735943e-05,
    2.5474336873408417e-06, -6.208535880776316e-07, 1.5268677399071546e-07,
    -3.782637660291326e-08, 9.428100823624284e-09, -2.361999702184645e-09, 5.943541905817546e-10,
    -1.501312977072867e-10, 3.8050196458110534e-11, -9.672485299656325e-12, 2.465348198355661e-12,
    -6.298868140791711e-13, 1.6128460030283787e-13, -4.137949206814042e-14,
    1.0635701227757898e-14, -2.7382420786652826e-15, 7.060670507214892e-16,
    -1.8232177141662118e-16, 4.714169006756272e-17, -1.2204107319639856e-17,
    3.1630451661790255e-18,
)
# fmt: on
_SHIFT = 7
_REST = 0.5 * math.log(2.0 * math.pi) - 0.5


def _between(t, before):
    """Return ln Γ(x) of 1 ≤ x ≤ 3, of x - 2 and x - 1, which are exact where ln Γ is nearly 0."""
    return t * before * chebyshev(_BETWEEN, t) + 0.0


def _stirling(x):
    square = 1.0 / (x * x)
    series = np.zeros_like(x)
    for k in range(len(BERNOULLI), 0, -1):
        series = series * square + BERNOULLI[k - 1] / (2 * k * (2 * k - 1))
    return (x - 0.5) * (np.log(x) - 1.0) + _REST + series / x


def _stirling_shifted(x):
    product = x
    for k in range(1, _SHIFT):
        product = product * (x + k)
    return _stirling(x + _SHIFT) - np.log(product)


def _log_gamma_below(x):
    """Return ln |Γ(x)| of a negative x: Γ(x) Γ(1 - x) = π / sin πx."""
    sine = np.sin(math.pi * np.absolute(x - np.rint(x)))
    return np.where(np.isinf(x), math.inf, math.log(math.pi) - np.log(sine) - _positive(1.0 - x))


def _positive(x):
    return pieces(
        x,
        (x < 1.0, lambda x: _between(x - 1.0, x) - np.log(x)),
        (x <= 3.0, lambda x: _between(x - 2.0, x - 1.0)),
        (x < 10.0, _stirling_shifted),
        (x < math.inf, _stirling),
        (x == math.inf, np.copy),
    )


def _log_gamma(x):
    return pieces(x, (x < 0.0, _log_gamma_below), (x >= 0.0, _positive))


lgamma = primitive(
    "lgamma", in_double(_log_gamma), formula="ln |Γ(x)|",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * digamma(x),
)  # fmt: skip

#: The root of ψ, and what its last digit leaves; the derivatives there, over k!.
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
_AT_ROOT = (
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
    0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736,
    0.022597648232218104, -0.01542476590494896, 0.010538791616612175,
)  # fmt: skip
_NEAR = 0.05
_DIGAMMA_SHIFT = 12


def psi(x):
    if x.dtype != np.float64:
        if x.dtype.kind == "c":
            raise DtypeError(f"expected a real tensor, got {x.dtype}: not known of complex numbers")
        return psi(x.astype(np.float64)).astype(x.dtype)
    negative = x < 0
    t = np.where(negative, 1.0 - x, x)
    total = -1.0 / t
    for k in range(1, _DIGAMMA_SHIFT):
        total = total - 1.0 / (t + k)
    t = t + _DIGAMMA_SHIFT
    square = 1.0 / (t * t)
    series = np.zeros_like(t)
    for k in range(len(BERNOULLI), 0, -1):
        series = square * (series + BERNOULLI[k - 1] / (2 * k))
    total = total + np.log(t) - 0.5 / t - series
    # ψ(x) = ψ(1 - x) - π / tan πx, the angle brought near zero first.
    angle = math.pi * (x - np.rint(x))
    pole = negative & (angle == 0)
    reflected = total - math.pi / np.tan(np.where(negative & ~pole, angle, 1.0))
    z = x - _ROOT
    near = np.absolute(z) < _NEAR
    z = np.where(near, z - _ROOT_REST, 0.0)
    total = np.where(near, z * power_series(_AT_ROOT, z), total)
    return np.where(pole, math.nan, np.where(negative, reflected, total))


digamma: Any = primitive(
    "digamma", psi, formula="ψ(x) = (ln Γ)′(x)", jacobian="diagonal", promotes="float",
    x=lambda g, x: g * polygamma(x, 1),
)  # fmt: skip
