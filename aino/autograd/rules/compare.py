"""Choosing between values: masks, bounds, the larger and the smaller; comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.constants import BITS, clip

# Selection


def _masked(x, mask):
    bits = BITS.get(x.dtype)
    if bits is None or mask.dtype.kind != "b":
        return np.where(mask, x, 0)
    # The bits times one or zero: exact for inf and nan too, and up to twenty times as fast as
    # np.where, whose loop branches at every element.
    return (x.view(bits) * mask.astype(bits)).view(x.dtype)


masked: Any = primitive(
    "masked", _masked, formula="x where mask, else 0",
    jacobian="diagonal", inputs="x mask", broadcasts=True,
    x=lambda g, mask: masked(g, mask),
)  # fmt: skip


def chosen_from(condition, a, b):
    """Return a where the condition holds, else b, in a kernel: arrays, and one of them a number."""
    bits = None
    if condition.size >= 4096 and condition.dtype.kind == "b":
        a, b = _beside(a, b), _beside(b, a)
        dtypes = {getattr(a, "dtype", None), getattr(b, "dtype", None)}
        bits = BITS.get(dtypes.pop()) if len(dtypes) == 1 else None
    if bits is None:
        return np.where(condition, a, b)
    # b, with the bits exchanged that differ from a where the condition holds: as above.
    bits_of_b = b.view(bits)
    return (bits_of_b ^ ((a.view(bits) ^ bits_of_b) * condition.astype(bits))).view(a.dtype)


def _beside(x, other):
    """Return a float as an array of the dtype that NumPy would give it beside the other."""
    dtype = getattr(other, "dtype", None)
    return np.array(x, dtype) if type(x) is float and dtype in BITS else x


where = primitive(
    "where", chosen_from, formula="a where condition, else b",
    jacobian="diagonal", inputs="condition a b",
    broadcasts=True, promotes="common",
    a=lambda g, condition: masked(g, condition),
    b=lambda g, condition: masked(g, np.logical_not(condition)),
)  # fmt: skip


# Bounds: the gradient passes at a bound too

clamp = primitive(
    "clamp", lambda x, low, high: clip(x, low, high),
    formula="x within [low, high]", jacobian="diagonal", broadcasts=True, promotes="ordered",
    x=lambda g, x, low, high: masked(g, (x >= low) & (x <= high)),
    low=lambda g, x, low, high: masked(g, (x < low) & (low < high)),
    high=lambda g, x, low, high: masked(g, (x > high) | (high < low)),
)  # fmt: skip

clamp_min = primitive(
    "clamp_min", lambda x, low: np.maximum(x, low), formula="max(x, low)",
    jacobian="diagonal", broadcasts=True,
    promotes="ordered",
    x=lambda g, x, low: masked(g, x >= low),
    low=lambda g, x, low: masked(g, x < low),
)  # fmt: skip

clamp_max = primitive(
    "clamp_max", lambda x, high: np.minimum(x, high), formula="min(x, high)",
    jacobian="diagonal", broadcasts=True,
    promotes="ordered",
    x=lambda g, x, high: masked(g, x <= high),
    high=lambda g, x, high: masked(g, x > high),
)  # fmt: skip


# The larger and the smaller: a tie shares the gradient; fmax and fmin give it to the first


def _share(g, loses, tie):
    """Return all of g where this side wins, half at a tie, nothing where it loses."""
    return masked(g, np.logical_not(loses)) - 0.5 * masked(g, tie)


maximum = primitive(
    "maximum", np.maximum, formula="max(a, b)",
    jacobian="diagonal", broadcasts=True, promotes="ordered",
    a=lambda g, a, b: _share(g, a < b, a == b),
    b=lambda g, a, b: _share(g, b < a, a == b),
)  # fmt: skip

minimum = primitive(
    "minimum", np.minimum, formula="min(a, b)",
    jacobian="diagonal", broadcasts=True, promotes="ordered",
    a=lambda g, a, b: _share(g, a > b, a == b),
    b=lambda g, a, b: _share(g, b > a, a == b),
)  # fmt: skip

fmax = primitive(
    "fmax", np.fmax, formula="max(a, b), a number before nan", jacobian="diagonal", broadcasts=True,
    promotes="ordered",
    a=lambda g, a, b: masked(g, (a >= b) | (b != b)),
    b=lambda g, a, b: masked(g, np.logical_not((a >= b) | (b != b))),
)  # fmt: skip

fmin = primitive(
    "fmin", np.fmin, formula="min(a, b), a number before nan", jacobian="diagonal", broadcasts=True,
    promotes="ordered",
    a=lambda g, a, b: masked(g, (a <= b) | (b != b)),
    b=lambda g, a, b: masked(g, np.logical_not((a <= b) | (b != b))),
)  # fmt: skip


def _nan_to_num(x, nan, posinf, neginf):
    if x.dtype not in BITS:
        y = np.where(x == np.inf, posinf, np.where(x == -np.inf, neginf, x))
        return np.where(x == x, y, nan)
    y = chosen_from(x == np.inf, float(posinf), x)
    y = chosen_from(x == -np.inf, float(neginf), y)
    return chosen_from(x == x, y, float(nan))


nan_to_num = primitive(
    "nan_to_num", _nan_to_num, formula="x with numbers for nan and ±inf", jacobian="diagonal",
    x=lambda g, x: masked(g, np.isfinite(x)),
)  # fmt: skip


# Comparisons: True or False, no derivative


def _comparison(name, ufunc, formula, promotes="common"):
    return primitive(name, ufunc, formula=formula, inputs="a b", promotes=promotes)


eq = _comparison("eq", np.equal, "a = b")
ne = _comparison("ne", np.not_equal, "a ≠ b")
lt = _comparison("lt", np.less, "a < b", "ordered")
le = _comparison("le", np.less_equal, "a ≤ b", "ordered")
gt = _comparison("gt", np.greater, "a > b", "ordered")
ge = _comparison("ge", np.greater_equal, "a ≥ b", "ordered")

isnan = primitive("isnan", np.isnan, formula="x is nan", inputs="x")
isinf = primitive("isinf", np.isinf, formula="|x| = ∞", inputs="x")
isfinite = primitive("isfinite", np.isfinite, formula="|x| < ∞", inputs="x")
signbit = primitive("signbit", np.signbit, formula="x carries a minus", inputs="x")

# Logic on truth values and on bits

logical_and = primitive("logical_and", np.logical_and, formula="a ∧ b", inputs="a b")
logical_or = primitive("logical_or", np.logical_or, formula="a ∨ b", inputs="a b")
logical_xor = primitive("logical_xor", np.logical_xor, formula="a ⊻ b", inputs="a b")
logical_not = primitive("logical_not", np.logical_not, formula="¬x", inputs="x")

bitwise_and = _comparison("bitwise_and", np.bitwise_and, "a & b")
bitwise_or = _comparison("bitwise_or", np.bitwise_or, "a | b")
bitwise_xor = _comparison("bitwise_xor", np.bitwise_xor, "a ^ b")
bitwise_not = primitive("bitwise_not", np.invert, formula="~x", inputs="x")
bitwise_left_shift = _comparison("bitwise_left_shift", np.left_shift, "a << b")
bitwise_right_shift = _comparison("bitwise_right_shift", np.right_shift, "a >> b")
