"""Functions beyond the elementary: of errors, of the gamma function, of sine waves."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.constants import clip, ndarray
from aino.autograd.rules.zeta import BERNOULLI, polygamma
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
    y = take(known(highest), index)
    for row in lower:
        y *= distance
        y += take(known(row), index)
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


def _of_each(ufunc):
    """Return a kernel that calls a function of Python's for every element."""

    def kernel(x):
        if x.dtype.kind == "c":
            return _as_double(x)  # raises
        return ufunc(x, out=np.empty_like(x), casting="unsafe")

    return kernel


erf_kernel = _in_blocks(_erf)
_libm_erfc = np.frompyfunc(math.erfc, 1, 1)
erfc_kernel = _of_each(_libm_erfc)
_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)


def _erfinv(x):
    if x.dtype != np.float64:
        return _erfinv(_as_double(x)).astype(x.dtype)
    size = np.absolute(x)
    inner = np.where(size < 1.0, size, 0.5)
    # A first guess, then Halley's method, whose error is cubed at every step.
    # Winitzki, "A handy approximation for the error function and its inverse" (2008).
    logarithm = np.log((1.0 - inner) * (1.0 + inner))
    half = 2.0 / (math.pi * 0.147) + 0.5 * logarithm
    y = np.sqrt(np.sqrt(half * half - logarithm / 0.147) - half)
    for _ in range(2):
        # 1 - |x| is exact where |x| is near 1.
        excess = np.where(inner < 0.5, _erf(y) - inner, (1.0 - inner) - erfc_kernel(y))
        ratio = excess / (_TWO_BY_ROOT_PI * np.exp(-y * y))
        y = y - ratio / (1.0 + y * ratio)
    y = np.where(size < 1.0, y, np.where(size == 1.0, math.inf, math.nan))
    return np.copysign(y, x)


erf = primitive(
    "erf", erf_kernel, formula="erf x", promotes="float",
    x=lambda g, x: g * (np.exp(-x * x) * _TWO_BY_ROOT_PI),
)  # fmt: skip

erfc = primitive(
    "erfc", erfc_kernel, formula="1 - erf x", promotes="float",
    x=lambda g, x: g * (np.exp(-x * x) * -_TWO_BY_ROOT_PI),
)  # fmt: skip

erfinv: Any = primitive(
    "erfinv", _erfinv, formula="erf⁻¹ x", promotes="float",
    x=lambda g, x: g * (np.exp(np.square(erfinv(x))) / _TWO_BY_ROOT_PI),
)  # fmt: skip

_ROOT_HALF = math.sqrt(0.5)

normal_cdf = primitive(
    "normal_cdf", lambda x: 0.5 * erf_kernel(x * _ROOT_HALF) + 0.5,
    formula="½ (1 + erf(x / √2))", promotes="floating",
    x=lambda g, x: g * (np.exp(-0.5 * x * x) * (0.5 * _ROOT_HALF * _TWO_BY_ROOT_PI)),
)  # fmt: skip


# The logarithm of the gamma function and its derivatives. Far from 0 the asymptotic series
# (Abramowitz and Stegun, "Handbook of Mathematical Functions", 6.3.18) is as good as exact; what
# is near is shifted there.

_FAR = 12


#: ζ(2), ζ(3), ... and the derivatives of ψ at its root, over k!: series where ln Γ and ψ are 0.
_ZETA = (
    1.6449340668482264, 1.2020569031595942, 1.0823232337111381, 1.03692775514337,
    1.0173430619844492, 1.008349277381923, 1.0040773561979444, 1.0020083928260821,
    1.000994575127818, 1.0004941886041194, 1.000246086553308,
)  # fmt: skip
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
_AT_ROOT = (
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
    0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736,
    0.022597648232218104, -0.01542476590494896, 0.010538791616612175,
)  # fmt: skip
_EULER = 0.5772156649015329
_NEAR = 0.05


def _power_series(coefficients, z):
    y = np.full_like(z, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        y = y * z + coefficient
    return y


def _lgamma_of_one(x):
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


_libm_lgamma = np.frompyfunc(_lgamma_of_one, 1, 1)
_lgamma_kernel = _of_each(_libm_lgamma)
#: ln Γ(1 + z) / z and ln Γ(2 + z) / z.
_AT_ONE = (-_EULER, *((-1) ** k * zeta / k for k, zeta in enumerate(_ZETA, 2)))
_AT_TWO = (1.0 - _EULER, *((-1) ** k * (zeta - 1.0) / k for k, zeta in enumerate(_ZETA, 2)))


def _lgamma(x):
    if x.dtype != np.float64:
        return _lgamma(_as_double(x)).astype(x.dtype)
    y = _lgamma_kernel(x)
    for point, coefficients in ((1.0, _AT_ONE), (2.0, _AT_TWO)):
        z = x - point
        near = np.absolute(z) < _NEAR
        z = np.where(near, z, 0.0)
        y = np.where(near, z * _power_series(coefficients, z) + 0.0, y)
    return y


def _digamma(x):
    if x.dtype != np.float64:
        return _digamma(_as_double(x)).astype(x.dtype)
    negative = x < 0
    t = np.where(negative, 1.0 - x, x)
    total = -1.0 / t
    for k in range(1, _FAR):
        total = total - 1.0 / (t + k)
    t = t + _FAR
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
    total = np.where(near, z * _power_series(_AT_ROOT, z), total)
    return np.where(pole, math.nan, np.where(negative, reflected, total))


lgamma = primitive(
    "lgamma", _lgamma, formula="ln |Γ(x)|", promotes="float",
    x=lambda g, x: g * digamma(x),
)  # fmt: skip

digamma: Any = primitive(
    "digamma", _digamma, formula="ψ(x) = (ln Γ)′(x)", promotes="float",
    x=lambda g, x: g * polygamma(x, 1),
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
    "spherical_bessel", _bessel, formula="jₙ(x)", promotes="float", x=_bessel_to_x
)


def _sinc(x):
    zero = x == 0
    angle = math.pi * np.where(zero, 1.0, x)
    return np.where(zero, 1.0, np.sin(angle) / angle)


sinc = primitive(
    "sinc", _sinc, formula="sin(πx) / (πx)", promotes="float",
    x=lambda g, x: g * (spherical_bessel(math.pi * x, 1) * -math.pi),
)  # fmt: skip
