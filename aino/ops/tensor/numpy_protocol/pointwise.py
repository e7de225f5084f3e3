"""NumPy's functions of single elements that are no ufuncs."""

from __future__ import annotations

import numpy as np

from aino.autograd.tensor import make
from aino.ops import pointwise
from aino.ops.shape import padding
from aino.ops.tensor.inplace import copy_
from aino.ops.tensor.numpy_protocol.table import (
    NoValue,
    cast_to,
    given,
    into,
    numpy_function,
    tensor_of,
)


@numpy_function("clip")
def clip(a, a_min=NoValue, a_max=NoValue, out=None, *, min=NoValue, max=NoValue, **kwargs):
    if (a_min is NoValue) != (a_max is NoValue):
        raise TypeError("np.clip takes a_min and a_max together; min= and max= stand alone")
    if given(a_min) is not None and given(min) is not None:
        raise ValueError("np.clip: a_min and min mean the same; give one of them")
    if given(a_max) is not None and given(max) is not None:
        raise ValueError("np.clip: a_max and max mean the same; give one of them")
    low = given(min) if given(a_min) is None else a_min
    high = given(max) if given(a_max) is None else a_max
    result = tensor_of(a)
    low, high = (tensor_of(x) if isinstance(x, (list, tuple)) else x for x in (low, high))
    if low is not None or high is not None:
        result = pointwise.clamp(result, low, high)
    if kwargs:  # the options of a ufunc
        return np.positive(result, out, **kwargs)
    return into(out, result, "clip")


@numpy_function("round", "around")
def round(a, decimals=0, out=None):
    kind = a.array.dtype.kind
    if kind in "iu":
        if decimals >= 0:
            result = a.clone()
        else:
            result = make(np.round(a.array, decimals))
    elif kind == "c":
        result = pointwise.complex(
            pointwise.round(a.real, decimals=decimals), pointwise.round(a.imag, decimals=decimals)
        )
    else:
        result = pointwise.round(a, decimals=decimals)
    return into(out, result, "round")


@numpy_function("fix")
def fix(x, out=None):
    return into(out, pointwise.trunc(x), "fix")


@numpy_function("nan_to_num")
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    result = pointwise.nan_to_num(x, nan, posinf, neginf)
    return result if copy else copy_(x, result)


@numpy_function("sinc")
def sinc(x):
    return pointwise.sinc(x)


@numpy_function("real")
def real(val):
    return pointwise.real(val)


@numpy_function("imag")
def imag(val):
    return pointwise.imag(val) if val.array.dtype.kind == "c" else val.detach() * 0


@numpy_function("angle")
def angle(z, deg=False):
    found = pointwise.angle(z)
    return pointwise.rad2deg(found) if deg else found


@numpy_function("astype")
def astype(x, dtype, /, *, copy=True, device=None):
    if device not in (None, "cpu"):
        raise ValueError(f"np.astype: the device is 'cpu', not {device!r}")
    result = cast_to(x, dtype)
    return result.clone() if copy and result is x else result


@numpy_function("copy")
def copy(a, order="K", subok=False):
    from_c = order == "C" or (order == "A" and not a.array.flags.f_contiguous)
    if order == "F" or (order == "A" and not from_c):
        return (
            a.permute(tuple(reversed(range(a.ndim))))
            .clone()
            .contiguous()
            .permute(tuple(reversed(range(a.ndim))))
        )
    return a.clone().contiguous() if from_c else a.clone()


@numpy_function("polyval")
def polyval(p, x):
    """Horner's scheme, from the highest power on."""
    x = tensor_of(x)
    p = tensor_of(p)
    y = x * 0
    for coefficient in p.unbind(0):
        y = y * x + coefficient
    return y


@numpy_function("interp")
def interp(x, xp, fp, left=None, right=None, period=None):
    x, xp, fp = tensor_of(x), tensor_of(xp), tensor_of(fp)
    if period is not None:
        period = abs(period)
        x, xp = x % period, xp % period
        order = np.argsort(xp.array, kind="stable")
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    place = np.searchsorted(xp, x.detach(), side="right") - 1
    place = np.clip(place, 0, max(xp.shape[0] - 2, 0))
    if xp.shape[0] == 1:
        y = fp[0] + x * 0
    else:
        start = xp[place]
        y = fp[place] + (x - start) * ((fp[place + 1] - fp[place]) / (xp[place + 1] - start))
    y = pointwise.where(x < xp[0], _end(left, fp[0]), y)
    return pointwise.where(x > xp[-1], _end(right, fp[-1]), y)


def _end(value, default):
    return default if value is None else cast_to(tensor_of(value), default.dtype)


@numpy_function("convolve")
def convolve(a, v, mode="full"):
    a, v = tensor_of(a), tensor_of(v)
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    return _sliding(a, np.flip(v), mode, "convolve")


@numpy_function("correlate")
def correlate(a, v, mode="valid"):
    a, v = tensor_of(a), tensor_of(v)
    if v.array.dtype.kind == "c":
        v = v.conj()
    if v.shape[0] > a.shape[0]:
        return np.flip(_sliding(v, a, mode, "correlate"))
    return _sliding(a, v, mode, "correlate")


def _sliding(a, v, mode, name):
    """Return the sums of products of ``v`` with each window of ``a``."""
    modes = {"full": v.shape[0] - 1, "same": v.shape[0] // 2, "valid": 0}
    if a.ndim != 1 or v.ndim != 1 or not v.shape[0]:
        raise ValueError(f"np.{name} takes two vectors that are not empty")
    if mode not in modes:
        raise ValueError(f"np.{name}: mode is 'full', 'same' or 'valid', not {mode!r}")
    before = modes[mode]
    after = v.shape[0] - 1 - before if mode == "same" else before
    if mode == "same" and name == "convolve":
        before, after = v.shape[0] - 1 - (v.shape[0] - 1) // 2, (v.shape[0] - 1) // 2
    windows = padding.pad(a, (before, after)).unfold(0, v.shape[0], 1)
    wide = np.result_type(a.dtype, v.dtype)
    return (cast_to(windows, wide) * cast_to(v, wide)).sum(-1)
