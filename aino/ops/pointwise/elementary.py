"""Exponentials, logarithms and angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.rules import elementwise as rules
from aino.autograd.rules import trigonometry as angles
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError
from aino.ops.public import method, operation, takes_out
from aino.types import Number

__all__ = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "xlogy",
    "sigmoid", "logit", "sin", "cos", "tan", "asin", "arcsin", "acos", "arccos", "atan",
    "arctan", "atan2", "arctan2", "sinh", "cosh", "tanh", "asinh", "arcsinh", "acosh", "arccosh",
    "atanh", "arctanh", "deg2rad", "rad2deg",
]  # fmt: skip


@operation(rules.exp, inplace=np.exp)
def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the exponential: ``eˣ``.

    >>> import aino
    >>> aino.exp(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """


@operation(rules.exp2, inplace=True)
def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the power of two: ``2ˣ``.

    >>> import aino
    >>> aino.exp2(aino.tensor([0.0, 0.5]))
    tensor([1.0000, 1.4142])
    """


@operation(rules.expm1, inplace=True)
def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``eˣ - 1``, accurate where x is near 0.

    >>> import aino
    >>> aino.expm1(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """


@operation(rules.log, inplace=np.log)
def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the natural logarithm: ``ln x``, -inf at 0, nan for negative numbers.

    >>> import aino
    >>> aino.log(aino.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """


@operation(rules.log2, inplace=True)
def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm to base 2: ``log₂ x``.

    >>> import aino
    >>> aino.log2(aino.tensor([1.0, 10.0]))
    tensor([0.0000, 3.3219])
    """


@operation(rules.log10, inplace=True)
def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm to base 10: ``log₁₀ x``.

    >>> import aino
    >>> aino.log10(aino.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """


@operation(rules.log1p, inplace=True)
def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``ln(1 + x)``, accurate where x is near 0.

    >>> import aino
    >>> aino.log1p(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """


@operation(rules.logaddexp)
def logaddexp(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of a sum of exponentials: ``ln(eᵃ + eᵇ)``, without overflow.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.logaddexp(aino.tensor([0.0, 1000.0]), aino.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """


@operation(rules.logaddexp2)
def logaddexp2(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the logarithm of a sum of powers of two: ``log₂(2ᵃ + 2ᵇ)``, without overflow.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.logaddexp2(aino.tensor([0.0]), aino.tensor([0.0]))
    tensor([1.])
    """


@operation(rules.xlogy, inplace=True)
def xlogy(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return ``input · ln other``, 0 where the input is 0 and the other is not nan.

    Arguments:
        input: the factor, a tensor; or a number, where the other is a tensor.
        other: what the logarithm is taken of: a tensor that is broadcast, or a number.

    >>> import aino
    >>> aino.xlogy(aino.tensor([0.0, 2.0]), aino.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """


@operation(rules.sigmoid, inplace=True)
def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logistic function: ``σ(x) = 1 / (1 + e⁻ˣ)``, without overflow.

    >>> import aino
    >>> aino.sigmoid(aino.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 0.8808])
    """


@method(inplace=True)
@takes_out
def logit(input: Tensor, eps: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse of the logistic function: ``ln(x / (1 - x))``; nan outside [0, 1].

    Arguments:
        input: a tensor.
        eps: keeps the input within [eps, 1 - eps] first; None leaves it as it is.

    >>> import aino
    >>> aino.logit(aino.tensor([0.5, 0.0]), eps=0.25)
    tensor([ 0.0000, -1.0986])
    """
    return rules.logit(input, eps)


@operation(angles.sin, inplace=np.sin)
def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sine of an angle in radians.

    >>> import aino
    >>> aino.sin(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """


@operation(angles.cos, inplace=np.cos)
def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the cosine of an angle in radians.

    >>> import aino
    >>> aino.cos(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """


@operation(angles.tan, inplace=True)
def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the tangent of an angle in radians.

    >>> import aino
    >>> aino.tan(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """


@operation(angles.asin, inplace=True, aliases=("arcsin",))
def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the angle in [-π/2, π/2] with this sine; nan outside [-1, 1].

    >>> import aino
    >>> aino.asin(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """


@operation(angles.acos, inplace=True, aliases=("arccos",))
def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the angle in [0, π] with this cosine; nan outside [-1, 1].

    >>> import aino
    >>> aino.acos(aino.tensor([1.0, 0.0]))
    tensor([0.0000, 1.5708])
    """


@operation(angles.atan, inplace=True, aliases=("arctan",))
def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the angle in (-π/2, π/2) with this tangent.

    >>> import aino
    >>> aino.atan(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """


@operation(angles.atan2, inplace=True, aliases=("arctan2",))
def atan2(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the angle in [-π, π] of points (other, input), seen from the origin.

    Arguments:
        input: the second coordinates, a tensor.
        other: the first coordinates: a tensor that is broadcast, or a number.

    >>> import aino
    >>> aino.atan2(aino.tensor([1.0, 0.0]), aino.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """


@operation(angles.sinh, inplace=True)
def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic sine: ``(eˣ - e⁻ˣ) / 2``.

    >>> import aino
    >>> aino.sinh(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """


@operation(angles.cosh, inplace=True)
def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic cosine: ``(eˣ + e⁻ˣ) / 2``.

    >>> import aino
    >>> aino.cosh(aino.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """


@operation(angles.tanh, inplace=np.tanh)
def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the hyperbolic tangent: ``(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)``.

    >>> import aino
    >>> aino.tanh(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """


@operation(angles.asinh, inplace=True, aliases=("arcsinh",))
def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the number with this hyperbolic sine.

    >>> import aino
    >>> aino.asinh(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """


@operation(angles.acosh, inplace=True, aliases=("arccosh",))
def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the number, 0 or more, with this hyperbolic cosine; nan below 1.

    >>> import aino
    >>> aino.acosh(aino.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """


@operation(angles.atanh, inplace=True, aliases=("arctanh",))
def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the number with this hyperbolic tangent; nan outside [-1, 1].

    >>> import aino
    >>> aino.atanh(aino.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh


@method(inplace=True)
@takes_out
def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return an angle in degrees as radians: ``π / 180 · x``.

    >>> import aino
    >>> aino.deg2rad(aino.tensor([180.0]))
    tensor([3.1416])
    """
    return _scaled("deg2rad", input, math.pi / 180.0)


@method(inplace=True)
@takes_out
def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return an angle in radians as degrees: ``180 / π · x``.

    >>> import aino
    >>> aino.rad2deg(aino.tensor([aino.pi]))
    tensor([180.])
    """
    return _scaled("rad2deg", input, 180.0 / math.pi)


def _scaled(name, input, factor):
    if input.dtype.kind == "c":
        raise DtypeError(f"{name}: a complex number is not an angle")
    return rules.scale(input, factor)
