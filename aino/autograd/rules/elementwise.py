"""Arithmetic, powers, exponentials and logarithms, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.operands import constant
from aino.autograd.primitive import primitive
from aino.autograd.rules.compare import chosen_from, masked
from aino.autograd.rules.constants import LN2, ONE, ndarray, quiet_exp
from aino.errors import DtypeError

# Sums and products

add = primitive(
    "add", np.add, formula="a + b", jacobian="diagonal", broadcasts=True, promotes="common",
    a=lambda g: g,
    b=lambda g: g,
)  # fmt: skip

sub = primitive(
    "sub", np.subtract, formula="a - b", jacobian="diagonal", broadcasts=True, promotes="common",
    a=lambda g: g,
    b=lambda g: -g,
)  # fmt: skip

mul = primitive(
    "mul", np.multiply, formula="a · b", jacobian="diagonal", broadcasts=True, promotes="common",
    a=lambda g, b: g * b,
    b=lambda g, a: g * a,
)  # fmt: skip

div = primitive(
    "div", np.divide, formula="a / b", jacobian="diagonal", broadcasts=True, promotes="float",
    a=lambda g, b: g / b,
    b=lambda g, a, b: -(g / b) * (a / b),
)  # fmt: skip

neg = primitive("neg", np.negative, formula="-x", jacobian="diagonal", x=lambda g: -g)

#: A product with a number that is no tensor: it keeps no array.
scale: Any = primitive(
    "scale", lambda x, factor: np.multiply(x, constant(factor, x)), formula="factor · x",
    jacobian="diagonal",
    promotes="float",
    x=lambda g, factor: scale(g, factor),
)  # fmt: skip

addcmul = primitive(
    "addcmul", lambda x, a, b, value: x + value * a * b, formula="x + value · a · b",
    jacobian="diagonal",
    broadcasts=True, promotes="common",
    x=lambda g: g,
    a=lambda g, b, value: g * (value * b),
    b=lambda g, a, value: g * (value * a),
)  # fmt: skip

addcdiv = primitive(
    "addcdiv", lambda x, a, b, value: x + value * a / b, formula="x + value · a / b",
    jacobian="diagonal",
    broadcasts=True, promotes="common",
    x=lambda g: g,
    a=lambda g, b, value: g * value / b,
    b=lambda g, a, b, value: -g * value * a / (b * b),
)  # fmt: skip


def _lerp(start, end, weight):
    # Counted from the nearer end, so that a weight of 1 gives the end exactly.
    near = np.absolute(weight) < 0.5
    return chosen_from(near, start, end) + chosen_from(near, weight, weight - 1.0) * (end - start)


def _lerp_number(start, end, weight):
    step = end - start
    return start + weight * step if np.absolute(weight) < 0.5 else end - step * (1.0 - weight)


lerp = primitive(
    "lerp", _lerp, formula="start + weight · (end - start)",
    jacobian="diagonal", broadcasts=True, promotes="common",
    start=lambda g, weight: g - g * weight,
    end=lambda g, weight: g * weight,
    weight=lambda g, start, end: g * (end - start),
)  # fmt: skip

lerp_number = primitive(
    "lerp_number", _lerp_number, formula="start + weight · (end - start)",
    jacobian="diagonal", broadcasts=True,
    promotes="common", inputs="start end",
    start=lambda g, weight: scale(g, 1.0 - weight),
    end=lambda g, weight: scale(g, weight),
)  # fmt: skip


# Powers and roots


def _pow(a, b):
    if b.dtype.kind in "bi":
        if b.dtype.kind == "b":
            raise DtypeError("pow: expected numbers, got booleans")
        if type(b) is not ndarray or (b < 0).any():  # what a trace can't know is provided for
            # Integers: the reciprocal, rounded to zero.
            whole = np.power(a, np.absolute(b))
            return np.where(b < 0, np.where(np.absolute(whole) == 1, whole, 0), whole)
    return np.power(a, b)


def _pow_to_exponent(g, a, b, y):
    zero = (a == 0) & (b.real >= 0)
    return g * (y * np.log(np.where(zero, 1.0, a)))


pow = primitive(
    "pow", _pow, formula="aᵇ", jacobian="diagonal", broadcasts=True, promotes="common",
    a=lambda g, a, b: g * (b * a ** np.where(b == 0, 0.0, b - 1.0)),
    b=_pow_to_exponent,
)  # fmt: skip


#: Exponents for which products are taken: NumPy is slow over powers of negative numbers.
_BY_PRODUCTS = frozenset([*range(-16, -1), *range(3, 17)])


def _pow_number(x, exponent):
    if exponent.__class__ not in (int, float) or exponent not in _BY_PRODUCTS:
        if exponent == 0.5:
            return np.sqrt(x)
        return np.reciprocal(np.sqrt(x)) if exponent == -0.5 else x**exponent
    y = x
    for bit in f"{math.floor(math.fabs(exponent)):b}"[1:]:
        y = y * y
        if bit == "1":
            y = y * x
    return y if exponent > 0 else 1.0 / y


def _pow_number_to_x(g, x, exponent):
    if not exponent:
        return np.zeros_like(g)
    return g * (exponent * pow_number(x, exponent - 1))


pow_number: Any = primitive(
    "pow_number", _pow_number, formula="xⁿ", jacobian="diagonal", x=_pow_number_to_x
)

#: Its rule names x, so that the slope, though constant, depends on it: see ``_linked``.
doubled = primitive(
    "doubled", lambda x: x + x, formula="2 x", jacobian="diagonal", x=lambda g, x: g + g
)

square = primitive(
    "square", np.square, formula="x²", jacobian="diagonal", x=lambda g, x: g * doubled(x)
)

sqrt = primitive(
    "sqrt", np.sqrt, formula="√x", jacobian="diagonal", promotes="float", x=lambda g, y: g / (y + y)
)

rsqrt = primitive(
    "rsqrt", lambda x: np.reciprocal(np.sqrt(x)), formula="1 / √x",
    jacobian="diagonal", promotes="float",
    x=lambda g, y: g * (-0.5 * y * y * y),
)  # fmt: skip

reciprocal = primitive(
    "reciprocal", np.reciprocal, formula="1 / x", jacobian="diagonal", promotes="float",
    x=lambda g, y: -g * y * y,
)  # fmt: skip

hypot = primitive(
    "hypot", np.hypot, formula="√(a² + b²)",
    jacobian="diagonal", broadcasts=True, promotes="floating",
    a=lambda g, a, y: g * (a / y),
    b=lambda g, b, y: g * (b / y),
)  # fmt: skip


# Exponentials and logarithms

exp = primitive(
    "exp", np.exp, formula="eˣ", jacobian="diagonal", promotes="float", x=lambda g, y: g * y
)

exp2 = primitive(
    "exp2", np.exp2, formula="2ˣ", jacobian="diagonal", promotes="float",
    x=lambda g, y: g * (y * LN2),
)  # fmt: skip

expm1 = primitive(
    "expm1", np.expm1, formula="eˣ - 1", jacobian="diagonal", promotes="float",
    x=lambda g, y: g * y + g,
)  # fmt: skip

log = primitive(
    "log", np.log, formula="ln x", jacobian="diagonal", promotes="float", x=lambda g, x: g / x
)

log2 = primitive(
    "log2", np.log2, formula="log₂ x", jacobian="diagonal", promotes="float",
    x=lambda g, x: g / (x * LN2),
)  # fmt: skip

log10 = primitive(
    "log10", np.log10, formula="log₁₀ x", jacobian="diagonal", promotes="float",
    x=lambda g, x: g / (x * math.log(10.0)),
)  # fmt: skip

log1p = primitive(
    "log1p", np.log1p, formula="ln(1 + x)", jacobian="diagonal", promotes="float",
    x=lambda g, x: g / (x + 1.0),
)  # fmt: skip


def add_logarithms(a, b):
    """Return ln(eᵃ + eᵇ); of complex numbers the one with the larger real part is taken out."""
    if a.dtype.kind != "c":
        return np.logaddexp(a, b)
    first = a.real >= b.real
    top, other = np.where(first, a, b), np.where(first, b, a)
    nothing = (other.real == -math.inf) & (other == other)
    return np.where(nothing, top, top + np.log1p(np.exp(np.where(nothing, 0.0, other - top))))


def _logaddexp(a, b):
    if a.dtype.kind not in "fc":
        raise DtypeError(f"logaddexp: expected floating-point or complex tensors, got {a.dtype}")
    return add_logarithms(a, b)


def _share_of_sum(g, difference):
    """Return g · σ(a - b), by an exponential that does not overflow in the complex plane."""
    if difference.dtype.kind != "c":
        return g * sigmoid(difference)
    less = difference.real < 0
    e = np.exp(np.where(less, difference, -difference))
    return g * np.where(less, e, 1.0) / (e + 1.0)


logaddexp = primitive(
    "logaddexp", _logaddexp, formula="ln(eᵃ + eᵇ)",
    jacobian="diagonal", broadcasts=True, promotes="common",
    a=lambda g, a, b: _share_of_sum(g, a - b),
    b=lambda g, a, b: _share_of_sum(g, b - a),
)  # fmt: skip

logaddexp2 = primitive(
    "logaddexp2", np.logaddexp2, formula="log₂(2ᵃ + 2ᵇ)", jacobian="diagonal",
    broadcasts=True, promotes="floating",
    a=lambda g, a, b: g * sigmoid((a - b) * LN2),
    b=lambda g, a, b: g * sigmoid((b - a) * LN2),
)  # fmt: skip

xlogy: Any = primitive(
    "xlogy", lambda a, b: a * np.log(np.where((a == 0) & (b == b), 1.0, b)),
    formula="a · ln b, 0 where a = 0", jacobian="diagonal", broadcasts=True, promotes="float",
    a=lambda g, a, b: xlogy(g, np.where((a == 0) & (b <= 0), 1.0, b)),
    b=lambda g, a, b: g * a / b,
)  # fmt: skip


# The logistic function and its inverse


def _sigmoid(x):
    one = ONE.get(x.dtype, 1.0)
    return one / (quiet_exp(-x) + one)


def _sigmoid_to_x(g, y):
    return g * (y - y * y)


sigmoid: Any = primitive(
    "sigmoid", _sigmoid, formula="1 / (1 + e⁻ˣ)", jacobian="diagonal", promotes="float",
    x=_sigmoid_to_x,
)  # fmt: skip


def _logit(x, eps):
    if x.dtype.kind == "c":
        raise DtypeError(f"logit: expected a real tensor, got {x.dtype}")
    if eps is not None:
        x = np.minimum(np.maximum(x, eps), 1.0 - eps)
    return np.log(x / (1.0 - x))


def _logit_to_x(g, x, eps):
    if eps is None:
        return g / np.where((x < 0) | (x > 1), math.nan, x * (1.0 - x))
    inside = (x >= eps) & (x <= 1.0 - eps)
    return masked(g / np.where(inside, x * (1.0 - x), 1.0), inside)


logit = primitive(
    "logit", _logit, formula="ln(x / (1 - x))", jacobian="diagonal", promotes="float", x=_logit_to_x
)
