"""Bounds, the larger and the smaller of two, and the choice by a condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import compare as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError
from aino.ops.public import method, operation, takes_out
from aino.types import Number

__all__ = [
    "maximum", "minimum", "fmax", "fmin", "where", "clamp", "clip", "clamp_min", "clamp_max",
]  # fmt: skip


@operation(rules.maximum)
def maximum(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the larger of two elements, nan where one is nan; a tie shares the gradient.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.maximum(aino.tensor([1.0, 5.0]), aino.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """


@operation(rules.minimum)
def minimum(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the smaller of two elements, nan where one is nan; a tie shares the gradient.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.minimum(aino.tensor([1.0, 5.0]), aino.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """


@operation(rules.fmax)
def fmax(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the larger of two elements, of a number and nan the number.

    A tie gives the whole gradient to ``input``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.fmax(aino.tensor([1.0, aino.nan]), aino.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """


@operation(rules.fmin)
def fmin(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return the smaller of two elements, of a number and nan the number.

    A tie gives the whole gradient to ``input``.

    Arguments:
        input: a tensor.
        other: a tensor that is broadcast with it, or a number.

    >>> import aino
    >>> aino.fmin(aino.tensor([1.0, aino.nan]), aino.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """


@takes_out
def where(
    condition: Tensor,
    input: Tensor | Number | None = None,
    other: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return the elements of one tensor where a condition holds, those of another elsewhere.

    With a condition alone, return the indices where it holds, one tensor for each dimension.
    Raises ``DtypeError`` when the condition is not boolean.

    Arguments:
        condition: a tensor of booleans.
        input: what is taken where it is True: a tensor that is broadcast, or a number.
        other: what is taken where it is False: a tensor that is broadcast, or a number.

    >>> import aino
    >>> x = aino.tensor([-1.0, 2.0])
    >>> aino.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> aino.where(x > 0)
    (tensor([1]),)
    """
    if input is None and other is None:
        return tuple(make(found) for found in np.nonzero(np.atleast_1d(condition.array)))
    if input is None or other is None:
        raise TypeError("where takes a condition alone, or with both input and other")
    if condition.dtype.kind != "b" and condition.dtype != np.uint8:
        raise DtypeError(f"where: expected a boolean condition, got {condition.dtype}")
    return rules.where(condition, input, other)


@method(name="where")
def where_of(self: Tensor, condition: Tensor, other: Tensor | Number) -> Tensor:
    """Return this tensor where a condition holds, another elsewhere: ``where`` as a method.

    Arguments:
        condition: a tensor of booleans.
        other: what is taken where it is False: a tensor that is broadcast, or a number.

    >>> import aino
    >>> x = aino.tensor([-1.0, 2.0])
    >>> x.where(x > 0, 0.0)
    tensor([0., 2.])
    """
    return where(condition, self, other)


@method(inplace=True, aliases=("clip",))
@takes_out
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Return the input, kept within [min, max]: ``min(max(x, min), max)``.

    At a bound the gradient passes, too; where the bounds cross, the upper one is returned. Raises
    ``ValueError`` without a bound.

    Arguments:
        input: a tensor.
        min: the lower bound: a number, a tensor that is broadcast, or None for none.
        max: the upper bound, likewise.

    >>> import aino
    >>> aino.clamp(aino.tensor([-2.0, 0.5, 3.0]), min=-1.0, max=1.0)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if max is None:
        if min is None:
            raise ArgumentError("clamp: at least one of min and max must be given")
        return rules.clamp_min(input, min)
    return rules.clamp_max(input, max) if min is None else rules.clamp(input, min, max)


clip = clamp


@method(inplace=True)
@takes_out
def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the input, kept at or above ``min``.

    Arguments:
        input: a tensor.
        min: the lower bound: a number, or a tensor that is broadcast.

    >>> import aino
    >>> aino.clamp_min(aino.tensor([-2.0, 0.5]), 0.0)
    tensor([0.0000, 0.5000])
    """
    return rules.clamp_min(input, min)


@method(inplace=True)
@takes_out
def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the input, kept at or below ``max``.

    Arguments:
        input: a tensor.
        max: the upper bound: a number, or a tensor that is broadcast.

    >>> import aino
    >>> aino.clamp_max(aino.tensor([-2.0, 0.5]), 0.0)
    tensor([-2.,  0.])
    """
    return rules.clamp_max(input, max)
