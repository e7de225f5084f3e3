"""NumPy's functions that make arrays like a tensor, or between tensors."""

from __future__ import annotations

import numpy as np

from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import get_default_dtype
from aino.ops import pointwise
from aino.ops.tensor.numpy_protocol.table import (
    FUNCTIONS,
    cast_to,
    numpy_function,
    tensor_of,
)


def _device(device, name):
    if device not in (None, "cpu"):
        raise ValueError(f"np.{name}: the device is 'cpu', not {device!r}")


@numpy_function("zeros_like")
def zeros_like(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    _device(device, "zeros_like")
    return make(np.zeros_like(a.array, dtype=dtype, order=order, shape=shape))


@numpy_function("ones_like")
def ones_like(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    _device(device, "ones_like")
    return make(np.ones_like(a.array, dtype=dtype, order=order, shape=shape))


@numpy_function("empty_like")
def empty_like(prototype, /, dtype=None, order="K", subok=True, shape=None, *, device=None):
    _device(device, "empty_like")
    return make(np.empty_like(prototype.array, dtype=dtype, order=order, shape=shape))


@numpy_function("full_like")
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    _device(device, "full_like")
    a = tensor_of(a)
    if isinstance(fill_value, Tensor):
        filled = np.empty_like(a.array, dtype=dtype, order=order, shape=shape)
        return cast_to(fill_value, filled.dtype).expand(filled.shape).clone()
    return make(np.full_like(a.array, fill_value, dtype=dtype, order=order, shape=shape))


# Ranges between tensors


def _between(start, stop, num, endpoint, axis):
    """Return ``num`` numbers from ``start`` to ``stop``, and the step between them."""
    start, stop = tensor_of(start), tensor_of(stop)
    if not hasattr(axis, "__index__"):
        raise TypeError(f"axis is one integer here, not {axis!r}")
    if num < 0:
        raise ValueError(f"the number of samples must not be negative, got {num}")
    floating = np.result_type(start.dtype, stop.dtype)
    floating = floating if floating.kind in "fc" else get_default_dtype()
    start, stop = cast_to(start, floating), cast_to(stop, floating)
    parts = num - 1 if endpoint else num
    places = make(np.arange(num).astype(floating) / max(parts, 1))
    distance = stop - start
    rank = distance.ndim
    places = places.reshape((num,) + (1,) * rank)
    samples = start + places * distance
    if endpoint and num > 1:
        samples = np.concatenate([samples[:-1], (samples[-1:] * 0 + stop)])
    step = distance / parts if parts > 0 else distance * np.nan
    return np.moveaxis(samples, 0, axis) if rank else samples, step


def _integral(samples, dtype):
    """Return samples in the dtype that was asked for; whole numbers are rounded down."""
    if dtype is not None and np.dtype(dtype).kind in "iu":
        samples = pointwise.floor(samples)
    return cast_to(samples, dtype)


@numpy_function("linspace")
def linspace(
    start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None
):  # fmt: skip
    _device(device, "linspace")
    samples, step = _between(start, stop, num, endpoint, axis)
    samples = _integral(samples, dtype)
    return (samples, step) if retstep else samples


@numpy_function("logspace")
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    samples, _ = _between(start, stop, num, endpoint, axis)
    if isinstance(base, (Tensor, np.ndarray, list)):
        base = tensor_of(base)
        base = base.unsqueeze(axis) if base.ndim else base
    return cast_to(pointwise.pow(base, samples), dtype)


@numpy_function("geomspace")
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    start, stop = tensor_of(start), tensor_of(stop)
    if not hasattr(axis, "__index__"):
        raise TypeError(f"np.geomspace: axis is one integer, not {axis!r}")
    if (start.array == 0).any() or (stop.array == 0).any():
        raise ValueError("np.geomspace: a geometric sequence has no zero")
    start = start if start.array.dtype.kind in "fc" else cast_to(start, get_default_dtype())
    ratio = stop / start
    exponents, _ = _between(ratio.detach() * 0, ratio.detach() * 0 + 1, num, endpoint, 0)
    samples = start * pointwise.pow(ratio, exponents)
    samples = np.moveaxis(samples, 0, axis) if ratio.ndim else samples
    return cast_to(samples, dtype)


# ``like=`` a tensor


def _like(function):
    """Return NumPy's creation function, whose array becomes a tensor."""

    def create(*arguments, **keywords):
        keywords.pop("like", None)
        return make(function(*arguments, **keywords))

    return create


for _name in ("arange", "empty", "eye", "full", "identity", "ones", "tri", "zeros",
              "fromfunction"):  # fmt: skip
    FUNCTIONS[getattr(np, _name)] = _like(getattr(np, _name))


def _converted(copying, order):
    """Return a conversion, of tensors that stay what they are, and of all else."""

    def convert(a, dtype=None, *, copy=copying, order=order, like=None, device=None, **options):
        for key in options:
            raise TypeError(f"like= a tensor does not take {key}=")
        _device(device, "asarray")
        result = cast_to(tensor_of(a), dtype)
        result = result.clone() if copy and result is a else result
        flags = result.array.flags
        if order not in ("C", "F") or (flags.c_contiguous if order == "C" else flags.f_contiguous):
            return result
        return rules.clone(result, order)

    return convert


for _name, _copying, _order in (
    ("array", True, "K"), ("asarray", None, "K"), ("asanyarray", None, "K"),
    ("ascontiguousarray", None, "C"), ("asfortranarray", None, "F"), ("require", None, "K"),
):  # fmt: skip
    FUNCTIONS[getattr(np, _name)] = _converted(_copying, _order)
