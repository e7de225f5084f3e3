"""Whole numbers and signs: rounding, division that rounds, remainders."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.primitive import primitive
from aino.autograd.rules.compare import masked
from aino.errors import DivisionError, DtypeError

# Rounding: flat nearly everywhere


def _rounding(name, ufunc):
    """Return the kernel of a rounding function: integers are round already."""

    def kernel(x):
        kind = x.dtype.kind
        if kind in "bc":
            raise DtypeError(f"{name}: expected real numbers, got {x.dtype}")
        return ufunc(x) if kind == "f" else x.astype(x.dtype)

    return kernel


_rint = _rounding("round", np.rint)


def _round(x, decimals):
    if not decimals or x.dtype.kind != "f":
        return _rint(x)
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


floor = primitive(
    "floor", _rounding("floor", np.floor), formula="⌊x⌋", jacobian="diagonal",
    x=lambda g: np.zeros_like(g),
)  # fmt: skip

ceil = primitive(
    "ceil", _rounding("ceil", np.ceil), formula="⌈x⌉", jacobian="diagonal",
    x=lambda g: np.zeros_like(g),
)  # fmt: skip

trunc = primitive(
    "trunc", _rounding("trunc", np.trunc), formula="trunc x", jacobian="diagonal",
    x=lambda g: np.zeros_like(g),
)  # fmt: skip

round = primitive(
    "round", _round, formula="round x", jacobian="diagonal", x=lambda g: np.zeros_like(g)
)

frac = primitive(
    "frac", lambda x: x - np.trunc(x), formula="x - trunc x", jacobian="diagonal",
    promotes="floating", x=lambda g: g,
)  # fmt: skip


# Division that rounds, and what it leaves


def _whole(function):
    """Return a kernel that refuses to divide integers by zero, where NumPy would answer 0."""

    def divide(a, b):
        if hasattr(b, "dtype") and b.dtype.kind in "biu":
            if b.dtype.kind == "b":
                raise DtypeError("expected numbers to divide, got booleans")
            tracing.checked(_check_divisor, b)
        return function(a, b)

    return divide


def _check_divisor(b):
    if not b.all():
        raise DivisionError("an integer tensor was divided by zero")


def _trunc_divide(a, b):
    if a.dtype.kind == "f":
        return np.trunc(a / b)
    quotient = np.floor_divide(a, b)
    return quotient + ((quotient < 0) & (quotient * b != a))


floor_divide = primitive(
    "floor_divide", _whole(np.floor_divide), formula="⌊a / b⌋",
    jacobian="diagonal", broadcasts=True,
    promotes="common",
    a=lambda g: np.zeros_like(g),
    b=lambda g: np.zeros_like(g),
)  # fmt: skip

trunc_divide = primitive(
    "trunc_divide", _whole(_trunc_divide), formula="trunc(a / b)",
    jacobian="diagonal", broadcasts=True,
    promotes="common",
    a=lambda g: np.zeros_like(g),
    b=lambda g: np.zeros_like(g),
)  # fmt: skip

remainder = primitive(
    "remainder", _whole(np.remainder), formula="a - b · ⌊a / b⌋",
    jacobian="diagonal", broadcasts=True,
    promotes="common",
    a=lambda g: g,
    b=lambda g, a, b: -g * floor_divide(a, b),
)  # fmt: skip

fmod = primitive(
    "fmod", _whole(np.fmod), formula="a - b · trunc(a / b)", jacobian="diagonal", broadcasts=True,
    promotes="common",
    a=lambda g: g,
    b=lambda g, a, b: -g * trunc_divide(a, b),
)  # fmt: skip


# Signs


def _sgn(x):
    if x.dtype.kind == "b":
        return x.astype(x.dtype)
    if x.dtype.kind == "f":  # 0 for nan, where NumPy's sign is nan
        return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)
    return np.sign(x)


def _sign(x):
    if x.dtype.kind == "c":
        raise DtypeError("sign: a complex number has none; sgn gives its direction")
    return _sgn(x)


def _sgn_to_x(g, x, y):
    if x.dtype.kind != "c":
        return np.zeros_like(g)
    turned = g - np.conjugate(g * y) * np.conjugate(y)
    return np.where(x == 0, 0, turned / (2.0 * np.where(x == 0, 1.0, np.absolute(x))))


def _abs_to_x(g, x):
    return g * (np.conjugate(sgn(x)) if x.dtype.kind == "c" else sgn(x))


sign = primitive("sign", _sign, formula="sign x", jacobian="diagonal", x=lambda g: np.zeros_like(g))

signum = primitive(
    "signum", np.sign, formula="x / |x|, NaN of NaN", jacobian="diagonal if real", x=_sgn_to_x
)

sgn: Any = primitive(
    "sgn", _sgn, formula="x / |x|, 0 where x = 0", jacobian="diagonal if real", x=_sgn_to_x
)


def _abs(x):
    if x.dtype.kind == "b":
        raise DtypeError("abs: expected numbers, got booleans")
    return np.absolute(x)


abs = primitive("abs", _abs, formula="|x|", jacobian="diagonal", x=_abs_to_x)

copysign = primitive(
    "copysign", np.copysign, formula="|a| · sign b",
    jacobian="diagonal", broadcasts=True, promotes="float",
    a=lambda g, a, y: g * (sgn(a) * sgn(y)),
    b=lambda g: np.zeros_like(g),
)  # fmt: skip

heaviside = primitive(
    "heaviside", lambda x, values: np.where(x == 0, values, (x > 0).astype(x.dtype)),
    formula="0 where x < 0, 1 where x > 0, else values", broadcasts=True,
    x=lambda g: np.zeros_like(g),
    values=lambda g, x: masked(g, x == 0),
)  # fmt: skip
