"""A function of the user's along an axis, phases without jumps, numbers that become complex."""

from __future__ import annotations

import math

import numpy as np

from aino import tracing
from aino.ops.special import bessel
from aino.ops.tensor.numpy_protocol.table import axis_of, cast_to, numpy_function, tensor_of


@numpy_function("apply_along_axis")
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """The function is called once for each vector along the axis."""
    arr = tensor_of(arr)
    axis = axis_of(axis, arr.ndim)
    vectors = np.moveaxis(arr, axis, -1)
    if not vectors.array.size:
        raise ValueError("np.apply_along_axis: there is no vector to call the function with")
    flat = vectors.reshape(-1, vectors.shape[-1])
    results = [tensor_of(func1d(vector, *args, **kwargs)) for vector in flat.unbind(0)]
    found = np.stack(results)
    inner = found.ndim - 1
    found = found.reshape(*vectors.shape[:-1], *found.shape[1:])
    # What the function returned stands where the axis was.
    places = range(arr.ndim - 1, arr.ndim - 1 + inner)
    return np.moveaxis(found, tuple(places), tuple(range(axis, axis + inner)))


@numpy_function("apply_over_axes")
def apply_over_axes(func, a, axes):
    found = tensor_of(a)
    rank = found.ndim
    for axis in np.atleast_1d(axes).tolist():
        axis = axis_of(axis, rank)
        reduced = tensor_of(func(found, axis))
        if reduced.ndim == rank - 1:
            reduced = reduced.unsqueeze(axis)
        if reduced.ndim != rank:
            raise ValueError("np.apply_over_axes: the function returns an array without its axis")
        found = reduced
    return found


@numpy_function("unwrap")
def unwrap(p, discont=None, axis=-1, *, period=2 * math.pi):
    """Multiples of the period are added, which have no slope."""
    p = tensor_of(p)
    dtype = np.result_type(p.array.dtype, period)
    return cast_to(p, dtype) + _jumps(p.array, discont, axis, period)


@tracing.opaque
def _jumps(array, discont, axis, period):
    return np.unwrap(array, discont, axis, period=period) - array


@numpy_function("i0")
def i0(x):
    x = tensor_of(x)
    return bessel.i0(x if x.array.dtype.kind == "f" else cast_to(x, np.float64))


@numpy_function("sort_complex")
def sort_complex(a):
    a = np.sort(tensor_of(a))
    return a if a.array.dtype.kind == "c" else cast_to(a, np.result_type(a.dtype, np.complex64))


@numpy_function("real_if_close")
def real_if_close(a, tol=100):
    a = tensor_of(a)
    if a.array.dtype.kind != "c":
        return a
    limit = tol * np.finfo(a.array.dtype).eps if tol > 1 else tol
    return a.real if bool(np.all(np.absolute(a.array.imag) < limit)) else a


@numpy_function("lib.stride_tricks.sliding_window_view")
def sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    if subok or writeable:
        raise TypeError(
            "np.lib.stride_tricks.sliding_window_view: tensors take no subok, writeable"
        )
    x = tensor_of(x)
    sizes = np.atleast_1d(window_shape).tolist()
    axes = list(range(x.ndim)) if axis is None else np.atleast_1d(axis).tolist()
    if len(sizes) != len(axes):
        raise ValueError(
            f"np.lib.stride_tricks.sliding_window_view: window_shape {window_shape} needs one size "
            f"for each axis, of which there are {len(axes)}"
        )
    for one, size in zip(axes, sizes):
        x = x.unfold(axis_of(one, x.ndim), int(size), 1)
    return x


# Where a real number has none, the complex one


def _complex_where(x, outside):
    """Return an operand, as complex numbers if one of them lies outside of a domain."""
    x = tensor_of(x)
    if x.array.dtype.kind in "biu":
        x = cast_to(x, np.float64)
    if x.array.dtype.kind == "c" or not bool(np.any(outside(x.array))):
        return x
    return cast_to(x, np.result_type(x.dtype, np.complex64))


def _negative(values):
    return values < 0


def _beyond_one(values):
    return np.absolute(values) > 1


@numpy_function("emath.sqrt")
def sqrt(x):
    return np.sqrt(_complex_where(x, _negative))


@numpy_function("emath.log")
def log(x):
    return np.log(_complex_where(x, _negative))


@numpy_function("emath.log2")
def log2(x):
    return np.log2(_complex_where(x, _negative))


@numpy_function("emath.log10")
def log10(x):
    return np.log10(_complex_where(x, _negative))


@numpy_function("emath.logn")
def logn(n, x):
    return np.log(_complex_where(x, _negative)) / np.log(_complex_where(n, _negative))


@numpy_function("emath.power")
def power(x, p):
    exponent = tensor_of(p)
    if exponent.array.dtype.kind in "iu" and bool(np.any(exponent.array < 0)):
        exponent = cast_to(exponent, np.float64)
    x = tensor_of(x)
    integers = x.array.dtype.kind in "biu" and not bool(np.any(x.array < 0))
    return np.power(x if integers else _complex_where(x, _negative), exponent)


@numpy_function("emath.arccos")
def arccos(x):
    return np.arccos(_complex_where(x, _beyond_one))


@numpy_function("emath.arcsin")
def arcsin(x):
    return np.arcsin(_complex_where(x, _beyond_one))


@numpy_function("emath.arctanh")
def arctanh(x):
    return np.arctanh(_complex_where(x, _beyond_one))
