"""Convolutions: three maps, each of which has the two others for its rules.

The sum over all of ȳ · convolution(x, w) is linear in ȳ, in x and in w; its derivatives by these
three are ``convolution``, ``convolution_transpose`` and ``convolution_weight``, so that they are
each other's rules, to any order. The first two add a shift of each channel besides.

x is (N, C, *S), w (O, C/groups, *K), y (N, O, *T); ``place`` is that of ``columns``. The kernels
work with the batch as the last axis: what comes and goes is laid so by ``batch_last`` and
``batch_first``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.operands import float32
from aino.autograd.primitive import primitive
from aino.autograd.rules import columns
from aino.autograd.rules.batch_order import batch_first, batch_last
from aino.autograd.rules.columns import Place
from aino.autograd.rules.shape import spread
from aino.autograd.sums import sum_over
from aino.dtypes import float16
from aino.tracing import in_samples, is_shared, opaque, takes_out, unconditional

# The samples of ``vmap`` are a larger batch where the weight is one for all of them, else groups


def _as_batch(kernel, x, *rest):
    size = x.shape[0]
    turned = np.moveaxis(x, 0, -2)
    y = kernel(turned.reshape((*turned.shape[:-2], size * x.shape[-1])), *rest)
    return np.moveaxis(y.reshape((*y.shape[:-1], size, x.shape[-1])), -2, 0)


def _joined(x, batched, size):
    """Return an operand with the samples side by side along its first axis."""
    if x is None:
        return None
    if not batched:
        x = np.broadcast_to(x, (size, *x.shape))
    return x.reshape((size * x.shape[1], *x.shape[2:]))


def _as_groups(kernel, batched, operands, what, place):
    """Call a kernel with a group, or several, for each sample."""
    size = next(x.shape[0] for x, is_batched in zip(operands, batched) if is_batched)
    place = Place(*place)
    place = place._replace(groups=place.groups * size)
    joined = [_joined(x, is_batched, size) for x, is_batched in zip(operands, batched)]
    y = kernel(*joined, *what, place)
    return y.reshape((size, y.shape[0] // size, *y.shape[1:]))


def _in_samples(kernel, batched, x, weight, bias, *rest):
    if not (batched[1] or batched[2]):
        return _as_batch(kernel, x, weight, bias, *rest)
    return _as_groups(kernel, batched, (x, weight, bias), rest[:-1], rest[-1])


def _paired_in_samples(kernel, batched, a, b, extent, place):
    return _as_groups(kernel, batched, (a, b), (extent,), place)


def _kernel(function, answer):
    """Return a kernel of columns as a trace records it; ``answer``: how ``vmap`` calls it."""
    return opaque(in_samples(answer)(takes_out(is_shared(unconditional(function)))))


convolved = _kernel(columns.convolved, _in_samples)
spread_back = _kernel(columns.spread_back, _in_samples)
paired = _kernel(columns.paired, _paired_in_samples)


# The three maps


def _in_float32(kernel, *operands):
    """Compute of float16 in float32, in which products are summed."""
    wide = [x.astype(float32) if getattr(x, "dtype", None) == float16 else x for x in operands]
    return kernel(*wide).astype(float16)


def _convolution(x, weight, bias, place):
    if x.dtype == float16:
        return _in_float32(_convolution, x, weight, bias, place)
    return batch_first(convolved(batch_last(x), weight, bias, place))


def _channel_sums(x):
    if x.dtype == float16:
        return _in_float32(_channel_sums, x)
    rows = batch_last(x)  # as the other two maps lay it
    return sum_over(rows.reshape((rows.shape[0], math.prod(rows.shape[1:]))), 1)


#: The sums over all but the channels.
channel_sums: Any = primitive(
    "channel_sums", _channel_sums, formula="Σ x for each channel", jacobian="linear",
    x=lambda g, x_shape: spread(g.reshape((-1,) + (1,) * (len(x_shape) - 2)), x_shape),
)  # fmt: skip


def _along_channels(t, y):
    return np.zeros_like(y) + t.reshape((-1,) + (1,) * (len(y.shape) - 2))


convolution: Any = primitive(
    "convolution", _convolution, formula="x ∗ w + b", inputs="x weight bias",
    x=lambda g, weight, x_shape, place: convolution_transpose(g, weight, None, x_shape[2:], place),
    weight=lambda g, x, weight_shape, place: convolution_weight(g, x, weight_shape[2:], place),
    bias=lambda g: channel_sums(g),
    jvp={
        "x": lambda t, weight, place: convolution(t, weight, None, place),
        "weight": lambda t, x, place: convolution(x, t, None, place),
        "bias": lambda t, y: _along_channels(t, y),
    },
)  # fmt: skip


def _convolution_transpose(x, weight, bias, size, place):
    if x.dtype == float16:
        return _in_float32(_convolution_transpose, x, weight, bias, size, place)
    return batch_first(spread_back(batch_last(x), weight, bias, size, place))


convolution_transpose: Any = primitive(
    "convolution_transpose", _convolution_transpose, formula="(∗ w)ᵀ x + b",
    inputs="x weight bias",
    x=lambda g, weight, place: convolution(g, weight, None, place),
    weight=lambda g, x, weight_shape, place: convolution_weight(x, g, weight_shape[2:], place),
    bias=lambda g: channel_sums(g),
    jvp={
        "x": lambda t, weight, size, place: convolution_transpose(t, weight, None, size, place),
        "weight": lambda t, x, size, place: convolution_transpose(x, t, None, size, place),
        "bias": lambda t, y: _along_channels(t, y),
    },
)  # fmt: skip


def _convolution_weight(a, b, extent, place):
    if a.dtype == float16:
        return _in_float32(_convolution_weight, a, b, extent, place)
    return paired(batch_last(a), batch_last(b), extent, place)


#: For a of the form of y, and b of the form of x: the slope of the sum of a · (b ∗ w) in w.
convolution_weight: Any = primitive(
    "convolution_weight", _convolution_weight, formula="∂(Σ a · (b ∗ w)) / ∂w",
    jacobian="multilinear",
    a=lambda g, b, place: convolution(b, g, None, place),
    b=lambda g, a, b_shape, place: convolution_transpose(a, g, None, b_shape[2:], place),
)  # fmt: skip
