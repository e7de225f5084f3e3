"""Operators that act on each element: arithmetic, comparison, functions, rounding."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.onnx.importing.table import Value, operator

_ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "Abs": Tensor.abs, "Neg": Tensor.neg, "Exp": Tensor.exp, "Log": Tensor.log,
    "Sqrt": Tensor.sqrt, "Reciprocal": Tensor.reciprocal, "Floor": Tensor.floor,
    "Ceil": Tensor.ceil, "Round": Tensor.round, "Sign": Tensor.sign, "Erf": Tensor.erf,
    "IsNaN": Tensor.isnan, "Not": Tensor.logical_not, "BitwiseNot": Tensor.bitwise_not,
    "Sin": Tensor.sin, "Cos": Tensor.cos, "Tan": Tensor.tan, "Asin": Tensor.asin,
    "Acos": Tensor.acos, "Atan": Tensor.atan, "Sinh": Tensor.sinh, "Cosh": Tensor.cosh,
    "Tanh": Tensor.tanh, "Asinh": Tensor.asinh, "Acosh": Tensor.acosh, "Atanh": Tensor.atanh,
}  # fmt: skip
_TWO: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": Tensor.add, "Sub": Tensor.sub, "Mul": Tensor.mul, "Greater": Tensor.gt,
    "Less": Tensor.lt, "GreaterOrEqual": Tensor.ge, "LessOrEqual": Tensor.le,
    "And": Tensor.logical_and, "Or": Tensor.logical_or, "Xor": Tensor.logical_xor,
    "BitwiseAnd": Tensor.bitwise_and, "BitwiseOr": Tensor.bitwise_or,
    "BitwiseXor": Tensor.bitwise_xor,
}  # fmt: skip
#: Before version 7, these broadcast only where they were told to, and along an axis of their own.
_FORMER = {"Add": 7, "Sub": 7, "Mul": 7, "Greater": 7, "Less": 7, "And": 7, "Or": 7, "Xor": 7}


def _enter_one(name: str, function: Callable[[Tensor], Tensor]) -> None:
    @operator(name)
    def row(X: Tensor) -> Tensor:
        return function(X)


def aligned(a: Tensor, b: Tensor, axis: int | None) -> Tensor:
    """Return ``b`` with the dimensions after it that put it at an axis of ``a``."""
    if axis is None:
        return b
    after = a.ndim - (axis % a.ndim) - b.ndim
    return b.reshape(*b.shape, *[1] * after)


def _enter_two(name: str, function: Callable[[Tensor, Tensor], Tensor]) -> None:
    @operator(name, _FORMER.get(name, 1))
    def row(A: Tensor, B: Tensor) -> Tensor:
        return function(A, B)

    if name in _FORMER:

        @operator(name)
        def former(A: Tensor, B: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
            return function(A, aligned(A, B, axis))


for _name, _one in _ONE.items():
    _enter_one(_name, _one)
for _name, _two in _TWO.items():
    _enter_two(_name, _two)


def divide(A: Tensor, B: Tensor) -> Tensor:
    """Return the quotient: of whole numbers, the one that is cut off toward zero."""
    return A.div(B, rounding_mode=None if A.dtype.kind in "fc" else "trunc")


@operator("Div", 7)
def div(A: Tensor, B: Tensor) -> Tensor:
    return divide(A, B)


@operator("Div")
def former_div(A: Tensor, B: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
    return divide(A, aligned(A, B, axis))


@operator("Pow", 7)
def power(X: Tensor, Y: Tensor) -> Tensor:
    if X.dtype.kind in "iu" and Y.dtype.kind in "iu":
        return X.pow(Y.to(X.dtype))
    return X.pow(Y).to(X.dtype)


@operator("Pow")
def former_power(X: Tensor, Y: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
    return X.pow(aligned(X, Y, axis))


@operator("Mod")
def mod(A: Tensor, B: Tensor, *, fmod: int = 0) -> Tensor:
    return A.fmod(B) if fmod else A.remainder(B)


@operator("Equal", 7)
def equal(A: Value, B: Value) -> Any:
    if isinstance(A, np.ndarray) and isinstance(B, np.ndarray):
        return np.asarray(A == B, bool)
    return _tensor(A).eq(_tensor(B))


@operator("Equal")
def former_equal(A: Tensor, B: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
    return A.eq(aligned(A, B, axis))


def _tensor(value: Any) -> Tensor:
    return Tensor(value) if isinstance(value, np.ndarray) else value


@operator("BitShift")
def bit_shift(X: Tensor, Y: Tensor, *, direction: str) -> Tensor:
    # NumPy leaves it open what a shift by all bits or more gives.
    wide = 8 * X.dtype.itemsize <= Y
    if direction == "LEFT":
        return X.bitwise_left_shift(Y.masked_fill(wide, 0)).masked_fill(wide, 0)
    return X.bitwise_right_shift(Y.masked_fill(wide, 8 * X.dtype.itemsize - 1)).masked_fill(
        wide.logical_and(X >= 0), 0
    )


@operator("IsInf")
def is_inf(X: Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    found = X.isinf()
    if not detect_negative:
        found = found.logical_and(X > 0)
    return found if detect_positive else found.logical_and(X < 0)


@operator("Max")
def maximum(*data: Tensor) -> Tensor:
    return functools.reduce(Tensor.maximum, data)


@operator("Min")
def minimum(*data: Tensor) -> Tensor:
    return functools.reduce(Tensor.minimum, data)


@operator("Sum")
def total(*data: Tensor) -> Tensor:
    return functools.reduce(Tensor.add, data)


@operator("Mean")
def mean(*data: Tensor) -> Tensor:
    return functools.reduce(Tensor.add, data) / len(data)


@operator("Clip")
def clip(input: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Tensor:
    if min is not None:
        input = input.clamp_min(min)
    return input if max is None else input.clamp_max(max)
