"""Sums, products, quotients, powers and roots."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import elementwise as rules
from aino.autograd.rules import rounding
from aino.autograd.tensor import Tensor
from aino.dtypes import result_type
from aino.errors import ArgumentError, DtypeError
from aino.ops.public import method, operation, takes_out
from aino.types import Number

__all__ = [
    "add", "sub", "subtract", "rsub", "mul", "multiply", "div", "divide", "true_divide",
    "floor_divide", "remainder", "fmod", "neg", "negative", "positive", "addcmul", "addcdiv",
    "lerp", "pow", "float_power", "square", "sqrt", "rsqrt", "reciprocal", "hypot",
]  # fmt: skip


def _times(other, alpha, input):
    """Return ``alpha · other``; integers can't be multiplied by a fraction and stay integers."""
    if isinstance(alpha, float):
        for operand in (input, other):
            if getattr(operand, "dtype", None) is not None and operand.dtype.kind in "biu":
                raise DtypeError("for integral tensors, alpha must not be a floating-point number")
    if type(alpha) in (int, float) and isinstance(other, Tensor) and other.dtype.kind in "fc":
        return rules.scale(other, alpha)
    return other * alpha


@method(inplace=np.add)
@takes_out
def add(
    input: Tensor, other: Tensor | Number, *, alpha: float = 1, out: Tensor | None = None
) -> Tensor:
    """Return the sum: ``input + alpha · other``.

    Raises ``DtypeError`` for a fractional ``alpha`` of integers.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.
        alpha: what ``other`` is multiplied by.

    >>> import aino
    >>> aino.add(aino.tensor([1.0, 2.0]), aino.tensor([10.0, 20.0]), alpha=2)
    tensor([21., 42.])
    """
    return rules.add(input, other if alpha == 1 else _times(other, alpha, input))


@method(inplace=np.subtract, aliases=("subtract",))
@takes_out
def sub(
    input: Tensor, other: Tensor | Number, *, alpha: float = 1, out: Tensor | None = None
) -> Tensor:
    """Return the difference: ``input - alpha · other``.

    Raises ``DtypeError`` for a fractional ``alpha`` of integers, ``TypeError`` for booleans.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.
        alpha: what ``other`` is multiplied by.

    >>> import aino
    >>> aino.sub(aino.tensor([3.0, 2.0]), 1)
    tensor([2., 1.])
    """
    return rules.sub(input, other if alpha == 1 else _times(other, alpha, input))


subtract = sub


def rsub(input: Tensor, other: Any, alpha: float = 1) -> Tensor:
    """Return the difference the other way round: ``other - alpha · input``.

    Arguments:
        input: the tensor that is subtracted.
        other: what it is subtracted from: a tensor that is broadcast with it, or a number.
        alpha: what ``input`` is multiplied by.

    >>> import aino
    >>> aino.rsub(aino.tensor([3.0, 2.0]), 1)
    tensor([-2., -1.])
    """
    return sub(other, input, alpha=alpha)


