"""Weighted sums along one axis, by which signals and images are resampled."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.sums import in_float32


def _weighted(x, weights, axis):
    shape, count = x.shape, weights.shape[0]
    if weights.dtype != x.dtype:
        weights = weights.astype(x.dtype)
    if axis == len(shape) - 1:
        return np.matmul(x, weights.mT)
    behind = math.prod(shape[axis + 1 :])
    y = np.matmul(weights, x.reshape((*shape[: axis + 1], behind)))
    return y.reshape((*shape[:axis], count, *shape[axis + 1 :]))


#: ``weights`` is a matrix of constants, a row for each output.
weighted = primitive(
    "weighted", lambda x, weights, axis: in_float32(_weighted, x, weights, axis),
    jacobian="linear", linked=True, inputs="x", formula="yᵢ = Σⱼ weightsᵢⱼ xⱼ",
    x=lambda g, weights, axis: weighted(g, weights.mT, axis),
)  # fmt: skip
