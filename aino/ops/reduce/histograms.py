"""How many elements lie in each interval: of numbers, and of points in several dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import index as index_rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float64
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops import return_types
from aino.ops.public import takes_out
from aino.ops.reduce import reduction
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
    is not counted. Derivatives are those by the weights, where PyTorch has none. Raises
    ``DtypeError`` for what is not of floats.

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
    hist, edges = _histogram("histogram", points, input.array.shape, [bins], range, weight, density)
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
    edges; the last of each dimension hold their upper, too. Derivatives are those by the weights.

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
    points = array.reshape((math.prod(array.shape[:-1]), count))
    hist, edges = _histogram(
        "histogramdd", points, array.shape[:-1], bins, range, weight, density
    )  # fmt: skip
    return return_types.histogramdd(hist, edges)


def _histogram(name, points, shape, bins, bounds, weights, density):
    dtype = points.dtype
    if dtype.kind != "f":
        raise DtypeError(f"{name}: the input must be of floats, not {dtype}")
    if weights is not None:
        array = weights.array
        if array.shape != shape:
            raise ShapeError(f"{name}: a weight of shape {array.shape} for elements of {shape}")
        if array.dtype != dtype:
            raise DtypeError(f"{name}: a weight of {array.dtype} for an input of {dtype}")
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
                raise ArgumentError(f"{name}: bins must be positive, got {wanted}")
            between = None if bounds is None else tuple(bounds[2 * place : 2 * place + 2])
            edges.append(_histogram_edges(name, points[:, place], index(wanted), between))
    hist = cast(weighed(points, edges, weights, bool(density)), dtype)
    return hist, tuple([make(edge) for edge in edges])


def _check_range(name, low, high) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"{name}: the range from {low} to {high} is not finite")
    if low > high:
        raise ArgumentError(f"{name}: the range ends before it starts: {low}, {high}")


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


def weighed(points, edges, weights: Tensor | None, density: bool) -> Tensor:
    """Return the sums of weights in each cell, in float64; of None how many points are there."""
    shape = tuple([len(edge) - 1 for edge in edges])
    count = math.prod(shape)
    if not count:
        return make(np.zeros(shape))
    cells = _histogram_cells(points, edges)
    if weights is None:
        weights = make(np.ones(points.shape[:1]))
    flat = cast(shape_rules.reshape(weights, (weights.array.size,)), float64)
    # What lies outside is summed behind the others, and left out.
    sums = index_rules.take_sum(flat, cells, 0, count + 1, False)[:count]
    sums = shape_rules.reshape(sums, shape)
    if density:
        total = reduction.sum(sums)
        for axis, edge in enumerate(edges):
            widths = np.diff(edge.astype(float64))
            sums = sums / make(widths.reshape((-1,) + (1,) * (len(shape) - 1 - axis)))
        sums = sums / total
    return sums


@opaque
def _histogram_cells(points, edges):
    """Return the number of the cell that each point lies in, behind the last where in none."""
    inside = np.ones(len(points), bool)
    places: Any = 0
    for column, edge in zip(points.T, edges):
        place = np.searchsorted(edge, column, "right") - 1
        inside &= (column >= edge[0]) & (column <= edge[-1])
        # The upper edge of the last interval is its own.
        place = np.minimum(place, len(edge) - 2)
        places = places * max(len(edge) - 1, 1) + place
    return np.where(inside, places, math.prod([len(edge) - 1 for edge in edges]))
