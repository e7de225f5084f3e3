"""Elementwise functions of the array standard: one line each, over NumPy's ufunc of that name.

NumPy hands a tensor on to the operation behind the ufunc, which records it and has a derivative.
Two operands come to one dtype first, as the standard has it: by their dtypes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.array_api.given import checked, together
from aino.autograd.tensor import Tensor
from aino.ops.pointwise.choosing import clamp

__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal", "exp", "expm1",
    "floor", "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative",
    "nextafter", "not_equal", "positive", "pow", "real", "reciprocal", "remainder", "round",
    "sign", "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
]  # fmt: skip


#: Of integers these are the integers.
_WHOLE = {"ceil", "floor", "round", "trunc"}


def _of_one(name: str, function: Callable, result: str) -> Callable[..., Tensor]:
    def call(x, /):
        x = checked(name, x)
        return x.clone() if name in _WHOLE and x.dtype.kind in "iu" else function(x)

    return _named(call, name, f"Return {result}.")


def _of_two(name: str, function: Callable, result: str) -> Callable[..., Tensor]:
    def call(x1, x2, /):
        return function(*together(name, x1, x2))

    return _named(
        call, name,
        f"Return {result}, element by element.\n\n"
        "Arguments:\n    x1, x2: tensors, or a tensor and a Python number, that broadcast.",
    )  # fmt: skip


def _named(call: Any, name: str, text: str) -> Callable[..., Tensor]:
    call.__name__ = call.__qualname__ = name
    call.__doc__ = text
    return call


abs = _of_one("abs", np.abs, "|x| of each element")
acos = _of_one("acos", np.arccos, "the angle in [0, π] whose cosine each element is")
acosh = _of_one("acosh", np.arccosh, "the number whose hyperbolic cosine each element is")
asin = _of_one("asin", np.arcsin, "the angle in [-π/2, π/2] whose sine each element is")
asinh = _of_one("asinh", np.arcsinh, "the number whose hyperbolic sine each element is")
atan = _of_one("atan", np.arctan, "the angle in [-π/2, π/2] whose tangent each element is")
atanh = _of_one("atanh", np.arctanh, "the number whose hyperbolic tangent each element is")
bitwise_invert = _of_one("bitwise_invert", np.invert, "each element with all its bits inverted")
ceil = _of_one("ceil", np.ceil, "the least integer that is not below each element")
conj = _of_one("conj", np.conj, "the complex conjugate of each element")
cos = _of_one("cos", np.cos, "the cosine of each element, in radians")
cosh = _of_one("cosh", np.cosh, "the hyperbolic cosine of each element")
exp = _of_one("exp", np.exp, "eˣ of each element")
expm1 = _of_one("expm1", np.expm1, "eˣ - 1 of each element, exact near 0")
floor = _of_one("floor", np.floor, "the greatest integer that is not above each element")
imag = _of_one("imag", np.imag, "the imaginary part of each element")
isfinite = _of_one("isfinite", np.isfinite, "whether each element is neither infinite nor NaN")
isinf = _of_one("isinf", np.isinf, "whether each element is infinite")
isnan = _of_one("isnan", np.isnan, "whether each element is NaN")
log = _of_one("log", np.log, "the natural logarithm of each element")
log10 = _of_one("log10", np.log10, "the logarithm to base 10 of each element")
log1p = _of_one("log1p", np.log1p, "ln(1 + x) of each element, exact near 0")
log2 = _of_one("log2", np.log2, "the logarithm to base 2 of each element")
logical_not = _of_one("logical_not", np.logical_not, "whether each element is False, or 0")
negative = _of_one("negative", np.negative, "-x of each element")
positive = _of_one("positive", np.positive, "+x of each element")
real = _of_one("real", np.real, "the real part of each element")
reciprocal = _of_one("reciprocal", np.reciprocal, "1 / x of each element")
round = _of_one("round", np.round, "each element rounded to the nearest integer, halves to even")
sign = _of_one("sign", np.sign, "the sign of each element, of a complex one x / |x|")
signbit = _of_one(
    "signbit", np.signbit, "whether the sign of each element is a minus, that of -0.0 too"
)
sin = _of_one("sin", np.sin, "the sine of each element, in radians")
sinh = _of_one("sinh", np.sinh, "the hyperbolic sine of each element")
sqrt = _of_one("sqrt", np.sqrt, "the square root of each element")
square = _of_one("square", np.square, "x² of each element")
tan = _of_one("tan", np.tan, "the tangent of each element, in radians")
tanh = _of_one("tanh", np.tanh, "the hyperbolic tangent of each element")
trunc = _of_one("trunc", np.trunc, "each element without what follows the point")

add = _of_two("add", np.add, "x1 + x2")
atan2 = _of_two("atan2", np.arctan2, "the angle of the points (x2, x1), in [-π, π]")
bitwise_and = _of_two("bitwise_and", np.bitwise_and, "the bits that are set in both")
bitwise_left_shift = _of_two(
    "bitwise_left_shift", np.left_shift, "the bits of x1 shifted to the left by x2"
)
bitwise_or = _of_two("bitwise_or", np.bitwise_or, "the bits that are set in either")
bitwise_right_shift = _of_two(
    "bitwise_right_shift", np.right_shift, "the bits of x1 shifted to the right by x2"
)
bitwise_xor = _of_two("bitwise_xor", np.bitwise_xor, "the bits that are set in one of the two")
copysign = _of_two("copysign", np.copysign, "the magnitude of x1 with the sign of x2")
divide = _of_two("divide", np.divide, "x1 / x2")
equal = _of_two("equal", np.equal, "whether x1 = x2")
floor_divide = _of_two("floor_divide", np.floor_divide, "x1 / x2, rounded down")
greater = _of_two("greater", np.greater, "whether x1 > x2")
greater_equal = _of_two("greater_equal", np.greater_equal, "whether x1 ≥ x2")
hypot = _of_two("hypot", np.hypot, "√(x1² + x2²)")
less = _of_two("less", np.less, "whether x1 < x2")
less_equal = _of_two("less_equal", np.less_equal, "whether x1 ≤ x2")
logaddexp = _of_two("logaddexp", np.logaddexp, "ln(exp x1 + exp x2)")
logical_and = _of_two("logical_and", np.logical_and, "whether both are true")
logical_or = _of_two("logical_or", np.logical_or, "whether either is true")
logical_xor = _of_two("logical_xor", np.logical_xor, "whether one of the two is true")
maximum = _of_two("maximum", np.maximum, "the larger of the two")
minimum = _of_two("minimum", np.minimum, "the smaller of the two")
multiply = _of_two("multiply", np.multiply, "x1 · x2")
nextafter = _of_two("nextafter", np.nextafter, "the number after x1 in the direction of x2")
not_equal = _of_two("not_equal", np.not_equal, "whether x1 ≠ x2")
pow = _of_two("pow", np.power, "x1 to the power x2")
remainder = _of_two("remainder", np.remainder, "what is left of x1 / x2, with the sign of x2")
subtract = _of_two("subtract", np.subtract, "x1 - x2")


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """Return the elements brought into bounds, in the dtype of ``x``.

    Arguments:
        x: a tensor.
        min, max: the bounds, tensors or numbers; None is no bound.
    """
    x = checked("clip", x)
    if min is None and max is None:
        return x.clone()
    return clamp(x, *[_bound(x, bound) for bound in (min, max)])


def _bound(x: Tensor, bound: Any) -> Tensor | None:
    if bound is None:
        return None
    return bound.to(x.dtype) if isinstance(bound, Tensor) else together("clip", x, bound)[1]
