"""Exponentials, logarithms and angles."""

from __future__ import annotations

import math

from aino.autograd.rules import elementwise as rules
from aino.autograd.rules import trigonometry as angles
from aino.errors import DtypeError
from aino.ops.documented import documented

__all__ = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "xlogy",
    "sigmoid", "logit", "sin", "cos", "tan", "asin", "arcsin", "acos", "arccos", "atan",
    "arctan", "atan2", "arctan2", "sinh", "cosh", "tanh", "asinh", "arcsinh", "acosh", "arccosh",
    "atanh", "arctanh", "deg2rad", "rad2deg",
]  # fmt: skip


@documented(rules.exp)
def exp(input):
    """Return the exponential: ``eˣ``.

    >>> import aino
    >>> aino.exp(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """


@documented(rules.exp2)
def exp2(input):
    """Return the power of two: ``2ˣ``.

    >>> import aino
    >>> aino.exp2(aino.tensor([0.0, 0.5]))
    tensor([1.0000, 1.4142])
    """


@documented(rules.expm1)
def expm1(input):
    """Return ``eˣ - 1``, accurate where x is near 0.

    >>> import aino
    >>> aino.expm1(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """


@documented(rules.log)
def log(input):
    """Return the natural logarithm: ``ln x``, -inf at 0, nan for negative numbers.

    >>> import aino
    >>> aino.log(aino.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """


@documented(rules.log2)
def log2(input):
    """Return the logarithm to base 2: ``log₂ x``.

    >>> import aino
    >>> aino.log2(aino.tensor([1.0, 10.0]))
    tensor([0.0000, 3.3219])
    """


@documented(rules.log10)
def log10(input):
    """Return the logarithm to base 10: ``log₁₀ x``.

    >>> import aino
    >>> aino.log10(aino.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """


@documented(rules.log1p)
def log1p(input):
    """Return ``ln(1 + x)``, accurate where x is near 0.

    >>> import aino
    >>> aino.log1p(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """


@documented(rules.logaddexp)
def logaddexp(input, other):
    """Return the logarithm of a sum of exponentials: ``ln(eᵃ + eᵇ)``, without overflow.

    >>> import aino
    >>> aino.logaddexp(aino.tensor([0.0, 1000.0]), aino.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """


@documented(rules.logaddexp2)
def logaddexp2(input, other):
    """Return the logarithm of a sum of powers of two: ``log₂(2ᵃ + 2ᵇ)``, without overflow.

    >>> import aino
    >>> aino.logaddexp2(aino.tensor([0.0]), aino.tensor([0.0]))
    tensor([1.])
    """


@documented(rules.xlogy)
def xlogy(input, other):
    """Return ``input · ln other``, 0 where the input is 0 (and other is not nan).

    >>> import aino
    >>> aino.xlogy(aino.tensor([0.0, 2.0]), aino.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """


@documented(rules.sigmoid)
def sigmoid(input):
    """Return the logistic function: ``σ(x) = 1 / (1 + e⁻ˣ)``, without overflow.

    >>> import aino
    >>> aino.sigmoid(aino.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 0.8808])
    """


def logit(input, eps=None):
    """Return the inverse of the logistic function: ``ln(x / (1 - x))``.

    ``eps`` keeps the input within [eps, 1 - eps] first.

    >>> import aino
    >>> aino.logit(aino.tensor([0.5, 0.0]), eps=0.25)
    tensor([ 0.0000, -1.0986])
    """
    return rules.logit(input, eps)


@documented(angles.sin)
def sin(input):
    """Return the sine of an angle in radians.

    >>> import aino
    >>> aino.sin(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """


@documented(angles.cos)
def cos(input):
    """Return the cosine of an angle in radians.

    >>> import aino
    >>> aino.cos(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """


@documented(angles.tan)
def tan(input):
    """Return the tangent of an angle in radians.

    >>> import aino
    >>> aino.tan(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """


@documented(angles.asin)
def asin(input):
    """Return the angle in [-π/2, π/2] with this sine; nan outside [-1, 1].

    >>> import aino
    >>> aino.asin(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """


@documented(angles.acos)
def acos(input):
    """Return the angle in [0, π] with this cosine; nan outside [-1, 1].

    >>> import aino
    >>> aino.acos(aino.tensor([1.0, 0.0]))
    tensor([0.0000, 1.5708])
    """


@documented(angles.atan)
def atan(input):
    """Return the angle in (-π/2, π/2) with this tangent.

    >>> import aino
    >>> aino.atan(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """


@documented(angles.atan2)
def atan2(input, other):
    """Return the angle in [-π, π] of the point (other, input), seen from the origin.

    >>> import aino
    >>> aino.atan2(aino.tensor([1.0, 0.0]), aino.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """


@documented(angles.sinh)
def sinh(input):
    """Return the hyperbolic sine: ``(eˣ - e⁻ˣ) / 2``.

    >>> import aino
    >>> aino.sinh(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """


@documented(angles.cosh)
def cosh(input):
    """Return the hyperbolic cosine: ``(eˣ + e⁻ˣ) / 2``.

    >>> import aino
    >>> aino.cosh(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """


@documented(angles.tanh)
def tanh(input):
    """Return the hyperbolic tangent: ``(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)``.

    >>> import aino
    >>> aino.tanh(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """


@documented(angles.asinh)
def asinh(input):
    """Return the number with this hyperbolic sine.

    >>> import aino
    >>> aino.asinh(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """


@documented(angles.acosh)
def acosh(input):
    """Return the number, 0 or more, with this hyperbolic cosine; nan below 1.

    >>> import aino
    >>> aino.acosh(aino.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """


@documented(angles.atanh)
def atanh(input):
    """Return the number with this hyperbolic tangent; nan outside [-1, 1].

    >>> import aino
    >>> aino.atanh(aino.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh


def deg2rad(input):
    """Return an angle in degrees as radians: ``π / 180 · x``.

    >>> import aino
    >>> aino.deg2rad(aino.tensor([180.0]))
    tensor([3.1416])
    """
    return _scaled("deg2rad", input, math.pi / 180.0)


def rad2deg(input):
    """Return an angle in radians as degrees: ``180 / π · x``.

    >>> import aino
    >>> aino.rad2deg(aino.tensor([aino.pi]))
    tensor([180.])
    """
    return _scaled("rad2deg", input, 180.0 / math.pi)


def _scaled(name, input, factor):
    if input.dtype.kind == "c":
        raise DtypeError(f"{name}: a complex number is not an angle")
    return rules.mul(input, factor)
