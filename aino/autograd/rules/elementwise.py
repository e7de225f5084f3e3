"""Arithmetic and elementary functions, element by element."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive

add = primitive(
    "add", np.add, formula="a + b", broadcasts=True, promotes="common",
    a=lambda g: g,
    b=lambda g: g,
)  # fmt: skip

sub = primitive(
    "sub", np.subtract, formula="a - b", broadcasts=True, promotes="common",
    a=lambda g: g,
    b=lambda g: -g,
)  # fmt: skip

mul = primitive(
    "mul", np.multiply, formula="a · b", broadcasts=True, promotes="common",
    a=lambda g, b: g * b,
    b=lambda g, a: g * a,
)  # fmt: skip

div = primitive(
    "div", np.divide, formula="a / b", broadcasts=True, promotes="float",
    a=lambda g, b: g / b,
    b=lambda g, b, y: -g * y / b,
)  # fmt: skip

neg = primitive("neg", np.negative, formula="-x", x=lambda g: -g)

exp = primitive("exp", np.exp, formula="eˣ", promotes="float", x=lambda g, y: g * y)

log = primitive("log", np.log, formula="ln x", promotes="float", x=lambda g, x: g / x)

tanh = primitive(
    "tanh", np.tanh, formula="tanh x", promotes="float", x=lambda g, y: g * (1.0 - y * y)
)
