"""Mantissas and exponents, the number next to one, common divisors and multiples."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.compare import masked
from aino.errors import DtypeError

ldexp = primitive(
    "ldexp", lambda x, exponent: np.ldexp(x, exponent), inputs="x exponent",
    formula="x · 2ⁿ", jacobian="diagonal", broadcasts=True,
    x=lambda g, exponent: ldexp(g, exponent),
)  # fmt: skip

nextafter = primitive(
    "nextafter", lambda a, b: np.nextafter(a, b), inputs="a b",
    formula="the next number after a towards b",
    jacobian="diagonal", broadcasts=True, promotes="floating",
    a=lambda g, a, b: masked(g, a != b),
    b=lambda g: np.zeros_like(g),
)  # fmt: skip


def _whole(ufunc, name):
    def kernel(a, b):
        if a.dtype.kind not in "iu":
            raise DtypeError(f"{name}: the tensors must be of integers, not {a.dtype}")
        return ufunc(a, b)

    return kernel


gcd = primitive(
    "gcd", _whole(np.gcd, "gcd"), inputs="a b", formula="gcd(a, b)", broadcasts=True,
    promotes="common",
)  # fmt: skip

lcm = primitive(
    "lcm", _whole(np.lcm, "lcm"), inputs="a b", formula="lcm(a, b)", broadcasts=True,
    promotes="common",
)  # fmt: skip
