"""Bessel's functions of order 0 and 1, and Airy's: oscillations that die away slowly.

They are SciPy's (the extra ``scipy``), but far out, where SciPy's lose the phase, Hankel's
series. What the derivatives are made of are the Jₙ(x) / xⁿ, which have no hole at 0: the
derivative of one is -x times the next (Abramowitz and Stegun, 9.1.30, 9.2.5).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import in_double, of_scipy, pieces, power_series

_HANKEL_FROM = 25.0


def _hankel(order):
    """Return the coefficients of Hankel's series, of its even and of its odd powers of 1 / x."""
    terms = [1.0]
    for k in range(1, 22):
        terms.append(terms[-1] * (4 * order * order - (2 * k - 1) ** 2) / (8.0 * k))
    signed = [(-1) ** (k // 2) * term for k, term in enumerate(terms)]
    return signed[0::2], signed[1::2]


_SERIES = {order: _hankel(order) for order in (0, 1)}


def _wave(x, order, kind):
    """Return J (``kind`` 0) or Y (1) of a large positive x; 0 at infinity."""
    even, odd = _SERIES[order]
    square = 1.0 / (x * x)
    p, q = power_series(even, square), power_series(odd, square) / x
    sine, cosine = np.sin(x), np.cos(x)
    # The sine and cosine of x - π/4 or x - 3π/4, of which x alone would lose the phase.
    if order == 0:
        s, c = sine - cosine, sine + cosine
    else:
        s, c = -sine - cosine, sine - cosine
    wave = p * c - q * s if kind == 0 else p * s + q * c
    return np.where(x == math.inf, 0.0, wave / np.sqrt(math.pi * x))


def _first(order):
    """Return J of order 0 or 1 of an array of float64."""

    def compute(x):
        size = np.absolute(x)
        y = pieces(
            size,
            (size < _HANKEL_FROM, lambda x: of_scipy(f"j{order}")(x)),
            (size >= _HANKEL_FROM, lambda x: _wave(x, order, 0)),
        )
        return np.copysign(1.0, x) * y if order else y

    return compute


def _second(order):
    """Return Y of order 0 or 1: -inf at 0, nan of what is negative."""
    return lambda x: pieces(
        x,
        (x < _HANKEL_FROM, lambda x: of_scipy(f"y{order}")(x)),
        (x >= _HANKEL_FROM, lambda x: _wave(x, order, 1)),
    )


_J = _first(0), _first(1)


@functools.cache  # two traces record the same kernel
def _j_kernel(n):
    """Return the kernel of Jₙ(x) / xⁿ."""

    def near(x):
        square = -0.25 * x * x
        y = np.zeros_like(x)
        for k in range(20, 0, -1):
            y = (y + 1.0) * square / (k * (n + k))
        return (y + 1.0) / (2.0**n * math.factorial(n))

    def far(x):
        before, y = _J[0](x), _J[1](x)
        for k in range(1, n):
            before, y = y, (2 * k) / x * y - before
        return (y if n else before) / x**n

    def compute(x):
        x = np.absolute(x)
        return pieces(
            x,
            (x <= 2.0, near),
            (x < max(_HANKEL_FROM, 2.0 * n), lambda x: of_scipy("jv")(n, x) / x**n),
            (x >= _HANKEL_FROM, far),
        )

    return in_double(compute)


j_ratio: Any = primitive(
    "j_ratio", lambda x, n: _j_kernel(n)(x), formula="Jₙ(x) / xⁿ",
    jacobian="diagonal", promotes="float",
    x=lambda g, x, n: g * (-x * j_ratio(x, n + 1)),
)  # fmt: skip

j0: Any = primitive(
    "j0", in_double(_J[0]), formula="J₀(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: -g * j1(x),
)  # fmt: skip

j1: Any = primitive(
    "j1", in_double(_J[1]), formula="J₁(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * (j_ratio(x, 1) - x * x * j_ratio(x, 2)),
)  # fmt: skip

y0: Any = primitive(
    "y0", in_double(_second(0)), formula="Y₀(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: -g * y1(x),
)  # fmt: skip

y1: Any = primitive(
    "y1", in_double(_second(1)), formula="Y₁(x)", jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x, y: g * (y0(x) - y / x),
)  # fmt: skip

airy: Any = primitive(
    "airy", in_double(lambda x: of_scipy("airy")(x)[0]), formula="Ai(x)",
    jacobian="diagonal", promotes="float",
    inputs="x", x=lambda g, x: g * airy_slope(x),
)  # fmt: skip

airy_slope: Any = primitive(
    "airy_slope", in_double(lambda x: of_scipy("airy")(x)[1]), formula="Ai′(x)",
    promotes="float", inputs="x", x=lambda g, x: g * (x * airy(x)),
)  # fmt: skip
