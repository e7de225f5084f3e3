"""Sums, means, products, extremes and norms over axes.

``axis`` is None for all of them, a number, or a tuple of numbers; never negative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import cast, primitive
from aino.autograd.rules.compare import masked
from aino.autograd.rules.rounding import sgn
from aino.autograd.rules.scan import all_others
from aino.autograd.rules.shape import spread
from aino.autograd.sums import in_float32, sum_over
from aino.dtypes import float16, float32, float64


def kept(g, axis, keepdims, shape):
    """Return a reduced value with the reduced axes of ``shape`` kept as axes of length 1."""
    if keepdims or axis is None:
        return g
    if type(axis) is int:
        return g.reshape((*shape[:axis], 1, *shape[axis + 1 :]))
    return g.reshape(tuple([1 if i in axis else n for i, n in enumerate(shape)]))


def count(shape, axis) -> int:
    """Return how many elements are reduced to one."""
    if type(axis) is int:
        return shape[axis]
    return math.prod(shape if axis is None else [shape[i] for i in axis])


sum = primitive(
    "sum", sum_over,
    formula="Σ x",
    x=lambda g, axis, keepdims, x_shape: spread(kept(g, axis, keepdims, x_shape), x_shape),
)  # fmt: skip


def _mean(x, axis=None, keepdims=False):
    if x.dtype is float16:
        return in_float32(_mean, x, axis, keepdims)
    return sum_over(x, axis, keepdims) / count(x.shape, axis)


mean = primitive(
    "mean", _mean,
    formula="Σ x / n",
    x=lambda g, axis, keepdims, x_shape: (
        spread(kept(g / count(x_shape, axis), axis, keepdims, x_shape), x_shape)
    ),
)  # fmt: skip


# NaN is what does not equal itself


def _number_sum(x, axis=None, keepdims=False):
    return sum_over(masked(x, x == x), axis, keepdims)


def _number_count(x, axis, keepdims):
    return sum_over(cast(x == x, x.dtype), axis, keepdims)


nansum = primitive(
    "nansum", _number_sum, formula="Σ of the numbers in x", jacobian="reduced", promotes="floating",
    x=lambda g, x, axis, keepdims: kept(g, axis, keepdims, x.shape) * cast(x == x, g.dtype),
)  # fmt: skip


def _number_mean(x, axis=None, keepdims=False):
    if x.dtype is float16:
        return in_float32(_number_mean, x, axis, keepdims)
    return _number_sum(x, axis, keepdims) / _number_count(x, axis, keepdims)


nanmean = primitive(
    "nanmean", _number_mean, formula="Σ of the numbers in x / how many they are",
    jacobian="reduced",
    promotes="floating",
    x=lambda g, x, axis, keepdims: cast(x == x, g.dtype) * (
        kept(g / _number_count(x, axis, keepdims), axis, keepdims, x.shape)
    ),
)  # fmt: skip


def _prod_slope(g, x, axis, keepdims):
    if axis is None:
        slope = g * all_others(x.reshape((math.prod(x.shape),)), 0).reshape(x.shape)
    else:
        slope = kept(g, axis, keepdims, x.shape) * all_others(x, axis)
    return cast(slope, x.dtype)


def _prod(x, axis=None, keepdims=False):
    # float32 is multiplied in float64, which holds what overflows on the way.
    wide = float64 if x.dtype is float32 else None
    y = np.multiply.reduce(x, axis=axis, dtype=wide, keepdims=keepdims)
    return y if wide is None else y.astype(float32)


prod = primitive(
    "prod", _prod, formula="Π x", jacobian="reduced",
    x=lambda g, x, axis, keepdims: _prod_slope(g, x, axis, keepdims),
)  # fmt: skip


# Extremes: equal ones share the gradient


def _shared(g, equal, axis):
    equal = cast(equal, g.dtype)
    keepdims: Any = axis is not None
    return g * equal / sum_over(equal, axis, keepdims)


def _extreme_slope(g, x, y, axis, keepdims):
    level = kept(y, axis, keepdims, x.shape)
    return _shared(kept(g, axis, keepdims, x.shape), x == level, axis)


amax = primitive(
    "amax", lambda x, axis=None, keepdims=False: (
        np.maximum.reduce(x, axis=axis, keepdims=keepdims)
    ),
    formula="max x", jacobian="reduced",
    x=lambda g, x, y, axis, keepdims: _extreme_slope(g, x, y, axis, keepdims),
)  # fmt: skip

amin = primitive(
    "amin", lambda x, axis=None, keepdims=False: (
        np.minimum.reduce(x, axis=axis, keepdims=keepdims)
    ),
    formula="min x", jacobian="reduced",
    x=lambda g, x, y, axis, keepdims: _extreme_slope(g, x, y, axis, keepdims),
)  # fmt: skip


def _whole_slope(g, x, y):
    # As PyTorch has it for the extreme of a whole tensor: a NaN that was found gets the gradient.
    return _shared(g, (x == y) | ((x != x) & (y != y)), None)


max = primitive(
    "max", lambda x: np.maximum.reduce(x, axis=None), formula="max x", jacobian="reduced",
    x=lambda g, x, y: _whole_slope(g, x, y),
)  # fmt: skip

min = primitive(
    "min", lambda x: np.minimum.reduce(x, axis=None), formula="min x", jacobian="reduced",
    x=lambda g, x, y: _whole_slope(g, x, y),
)  # fmt: skip


def _middle(x):
    ordered = np.sort(x.reshape((-1,)))
    # Sorting puts NaN last.
    return np.where(ordered[-1] != ordered[-1], ordered[-1], ordered[(len(ordered) - 1) // 2])


def _middle_number(x):
    ordered = np.sort(x.reshape((-1,)))
    numbers = sum_over(ordered == ordered)
    return np.take(ordered, np.maximum(numbers - 1, 0) // 2)


median = primitive(
    "median", _middle, formula="median x", jacobian="reduced",
    x=lambda g, x, y: _whole_slope(g, x, y),
)  # fmt: skip

nanmedian = primitive(
    "nanmedian", _middle_number, formula="median of the numbers in x", jacobian="reduced",
    x=lambda g, x, y: _whole_slope(g, x, y),
)  # fmt: skip


# Moments


def _freedom(shape, axis, correction):
    """Return what the squares are divided by: n - correction, but not less than nothing."""
    freedom = count(shape, axis) - correction
    return freedom if freedom > 0 else 0


def _square(x):
    return x.real * x.real + x.imag * x.imag if x.dtype.kind == "c" else x * x


def _var(x, axis, correction, keepdims):
    keep, n = axis is not None, count(x.shape, axis)
    away = x - sum_over(x, axis, keep) / n
    # The mean is rounded: what is left of it would be much beside a small variance.
    away -= sum_over(away, axis, keep) / n
    if x.dtype.kind == "c":
        away = _square(away)
    else:
        away *= away
    return sum_over(away, axis, keepdims) / _freedom(x.shape, axis, correction)


def _std(x, axis, correction, keepdims):
    return np.sqrt(_var(x, axis, correction, keepdims))


def _var_slope(g, x, axis, correction, keepdims):
    freedom = _freedom(x.shape, axis, correction)
    away = x - mean(x, axis, True)
    if x.dtype.kind == "c":
        away = np.conjugate(away)
    return kept(g, axis, keepdims, x.shape) * (2.0 / freedom if freedom else math.inf) * away


var = primitive(
    "var", lambda x, axis, correction, keepdims: in_float32(_var, x, axis, correction, keepdims),
    formula="Σ (x - x̄)² / (n - c)", jacobian="reduced",
    x=lambda g, x, axis, correction, keepdims: _var_slope(g, x, axis, correction, keepdims),
)  # fmt: skip


def divided(g, y):
    """Return g / y, and 0 where y is 0: also when it is differentiated again."""
    return np.where(y == 0.0, 0.0, g / np.where(y == 0.0, 1.0, y))


std = primitive(
    "std", lambda x, axis, correction, keepdims: in_float32(_std, x, axis, correction, keepdims),
    formula="√(Σ (x - x̄)² / (n - c))", jacobian="reduced",
    x=lambda g, x, y, axis, correction, keepdims: (
        _var_slope(divided(0.5 * g, y), x, axis, correction, keepdims)
    ),
)  # fmt: skip


def _logsumexp(x, axis, keepdims):
    # The largest is taken out first, so that no exponential overflows.
    level = x.real if x.dtype.kind == "c" else x
    top = np.maximum.reduce(level, axis=axis, keepdims=True, initial=-math.inf)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.log(sum_over(np.exp(x - top), axis, keepdims))
    return total + (top if keepdims else top.reshape(total.shape))


logsumexp = primitive(
    "logsumexp", lambda x, axis, keepdims: in_float32(_logsumexp, x, axis, keepdims),
    formula="ln Σ eˣ", jacobian="reduced", promotes="float",
    x=lambda g, x, y, axis, keepdims: (
        kept(g, axis, keepdims, x.shape) * np.exp(x - kept(y, axis, keepdims, x.shape))
    ),
)  # fmt: skip


# Norms


def _norm(x, p, axis, keepdims):
    if p == 2.0:
        return np.sqrt(sum_over(_square(x), axis, keepdims))
    size = np.absolute(x)
    if p == math.inf:
        return np.maximum.reduce(size, axis=axis, keepdims=keepdims)
    if p == -math.inf:
        return np.minimum.reduce(size, axis=axis, keepdims=keepdims)
    if p == 1.0:
        return sum_over(size, axis, keepdims)
    if p == 0.0:
        return sum_over((size != 0.0).astype(size.dtype), axis, keepdims)
    return sum_over(size**p, axis, keepdims) ** (1.0 / p)


def _direction(x, size):
    """Return the slope of |x|, 0 where x is."""
    return sgn(x) if x.dtype.kind != "c" else divided(np.conjugate(x), size)


def _norm_slope(g, x, y, p, axis, keepdims):
    """Where a norm is zero it has no slope; 0 is taken there, as by PyTorch."""
    g, y = kept(g, axis, keepdims, x.shape), kept(y, axis, keepdims, x.shape)
    if p == 0.0:  # a number of elements
        return np.zeros_like(x)
    real = x.dtype.kind != "c"
    if p == 2.0:
        return divided(g, y) * (x if real else np.conjugate(x))
    size = np.absolute(x)
    sign = _direction(x, size)
    if p == 1.0:
        return g * sign
    if p in (math.inf, -math.inf):
        return sign * _shared(g, size == y, axis)
    size = np.where(size == 0.0, 1.0, size)
    return np.where(y == 0.0, 0.0, g * (size / np.where(y == 0.0, 1.0, y)) ** (p - 1.0)) * sign


norm = primitive(
    "norm", lambda x, p, axis, keepdims: in_float32(_norm, x, p, axis, keepdims),
    formula="(Σ |x|ᵖ)^(1/p)", jacobian="reduced",
    x=lambda g, x, y, p, axis, keepdims: _norm_slope(g, x, y, p, axis, keepdims),
)  # fmt: skip


def _farthest_slope(g, x, y, axis):
    size = np.absolute(x)
    return (
        kept(g, axis, False, x.shape)
        * _direction(x, size)
        * cast(size == kept(y, axis, False, x.shape), y.dtype)
    )


#: The distance for p = ∞, in which elements that tie for it do not share the gradient, as in
#: PyTorch: each has all of it.
farthest = primitive(
    "farthest", lambda x, axis: _norm(x, math.inf, axis, False), formula="max |x|",
    jacobian="reduced",
    x=lambda g, x, y, axis: _farthest_slope(g, x, y, axis),
)  # fmt: skip


def distance(x, p, axis):
    """Return the p-norm of differences."""
    return farthest(x, axis) if p == math.inf else norm(x, p, axis, False)
