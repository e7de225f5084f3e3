"""Slices brought down to a norm; a tensor filled with a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast, unmoved
from aino.autograd.rules.shape import clone
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import dim_of
from aino.ops.pointwise.choosing import where
from aino.ops.public import takes_out
from aino.ops.reduce.norms import norm
from aino.ops.shape.broadcasting import expand

__all__ = ["renorm", "fill"]


@takes_out
def renorm(
    input: Tensor, p: float, dim: Any, maxnorm: float, *, out: Tensor | None = None
) -> Tensor:
    """Return the slices along ``dim``, those of a p-norm above ``maxnorm`` scaled down to it.

    ``xᵢ · maxnorm / (‖xᵢ‖ₚ + 10⁻⁷)`` where ``‖xᵢ‖ₚ > maxnorm``, else ``xᵢ``. Raises ``ValueError``
    unless p > 0 and maxnorm ≥ 0.

    Arguments:
        input: a tensor of two dimensions or more, of floating or complex dtype.
        p: which norm.
        dim: the dimension that counts the slices.
        maxnorm: the largest norm that stays.

    >>> import aino
    >>> aino.renorm(aino.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    array = input.array
    if array.dtype.kind not in "fc":
        raise DtypeError(f"renorm: the input must be floating or complex, not {array.dtype}")
    if not p > 0:
        raise ArgumentError(f"renorm: p must be positive, got {p}")
    if not maxnorm >= 0:
        raise ArgumentError(f"renorm: maxnorm must not be negative, got {maxnorm}")
    if array.ndim < 2:
        raise ShapeError(f"renorm: two dimensions or more, got shape {array.shape}")
    dim = dim_of(dim, array.ndim)
    others = tuple([axis for axis in range(array.ndim) if axis != dim])
    wide = input
    if array.dtype in (np.float16,):
        wide = cast(input, np.dtype(np.float32))
    sizes = norm(wide, p, others, True)
    factors = where(sizes > maxnorm, maxnorm / (sizes + 1e-7), 1.0)
    result = wide * factors
    return result if result.array.dtype is array.dtype else cast(result, array.dtype)


def fill(input: Tensor, value: Any) -> Tensor:
    """Return a tensor of the shape and dtype of ``input``, full of one number.

    The gradient of the input is zero, that of the value the sum.

    Arguments:
        input: a tensor.
        value: a number, or a tensor of no dimensions.

    >>> import aino
    >>> aino.fill(aino.zeros(2), 7)
    tensor([7., 7.])
    """
    array = input.array
    if isinstance(value, Tensor):
        if value.array.ndim:
            raise ShapeError(f"fill: value is a number or 0-d, got shape {value.array.shape}")
        same = value.array.dtype is array.dtype
        value = clone(expand(value if same else cast(value, array.dtype), array.shape))
    else:
        value = make(np.full_like(array, value))
    return unmoved(value, input)
