"""Batch normalisation, in blocks that stay in the cache.

The array is seen as (before, channels, behind) in the order of its memory; sums are dot products,
which BLAS computes sooner than NumPy adds, of at most ``LONGEST`` numbers each. Where the means
are not far from 0, the variance is that of squares less the square of the mean, and y = x · gain
+ shift, which goes over the numbers once less than what is centred first.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.room import empty, zeros
from aino.autograd.sums import LONGEST, ROWS, ones_of, sum_over
from aino.errors import DtypeError
from aino.num_threads import side_by_side
from aino.threads import lanes
from aino.tracing import either, fused, nothing, unconditional

#: So many numbers are normalised at once.
BLOCK = 1 << 15
#: So many and more are shared between two threads.
SHARED = 16 * BLOCK


def _per_channel(values, x):
    """Return a vector of channels such that it is broadcast over (N, C, ...)."""
    return values.reshape((values.shape[0],) + (1,) * (len(x.shape) - 2))


def moments(x):
    """Return the mean of each channel, the second dimension, and its biased variance."""
    axes = (0, *range(2, len(x.shape)))
    count = math.prod(x.shape) // x.shape[1]
    mean = sum_over(x, axes) / count
    d = x - _per_channel(mean, x)
    return mean, sum_over(d * d, axes) / count


def scaled(x, mean, variance, weight, bias, eps):
    """Return (x - mean) / √(variance + ε) · weight + bias, all of them one for each channel."""
    gain = 1.0 / np.sqrt(variance + eps)
    if weight is not None:
        gain = gain * weight
    y = (x - _per_channel(mean, x)) * _per_channel(gain, x)
    return y if bias is None else y + _per_channel(bias, x)


def _definition(x, weight, bias, eps):
    mean, variance = moments(x)
    return scaled(x, mean, variance, weight, bias, eps), mean, variance


# The kernels


def _order(x) -> tuple[int, ...] | None:
    """Return the order of the dimensions in memory, None where there are gaps."""
    order = sorted(range(x.ndim), key=lambda axis: (-x.strides[axis], axis))
    return tuple(order) if x.transpose(order).flags.c_contiguous else None


def _as_blocks(x, order):
    """Return a view (before, channels, behind) of an array whose memory has this order."""
    place = order.index(1)
    shape = [x.shape[axis] for axis in order]
    before, behind = math.prod(shape[:place]), math.prod(shape[place + 1 :])
    return x.transpose(order).reshape((before, shape[place], behind))


def _like(x, order):
    """Return an empty array that lies in memory as ``x`` does, and its view as blocks."""
    y = empty(tuple([x.shape[axis] for axis in order]), x)
    if order != tuple(range(x.ndim)):  # what owns its memory need not be copied to be kept
        y = y.transpose([order.index(axis) for axis in range(x.ndim)])
    return y, _as_blocks(y, order)


def _products(*pairs):
    """Return Σ a b of each channel for each pair (a, b), on two threads if they are long.

    ``b`` may be a number for each place behind the channels.
    """
    before, channels, behind = pairs[0][0].shape
    if behind > LONGEST:
        pieces = -(-behind // LONGEST)
        ends = [behind * i // pieces for i in range(pieces + 1)]
        parts = [
            _products(*[(a[..., i:j], b[..., i:j]) for a, b in pairs]) for i, j in pairwise(ends)
        ]
        return [_down(np.stack(sums)) for sums in zip(*parts)]
    products = empty((len(pairs), before, channels), pairs[0][0])

    def run(part) -> None:
        for (a, b), found in zip(pairs, products):
            np.vecdot(a[part], b[part] if b.ndim > 1 else b, out=found[part])

    halves = [slice(0, before // 2), slice(before // 2, before)]
    side_by_side(run, halves if before > 1 and pairs[0][0].size >= SHARED else [slice(None)])
    return [found[0] if before == 1 else _down(found) for found in products]


def _down(x):
    """Return the sum of each column: of many rows, a sum of sums of a few rows each."""
    length, width = x.shape
    if length <= ROWS:
        return np.dot(ones_of(length, x.dtype), x)
    whole = length - length % ROWS
    sums = np.matmul(ones_of(ROWS, x.dtype), x[:whole].reshape(-1, ROWS, width))
    return _down(np.concatenate((sums, x[whole:])))


def _blocks(x):
    """Return the slices, of what stands before and of channels, that are computed at once."""
    before, channels, behind = x.shape
    rows, width = BLOCK // max(1, channels * behind), channels
    if not rows:
        rows, width = 1, max(1, BLOCK // behind)
    return [
        (slice(n, n + rows), slice(c, c + width))
        for n in range(0, before, rows)
        for c in range(0, channels, width)
    ]


def _lanes(x):
    """Return the blocks for each of two threads, or for one."""
    blocks = _blocks(x)
    return lanes(blocks, [x.size // max(1, len(blocks))] * len(blocks), SHARED)


def _plain(x):
    """Return the array, contiguous in some order, and that order."""
    order = _order(x)
    if order is None:
        x = x.copy()
        order = tuple(range(x.ndim))
    return x, order


def _few_behind(order, x) -> bool:
    """Tell whether rows are added, as channels lie so close that few numbers follow one another."""
    return math.prod([x.shape[axis] for axis in order[order.index(1) + 1 :]]) < 8


def _are_far(mean, variance):
    """Return of which channels the numbers lie so far from 0 that squares hide how they differ."""
    return mean * mean > 4.0 * variance


def _around(x, center, other=None):
    """Return Σ (x - center)² of each channel, or Σ (x - center) · other."""
    total = 0.0
    for rows, part in _blocks(x):
        d = x[rows, part] - center[part][:, None]
        (products,) = _products((d, d if other is None else other[rows, part]))
        sums = zeros(center.shape, center)
        sums[part] = products
        total = total + sums
    return total


@fused
@unconditional
def _normalised(x, weight, bias, eps):
    """Return the normalised array, and mean and biased variance of each channel."""
    x, order = _plain(x)
    count = x.size // x.shape[1]
    if _few_behind(order, x):
        return _normalised_rows(x, weight, bias, eps, count)
    y, target = _like(x, order)
    x = _as_blocks(x, order)
    total, squares = _products((x, ones_of(x.shape[2], x.dtype)), (x, x))
    mean = total / count
    variance = squares / count - mean * mean
    far = _are_far(mean, variance)

    def anew() -> None:
        variance[...] = _around(x, mean) / count

    either(far, anew, nothing)
    gain = 1.0 / np.sqrt(variance + eps)
    if weight is not None:
        gain *= weight
    shift = zeros(gain.shape, gain) if bias is None else bias.copy()

    def centred(lane) -> None:
        for rows, part in lane:
            z = target[rows, part]
            np.subtract(x[rows, part], mean[part][:, None], out=z)
            np.multiply(z, gain[part][:, None], out=z)
            z += shift[part][:, None]

    def as_it_is(lane) -> None:
        for rows, part in lane:
            z = target[rows, part]
            np.multiply(x[rows, part], gain[part][:, None], out=z)
            z += shift[part][:, None]

    def near() -> None:
        np.subtract(shift, mean * gain, out=shift)
        side_by_side(as_it_is, _lanes(x))

    either(far, lambda: side_by_side(centred, _lanes(x)), near)
    return y, mean, variance


def _rows(x):
    """Return (N, C, ...) as rows of channels, and the function that undoes it."""
    if x.ndim == 2:
        return x, lambda y: y
    moved = np.moveaxis(x, 1, -1)
    shape = moved.shape
    return moved.reshape(-1, x.shape[1]), lambda y: np.moveaxis(y.reshape(shape), -1, 1)


def _normalised_rows(x, weight, bias, eps, count):
    rows, back = _rows(x)
    mean = _down(rows) / count
    y = rows - mean
    variance = _down(y * y) / count
    gain = 1.0 / np.sqrt(variance + eps)
    y *= gain if weight is None else gain * weight
    if bias is not None:
        y += bias
    return back(y), mean, variance


@fused
@unconditional
def _batch_norm_slopes(wanted, g, x, weight, mean, variance, eps):
    """Return the cotangents of x, weight and bias."""
    g, order = _plain(g)
    if _order(x) != order:
        x = _alike(x, order)
    channels = x.shape[1]
    count = x.size // channels
    scale = 1.0 / np.sqrt(variance + eps)
    gain = scale if weight is None else scale * weight
    if _few_behind(order, x):
        return _slopes_of_rows(wanted, g, x, mean, scale, gain, count)
    y, target = _like(x, order) if wanted[0] else (g, None)
    x, g = _as_blocks(x, order), _as_blocks(g, order)
    far = _are_far(mean, variance)
    along, across = _products((g, ones_of(g.shape[2], g.dtype)), (g, x))

    def anew() -> None:
        across[...] = _around(x, mean, g)

    def less_the_mean() -> None:
        np.subtract(across, mean * along, out=across)

    either(far, anew, less_the_mean)
    across *= scale
    if target is None:
        return y, across, along
    # gain (g - Σg / n - z Σgz / n), where z = (x - mean) · scale
    factor = across * scale * gain / count
    shift = along * gain / -count

    def blocks(lane):
        """Yield of each block the slope, x, room for as much, g, and the slice of the channels."""
        scratch: Any = empty(x[lane[0]].shape, x) if lane else None  # the first is the largest
        for rows, part in lane:
            slope = target[rows, part]
            d = scratch[: slope.shape[0], : slope.shape[1]]
            yield slope, x[rows, part], d, g[rows, part], part

    def centred(lane) -> None:
        for slope, block, d, own, part in blocks(lane):
            np.subtract(block, mean[part][:, None], out=d)
            _slope(slope, d, d, own, factor[part], gain[part], shift[part])

    def as_it_is(lane) -> None:
        for slope, block, d, own, part in blocks(lane):
            _slope(slope, block, d, own, factor[part], gain[part], shift[part])

    def near() -> None:
        np.add(shift, mean * factor, out=shift)
        side_by_side(as_it_is, _lanes(x))

    either(far, lambda: side_by_side(centred, _lanes(x)), near)
    return y, across, along


def _slope(slope, block, d, g, factor, gain, shift) -> None:
    """Write g · gain - block · factor + shift of each channel; ``d``: room for as much."""
    np.multiply(block, factor[:, None], out=d)
    np.multiply(g, gain[:, None], out=slope)
    slope -= d
    slope += shift[:, None]


def _alike(x, order):
    """Return a copy of an array that lies in memory in this order."""
    y, _ = _like(x, order)
    y[...] = x
    return y


def _slopes_of_rows(wanted, g, x, mean, scale, gain, count):
    g, back = _rows(g)
    x, _ = _rows(x)
    z = (x - mean) * scale
    along, across = _down(g), _down(g * z)
    if not wanted[0]:
        return g, across, along
    z *= across / count
    y = g - along / count
    y -= z
    y *= gain
    return back(y), across, along


def _batch_norm(x, weight, bias, eps):
    if x.dtype.kind != "f":
        raise DtypeError(f"batch_norm takes real floating point numbers, not {x.dtype}")
    return _normalised(x, weight, bias, eps)


def _together(wanted, g, g_mean, g_variance, x, weight, mean, variance, eps):
    found: Any = (None, None, None)
    if g is not None:
        found = _batch_norm_slopes(wanted, g, x, weight, mean, variance, eps)
    if wanted[0] and (g_mean is not None or g_variance is not None):
        found = [_plus(found[0], _of_moments(g_mean, g_variance, x, mean)), *found[1:]]
    return found


def _plus(a, b):
    return b if a is None else a + b


def _of_moments(g_mean, g_variance, x, mean):
    """Return the cotangent of x from those of the mean and the variance of its channels."""
    count = math.prod(x.shape) // x.shape[1]
    slope = np.zeros_like(x)
    if g_mean is not None:
        slope = slope + _per_channel(g_mean / count, x)
    if g_variance is not None:
        slope = slope + (x - _per_channel(mean, x)) * _per_channel(g_variance * (2.0 / count), x)
    return slope


batch_norm = primitive(
    "batch_norm", _batch_norm, inputs="x weight bias", outputs="y mean variance",
    formula="(x - E[x]) / √(Var[x] + ε) · γ + β", definition=_definition, together=_together,
)  # fmt: skip
