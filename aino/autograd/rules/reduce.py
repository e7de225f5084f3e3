"""Sums, means, products, extremes and norms over axes.

``axis`` is None for all of them, a number, or a tuple of numbers; never negative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import cast, primitive, total
from aino.autograd.rules.scan import all_others
from aino.autograd.rules.shape import spread


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


def _sum(x, axis=None, keepdims=False):
    if axis is None and not keepdims:
        return total(x)
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


sum = primitive(
    "sum", _sum,
    formula="Σ x",
    x=lambda g, axis, keepdims, x_shape: spread(kept(g, axis, keepdims, x_shape), x_shape),
)  # fmt: skip

mean = primitive(
    "mean", lambda x, axis=None, keepdims=False: _sum(x, axis, keepdims) / count(x.shape, axis),
    formula="Σ x / n",
    x=lambda g, axis, keepdims, x_shape: (
        spread(kept(g / count(x_shape, axis), axis, keepdims, x_shape), x_shape)
    ),
)  # fmt: skip


def _prod_slope(g, x, axis, keepdims):
    if axis is None:
        return g * all_others(x.reshape((math.prod(x.shape),)), 0).reshape(x.shape)
    return kept(g, axis, keepdims, x.shape) * all_others(x, axis)


prod = primitive(
    "prod", lambda x, axis=None, keepdims=False: (
        np.multiply.reduce(x, axis=axis, keepdims=keepdims)
    ),
    formula="Π x",
    x=lambda g, x, axis, keepdims: _prod_slope(g, x, axis, keepdims),
)  # fmt: skip


# Extremes: equal ones share the gradient


def _shared(g, equal, axis):
    equal = cast(equal, g.dtype)
    keepdims: Any = axis is not None
    return g * equal / np.add.reduce(equal, axis=axis, keepdims=keepdims)


def _extreme_slope(g, x, y, axis, keepdims):
    level = kept(y, axis, keepdims, x.shape)
    return _shared(kept(g, axis, keepdims, x.shape), x == level, axis)


amax = primitive(
    "amax", lambda x, axis=None, keepdims=False: (
        np.maximum.reduce(x, axis=axis, keepdims=keepdims)
    ),
    formula="max x",
    x=lambda g, x, y, axis, keepdims: _extreme_slope(g, x, y, axis, keepdims),
)  # fmt: skip

amin = primitive(
    "amin", lambda x, axis=None, keepdims=False: (
        np.minimum.reduce(x, axis=axis, keepdims=keepdims)
    ),
    formula="min x",
    x=lambda g, x, y, axis, keepdims: _extreme_slope(g, x, y, axis, keepdims),
)  # fmt: skip


def _whole_slope(g, x, y):
    # As PyTorch has it for the extreme of a whole tensor: a NaN that was found gets the gradient.
    return _shared(g, (x == y) | ((x != x) & (y != y)), None)


max = primitive(
    "max", lambda x: np.maximum.reduce(x, axis=None), formula="max x",
    x=lambda g, x, y: _whole_slope(g, x, y),
)  # fmt: skip

min = primitive(
    "min", lambda x: np.minimum.reduce(x, axis=None), formula="min x",
    x=lambda g, x, y: _whole_slope(g, x, y),
)  # fmt: skip


def _middle(x):
    ordered = np.sort(x.reshape((-1,)))
    # Sorting puts NaN last.
    return np.where(ordered[-1] != ordered[-1], ordered[-1], ordered[(len(ordered) - 1) // 2])


def _middle_number(x):
    ordered = np.sort(x.reshape((-1,)))
    numbers = np.add.reduce(ordered == ordered)
    return np.take(ordered, np.maximum(numbers - 1, 0) // 2)


median = primitive("median", _middle, formula="median x", x=lambda g, x, y: _whole_slope(g, x, y))

nanmedian = primitive(
    "nanmedian", _middle_number, formula="median of the numbers in x",
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
    squares = _square(x - mean(x, axis, True))
    total = np.add.reduce(squares, axis=axis, keepdims=keepdims)
    return total / _freedom(x.shape, axis, correction)


def _var_slope(g, x, axis, correction, keepdims):
    freedom = _freedom(x.shape, axis, correction)
    away = x - mean(x, axis, True)
    if x.dtype.kind == "c":
        away = np.conjugate(away)
    return kept(g, axis, keepdims, x.shape) * (2.0 / freedom if freedom else math.inf) * away


var = primitive(
    "var", _var, formula="Σ (x - x̄)² / (n - c)",
    x=lambda g, x, axis, correction, keepdims: _var_slope(g, x, axis, correction, keepdims),
)  # fmt: skip


def divided(g, y):
    """Return g / y, and 0 where y is 0: also when it is differentiated again."""
    return np.where(y == 0.0, 0.0, g / np.where(y == 0.0, 1.0, y))


std = primitive(
    "std", lambda x, axis, correction, keepdims: np.sqrt(_var(x, axis, correction, keepdims)),
    formula="√(Σ (x - x̄)² / (n - c))",
    x=lambda g, x, y, axis, correction, keepdims: (
        _var_slope(divided(0.5 * g, y), x, axis, correction, keepdims)
    ),
)  # fmt: skip


def _logsumexp(x, axis, keepdims):
    # The largest is taken out first, so that no exponential overflows.
    level = x.real if x.dtype.kind == "c" else x
    top = np.maximum.reduce(level, axis=axis, keepdims=True, initial=-math.inf)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.log(np.add.reduce(np.exp(x - top), axis=axis, keepdims=keepdims))
    return total + (top if keepdims else top.reshape(total.shape))


logsumexp = primitive(
    "logsumexp", _logsumexp, formula="ln Σ eˣ", promotes="float",
    x=lambda g, x, y, axis, keepdims: (
        kept(g, axis, keepdims, x.shape) * np.exp(x - kept(y, axis, keepdims, x.shape))
    ),
)  # fmt: skip


# Norms


def _norm(x, p, axis, keepdims):
    if p == 2.0:
        return np.sqrt(np.add.reduce(_square(x), axis=axis, keepdims=keepdims))
    size = np.absolute(x)
    if p == math.inf:
        return np.maximum.reduce(size, axis=axis, keepdims=keepdims)
    if p == -math.inf:
        return np.minimum.reduce(size, axis=axis, keepdims=keepdims)
    if p == 1.0:
        return np.add.reduce(size, axis=axis, keepdims=keepdims)
    if p == 0.0:
        return np.add.reduce((size != 0.0).astype(size.dtype), axis=axis, keepdims=keepdims)
    return np.add.reduce(size**p, axis=axis, keepdims=keepdims) ** (1.0 / p)


def _norm_slope(g, x, y, p, axis, keepdims):
    """Where a norm is zero it has no slope; 0 is taken there, as by PyTorch."""
    g, y = kept(g, axis, keepdims, x.shape), kept(y, axis, keepdims, x.shape)
    real = x.dtype.kind != "c"
    if p == 2.0:
        return divided(g, y) * (x if real else np.conjugate(x))
    size = np.absolute(x)
    sign = np.sign(x) if real else divided(np.conjugate(x), size)
    if p == 1.0:
        return g * sign
    if p in (math.inf, -math.inf):
        return sign * _shared(g, size == y, axis)
    size = np.where(size == 0.0, 1.0, size)
    return np.where(y == 0.0, 0.0, g * (size / np.where(y == 0.0, 1.0, y)) ** (p - 1.0)) * sign


norm = primitive(
    "norm", _norm, formula="(Σ |x|ᵖ)^(1/p)",
    x=lambda g, x, y, p, axis, keepdims: _norm_slope(g, x, y, p, axis, keepdims),
)  # fmt: skip
