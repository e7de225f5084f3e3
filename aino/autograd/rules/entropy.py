"""Products with a logarithm, which are 0 where their other factor is: x ln x and its kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.in_double import in_double


def _entr(x):
    inside = x > 0
    y = -x * np.log(np.where(inside, x, 1.0))
    return np.where(inside, y, np.where(x < 0, -math.inf, np.where(x == 0, 0.0, x)))


entr = primitive(
    "entr", in_double(_entr), formula="-x ln x, 0 where x = 0",
    jacobian="diagonal", promotes="float", inputs="x",
    x=lambda g, x: g * (-1.0 - np.log(x)),
)  # fmt: skip


def _xlog1py_to_a(g, a, b):
    return xlog1py(g, np.where((a == 0) & (b <= -1.0), 0.0, b))


xlog1py: Any = primitive(
    "xlog1py", lambda a, b: a * np.log1p(np.where((a == 0) & (b == b), 0.0, b)),
    formula="a · ln(1 + b), 0 where a = 0", jacobian="diagonal", broadcasts=True, promotes="float",
    a=_xlog1py_to_a,
    b=lambda g, a, b: g * a / (b + 1.0),
)  # fmt: skip
