"""Floating-point numbers taken apart: mantissa and exponent, and the number next to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.duck import still
from aino.autograd.primitive import cast
from aino.autograd.rules import elementwise
from aino.autograd.rules import exponents as rules
from aino.autograd.tensor import Tensor
from aino.dtypes import get_default_dtype, int64
from aino.errors import DtypeError
from aino.ops import return_types
from aino.ops.arguments import wrapped
from aino.ops.public import operation, takes_out

__all__ = ["frexp", "ldexp", "nextafter"]


@takes_out
def frexp(input: Tensor, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return ``(mantissa, exponent)``: ``input = mantissa · 2^exponent``, 0.5 ≤ |mantissa| < 1.

    The exponents are of int32. Of 0 both are 0; of what is not finite the mantissa is itself.
    Raises ``DtypeError`` for what is not of floating point numbers.

    >>> import aino
    >>> mantissa, exponent = aino.frexp(aino.tensor([8.0, -0.75]))
    >>> mantissa, exponent
    (tensor([ 0.5000, -0.7500]), tensor([4, 0], dtype=aino.int32))
    """
    if input.array.dtype.kind != "f":
        raise DtypeError(f"frexp: the input must be of floats, not {input.array.dtype}")
    exponent = wrapped(np.frexp(still(input.array))[1])
    return return_types.frexp(rules.ldexp(input, wrapped(np.negative(exponent.array))), exponent)


@takes_out
def ldexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``input · 2^other``, exact as long as the result is a normal number.

    Integers become the default dtype.

    Arguments:
        input: a tensor.
        other: the exponents, a tensor that is broadcast with it; most often of integers.

    >>> import aino
    >>> aino.ldexp(aino.tensor([1.0, 3.0]), aino.tensor([2, -1]))
    tensor([4.0000, 1.5000])
    """
    exponent = other.array
    if exponent.dtype.kind not in "biu" or input.array.dtype.kind == "c":
        return input * elementwise.exp2(other)
    if input.array.dtype.kind != "f":
        input = cast(input, get_default_dtype())
    return rules.ldexp(input, wrapped(exponent.astype(int64)))


@operation(rules.nextafter, bound=False)
def nextafter(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the floating-point number next to ``input`` on the way to ``other``.

    Where both are equal it is ``other``. The gradient goes to the input, none
    where both are equal. Raises ``DtypeError`` for what is not of floating point numbers.

    Arguments:
        input: a tensor.
        other: where to, a tensor that is broadcast with it.

    >>> import aino
    >>> (aino.nextafter(aino.tensor(1.0), aino.tensor(2.0)) > 1).item()
    True
    """
