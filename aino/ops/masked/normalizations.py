"""Scans, softmax and its kin, and sums of two, of what a mask lets through."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.ops.arguments import dim_of
from aino.ops.masked.masks import filled, greatest, least, own_dtype, to
from aino.ops.masked.reductions import norm
from aino.ops.pointwise import elementary
from aino.ops.pointwise import softmax as whole
from aino.ops.pointwise.choosing import clamp_min
from aino.ops.reduce import scanning

__all__ = [
    "cumsum", "cumprod", "softmax", "log_softmax", "softmin", "normalize", "logaddexp",
]  # fmt: skip


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the sums up to each element, along a dimension, of what the mask lets through.

    Arguments:
        input: a tensor.
        dim: the dimension.
        dtype: that of the result; the input's for None.
        mask: a tensor of booleans, broadcast to the input; False is left out.

    >>> import aino
    >>> aino.masked.cumsum(aino.tensor([1, 2, 4]), 0, mask=aino.tensor([True, False, True]))
    tensor([1, 1, 5])
    """
    dtype = own_dtype(input, dtype)
    return to(scanning.cumsum(filled("cumsum", input, mask, 0), dim, dtype=dtype), dtype)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the products up to each element, along a dimension, of what the mask lets through.

    Arguments:
        input, dim, dtype, mask: as for ``masked.cumsum``.

    >>> import aino
    >>> aino.masked.cumprod(aino.tensor([3, 2, 4]), 0, mask=aino.tensor([True, False, True]))
    tensor([ 3,  3, 12])
    """
    dtype = own_dtype(input, dtype)
    return to(scanning.cumprod(filled("cumprod", input, mask, 1), dim, dtype=dtype), dtype)


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the softmax along a dimension of what the mask lets through, 0 elsewhere.

    Arguments:
        input, dim, mask: as for ``masked.cumsum``.
        dtype: that in which it is computed; the input's for None.

    >>> import aino
    >>> aino.masked.softmax(aino.tensor([1.0, 9.0, 1.0]), 0, mask=aino.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return _softmax("softmax", whole.softmax, least, input, dim, dtype, mask)


def log_softmax(
    input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """Return the logarithm of the softmax of what the mask lets through, -inf elsewhere.

    Arguments:
        input, dim, dtype, mask: as for ``masked.softmax``.

    >>> import aino
    >>> x, mask = aino.tensor([1.0, 9.0, 1.0]), aino.tensor([True, False, True])
    >>> aino.masked.log_softmax(x, 0, mask=mask)
    tensor([-0.6931,    -inf, -0.6931])
    """
    return _softmax("log_softmax", whole.log_softmax, least, input, dim, dtype, mask)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the softmin along a dimension of what the mask lets through, 0 elsewhere.

    Arguments:
        input, dim, dtype, mask: as for ``masked.softmax``.

    >>> import aino
    >>> aino.masked.softmin(aino.tensor([1.0, 0.0, 1.0]), 0, mask=aino.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return _softmax("softmin", _softmin, greatest, input, dim, dtype, mask)


def _softmin(input, dim):
    return whole.softmax(-input, dim)


def _softmax(name, function, limit, input, dim, dtype, mask):
    dtype = own_dtype(input, dtype)
    if mask is not None:
        input = filled(name, input, mask, limit(name, input.array.dtype))
    return function(to(input, dtype), dim_of(dim, input.array.ndim))


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return what the mask lets through by its norm along a dimension, 0 elsewhere.

    Arguments:
        input, dim, mask: as for ``masked.cumsum``.
        ord: the order of the norm.
        eps: the least that is divided by.
        dtype: that of the norm; the input's for None.

    >>> import aino
    >>> x, mask = aino.tensor([3.0, 9.0, 4.0]), aino.tensor([True, False, True])
    >>> aino.masked.normalize(x, 2.0, 0, mask=mask)
    tensor([0.6000, 0.0000, 0.8000])
    """
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return filled("normalize", input, mask, 0) / clamp_min(size, eps)


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return ``ln(eᵃ + eᵇ)`` of what two masks let through; -inf of nothing.

    Arguments:
        input, other: two tensors, that are broadcast together.
        dtype: that of the result; the input's for None.
        input_mask, other_mask: their masks, of booleans.

    >>> import aino
    >>> x, mask = aino.zeros(2), aino.tensor([True, False])
    >>> aino.masked.logaddexp(x, x, other_mask=mask)
    tensor([0.6931, 0.0000])
    """
    input_filled = filled("logaddexp", input, input_mask, -math.inf)
    other_filled = filled("logaddexp", other, other_mask, -math.inf)
    return to(elementary.logaddexp(input_filled, other_filled), own_dtype(input, dtype))
