"""NumPy's reductions: over ``axis``, of what ``where`` leaves, from ``initial`` on."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.tensor import make
from aino.dtypes import get_default_dtype, uint64
from aino.ops import pointwise
from aino.ops.reduce import extremes, reduction, truth
from aino.ops.tensor.numpy_protocol.table import (
    NoValue,
    axes_of,
    cast_to,
    given,
    into,
    numpy_function,
    tensor_of,
)


def _kept(a, where, neutral):
    """Return ``a`` with a neutral number where ``where`` does not hold."""
    if where is True or where is NoValue:
        return a
    mask = tensor_of(where)
    if mask.dtype.kind != "b":
        raise TypeError(f"where= is a mask of booleans, not of {mask.dtype}")
    return pointwise.where(mask, a, make(np.asarray(neutral, a.dtype)))


def _counted(a, where, axes, keepdims):
    """Return how many elements are reduced to one: a number, or a tensor of them."""
    if where is True or where is NoValue:
        return math.prod([a.shape[axis] for axis in axes])
    mask = pointwise.where(tensor_of(where), make(np.ones((), int)), make(np.zeros(a.shape, int)))
    return reduction.sum(mask, axes, keepdims) if axes else mask


# Sums and products


def sum_over(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    """``np.add.reduce``; the tensors of a rule under ``create_graph`` pass here."""
    if dtype is not None or out is not None or where is not True or a.array.dtype.kind == "u":
        a = _kept(_in_dtype(a, dtype, out), where, 0)
    if axis is None:
        axis = tuple(range(a.ndim))
    if axis == () and a.ndim:
        result = a.clone() if a.array.dtype.kind != "b" else a.long()
    else:
        kind = a.array.dtype.kind
        wide = uint64 if kind == "u" else None
        if dtype is not None and kind not in "fc":
            wide = a.array.dtype
        result = reduction.sum(a, axis, bool(keepdims), dtype=wide)
    if initial is not None:
        result = result + initial
    return result if out is None else into(out, result, "sum")


def _in_dtype(a, dtype, out):
    """Return ``a`` in the dtype that is summed in: that of ``out`` where no other is given."""
    if dtype is not None:
        return cast_to(a, dtype)
    if type(out) is tuple:
        (out,) = out
    wider = out is not None and np.can_cast(a.dtype, out.dtype, "safe")
    return cast_to(a, out.dtype) if wider and out.dtype.kind in "fc" else a


def product_over(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    """``np.multiply.reduce``: ``aino.prod`` over any number of axes."""
    a = _kept(_in_dtype(a, dtype, out), where, 1)
    options = {}
    if dtype is not None:
        options = {"dtype": a.array.dtype}
    elif a.array.dtype.kind == "u":
        options = {"dtype": uint64}
    axes = sorted(axes_of(axis, a.ndim), reverse=True)
    result = a if axes or not a.ndim else a.clone()
    if a.array.dtype.kind in "biu" and not options and not axes:
        result = result.long()
    for position in axes:
        result = reduction.prod(result, position, bool(keepdims), **options)
    if initial is not None:
        result = result * initial
    return into(out, result, "prod")


@numpy_function("sum")
def sum(a, axis=None, dtype=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return sum_over(a, axis, dtype, out, given(keepdims), given(initial), given(where, True))


@numpy_function("prod")
def prod(a, axis=None, dtype=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return product_over(a, axis, dtype, out, given(keepdims), given(initial), given(where, True))


@numpy_function("nansum")
def nansum(a, axis=None, dtype=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return sum(_replaced(a, 0), axis, dtype, out, keepdims, initial, where)


@numpy_function("nanprod")
def nanprod(a, axis=None, dtype=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return prod(_replaced(a, 1), axis, dtype, out, keepdims, initial, where)


def _replaced(a, number):
    """Return ``a`` with a number where it is NaN."""
    if a.array.dtype.kind not in "fc":
        return a
    return pointwise.where(a == a, a, make(np.asarray(number, a.dtype)))


def _numbers(a, where):
    """Return the mask of what is no NaN, and is not left out."""
    mask = a == a
    return mask if where is NoValue or where is True else mask & tensor_of(where)


@numpy_function("count_nonzero")
def count_nonzero(a, axis=None, *, keepdims=False):
    return sum(a != 0, axis, keepdims=keepdims)


# Truth


def _only_bool(dtype):
    if dtype is not None and np.dtype(dtype).kind != "b":
        raise TypeError(f"truth is of the dtype bool, not {np.dtype(dtype)}")


def all_over(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    """``np.logical_and.reduce``."""
    _only_bool(dtype)
    return _truth(truth.all, a, axis, out, keepdims, initial, where, True, "all")


def any_over(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    """``np.logical_or.reduce``."""
    _only_bool(dtype)
    return _truth(truth.any, a, axis, out, keepdims, initial, where, False, "any")


def _truth(function, a, axis, out, keepdims, initial, where, neutral, name):
    truth = _kept(a != 0, where, neutral)
    axes = axes_of(axis, a.ndim)
    result = function(truth, axes, bool(keepdims)) if axes or not a.ndim else truth
    if initial is not None:
        result = result & bool(initial) if neutral else result | bool(initial)
    return into(out, result, name, "unsafe")


@numpy_function("all")
def all(a, axis=None, out=None, keepdims=NoValue, *, where=NoValue):
    return all_over(a, axis, None, out, given(keepdims), None, given(where, True))


@numpy_function("any")
def any(a, axis=None, out=None, keepdims=NoValue, *, where=NoValue):
    return any_over(a, axis, None, out, given(keepdims), None, given(where, True))


# The largest and the smallest


def largest_over(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    """``np.maximum.reduce``."""
    plain = (extremes.amax, pointwise.maximum, "max")
    return _extreme(*plain, cast_to(a, dtype), axis, out, keepdims, initial, where)


def smallest_over(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    """``np.minimum.reduce``."""
    plain = (extremes.amin, pointwise.minimum, "min")
    return _extreme(*plain, cast_to(a, dtype), axis, out, keepdims, initial, where)


def _extreme(function, pairwise, name, a, axis, out, keepdims, initial, where):
    if where is not True and initial is None:
        raise ValueError(f"np.{name} takes where= beside initial= only: {name} has no neutral")
    axes, keepdims = axes_of(axis, a.ndim), bool(keepdims)
    if initial is None:
        result = function(a, axes, keepdims) if axes or not a.ndim else a.clone()
        return into(out, result, name)
    first = make(np.asarray(initial, np.result_type(a.dtype, initial)))
    a = _kept(a, where, initial)
    if 0 in [a.shape[axis] for axis in axes]:
        shape = [1 if i in axes else n for i, n in enumerate(a.shape) if keepdims or i not in axes]
        return into(out, first.expand(shape).clone(), name)
    result = function(a, axes, keepdims) if axes or not a.ndim else a
    return into(out, pairwise(result, first), name)


@numpy_function("max", "amax")
def max(a, axis=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return largest_over(a, axis, None, out, given(keepdims), given(initial), given(where, True))


@numpy_function("min", "amin")
def min(a, axis=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return smallest_over(a, axis, None, out, given(keepdims), given(initial), given(where, True))


@numpy_function("nanmax")
def nanmax(a, axis=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return _nan_extreme(max, -math.inf, a, axis, out, keepdims, initial, where)


@numpy_function("nanmin")
def nanmin(a, axis=None, out=None, keepdims=NoValue, initial=NoValue, where=NoValue):
    return _nan_extreme(min, math.inf, a, axis, out, keepdims, initial, where)


def _nan_extreme(function, least, a, axis, out, keepdims, initial, where):
    if a.array.dtype.kind not in "fc":
        return function(a, axis, out, keepdims, initial, where)
    found = function(_replaced(a, least), axis, None, keepdims, initial, where)
    if initial is NoValue:
        # Nothing but NaN has no largest.
        some = any(a == a, axis, keepdims=given(keepdims, False))
        found = pointwise.where(some, found, make(np.asarray(math.nan, a.dtype)))
    return into(out, found, "nanmax" if least < 0 else "nanmin")


@numpy_function("ptp")
def ptp(a, axis=None, out=None, keepdims=NoValue):
    spread = max(a, axis, None, keepdims) - min(a, axis, None, keepdims)
    return into(out, spread, "ptp", "unsafe")


def _place(function, a, axis, out, keepdims, name):
    kept = bool(given(keepdims))
    if axis is None:
        result = function(a.reshape(-1), 0)
        result = result.reshape((1,) * a.ndim) if kept else result
    else:
        result = function(a, axis, kept)
    return into(out, result, name)


@numpy_function("argmax")
def argmax(a, axis=None, out=None, *, keepdims=NoValue):
    return _place(extremes.argmax, _counted_truth(a), axis, out, keepdims, "argmax")


@numpy_function("argmin")
def argmin(a, axis=None, out=None, *, keepdims=NoValue):
    return _place(extremes.argmin, _counted_truth(a), axis, out, keepdims, "argmin")


def _counted_truth(a):
    """Return booleans as numbers, which have a largest."""
    return a.byte() if a.array.dtype.kind == "b" else a


# Means and moments


def _floating(a, dtype, out=None):
    """Return ``a`` in the dtype that its mean is taken in."""
    if dtype is None and a.array.dtype.kind not in "fc":
        dtype = get_default_dtype()
    return _in_dtype(a, dtype, out)


@numpy_function("mean")
def mean(a, axis=None, dtype=None, out=None, keepdims=NoValue, *, where=NoValue):
    a, keepdims = _floating(a, dtype, out), bool(given(keepdims))
    axes = axes_of(axis, a.ndim)
    if where is NoValue or where is True:
        result = reduction.mean(a, axes, keepdims) if axes or not a.ndim else a.clone()
    else:
        result = sum_over(a, axes, None, None, keepdims, None, where)
        result = result / _counted(a, where, axes, keepdims)
    return into(out, result, "mean")


@numpy_function("nanmean")
def nanmean(a, axis=None, dtype=None, out=None, keepdims=NoValue, *, where=NoValue):
    _inexact(a, dtype, "nanmean")
    mask = _numbers(a, where)
    return mean(_replaced(a, 0), axis, dtype, out, keepdims, where=mask)


def _inexact(a, dtype, name):
    """Raise ``TypeError`` for a dtype that has no NaN, where the elements have one."""
    if dtype is not None and a.array.dtype.kind in "fc" and np.dtype(dtype).kind not in "fc":
        raise TypeError(f"np.{name}: dtype is a floating-point or complex one, not {dtype}")


def _variance(a, axis, dtype, ddof, keepdims, where, mean_of, correction, name):
    if correction is not NoValue:
        if ddof != 0:
            raise ValueError(f"np.{name}: ddof and correction mean the same; give one of them")
        ddof = correction
    if dtype is not None and a.array.dtype.kind != "c" and np.dtype(dtype).kind == "c":
        raise TypeError(f"np.{name} on tensors: dtype is a real one for real numbers, not {dtype}")
    a, keepdims = _floating(a, dtype), bool(given(keepdims))
    axes = axes_of(axis, a.ndim)
    if mean_of is NoValue and (where is NoValue or where is True) and (axes or not a.ndim):
        return reduction.var(a, axes, correction=ddof, keepdim=keepdims)
    middle = mean(a, axes, keepdims=True, where=where) if mean_of is NoValue else mean_of
    away = a - tensor_of(middle)
    size = away.abs() if away.dtype.kind == "c" else away
    summed = sum_over(size * size, axes, None, None, keepdims, None, given(where, True))
    freedom = _counted(a, where, axes, keepdims) - ddof
    if isinstance(freedom, (int, float)):
        freedom = make(np.asarray(freedom if freedom > 0 else 0, summed.dtype))
    else:
        freedom = pointwise.clamp_min(freedom, 0)
    return summed / freedom


def _root(variance):
    """Return the root, whose gradient is 0 where nothing varies."""
    flat = variance == 0
    one = make(np.ones((), variance.dtype))
    return pointwise.where(flat, variance, pointwise.where(flat, one, variance).sqrt())


@numpy_function("var")
def var(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=NoValue, *, where=NoValue, mean=NoValue,
    correction=NoValue,
):  # fmt: skip
    result = _variance(a, axis, dtype, ddof, keepdims, where, mean, correction, "var")
    return into(out, result, "var")


@numpy_function("std")
def std(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=NoValue, *, where=NoValue, mean=NoValue,
    correction=NoValue,
):  # fmt: skip
    plain = mean is NoValue and (where is NoValue or where is True) and axis != ()
    if plain and (dtype is None or np.dtype(dtype).kind != "c"):
        # The root has a rule of its own, which is 0 where the variance is.
        a, ddof = _floating(a, dtype), given(correction, ddof)
        axes = axes_of(axis, a.ndim)
        result = reduction.std(a, axes, correction=ddof, keepdim=bool(given(keepdims)))
    else:
        result = _variance(a, axis, dtype, ddof, keepdims, where, mean, correction, "std")
        result = _root(result)
    return into(out, result, "std")


@numpy_function("nanvar")
def nanvar(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=NoValue, *, where=NoValue, mean=NoValue,
    correction=NoValue,
):  # fmt: skip
    _inexact(a, dtype, "nanvar")
    mask = _numbers(a, where)
    result = _variance(
        _replaced(a, 0), axis, dtype, ddof, keepdims, mask, mean, correction, "nanvar"
    )
    return into(out, result, "nanvar")


@numpy_function("nanstd")
def nanstd(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=NoValue, *, where=NoValue, mean=NoValue,
    correction=NoValue,
):  # fmt: skip
    _inexact(a, dtype, "nanstd")
    mask = _numbers(a, where)
    result = _variance(
        _replaced(a, 0), axis, dtype, ddof, keepdims, mask, mean, correction, "nanstd"
    )
    return into(out, _root(result), "nanstd")
