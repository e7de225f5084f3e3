"""NumPy's medians, quantiles, averages, covariances and counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dtypes import get_default_dtype
from aino.errors import GradientError, ShapeError
from aino.ops import pointwise
from aino.ops.index import sorting
from aino.ops.reduce import statistics
from aino.ops.shape import broadcasting, joining, shaping
from aino.ops.tensor.numpy_protocol.table import (
    NoValue,
    axes_of,
    cast_to,
    given,
    into,
    numpy_function,
    refuse,
    tensor_of,
)


def _floating(a):
    return a if a.array.dtype.kind in "fc" else cast_to(a, get_default_dtype())


# Quantiles

#: The plotting positions (α, β) of the methods that interpolate (Hyndman and Fan 1996).
_POSITIONS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
#: The methods that round the position of 'linear'.
_ROUNDED: dict[str, Any] = {
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.round,
    "midpoint": lambda ranks: (np.floor(ranks) + np.ceil(ranks)) / 2,
}


def _quantiles(a, q, axis, keepdims, method, ignore_nan, name):
    """Return the elements at the ranks that belong to ``q`` among sorted rows, interpolated."""
    if method not in _POSITIONS and method not in _ROUNDED:
        known = ", ".join(map(repr, [*_POSITIONS, *_ROUNDED]))
        raise ValueError(f"np.{name} on tensors: method is one of {known}, not {method!r}")
    a = _floating(tensor_of(a))
    if a.array.dtype.kind == "c":
        raise TypeError(f"np.{name}: complex numbers have no order")
    if isinstance(q, Tensor):
        if q.requires_grad:
            raise GradientError(f"np.{name} has no derivative for q; detach() it")
        q = q.array
    q = np.asarray(q, np.float64)
    if q.size and not (q.min() >= 0 and q.max() <= 1):
        raise ValueError(f"np.{name}: quantiles lie between 0 and 1")
    axes = axes_of(axis, a.ndim)
    others = [i for i in range(a.ndim) if i not in axes]
    lengths = [a.shape[i] for i in others]
    rows = shaping.reshape(a.permute((*others, *axes)), (*lengths, -1)) if a.array.size else a
    if not a.array.size:
        raise ShapeError(f"np.{name}: shape {tuple(a.shape)} has no elements")
    rows = sorting.sort(rows, -1)[0]
    array = rows.array
    total = array.shape[-1]
    count = np.count_nonzero(array == array, axis=-1, keepdims=True)
    numbers = np.maximum(count, 1) if ignore_nan else total
    alpha, beta = _POSITIONS.get(method, (1.0, 1.0))
    flat = q.reshape(-1)
    ranks = numbers * flat + (alpha + flat * (1 - alpha - beta)) - 1
    ranks = np.minimum(np.maximum(ranks, 0), numbers - 1)
    if method in _ROUNDED:
        ranks = _ROUNDED[method](ranks)
    below = np.floor(ranks)
    found = _at(rows, below)
    weight = ranks - below
    if type(weight) is not np.ndarray or weight.any():
        step = _at(rows, np.minimum(below + 1, numbers - 1)) - found
        found = found + cast_to(make(weight), found.dtype) * step
    if not ignore_nan:
        found = pointwise.where(make(count < total), make(np.asarray(math.nan, a.dtype)), found)
    found = found.movedim(-1, 0)
    kept = [1 if i in axes else n for i, n in enumerate(a.shape)] if keepdims else lengths
    return shaping.reshape(found, (*q.shape, *kept))


def _at(rows, places):
    """Return the elements at places of each row, or at the same places of all."""
    shape = (*rows.array.shape[:-1], places.shape[-1])
    return rows.gather(-1, make(np.broadcast_to(places.astype(np.int64), shape)))


def _enter_quantiles(name, whole, ignore_nan, keepdims):
    """Enter NumPy's function for quantiles, whose q is a part of ``whole``."""
    default = keepdims

    @numpy_function(name)
    def function(
        a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=default, *,
        weights=None,
    ):  # fmt: skip
        if weights is not None:
            refuse(name, "weights", "sort, and interpolate the cumulated weights with np.interp")
        if whole != 1:
            q = q / whole if isinstance(q, Tensor) else np.asarray(q) / whole
        kept = bool(given(keepdims))
        return into(out, _quantiles(a, q, axis, kept, method, ignore_nan, name), name)


