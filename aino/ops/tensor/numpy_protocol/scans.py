"""NumPy's running sums and differences: along ``axis``, by default over the flat array."""

from __future__ import annotations

import numpy as np

from aino.dtypes import uint64
from aino.errors import ShapeError
from aino.ops.reduce import scanning
from aino.ops.shape import joining
from aino.ops.tensor.numpy_protocol.reductions import _replaced as replaced
from aino.ops.tensor.numpy_protocol.table import (
    NoValue,
    axes_of,
    axis_of,
    cast_to,
    check_choice,
    into,
    numpy_function,
    tensor_of,
)


def along(function):
    """Return NumPy's form of a scan: in a dtype, over the flat array where no axis is named."""
    name = getattr(function, "__name__", "accumulate")

    def scan(a, axis=None, dtype=None, out=None):
        a = cast_to(a, dtype)
        if axis is None:
            a, axis = a.reshape(-1), 0
        result = function(a, axis_of(axis, a.ndim))
        return into(out, cast_to(result, dtype), name)

    return scan


_cumsum, _cumprod = along(scanning.cumsum), along(scanning.cumprod)


def _unsigned(a, dtype):
    """Return the dtype to scan in: unsigned integers stay unsigned in NumPy."""
    return uint64 if dtype is None and a.array.dtype.kind == "u" else dtype


@numpy_function("cumsum")
def cumsum(a, axis=None, dtype=None, out=None):
    return _cumsum(a, axis, _unsigned(a, dtype), out)


@numpy_function("cumprod")
def cumprod(a, axis=None, dtype=None, out=None):
    return _cumprod(a, axis, _unsigned(a, dtype), out)


@numpy_function("nancumsum")
def nancumsum(a, axis=None, dtype=None, out=None):
    return cumsum(replaced(a, 0), axis, dtype, out)


@numpy_function("nancumprod")
def nancumprod(a, axis=None, dtype=None, out=None):
    return cumprod(replaced(a, 1), axis, dtype, out)


def _cumulative(function, x, axis, dtype, out, include_initial, first, name):
    if axis is None:
        if x.ndim > 1:
            raise ShapeError(f"np.{name}: an axis has to be named for shape {tuple(x.shape)}")
        x, axis = x.reshape(-1), 0
    result = function(x, axis, dtype)
    if include_initial:
        start = np.take(result, [0], axis) * 0 + first
        result = joining.cat([cast_to(start, result.dtype), result], axis)
    return into(out, result, name)


@numpy_function("cumulative_sum")
def cumulative_sum(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    return _cumulative(cumsum, x, axis, dtype, out, include_initial, 0, "cumulative_sum")


@numpy_function("cumulative_prod")
def cumulative_prod(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    return _cumulative(cumprod, x, axis, dtype, out, include_initial, 1, "cumulative_prod")


# Differences


def _beside_ends(a, value, axis):
    """Return what is joined to the ends of ``a``: a number is broadcast along the axis."""
    if value is NoValue:
        return None
    value = tensor_of(value)
    if not value.ndim:
        value = value.expand([1 if i == axis else n for i, n in enumerate(a.shape)])
    return value


@numpy_function("diff")
def diff(a, n=1, axis=-1, prepend=NoValue, append=NoValue):
    a = tensor_of(a)
    if n == 0:
        return a
    if not a.ndim:
        raise ShapeError("np.diff: the input must have at least one dimension")
    axis = axis_of(axis, a.ndim)
    before, after = _beside_ends(a, prepend, axis), _beside_ends(a, append, axis)
    return scanning.diff(a, n, axis, before, after)


@numpy_function("ediff1d")
def ediff1d(ary, to_end=None, to_begin=None):
    flat = tensor_of(ary).reshape(-1)
    parts = [scanning.diff(flat)]
    for place, value in ((0, to_begin), (2, to_end)):
        if value is not None:
            value = cast_to(tensor_of(value).reshape(-1), flat.dtype)
            parts.insert(place, value)
    return joining.cat(parts)


@numpy_function("gradient")
def gradient(f, *varargs, axis=None, edge_order=1):
    f = tensor_of(f)
    check_choice("gradient", "edge_order", edge_order, (1, 2))
    f = f if f.array.dtype.kind in "fc" else f.float()
    axes = axes_of(axis, f.ndim)
    spacings = varargs or (1.0,)
    if len(spacings) == 1:
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"np.gradient: {len(varargs)} spacings for {len(axes)} axes")
    slopes = [_slopes(f, tensor_of(h), i, edge_order) for h, i in zip(spacings, axes)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _slopes(f, spacing, axis, edge_order):
    """Return the differences along one axis, each divided by its distance."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ShapeError(f"np.gradient: axis {axis} needs {edge_order + 1} elements, it has {n}")
    f = f.movedim(axis, -1)
    if spacing.ndim == 0:
        steps = spacing.expand((n - 1,))
    elif spacing.ndim == 1 and spacing.shape[0] == n:
        steps = scanning.diff(spacing)
    else:
        raise ShapeError(f"np.gradient: {n} elements with coordinates of {tuple(spacing.shape)}")
    if steps.array.dtype != f.array.dtype:
        steps = cast_to(steps, f.array.dtype)
    slope = scanning.diff(f) / steps
    left, right = steps[:-1], steps[1:]
    # A parabola through three points: its slope is the mean of the two, nearer counts more.
    inner = (slope[..., :-1] * right + slope[..., 1:] * left) / (left + right)
    first, last = slope[..., :1], slope[..., -1:]
    if edge_order == 2:
        first = first + (first - slope[..., 1:2]) * (steps[:1] / (steps[:1] + steps[1:2]))
        last = last + (last - slope[..., -2:-1]) * (steps[-1:] / (steps[-1:] + steps[-2:-1]))
    return joining.cat([first, inner, last], -1).movedim(-1, axis)


@numpy_function("trapezoid")
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = tensor_of(y)
    axis = axis_of(axis, y.ndim)
    y = y.movedim(axis, -1)
    if x is None:
        steps = tensor_of(dx)
        if not isinstance(dx, (int, float)) and steps.ndim > 1:
            steps = steps.movedim(axis, -1)
    else:
        x = tensor_of(x)
        steps = scanning.diff(x) if x.ndim == 1 else scanning.diff(x.movedim(axis, -1))
    if steps.array.dtype != y.array.dtype and y.array.dtype.kind in "fc":
        steps = cast_to(steps, y.array.dtype)
    return ((y[..., 1:] + y[..., :-1]) * steps / 2).sum(-1)
