"""How many elements lie in each interval: of numbers, and of points in several dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, ShapeError
from aino.ops import return_types
from aino.ops.public import takes_out
from aino.tracing import opaque

__all__ = ["histogram", "histogramdd"]


@takes_out
def histogram(
    input: Tensor,
    bins: Any,
    *,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return ``(hist, bin_edges)``: how many elements lie in each interval.

    An interval holds its lower edge; the last holds its upper, too. What lies outside, and NaN,
    is not counted. It has no derivative. Raises ``DtypeError`` for what is not of floats.

    Arguments:
        input: a tensor of floating point numbers.
        bins: how many equal intervals, or a 1-D tensor of their edges.
        range: two numbers, from where to where; None for those of the elements.
        weight: how much each element counts, of the input's shape and dtype; 1 for None.
        density: whether the counts are scaled so that the integral is 1.

    >>> import aino
    >>> hist, edges = aino.histogram(aino.tensor([1.0, 2.0, 1.0]), 4, range=(0.0, 3.0))
    >>> hist, edges
    (tensor([0., 2., 1., 0.]), tensor([0.0000, 0.7500, 1.5000, 2.2500, 3.0000]))
    """
    points = input.array.reshape((-1, 1))
    weights = None if weight is None else weight.array
    hist, edges = _histogram(
        "histogram", points, input.array.shape, [bins], range, weights, density
    )
    given = isinstance(bins, Tensor)  # whose memory stays the caller's own
    return return_types.histogram(hist, make(edges[0].array.copy()) if given else edges[0])


def histogramdd(
    input: Tensor,
    bins: Any,
    range: Any = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """Return ``(hist, bin_edges)``: how many points lie in each cell of a grid.

    The last dimension of the input holds the coordinates of a point. Cells hold their lower
    edges; the last of each dimension hold their upper, too. It has no derivative.

    Arguments:
        input: a tensor of floating point numbers, ``(..., D)``.
        bins: how many equal intervals, for all dimensions or one number for each, or D tensors
            of edges.
        range: 2 · D numbers, the lower and the upper bound of each dimension; None for those of
            the points.
        weight: how much each point counts, of the input's shape without the last dimension.
        density: whether the counts are scaled so that the integral is 1.

    >>> import aino
    >>> aino.histogramdd(aino.tensor([[0.0, 0.0], [1.0, 1.0]]), bins=[2, 2]).hist
    tensor([[1., 0.],
            [0., 1.]])
    """
    array = input.array
    if array.ndim < 2:
        raise ShapeError(f"histogramdd: points (..., D) have two dimensions, got {array.shape}")
    count = array.shape[-1]
    if not isinstance(bins, (list, tuple)):
        bins = [bins] * count
    if len(bins) != count:
        raise ShapeError(f"histogramdd: {len(bins)} bins for points of {count} coordinates")
    weights = None if weight is None else weight.array
    points = array.reshape((math.prod(array.shape[:-1]), count))
    hist, edges = _histogram(
        "histogramdd", points, array.shape[:-1], bins, range, weights, density
    )  # fmt: skip
    return return_types.histogramdd(hist, edges)


def _histogram(name, points, shape, bins, bounds, weights, density):
    dtype = points.dtype
    if dtype.kind != "f":
        raise DtypeError(f"{name}: the input must be of floats, not {dtype}")
    if weights is not None:
        if weights.shape != shape:
            raise ShapeError(f"{name}: a weight of shape {weights.shape} for elements of {shape}")
        if weights.dtype != dtype:
            raise DtypeError(f"{name}: a weight of {weights.dtype} for an input of {dtype}")
        weights = weights.reshape((-1,))
    if bounds is not None:
        bounds = [float(bound) for bound in bounds]
        if len(bounds) != 2 * len(bins):
            raise ShapeError(f"{name}: range needs {2 * len(bins)} numbers, got {len(bounds)}")
        for low, high in zip(bounds[::2], bounds[1::2]):
            _check_range(name, low, high)
    edges = []
    for place, wanted in enumerate(bins):
        if isinstance(wanted, Tensor):
            if wanted.array.ndim != 1 or not wanted.array.size:
                raise ShapeError(f"{name}: edges are 1-D, one or more; got {wanted.array.shape}")
            if wanted.array.dtype != dtype:
                raise DtypeError(f"{name}: edges of {wanted.array.dtype} for an input of {dtype}")
            edges.append(wanted.array)
        else:
            if index(wanted) < 1:
                raise ValueError(f"{name}: bins must be positive, got {wanted}")
            between = None if bounds is None else tuple(bounds[2 * place : 2 * place + 2])
            edges.append(_histogram_edges(name, points[:, place], index(wanted), between))
    hist = _histogram_counts(points, edges, weights, bool(density))
    return make(hist), tuple([make(edge) for edge in edges])


def _check_range(name, low, high) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name}: the range from {low} to {high} is not finite")
    if low > high:
        raise ValueError(f"{name}: the range ends before it starts: {low}, {high}")


@opaque
def _histogram_edges(name, column, count, bounds):
    """Return the edges of equal intervals, from the least to the largest element."""
    if bounds is not None:
        low, high = bounds
    elif column.size:
        low, high = float(column.min()), float(column.max())
        _check_range(name, low, high)
    else:
        low, high = 0.0, 1.0
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, count + 1).astype(column.dtype)


@opaque
def _histogram_counts(points, edges, weights, density):
    """Return the sums of weights in each cell."""
    inside = np.ones(len(points), bool)
    places: Any = 0
    for column, edge in zip(points.T, edges):
        place = np.searchsorted(edge, column, "right") - 1
        inside &= (column >= edge[0]) & (column <= edge[-1])
        # The upper edge of the last interval is its own.
        place = np.minimum(place, len(edge) - 2)
        places = places * max(len(edge) - 1, 1) + place
    shape = tuple([len(edge) - 1 for edge in edges])
    if 0 in shape:
        return np.zeros(shape, points.dtype)
    chosen = None if weights is None else weights[inside].astype(np.float64)
    counts = np.bincount(places[inside], chosen, math.prod(shape)).reshape(shape)
    counts = counts.astype(np.float64)
    if density:
        total = counts.sum()
        for axis, edge in enumerate(edges):
            widths = np.diff(edge.astype(np.float64))
            counts = counts / widths.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
        counts = counts / total
    return counts.astype(points.dtype)