@operation(rules.mul, inplace=np.multiply, aliases=("multiply",))
def mul(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the product: ``input · other``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.mul(aino.tensor([[1.0], [2.0]]), aino.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """


multiply = mul


@method(inplace=np.true_divide, aliases=("divide",))
@takes_out
def div(
    input: Tensor,
    other: Tensor | Number,
    *,
    rounding_mode: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the quotient: ``input / other``.

    Rounded, its derivative is zero, and ``DivisionError`` is raised where an integer is divided by
    zero. Raises ``ValueError`` for another mode.

    Arguments:
        input: a tensor; integers are divided as floats, unless the result is rounded.
        other: a tensor that is broadcast with it, or a number.
        rounding_mode: ``"floor"`` rounds down, ``"trunc"`` towards zero; None does not round.

    >>> import aino
    >>> aino.div(aino.tensor([-7, 7]), 2), aino.div(aino.tensor([-7, 7]), 2, rounding_mode="floor")
    (tensor([-3.5000,  3.5000]), tensor([-4,  3]))
    """
    if rounding_mode is None:
        return rules.div(input, other)
    if rounding_mode == "floor":
        return rounding.floor_divide(input, other)
    if rounding_mode == "trunc":
        return rounding.trunc_divide(input, other)
    raise ArgumentError(
        f"div: rounding_mode is one of None, 'trunc' and 'floor', not {rounding_mode!r}"
    )


divide = div


@operation(rules.div, inplace=np.true_divide)
def true_divide(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the quotient: ``input / other``; of integers as floats.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.true_divide(aino.tensor([1, 3]), 2)
    tensor([0.5000, 1.5000])
    """


@operation(rounding.floor_divide, inplace=True)
def floor_divide(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the quotient, rounded down: ``⌊input / other⌋``.

    Raises ``DivisionError`` when an integer is divided by zero.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.floor_divide(aino.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """


@operation(rounding.remainder, inplace=True)
def remainder(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return what division leaves: ``input - other · ⌊input / other⌋``, as Python's ``%``.

    Raises ``DivisionError`` when an integer is divided by zero.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.remainder(aino.tensor([-7.0, 7.0]), 3)
    tensor([2., 1.])
    """


@operation(rounding.fmod, inplace=True)
def fmod(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return what division leaves, with the sign of the input, as C's ``fmod``.

    Raises ``DivisionError`` when an integer is divided by zero.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.fmod(aino.tensor([-7.0, 7.0]), 3)
    tensor([-1.,  1.])
    """


@operation(rules.neg, inplace=np.negative, aliases=("negative",))
def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the negative: ``-input``.

    >>> import aino
    >>> aino.neg(aino.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """


negative = neg


@method
def positive(input: Tensor) -> Tensor:
    """Return the input itself: ``+input``. Raises ``DtypeError`` for booleans.

    >>> import aino
    >>> aino.positive(aino.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    if input.dtype.kind == "b":
        raise DtypeError("positive: a boolean has no sign")
    return input


@method(inplace=True)
@takes_out
def addcmul(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None
) -> Tensor:
    """Return a product added to a tensor: ``input + value · tensor1 · tensor2``.

    Arguments:
        input: what is added to.
        tensor1: one factor, broadcast.
        tensor2: the other, broadcast.
        value: a number that the product is multiplied by.

    >>> import aino
    >>> aino.addcmul(aino.tensor([1.0]), aino.tensor([2.0]), aino.tensor([3.0]), value=0.5)
    tensor([4.])
    """
    return rules.addcmul(input, tensor1, tensor2, value)


@method(inplace=True)
@takes_out
def addcdiv(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None
) -> Tensor:
    """Return a quotient added to a tensor: ``input + value · tensor1 / tensor2``.

    Raises ``DtypeError`` when integers would be divided.

    Arguments:
        input: what is added to.
        tensor1: the dividend, broadcast.
        tensor2: the divisor, broadcast.
        value: a number that the quotient is multiplied by.

    >>> import aino
    >>> aino.addcdiv(aino.tensor([1.0]), aino.tensor([2.0]), aino.tensor([4.0]), value=3)
    tensor([2.5000])
    """
    if tensor1.dtype.kind in "biu" and tensor2.dtype.kind in "biu":
        raise DtypeError("addcdiv divides floating-point tensors; these hold integers")
    return rules.addcdiv(input, tensor1, tensor2, value)


@method(inplace=True)
@takes_out
def lerp(input: Tensor, end: Any, weight: Any, *, out: Tensor | None = None) -> Tensor:
    """Return a point on the line between two: ``input + weight · (end - input)``.

    Raises ``DtypeError`` when the tensors' dtypes differ or are not floating.

    Arguments:
        input: the point at weight 0.
        end: the point at weight 1, a tensor that is broadcast.
        weight: where on the line: a number, or a tensor that is broadcast.

    >>> import aino
    >>> aino.lerp(aino.tensor([0.0, 10.0]), aino.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    tensors = [input, end, weight] if isinstance(weight, Tensor) else [input, end]
    if len({tensor.dtype for tensor in tensors}) > 1 or input.dtype.kind not in "fc":
        raise DtypeError(
            "lerp: expected floating-point tensors of one dtype, got "
            + ", ".join(str(tensor.dtype) for tensor in tensors)
        )
    if type(weight) in (int, float):
        return rules.lerp_number(input, end, weight)
    return rules.lerp(input, end, weight)


@method(inplace=True)
@takes_out
def pow(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the power: ``input`` to the ``exponent``.

    Raises ``ValueError`` for integers to a negative integer power.

    Arguments:
        input: the base, a tensor; or a number, where the exponent is a tensor.
        exponent: a number, or a tensor that is broadcast.

    >>> import aino
    >>> aino.pow(aino.tensor([1.0, 2.0, 3.0]), 2), aino.pow(2, aino.tensor([0.5]))
    (tensor([1., 4., 9.]), tensor([1.4142]))
    """
    kind = exponent.__class__
    if kind is not int and kind is not float:
        return rules.pow(input, exponent)
    if input.dtype.kind in "fc":
        if exponent == 2:
            return rules.square(input)
        return rules.pow_number(input, exponent)
    if kind is int and exponent < 0:
        raise ArgumentError("pow: integers to negative integer powers are not integers")
    return rules.pow_number(cast(input, result_type(input, exponent)), exponent)


@method(inplace=True)
@takes_out
def float_power(input: Tensor, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the power in double precision: in float64, or complex128 where one is complex.

    Arguments:
        input: the base, a tensor; or a number, where the exponent is a tensor.
        exponent: a number, or a tensor that is broadcast.

    >>> import aino
    >>> aino.float_power(aino.tensor([1, 2, 3]), 2)
    tensor([1., 4., 9.], dtype=aino.float64)
    """
    kinds = [x.dtype.kind if isinstance(x, Tensor) else np.asarray(x).dtype.kind
             for x in (input, exponent)]  # fmt: skip
    dtype = np.dtype(np.complex128 if "c" in kinds else np.float64)
    if isinstance(exponent, Tensor):
        exponent = cast(exponent, dtype)
    return pow(cast(input, dtype) if isinstance(input, Tensor) else input, exponent)


@method(inplace=np.square)
@takes_out
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the square: ``input²``.

    >>> import aino
    >>> aino.square(aino.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """
    return rules.square(input) if input.dtype.kind != "b" else pow(input, 2)


@operation(rules.sqrt, inplace=np.sqrt)
def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the square root: ``√input``, nan for negative numbers.

    >>> import aino
    >>> aino.sqrt(aino.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """


@operation(rules.rsqrt, inplace=True)
def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the reciprocal of the square root: ``1 / √input``.

    >>> import aino
    >>> aino.rsqrt(aino.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """


@operation(rules.reciprocal, inplace=True)
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the reciprocal: ``1 / input``.

    >>> import aino
    >>> aino.reciprocal(aino.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """


@operation(rules.hypot, inplace=True)
def hypot(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the longest side of a right triangle: ``√(input² + other²)``, without overflow.

    Arguments:
        input: a side, a tensor.
        other: the side at a right angle to it: a tensor that is broadcast, or a number.

    >>> import aino
    >>> aino.hypot(aino.tensor([3.0]), aino.tensor([4.0]))
    tensor([5.])
    """
