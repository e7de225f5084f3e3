"""Products of what is scattered to one place, without a division: zeros are nothing special."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast, primitive, unmoved
from aino.autograd.rules.compare import where
from aino.autograd.rules.index import combine_at, flat_places, gather, take
from aino.autograd.rules.scan import doubled, shift
from aino.autograd.tensor import Tensor
from aino.tracing import opaque, session


def _scatter_product(x, values, index, axis):
    dtype = x.dtype
    y = doubled(x) if dtype.kind in "fc" else x
    if y is x:
        y = x.copy()
    combine_at(np.multiply, y, index, axis, values.astype(y.dtype))
    return y if y.dtype is dtype else y.astype(dtype)


@opaque
def _segments(index, axis, shape):
    """Return the order that brings together what meets at a place, and its inverse, for the
    elements of an array and what is scattered into it; and how many stand before and behind each.
    """
    size = int(np.prod(shape))
    places = np.concatenate([np.arange(size), flat_places(index, axis, shape)])
    order = np.argsort(places, kind="stable")
    places = places[order]
    every = np.arange(len(places))
    edges = np.concatenate([[True], places[1:] != places[:-1], [True]])
    first, last = np.where(edges[:-1], every, 0), np.where(edges[1:], every, len(places))
    before = every - np.maximum.accumulate(first)
    behind = np.minimum.accumulate(last[::-1])[::-1] - every
    inverse = np.empty_like(order)
    inverse[order] = every
    return order, inverse, before, behind


def _products_of_others(factors, before, behind, reach):
    """Return for each factor the product of the others of its segment.

    By doubling: after k rounds each product has up to 2ᵏ factors. Nothing of another segment is
    multiplied, so that an infinity stays in its own.
    """
    found: Any = None
    for direction, rank in ((1, before), (-1, behind)):
        product, step = factors, 1
        while step < reach:
            product = product * where(rank >= step, shift(product, 0, direction * step, 1.0), 1.0)
            step *= 2
        product = where(rank >= 1, shift(product, 0, direction, 1.0), 1.0)
        found = product if found is None else found * product
    return found


def _slope_of_values(g, x, values, index, axis):
    places = index.array if isinstance(index, Tensor) else index
    order, inverse, before, behind = _segments(places, axis, x.shape)
    factors = np.concatenate([x.reshape((-1,)), values.reshape((-1,))])
    factors = doubled(take(factors, order, 0, True))
    # A trace does not know how many will meet.
    reach = len(order) if session.trace is not None else int(np.max(before, initial=0)) + 1
    others = take(_products_of_others(factors, before, behind, reach), inverse, 0, True)
    others = others[others.shape[0] - values.reshape((-1,)).shape[0] :].reshape(values.shape)
    return cast(doubled(gather(g, index, axis, False)) * others, x.dtype)


scatter_product: Any = primitive(
    "scatter_product", _scatter_product, inputs="x values index",
    formula="y[indexᵢⱼ, j] = x[indexᵢⱼ, j] · Π valuesᵢⱼ",
    x=lambda g, x, values, index, axis: (
        unmoved(g * scatter_product(np.ones_like(x), values, index, axis), x)
    ),
    values=_slope_of_values,
)  # fmt: skip
