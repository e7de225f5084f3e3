"""Reductions of what a mask lets through.

Where the mask is False an element counts as if it was not there. A mask is broadcast to the input;
None lets everything through.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dtypes import get_default_dtype, int64
from aino.errors import DtypeError
from aino.ops.arguments import dim_of
from aino.ops.masked.masks import dims, filled, greatest, least, own_dtype, to, whole_mask
from aino.ops.reduce import extremes, norms, reduction, statistics

__all__ = [
    "sum", "prod", "mean", "median", "var", "std", "amax", "amin", "argmax", "argmin", "norm",
    "logsumexp",
]  # fmt: skip


def _wide(input, dtype) -> np.dtype:
    """Return the dtype of a sum or a product: of small integers it is int64."""
    dtype = own_dtype(input, dtype) if dtype is not None else input.array.dtype
    return int64 if dtype.kind in "b" or (dtype.kind in "iu" and dtype.itemsize < 8) else dtype


def sum(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the sum of what the mask lets through; 0 of nothing.

    Arguments:
        input: a tensor.
        dim: the dimensions that go, one or several; all for None.
        keepdim: whether they stay, of length 1.
        dtype: that of the result; the input's for None, int64 for smaller integers.
        mask: a tensor of booleans, broadcast to the input; False is left out.

    >>> import aino
    >>> aino.masked.sum(aino.tensor([1.0, 2.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(5.)
    """
    return _sum("sum", input, dim, keepdim, dtype, mask)


def _sum(name, input, dim, keepdim, dtype, mask):
    dtype = _wide(input, None) if dtype is None else own_dtype(input, dtype)
    axes = dims(dim, input.array.ndim)
    return reduction.sum(filled(name, input, mask, 0), axes, bool(keepdim), dtype=dtype)


