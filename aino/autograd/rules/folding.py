"""What a kernel covers at each position, as a column, and the sum of columns: each other's rule.

x is (N, C, *S), its columns (N, C · |K|, |T|); ``place`` says how kernel and input lie to each
other, as for convolutions.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.columns import Place, positions
from aino.autograd.rules.shape import pad, zeros


def _taken(offset, count, place):
    """Return where one element of the kernel lies in a framed input, at all positions."""
    return tuple([
        slice(k * d, k * d + (n - 1) * s + 1, s)
        for k, n, s, d in zip(offset, count, place.stride, place.dilation)
    ])  # fmt: skip


def _inside(index) -> Any:
    """Return an index behind the batch and the channels."""
    return (slice(None), slice(None), *index)


def _unfolded(x, extent, place):
    place = Place(*place)
    count = positions(x.shape[2:], extent, place)
    framed = pad(x, ((0, 0), (0, 0), *place.padding), 0.0)
    y = np.zeros_like(x, shape=(*x.shape[:2], *extent, *count), order="C")
    for offset in product(*[range(k) for k in extent]):
        y[_inside(offset)] = framed[_inside(_taken(offset, count, place))]
    return y.reshape((x.shape[0], x.shape[1] * math.prod(extent), math.prod(count)))


unfolded: Any = primitive(
    "unfolded", _unfolded, formula="yₖₜ = x[stride·t + dilation·k - padding]", jacobian="linear",
    x=lambda g, x_shape, extent, place: folded(g, x_shape[2:], extent, place),
)  # fmt: skip


def _folded(x, size, extent, place):
    place = Place(*place)
    count = positions(size, extent, place)
    channels = x.shape[1] // math.prod(extent)
    parts = x.reshape((x.shape[0], channels, *extent, *count))
    whole = tuple([n + before + after for n, (before, after) in zip(size, place.padding)])
    y = zeros((x.shape[0], channels, *whole), x)
    for offset in product(*[range(k) for k in extent]):
        y[_inside(_taken(offset, count, place))] += parts[_inside(offset)]
    inner = [slice(before, before + n) for n, (before, _) in zip(size, place.padding)]
    return y[_inside(inner)].copy()


folded: Any = primitive(
    "folded", _folded, formula="y[stride·t + dilation·k - padding] = Σ xₖₜ", jacobian="linear",
    x=lambda g, extent, place: unfolded(g, extent, place),
)  # fmt: skip
