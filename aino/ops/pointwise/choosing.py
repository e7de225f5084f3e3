"""Bounds, the larger and the smaller of two, and the choice by a condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import compare as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError
from aino.ops.public import method, operation
from aino.types import Number

__all__ = [
    "maximum", "minimum", "fmax", "fmin", "where", "clamp", "clip", "clamp_min", "clamp_max",
]  # fmt: skip


@operation(rules.maximum)
def maximum(input: Tensor, other: Tensor | Number) -> Tensor:
    """Return the larger of two, nan where one is nan; a tie shares the gradient.

    >>> import aino
    >>> aino.maximum(aino.tensor([1.0, 5.0]), aino.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """


@operation(rules.minimum)
def minimum(input: Tensor, other: Tensor | Number) -> Tensor:
    """Return the smaller of two, nan where one is nan; a tie shares the gradient.

    >>> import aino
    >>> aino.minimum(aino.tensor([1.0, 5.0]), aino.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """


@operation(rules.fmax)
def fmax(input: Tensor, other: Tensor | Number) -> Tensor:
    """Return the larger of two, a number before nan; a tie gives the gradient to the input.

    >>> import aino
    >>> aino.fmax(aino.tensor([1.0, aino.nan]), aino.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """


@operation(rules.fmin)
def fmin(input: Tensor, other: Tensor | Number) -> Tensor:
    """Return the smaller of two, a number before nan; a tie gives the gradient to the input.

    >>> import aino
    >>> aino.fmin(aino.tensor([1.0, aino.nan]), aino.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """


def where(
    condition: Tensor, input: Tensor | None = None, other: Tensor | Number | None = None
) -> Any:
    """Return the input where the condition holds, else the other, with broadcasting.

    With a condition alone, return the indices where it holds, one tensor for each dimension.
    Raises ``DtypeError`` when the condition is not boolean.

    >>> import aino
    >>> x = aino.tensor([-1.0, 2.0])
    >>> aino.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> aino.where(x > 0)
    (tensor([1]),)
    """
    if input is None and other is None:
        return tuple(make(found) for found in np.nonzero(np.atleast_1d(condition.array)))
    if condition.dtype.kind != "b" and condition.dtype != np.uint8:
        raise DtypeError(f"where: expected a boolean condition, got {condition.dtype}")
    return rules.where(condition, input, other)


@method(name="where")
def where_of(self: Tensor, condition: Tensor, other: Tensor | Number) -> Tensor:
    """Return this tensor where the condition holds, else the other: ``where`` as a method.

    >>> import aino
    >>> x = aino.tensor([-1.0, 2.0])
    >>> x.where(x > 0, 0.0)
    tensor([0., 2.])
    """
    return where(condition, self, other)


@method(inplace=True, aliases=("clip",))
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Return the input, kept within [min, max]: ``min(max(x, min), max)``.

    Bounds are numbers or tensors, and one may be None. The gradient passes at a bound too.

    >>> import aino
    >>> aino.clamp(aino.tensor([-2.0, 0.5, 3.0]), min=-1.0, max=1.0)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if max is None:
        if min is None:
            raise ValueError("clamp: at least one of min and max must be given")
        return rules.clamp_min(input, min)
    return rules.clamp_max(input, max) if min is None else rules.clamp(input, min, max)


clip = clamp


@method(inplace=True)
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Return the input, kept at or above ``min``.

    >>> import aino
    >>> aino.clamp_min(aino.tensor([-2.0, 0.5]), 0.0)
    tensor([0.0000, 0.5000])
    """
    return rules.clamp_min(input, min)


@method(inplace=True)
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Return the input, kept at or below ``max``.

    >>> import aino
    >>> aino.clamp_max(aino.tensor([-2.0, 0.5]), 0.0)
    tensor([-2.,  0.])
    """
    return rules.clamp_max(input, max)