def prod(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the product of what the mask lets through; 1 of nothing.

    Arguments:
        input, dim, keepdim, dtype, mask: as for ``masked.sum``.

    >>> import aino
    >>> aino.masked.prod(aino.tensor([3.0, 2.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(12.)
    """
    dtype = _wide(input, None) if dtype is None else own_dtype(input, dtype)
    result = to(filled("prod", input, mask, 1), dtype)
    for axis in reversed(dims(dim, input.array.ndim)):
        result = reduction.prod(result, axis, bool(keepdim))
    return to(result, dtype)


def mean(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the mean of what the mask lets through; nan of nothing.

    Raises ``DtypeError`` for integers, unless a floating dtype is asked for.

    Arguments:
        input, dim, keepdim, mask: as for ``masked.sum``.
        dtype: that of the result; the input's for None.

    >>> import aino
    >>> aino.masked.mean(aino.tensor([1.0, 2.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(2.5000)
    """
    dtype = own_dtype(input, dtype)
    if dtype.kind not in "fc":
        raise DtypeError(f"mean: a mean is of floats or complex numbers, not {dtype}; give dtype=")
    total = _sum("mean", input, dim, keepdim, dtype, mask)
    return total / _count("mean", input, dim, keepdim, mask)


def _count(name, input, dim, keepdim, mask) -> Tensor:
    """Return how many elements are let through."""
    if mask is None:
        mask = make(np.ones_like(input.array, dtype=bool))
    axes = dims(dim, input.array.ndim)
    return reduction.sum(whole_mask(name, input, mask), axes, bool(keepdim))


def median(
    input: Tensor, dim: Any = -1, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the medians, along one dimension, of what the mask lets through; nan of nothing.

    Of an even number it is the lower. Raises ``DtypeError`` for integers of which a row is masked
    out: there is no integer that means nothing.

    Arguments:
        input, keepdim, mask: as for ``masked.sum``.
        dim: the dimension.
        dtype: that of the result for integers; the input's for None.

    >>> import aino
    >>> aino.masked.median(aino.tensor([1.0, 9.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(1.)
    """
    dtype = own_dtype(input, dtype)
    dim = dim_of(dim, input.array.ndim)
    floating = input.array.dtype.kind == "f"
    values = input if floating else to(input, np.dtype(np.float64))
    values = filled("median", values, mask, math.nan)
    found = statistics.nanmedian(values, dim, bool(keepdim)).values
    if floating:
        return found
    if np.any(np.isnan(found.array)):
        raise DtypeError(
            f"median: a row of {input.array.dtype} is masked out altogether, and nan is no integer"
        )
    return to(found, dtype)


def _spread(name, input, dim, unbiased, correction, keepdim, dtype, mask):
    """Return the sum of squared distances from the mean, by how many elements there are."""
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}: give unbiased or correction, not both")
    if correction is None:
        correction = 1.0 if unbiased is None or unbiased else 0.0
    dtype = own_dtype(input, dtype)
    if dtype.kind not in "fc":
        dtype = get_default_dtype()
    count = _count(name, input, dim, True, mask)
    average = _sum(name, input, dim, True, dtype, mask) / count
    away = filled(name, input - average, mask, 0)
    squares = away * away.conj() if away.array.dtype.kind == "c" else away * away
    total = _sum(name, squares, dim, keepdim, dtype, mask)
    numbers = np.maximum(count.array - correction, 0).reshape(total.array.shape)
    return to(total / make(numbers.astype(total.array.real.dtype)), dtype)


def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *,
    correction: float | None = None, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the variance of what the mask lets through; nan of nothing.

    Arguments:
        input, dim, keepdim, mask: as for ``masked.sum``.
        unbiased: False for a correction of 0.
        correction: what is taken from the number of elements before dividing; 1 for None.
        dtype: that of the result; the input's for None, the default dtype for integers.

    >>> import aino
    >>> aino.masked.var(aino.tensor([1.0, 9.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(4.5000)
    """
    return _spread("var", input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *,
    correction: float | None = None, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the standard deviation of what the mask lets through; nan of nothing.

    Arguments:
        input, dim, unbiased, correction, keepdim, dtype, mask: as for ``masked.var``.

    >>> import aino
    >>> aino.masked.std(aino.tensor([1.0, 9.0, 3.0]), mask=aino.tensor([True, False, True]))
    tensor(1.4142)
    """
    return _spread("std", input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()


def amax(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the largest of what the mask lets through; -inf, or the least integer, of nothing.

    Arguments:
        input, dim, keepdim, mask: as for ``masked.sum``.
        dtype: that of the result; the input's for None.

    >>> import aino
    >>> aino.masked.amax(aino.tensor([1.0, 9.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(4.)
    """
    own = input.array.dtype
    values = input if mask is None else filled("amax", input, mask, least("amax", own))
    found = extremes.amax(values, dims(dim, input.array.ndim), bool(keepdim))
    return to(found, own_dtype(input, dtype))


def amin(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the smallest of what the mask lets through; inf, or the greatest integer, of nothing.

    Arguments:
        input, dim, keepdim, mask: as for ``masked.sum``.
        dtype: that of the result; the input's for None.

    >>> import aino
    >>> aino.masked.amin(aino.tensor([3.0, 1.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(3.)
    """
    own = input.array.dtype
    values = input if mask is None else filled("amin", input, mask, greatest("amin", own))
    found = extremes.amin(values, dims(dim, input.array.ndim), bool(keepdim))
    return to(found, own_dtype(input, dtype))


def argmax(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return where the largest of what the mask lets through stands.

    Arguments:
        input, keepdim, mask: as for ``masked.sum``.
        dim: one dimension; None for the place in the flattened tensor.
        dtype: that of the result; the input's for None, as in PyTorch.

    >>> import aino
    >>> x, mask = aino.tensor([1, 9, 4]), aino.tensor([True, False, True])
    >>> aino.masked.argmax(x, mask=mask)
    tensor(2)
    """
    own = input.array.dtype
    values = input if mask is None else filled("argmax", input, mask, least("argmax", own))
    found = extremes.argmax(values, dim, bool(keepdim))
    return to(found, own_dtype(input, dtype))


def argmin(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return where the smallest of what the mask lets through stands.

    Arguments:
        input, dim, keepdim, dtype, mask: as for ``masked.argmax``.

    >>> import aino
    >>> x, mask = aino.tensor([3, 1, 2]), aino.tensor([True, False, True])
    >>> aino.masked.argmin(x, mask=mask)
    tensor(2)
    """
    own = input.array.dtype
    values = input if mask is None else filled("argmin", input, mask, greatest("argmin", own))
    found = extremes.argmin(values, dim, bool(keepdim))
    return to(found, own_dtype(input, dtype))


def norm(
    input: Tensor, ord: float | None = 2.0, dim: Any = None, *, keepdim: bool = False,
    dtype: Any = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the norm of what the mask lets through: ``(Σ |x|ᵖ)^(1/p)``; 0 of nothing.

    Arguments:
        input, dim, keepdim, mask: as for ``masked.sum``.
        ord: the order p.
        dtype: the dtype in which it is computed; the input's for None.

    >>> import aino
    >>> aino.masked.norm(aino.tensor([3.0, 9.0, 4.0]), mask=aino.tensor([True, False, True]))
    tensor(5.)
    """
    identity = math.inf if ord == -math.inf else 0
    values = to(filled("norm", input, mask, identity), own_dtype(input, dtype))
    return norms.norm(values, 2.0 if ord is None else ord, dims(dim, input.array.ndim),
                      bool(keepdim))  # fmt: skip


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the logarithm of the sum of exponentials of what the mask lets through.

    Arguments:
        input, dim, keepdim, mask: as for ``masked.sum``.
        dtype: that of the result; the input's for None.

    >>> import aino
    >>> aino.masked.logsumexp(aino.tensor([0.0, 9.0, 0.0]), mask=aino.tensor([True, False, True]))
    tensor(0.6931)
    """
    identity = -math.inf if input.array.dtype.kind in "fc" else np.iinfo(input.array.dtype).min
    values = filled("logsumexp", input, mask, identity)
    found = reduction.logsumexp(values, dims(dim, input.array.ndim), bool(keepdim))
    return to(found, own_dtype(input, dtype))
