"""Weighted sums along one axis, by which signals and images are resampled.

A matrix of weights has a row for each output. Those of a resampling stand about its diagonal: a
large one is multiplied band by band, each a few outputs and the inputs that they need.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.sums import in_float32
from aino.tracing import in_samples, opaque

#: So many outputs make a band.
_WIDTH = 32


def bands_of(weights: Any) -> tuple | None:
    """Return (first output, end, first input, end) of each band, None for a matrix that has none.

    ``weights`` is an array. Bands that leave less than half of it out are not worth the calls.
    """
    count, length = weights.shape
    found, area = [], 0
    for first in range(0, count, _WIDTH):
        end = min(first + _WIDTH, count)
        used = np.flatnonzero(weights[first:end].any(0))
        start, stop = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
        found.append((first, end, start, stop))
        area += (end - first) * (stop - start)
    return tuple(found) if 2 * area < count * length else None


def _product(x, weights, axis, bands):
    shape, (count, length), there = x.shape, weights.shape, bands[0]
    before, behind = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    if behind == 1:
        x = x.reshape((before, length))
        if there is None:
            y = np.matmul(x, weights.mT)
        else:
            y = np.zeros((before, count), x.dtype)
            for i, j, start, stop in there:
                y[:, i:j] = np.matmul(x[:, start:stop], weights[i:j, start:stop].mT)
    else:
        x = x.reshape((before, length, behind))
        if there is None:
            y = np.matmul(weights, x)
        else:
            y = np.zeros((before, count, behind), x.dtype)
            for i, j, start, stop in there:
                y[:, i:j] = np.matmul(weights[i:j, start:stop], x[:, start:stop])
    return y.reshape((*shape[:axis], count, *shape[axis + 1 :]))


def _apart(x, weights, axis):
    """Return the same where not all is finite: what has no weight is not multiplied by 0."""
    lead, found = (slice(None),) * axis, []
    for row in weights:
        used = np.flatnonzero(row)
        found.append(np.tensordot(row[used], x[(*lead, used)], (0, axis)))
    return np.stack(found, axis)


def _weighted(x, weights, axis, bands):
    axis += x.ndim
    if weights.dtype != x.dtype:
        weights = weights.astype(x.dtype)
    y = _product(x, weights, axis, bands)
    return y if np.isfinite(y).all() else _apart(x, weights, axis)


def _in_samples(kernel, batched, x, weights, *rest):
    # The axis counts from the end: the samples stand before what it goes over.
    return kernel(x, weights, *rest)


@opaque
@in_samples(_in_samples)
def _kernel(x, weights, axis, bands):
    return in_float32(_weighted, x, weights, axis, bands)


#: ``weights`` is a matrix of constants; ``bands`` are those of it and of its transpose. ``axis``
#: counts from the end.
weighted = primitive(
    "weighted", _kernel, jacobian="linear", linked=True, inputs="x",
    formula="yᵢ = Σⱼ weightsᵢⱼ xⱼ",
    x=lambda g, weights, axis, bands: weighted(g, weights.mT, axis, bands[::-1]),
)  # fmt: skip
