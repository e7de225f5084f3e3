"""The modified Bessel functions of order 0 and 1: solutions that grow and that decay.

Those of the first kind are Chebyshev series, those of the second kind SciPy's (the extra
``scipy``). What the derivatives are made of are the Iₙ(x) / xⁿ, which have no hole at 0:
the derivative of one is x times the next (Abramowitz and Stegun, 9.6.28).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import chebyshev, in_double, of_scipy, pieces

# Chebyshev series: of e⁻ˣ I₀(x) and e⁻ˣ I₁(x) / x in x / 4 - 1 for x up to 8, of both times √x
# in 16 / x - 1 beyond. The coefficients were computed with 60 digits.
# fmt: off
_I0_NEAR = (
    0.6767952744094761, -0.3046826723431984, 0.17162090152220877, -0.09490109704804764,
    0.04930528423967071, -0.02373741480589947, 0.010546460394594998, -0.004324309995050576,
    0.0016394756169413357, -0.0005763755745385824, 0.00018850288509584165, -5.754195010082104e-05,
    1.6448448070728896e-05, -4.4167383584587505e-06, 1.1173875391201037e-06,
    -2.670793853940612e-07, 6.046995022541919e-08, -1.300025009986248e-08, 2.6598237246823866e-09,
    -5.189795601635263e-10, 9.675809035373237e-11, -1.726826291441556e-11, 2.95505266312964e-12,
    -4.856446783111929e-13, 7.676185498604936e-14, -1.1685332877993451e-14, 1.715391285555133e-15,
    -2.431279846547955e-16, 3.3307945188222384e-17, -4.4153416464793395e-18,
)
_I0_FAR = (
    0.8044904110141088, 0.0033691164782556943, 6.889758346916825e-05, 2.8913705208347567e-06,
    2.0489185894690638e-07, 2.266668990498178e-08, 3.3962320257083865e-09, 4.94060238822497e-10,
    1.1889147107846439e-11, -3.1499165279632416e-11, -1.3215811840447713e-11,
    -1.7941785315068062e-12, 7.180124451383666e-13, 3.8527783827421426e-13, 1.54008621752141e-14,
    -4.150569347287222e-14, -9.554846698828307e-15, 3.8116806693526224e-15,
    1.7725601330565263e-15, -3.425485619677219e-16, -2.8276239805165836e-16,
    3.461222867697461e-17, 4.46562142029676e-17, -4.830504485944182e-18, -7.233180487874754e-18,
    9.921475412173699e-19, 1.193650890845982e-18,
)
_I1_NEAR = (
    0.25258718644363365, -0.17641651835783406, 0.1026436586898471, -0.05294598120809499,
    0.024726449030626516, -0.010564084894626197, 0.004156422944312888, -0.0015135724506312532,
    0.0005122859561685758, -0.00016176081582589674, 4.781565107550054e-05,
    -1.3273163656039436e-05, 3.4702513081376785e-06, -8.568720264695455e-07,
    2.0032947535521353e-07, -4.445059128796328e-08, 9.381537386495773e-09,
    -1.8872497517228294e-09, 3.625590281552117e-10, -6.663489723502027e-11,
    1.1736186298890901e-11, -1.9839743977649436e-12, 3.223793365945575e-13,
    -5.042185504727912e-14, 7.600684294735408e-15, -1.1055969477353862e-15,
    1.5536319577362005e-16, -2.111421214358166e-17, 2.7779141127610464e-18,
    -3.541581772542136e-19,
)
_I1_FAR = (
    0.7785762350182801, -0.009761097491361469, -0.00011058893876262371, -3.882564808877691e-06,
    -2.512236237870209e-07, -2.6314688468895196e-08, -3.835380385964237e-09,
    -5.589743462196584e-10, -1.8974958123505413e-11, 3.2526035830154884e-11,
    1.4125807436613782e-11, 2.0356285441470896e-12, -7.198551776245908e-13,
    -4.0835511110921974e-13, -2.1015418427726643e-14, 4.272440016711951e-14,
    1.0420276984128802e-14, -3.8144030724370075e-15, -1.8803547755107825e-15,
    3.3082023109209285e-16, 2.96262899764595e-16, -3.209525921993424e-17, -4.6503053684893586e-17,
    4.414348323071708e-18, 7.517296310842105e-18, -9.314178867326884e-19, -1.242193275194891e-18,
)
# fmt: on


def _i0e(x):
    return pieces(
        np.absolute(x),
        (np.absolute(x) <= 8.0, lambda x: chebyshev(_I0_NEAR, 0.25 * x - 1.0)),
        (np.absolute(x) > 8.0, lambda x: chebyshev(_I0_FAR, 16.0 / x - 1.0) / np.sqrt(x)),
    )


def _i1e(x):
    size = pieces(
        np.absolute(x),
        (np.absolute(x) <= 8.0, lambda x: x * chebyshev(_I1_NEAR, 0.25 * x - 1.0)),
        (np.absolute(x) > 8.0, lambda x: chebyshev(_I1_FAR, 16.0 / x - 1.0) / np.sqrt(x)),
    )
    return np.copysign(size, x)


def _grown(x, scaled):
    """Return e^|x| times a scaled function, which may be finite where e^|x| is not."""
    half = np.exp(0.5 * np.absolute(x))
    return np.where(np.isinf(x), np.copysign(math.inf, scaled), half * scaled * half)


@functools.cache  # two traces record the same kernel
def _i_kernel(n):
    """Return the kernel of Iₙ(x) / xⁿ."""

    def near(x):
        square = 0.25 * x * x
        y = np.zeros_like(x)
        for k in range(80, 0, -1):
            y = (y + 1.0) * square / (k * (n + k))
        return (y + 1.0) / (2.0**n * math.factorial(n))

    def far(x):
        before, y = _i0e(x), _i1e(x) / x
        square = x * x
        for k in range(1, n):
            before, y = y, (before - 2 * k * y) / square
        return _grown(x, y if n else before)

    def compute(x):
        x = np.absolute(x)
        return pieces(x, (x <= 30.0 + n, near), (x == math.inf, np.copy), (x > 30.0, far))

    return in_double(compute)


i_ratio: Any = primitive(
    "i_ratio", lambda x, n: _i_kernel(n)(x), formula="Iₙ(x) / xⁿ",
    jacobian="diagonal", promotes="float",
    x=lambda g, x, n: g * (x * i_ratio(x, n + 1)),
)  # fmt: skip

i0: Any = primitive(
    "i0", in_double(lambda x: _grown(x, _i0e(x))), formula="I₀(x)",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * i1(x),
)  # fmt: skip

i1: Any = primitive(
    "i1", in_double(lambda x: _grown(x, _i1e(x))), formula="I₁(x)",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * (i_ratio(x, 1) + x * x * i_ratio(x, 2)),
)  # fmt: skip

i0e: Any = primitive(
    "i0e", in_double(_i0e), formula="e^-|x| I₀(x)",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * (i1e(x) - np.sign(x) * i0e(x)),
)  # fmt: skip


def _i1e_to_x(g, x):
    zero = x == 0
    quotient = np.where(zero, 0.5, i1e(x) / np.where(zero, 1.0, x))
    return g * (i0e(x) - np.sign(x) * i1e(x) - quotient)


i1e: Any = primitive(
    "i1e", in_double(_i1e), formula="e^-|x| I₁(x)",
    jacobian="diagonal", promotes="float", inputs="x", x=_i1e_to_x,
)  # fmt: skip


def _by_scipy(name):
    return in_double(lambda x: of_scipy(name)(x))


k0: Any = primitive(
    "k0", _by_scipy("k0"), formula="K₀(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: -g * k1(x),
)  # fmt: skip

k1: Any = primitive(
    "k1", _by_scipy("k1"), formula="K₁(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x, y: -g * (k0(x) + y / x),
)  # fmt: skip

k0e: Any = primitive(
    "k0e", _by_scipy("k0e"), formula="eˣ K₀(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x, y: g * (y - k1e(x)),
)  # fmt: skip

k1e: Any = primitive(
    "k1e", _by_scipy("k1e"), formula="eˣ K₁(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x, y: g * (y - y / x - k0e(x)),
)  # fmt: skip