_enter_quantiles("quantile", 1, False, False)
_enter_quantiles("nanquantile", 1, True, NoValue)
_enter_quantiles("percentile", 100, False, False)
_enter_quantiles("nanpercentile", 100, True, NoValue)


@numpy_function("median")
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    return into(out, _quantiles(a, 0.5, axis, bool(keepdims), "linear", False, "median"), "median")


@numpy_function("nanmedian")
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=NoValue):
    kept = bool(given(keepdims))
    return into(out, _quantiles(a, 0.5, axis, kept, "linear", True, "nanmedian"), "nanmedian")


# Averages and covariances


@numpy_function("average")
def average(a, axis=None, weights=None, returned=False, *, keepdims=NoValue):
    a, kept = _floating(tensor_of(a)), bool(given(keepdims))
    axes = axes_of(axis, a.ndim)
    if weights is None:
        mean = np.mean(a, axes, keepdims=kept)
        scale = tensor_of(np.asarray(math.prod([a.shape[i] for i in axes]), mean.dtype))
    else:
        weights = _along_axes(cast_to(tensor_of(weights), a.dtype), a, axis, axes)
        scale = np.sum(weights, axes, keepdims=kept)
        if (scale.array == 0).any():
            raise ZeroDivisionError("np.average: the weights sum to zero, can't be normalized")
        mean = np.sum(a * weights, axes, keepdims=kept) / scale
    return (mean, scale.expand(mean.shape).clone()) if returned else mean


def _along_axes(weights, a, axis, axes):
    """Return weights in the shape of ``a``."""
    if weights.shape == a.shape:
        return weights
    if axis is None:
        raise TypeError(
            f"np.average: an axis has to be named for weights of {tuple(weights.shape)} and "
            f"an array of {tuple(a.shape)}"
        )
    if tuple(weights.shape) != tuple([a.shape[i] for i in axes]):
        raise ShapeError(
            f"np.average: weights of shape {tuple(weights.shape)} do not fit axis {axis} of "
            f"{tuple(a.shape)}"
        )
    order = sorted(range(len(axes)), key=axes.__getitem__)
    weights = weights.permute(tuple(order)) if len(order) > 1 else weights
    shape = [n if i in axes else 1 for i, n in enumerate(a.shape)]
    return shaping.reshape(weights, shape).expand(a.shape)


def _variables(m, y, rowvar, dtype, name):
    """Return the variables as rows."""
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError(f"np.{name}: dtype is a floating-point or complex one, not {dtype}")
    m = _floating(cast_to(tensor_of(m), dtype))
    if m.ndim > 2:
        raise ShapeError(f"np.{name} takes two dimensions at most, got {tuple(m.shape)}")
    rows = broadcasting.atleast_2d(m)
    if not rowvar and m.ndim != 1:
        rows = rows.mT
    if y is not None:
        more = broadcasting.atleast_2d(_floating(cast_to(tensor_of(y), dtype)))
        if not rowvar and more.shape[0] != 1:
            more = more.mT
        rows = joining.cat([rows, more], 0)
    return rows


@numpy_function("cov")
def cov(
    m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None
):  # fmt: skip
    rows = _variables(m, y, rowvar, dtype, "cov")
    correction = (0 if bias else 1) if ddof is None else ddof
    weights = {
        key: None if value is None else tensor_of(value)
        for key, value in (("fweights", fweights), ("aweights", aweights))
    }
    result = statistics.cov(rows, correction=correction, **weights)
    return result


@numpy_function("corrcoef")
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    return statistics.corrcoef(_variables(x, y, rowvar, dtype, "corrcoef"))


@numpy_function("bincount")
def bincount(x, /, weights=None, minlength=0):
    x = tensor_of(x)
    if weights is None:
        return statistics.bincount(x, None, minlength)
    weights = tensor_of(weights)
    length = max(int(x.array.max()) + 1 if x.array.size else 0, minlength)
    zeros = make(np.zeros(length, weights.dtype if weights.dtype.kind == "f" else np.float64))
    statistics.bincount(x, weights.detach(), minlength)  # which says what does not fit
    return zeros.index_add(0, x.long(), cast_to(weights, zeros.dtype))
