"""Sines and their kin, circular and hyperbolic, and their inverses."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.constants import ONE


def _circular(name, ufunc, formula, **rules):
    return primitive(name, ufunc, formula=formula, jacobian="diagonal", promotes="float", **rules)


sin = _circular("sin", np.sin, "sin x", x=lambda g, x: g * np.cos(x))
cos = _circular("cos", np.cos, "cos x", x=lambda g, x: -g * np.sin(x))
tan = _circular("tan", np.tan, "tan x", x=lambda g, y: g + g * y * y)

asin = _circular("asin", np.arcsin, "arcsin x", x=lambda g, x: g / np.sqrt(1.0 - x * x))
acos = _circular("acos", np.arccos, "arccos x", x=lambda g, x: -g / np.sqrt(1.0 - x * x))
atan = _circular("atan", np.arctan, "arctan x", x=lambda g, x: g / (x * x + 1.0))

sinh = _circular("sinh", np.sinh, "sinh x", x=lambda g, x: g * np.cosh(x))
cosh = _circular("cosh", np.cosh, "cosh x", x=lambda g, x: g * np.sinh(x))


def _tanh_to_x(g, y):
    # The slope by itself: several derivatives of one value share it in a compiled program.
    return g * (ONE.get(y.dtype, 1.0) - np.square(y))


tanh = _circular("tanh", np.tanh, "tanh x", x=_tanh_to_x)


def _acosh_to_x(g, x):
    # In the complex plane the root of the product would lie on the wrong branch.
    if x.dtype.kind == "c":
        return g / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0))
    return g / np.sqrt(x * x - 1.0)


asinh = _circular("asinh", np.arcsinh, "arsinh x", x=lambda g, x: g / np.sqrt(x * x + 1.0))
acosh = _circular("acosh", np.arccosh, "arcosh x", x=_acosh_to_x)
atanh = _circular("atanh", np.arctanh, "artanh x", x=lambda g, x: g / (1.0 - x * x))


def _over_square(g, x, a, b):
    """Return g · x / (a² + b²), 0 at the origin."""
    square = a * a + b * b
    return g * x / np.where(square == 0, 1.0, square)


atan2 = primitive(
    "atan2", np.arctan2, formula="the angle of (b, a)",
    jacobian="diagonal", broadcasts=True, promotes="float",
    a=lambda g, a, b: _over_square(g, b, a, b),
    b=lambda g, a, b: _over_square(-g, a, a, b),
)  # fmt: skip
