"""Whole numbers, signs and absolute values."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.rules import rounding as rules
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError
from aino.ops.public import method, operation, takes_out
from aino.types import Number

__all__ = [
    "floor", "ceil", "round", "trunc", "fix", "frac", "abs", "absolute", "sign", "sgn",
    "copysign", "heaviside", "nan_to_num",
]  # fmt: skip


@operation(rules.floor, inplace=np.floor)
def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the largest integer that is not above x: ``⌊x⌋``. Its derivative is zero.

    >>> import aino
    >>> aino.floor(aino.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """


@operation(rules.ceil, inplace=np.ceil)
def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the smallest integer that is not below x: ``⌈x⌉``. Its derivative is zero.

    >>> import aino
    >>> aino.ceil(aino.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """


@method(inplace=True)
@takes_out
def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """Return the nearest integer, of two the even one; or round to decimals.

    The derivative is zero.

    Arguments:
        input: a tensor.
        decimals: how many digits stay behind the point; negative, so many before it become 0.

    >>> import aino
    >>> aino.round(aino.tensor([0.5, 1.5, -1.2])), aino.round(aino.tensor([1.2345]), decimals=2)
    (tensor([ 0.,  2., -1.]), tensor([1.2300]))
    """
    return rules.round(input, decimals)


@operation(rules.trunc, inplace=np.trunc, aliases=("fix",))
def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the integer part of x, rounded towards zero. Its derivative is zero.

    >>> import aino
    >>> aino.trunc(aino.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """


fix = trunc


@operation(rules.frac, inplace=True)
def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the part behind the point, with the sign of x: ``x - trunc(x)``.

    >>> import aino
    >>> aino.frac(aino.tensor([-1.5, 1.25]))
    tensor([-0.5000,  0.2500])
    """


@operation(rules.abs, inplace=True, aliases=("absolute",))
def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the absolute value: ``|x|``. At 0 the derivative is 0.

    >>> import aino
    >>> aino.abs(aino.tensor([-1.5, 1.5]))
    tensor([1.5000, 1.5000])
    """


absolute = abs


@operation(rules.sign, inplace=True)
def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sign: -1, 0 or 1. Its derivative is zero.

    >>> import aino
    >>> aino.sign(aino.tensor([-1.5, 0.0, 1.5]))
    tensor([-1.,  0.,  1.])
    """


@operation(rules.sgn, inplace=True)
def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sign, of complex numbers the direction: ``x / |x|``, 0 where x is 0.

    >>> import aino
    >>> aino.sgn(aino.tensor([3 + 4j, 0]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """


@operation(rules.copysign, inplace=True)
def copysign(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the absolute value of the input with the sign of the other, -0 being negative.

    Arguments:
        input: a tensor.
        other: what the sign is taken of: a tensor that is broadcast, or a number.

    >>> import aino
    >>> aino.copysign(aino.tensor([1.0, -2.0]), aino.tensor([-0.0, 3.0]))
    tensor([-1.,  2.])
    """


@method(inplace=True)
@takes_out
def heaviside(input: Tensor, values: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the step function: 0 below zero, 1 above, ``values`` at zero.

    Its slope is 0, and 1 in ``values`` where they are the result. Raises ``DtypeError`` when the
    dtypes differ.

    Arguments:
        input: a tensor of real numbers.
        values: the results at zero, a tensor that is broadcast.

    >>> import aino
    >>> aino.heaviside(aino.tensor([-1.5, 0.0, 2.0]), aino.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if input.dtype != values.dtype or input.dtype.kind == "c":
        raise DtypeError(
            f"heaviside: expected real tensors of one dtype, got {input.dtype} and {values.dtype}"
        )
    return rules.heaviside(input, values)


@method(inplace=True)
@takes_out
def nan_to_num(
    input: Tensor,
    nan: float | None = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the input with numbers in place of nan and of the infinities.

    Arguments:
        input: a tensor.
        nan: what stands for nan; 0 for None.
        posinf: what stands for infinity; the largest number of the dtype for None.
        neginf: what stands for negative infinity; the lowest number of the dtype for None.

    >>> import aino
    >>> aino.nan_to_num(aino.tensor([aino.nan, aino.inf, 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    dtype = input.dtype
    if dtype.kind in "biu":
        return cast(input, dtype)
    limits = np.finfo(dtype)
    return compare.nan_to_num(
        input,
        0.0 if nan is None else float(nan),
        float(limits.max if posinf is None else posinf),
        float(limits.min if neginf is None else neginf),
    )
