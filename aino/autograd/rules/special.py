"""Functions beyond the elementary: the error function and its kin, and sin x / x."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.duck import elementwise
from aino.autograd.primitive import primitive
from aino.autograd.rules.constants import ROOT_HALF, TWO_BY_ROOT_PI, clip, ndarray
from aino.autograd.rules.in_double import chebyshev, in_double, pieces
from aino.autograd.rules.quantiles import normal_quantile
from aino.errors import DtypeError
from aino.tracing import known

# The error function: a Taylor series around the nearest of many points. The derivatives at a
# point follow from erf″(x) = -2x erf′(x): the coefficients aₖ of erf′ obey
# (k + 1) aₖ₊₁ = -2x aₖ - 2 aₖ₋₁. Relative error 3e-16; beyond 6, erf is 1 in float64.

_STEPS, _REACH = 256, 6
_DEGREES = {np.dtype(np.float64): 5, np.dtype(np.float32): 3}


def _as_double(x):
    if x.dtype.kind == "c":
        raise DtypeError(f"expected a real tensor, got {x.dtype}: not known of complex numbers")
    return x.astype(np.float64)


@functools.cache
def _erf_series(dtype):
    """Return the bounds, the density of the points and the spacing, as arrays of this dtype,
    and the coefficients of erf by descending degree, each at all points."""
    points = np.arange(-_REACH * _STEPS, _REACH * _STEPS + 1) / _STEPS
    slopes = [2.0 / math.sqrt(math.pi) * np.exp(-points * points)]
    slopes.append(-2.0 * points * slopes[0])
    for k in range(1, _DEGREES[dtype] - 1):
        slopes.append((-2.0 * points * slopes[k] - 2.0 * slopes[k - 1]) / (k + 1))
    values = np.array([math.erf(point) for point in points.tolist()])
    rows = [values, *(slope / (k + 1) for k, slope in enumerate(slopes))]
    numbers = (-_REACH, _REACH, _STEPS, 1.0 / _STEPS)
    return *(np.array(x, dtype) for x in numbers), *(row.astype(dtype) for row in reversed(rows))


def _erf(x):
    dtype = x.dtype
    if dtype not in _DEGREES:
        return _erf(_as_double(x)).astype(dtype)
    low, high, steps, spacing, highest, *lower = _erf_series(dtype)
    take = ndarray.take if type(x) is ndarray else np.take
    # fmin and fmax bring a nan to a point that exists; the distance then makes it nan again.
    nearest = np.rint(np.fmin(np.fmax(x, low), high) * steps)
    index = nearest.astype(np.int64) + _REACH * _STEPS
    distance = clip(x, low, high) - nearest * spacing
    # No index is out of bounds, and clipping asks sooner than raising.
    y = take(known(highest), index, None, None, "clip")
    for row in lower:
        y *= distance
        y += take(known(row), index, None, None, "clip")
    return y


def _in_blocks(kernel, size=8192):
    """Return a kernel that works on so many elements at a time, so that they stay in cache."""

    def compute(x):
        if type(x) is not ndarray or x.size <= size:
            return kernel(x)
        flat = x.reshape(-1)
        y = np.empty(x.size, x.dtype)
        for start in range(0, x.size, size):
            y[start : start + size] = kernel(flat[start : start + size])
        return y.reshape(x.shape)

    return compute


#: For kernels, which are given plain arrays.
plain_erf = _in_blocks(_erf)
erf_kernel = elementwise(plain_erf)

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


def scaled_erfc(x):
    """Return e^(x²) erfc x of what is not negative."""
    t = np.where(np.isinf(x), 1.0, (x - 3.75) / (x + 3.75))
    return chebyshev(_SCALED, t) / (1.0 + 2.0 * x)


def _tail(x):
    """Return e^(-x²) times the scaled function of a positive x, the square in two exact parts."""
    high = np.rint(x * 64.0) * 0.015625
    return np.exp(-high * high) * np.exp((high - x) * (high + x)) * scaled_erfc(x)


def complement(x):
    """Return 1 - erf x, of an array of float64."""
    return pieces(
        x,
        (x < 0.5, lambda x: 1.0 - _erf(x)),
        (x < 30.0, _tail),
        (x >= 30.0, np.zeros_like),
    )


_erfc = in_double(complement)


@elementwise
def _erfinv(x):
    # 1 - |x| is exact where |x| is near 1.
    return ROOT_HALF * normal_quantile(0.5 * x, 0.5 * (1.0 - np.absolute(x)))


erf = primitive(
    "erf", erf_kernel, formula="erf x", jacobian="diagonal", promotes="float",
    x=lambda g, x: g * (np.exp(-x * x) * TWO_BY_ROOT_PI),
)  # fmt: skip

erfc = primitive(
    "erfc", _erfc, formula="1 - erf x", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * (np.exp(-x * x) * -TWO_BY_ROOT_PI),
)  # fmt: skip

erfinv: Any = primitive(
    "erfinv", in_double(_erfinv), formula="erf⁻¹ x",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * (np.exp(np.square(erfinv(x))) / TWO_BY_ROOT_PI),
)  # fmt: skip


normal_cdf = primitive(
    "normal_cdf", lambda x: 0.5 * erf_kernel(x * ROOT_HALF) + 0.5,
    formula="½ (1 + erf(x / √2))", jacobian="diagonal", promotes="floating",
    x=lambda g, x: g * (np.exp(-0.5 * x * x) * (0.5 * ROOT_HALF * TWO_BY_ROOT_PI)),
)  # fmt: skip


# sin x / x and its derivatives are the spherical Bessel functions jₙ: rules without a division,
# right at 0 to any order (Abramowitz and Stegun, 10.1.2, 10.1.19, 10.1.20).


def _bessel(x, n):
    double = np.result_type(x.dtype, np.float64)
    if x.dtype != double:
        return _bessel(x.astype(double), n).astype(x.dtype)
    near = np.absolute(x) < n + 1.0
    small, large = np.where(near, x, 0.0), np.where(near, 1.0 + n, x)
    before, y = np.cos(large) / large, np.sin(large) / large
    for k in range(n):
        before, y = y, (2 * k + 1) / large * y - before
    square = -0.5 * small * small
    series = np.ones_like(x)
    for k in range(10 + 2 * n, 0, -1):
        series = 1.0 + series * square / (k * (2 * (n + k) + 1))
    scale = 1.0 / math.prod(range(1, 2 * n + 2, 2))
    return np.where(near, small**n * scale * series, y)


def _bessel_to_x(g, x, n):
    if not n:
        return -g * spherical_bessel(x, 1)
    below, above = spherical_bessel(x, n - 1), spherical_bessel(x, n + 1)
    return g * (n * below - (n + 1) * above) / (2 * n + 1)


spherical_bessel = primitive(
    "spherical_bessel", _bessel, formula="jₙ(x)", jacobian="diagonal", promotes="float",
    x=_bessel_to_x,
)  # fmt: skip


def _sinc(x):
    zero = x == 0
    angle = math.pi * np.where(zero, 1.0, x)
    return np.where(zero, 1.0, np.sin(angle) / angle)


sinc = primitive(
    "sinc", _sinc, formula="sin(πx) / (πx)", jacobian="diagonal", promotes="float",
    x=lambda g, x: g * (spherical_bessel(math.pi * x, 1) * -math.pi),
)  # fmt: skip
