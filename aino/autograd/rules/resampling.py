"""Weighted sums along one axis, by which signals and images are resampled.

A matrix of weights has a row for each output. Those of a resampling stand about its diagonal: a
large one is multiplied band by band, each a few outputs and the inputs that they need.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.shape import zeros
from aino.autograd.sums import in_float32

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


def _weighted(x, weights, axis, bands):
    shape, (count, length), there = x.shape, weights.shape, bands[0]
    if weights.dtype != x.dtype:
        weights = weights.astype(x.dtype)
    before, behind = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    if behind == 1:
        x = x.reshape((before, length))
        if there is None:
            y = np.matmul(x, weights.mT)
        else:
            y = zeros((before, count), x)
            for i, j, start, stop in there:
                y[:, i:j] = np.matmul(x[:, start:stop], weights[i:j, start:stop].mT)
    else:
        x = x.reshape((before, length, behind))
        if there is None:
            y = np.matmul(weights, x)
        else:
            y = zeros((before, count, behind), x)
            for i, j, start, stop in there:
                y[:, i:j] = np.matmul(weights[i:j, start:stop], x[:, start:stop])
    return y.reshape((*shape[:axis], count, *shape[axis + 1 :]))


#: ``weights`` is a matrix of constants; ``bands`` are those of it and of its transpose.
weighted = primitive(
    "weighted", lambda x, weights, axis, bands: in_float32(_weighted, x, weights, axis, bands),
    jacobian="linear", linked=True, inputs="x", formula="yᵢ = Σⱼ weightsᵢⱼ xⱼ",
    x=lambda g, weights, axis, bands: weighted(g, weights.mT, axis, bands[::-1]),
)  # fmt: skip
