"""Elements picked out of a tensor, and put into one; each is the other's derivative.

Indices are arrays of int64 that were checked and belong to nobody else; ``unique`` says that no
position occurs twice, so that writing may stand for adding up.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.node import SparseCotangent
from aino.autograd.primitive import cast, primitive, unmoved
from aino.autograd.rules.shape import permute, zeros
from aino.autograd.sums import in_float32, sum_to_shape
from aino.errors import GradientError
from aino.tracing import session

ndarray = np.ndarray


# Basic indices: numbers, slices, None, Ellipsis


def _back_in_place(g, index, shape):
    # Many slices of one array are added up in one; what is recorded, traced or a duck is placed
    # each.
    if mode.level or session.trace is not None or not shape or type(g) is not ndarray:
        return place(g, index, shape)
    return SparseCotangent(g, index, shape)


getitem = primitive(
    "getitem", lambda x, index: x[index], formula="x[index]", view=True,
    x=lambda g, index, x_shape: _back_in_place(g, index, x_shape),
)  # fmt: skip


def _place(x, index, shape):
    y = zeros(shape, x)
    y[index] = x
    return y


place = primitive(
    "place", _place, formula="y[index] = x, else 0", x=lambda g, index: getitem(g, index)
)


# Whole slices by one index along an axis: rows of an embedding, samples of a batch


def _take(x, index, axis, unique):
    if type(x) is not ndarray or type(index) is not ndarray:
        return np.take(x, index, axis)
    return x[index] if x.ndim == 1 and index.ndim else x.take(index, axis)


take = primitive(
    "take", _take, inputs="x index", formula="x[index]",
    x=lambda g, index, axis, x_shape, unique: take_sum(g, index, axis, x_shape[axis], unique),
)  # fmt: skip


#: As ``take``, with a gradient that can be differentiated for x, be it by a slope of zero.
take_of = primitive(
    "take_of", _take, inputs="x index", formula="x[index]",
    x=lambda g, index, axis, x, unique: unmoved(
        take_sum(g, index, axis, x.shape[axis], unique), x
    ),
)  # fmt: skip


def _take_sum(x, index, axis, length, unique):
    lead, rest = x.shape[:axis], x.shape[axis + len(index.shape) :]
    y = zeros((*lead, length, *rest), x)
    if unique:
        y[(*(slice(None),) * axis, index)] = x
        return y
    # One flat index: np.add.at is quick in one dimension only, there as quick as writing.
    outer, inner = math.prod(lead), math.prod(rest)
    flat = index.reshape((math.prod(index.shape),))
    if outer * inner != 1:
        flat = flat % max(length, 1)
        if outer != 1:
            flat = (np.arange(outer)[:, None] * length + flat).reshape((-1,))
        if inner != 1:
            flat = (flat[:, None] * inner + np.arange(inner)).reshape((-1,))
    np.add.at(y.reshape((-1,)), flat, x.reshape((-1,)))
    return y


take_sum = primitive(
    "take_sum", lambda x, index, axis, length, unique: (
        in_float32(_take_sum, x, index, axis, length, unique)
    ),
    inputs="x index", formula="y[indexᵢ] += xᵢ",
    x=lambda g, index, axis, unique: take(g, index, axis, unique),
)  # fmt: skip


# Several indices at once, which are broadcast together: x[rows, columns]


def _pick_sum(x, indices, axis, shape):
    lengths = shape[axis : axis + len(indices)]
    merged: Any = 0
    for index, length in zip(indices, lengths):
        merged = merged * length + index % max(length, 1)
    return _take_sum(x, merged, axis, math.prod(lengths), False).reshape(shape)


pick = primitive(
    "pick", lambda x, indices, axis: x[(*(slice(None),) * axis, *indices)],
    formula="x[index, ...]",
    x=lambda g, indices, axis, x_shape: pick_sum(g, indices, axis, x_shape),
)  # fmt: skip

pick_sum = primitive(
    "pick_sum", lambda x, indices, axis, shape: in_float32(_pick_sum, x, indices, axis, shape),
    formula="y[index, ...] += x",
    x=lambda g, indices, axis: pick(g, indices, axis),
)  # fmt: skip


def pick_at(x, indices):
    """Return ``x[indices]`` for arrays, and slices of whole axes between them.

    Arrays that stand apart put their axes first, in NumPy as in PyTorch.
    """
    axes = [axis for axis, index in enumerate(indices) if type(index) is not slice]
    arrays = tuple([indices[axis] for axis in axes])
    if axes[-1] - axes[0] == len(axes) - 1:
        return pick(x, arrays, axes[0])
    others = [axis for axis in range(len(x.shape)) if axis not in axes]
    return pick(permute(x, (*axes, *others)), arrays, 0)


# One index for each element, along an axis


@lru_cache(maxsize=256)
def _steps(length, step, after):
    """Return 0, step, 2 · step, ... along an axis that ``after`` others follow."""
    steps = np.arange(0, length * step, step).reshape((length,) + (1,) * after)
    steps.flags.writeable = False
    return steps


def _places(length, step, after):
    """The same, remembered where it is short."""
    if length > 4096 or not step:
        return np.arange(length).reshape((length,) + (1,) * after) * step
    return _steps(length, step, after)


def _along(index, axis):
    """Return the index of NumPy that means ``index`` along ``axis`` and itself elsewhere."""
    shape = index.shape
    last = len(shape) - 1
    if not last:
        return (index,)
    return tuple([index if i == axis else _places(n, 1, last - i) for i, n in enumerate(shape)])


gather = primitive(
    "gather", lambda x, index, axis, unique: x[_along(index, axis)], inputs="x index",
    formula="yᵢⱼ = x[indexᵢⱼ, j]",
    x=lambda g, index, axis, x_shape, unique: scatter_sum(g, index, axis, x_shape, unique),
)  # fmt: skip


#: As ``gather``, with a gradient that can be differentiated for x, be it by a slope of zero.
gather_of = primitive(
    "gather_of", lambda x, index, axis, unique: x[_along(index, axis)], inputs="x index",
    formula="yᵢⱼ = x[indexᵢⱼ, j]",
    x=lambda g, index, axis, x, unique: unmoved(
        scatter_sum(g, index, axis, x.shape, unique), x
    ),
)  # fmt: skip


def flat_places(index, axis, shape):
    """Return where the elements of an index along ``axis`` stand, all in one dimension."""
    flat: Any = 0
    step, last = 1, len(shape) - 1
    for i in range(last, -1, -1):
        place = index if i == axis else _places(index.shape[i], step, last - i)
        flat = flat + (place * step if i == axis and step != 1 else place)
        step *= shape[i]
    return flat.reshape((-1,))


def combine_at(ufunc, y, index, axis, values) -> None:
    """Combine values, by a ufunc, into an array in C order, at an index along ``axis``.

    NumPy is quick at this in one dimension only: forty times as quick as in two.
    """
    ufunc.at(y.reshape((-1,)), flat_places(index, axis, y.shape), values.reshape((-1,)))


def _scatter_sum(x, index, axis, shape, unique):
    y = zeros(shape, x)
    if unique:
        y[_along(index, axis)] = x
        return y
    combine_at(np.add, y, index, axis, x)
    return y


scatter_sum = primitive(
    "scatter_sum", lambda x, index, axis, shape, unique: (
        in_float32(_scatter_sum, x, index, axis, shape, unique)
    ),
    inputs="x index", formula="y[indexᵢⱼ, j] += xᵢⱼ",
    x=lambda g, index, axis, unique: gather(g, index, axis, unique),
)  # fmt: skip


# One element of each row along an axis, which goes


def _beside(index, axis):
    """Return the index of NumPy that means ``index`` on an axis that it does not have."""
    shape = index.shape
    rank = len(shape)
    if not rank:
        return (index, ...)
    before = [_places(shape[i], 1, rank - 1 - i) for i in range(axis)]
    after = [_places(shape[i], 1, rank - 1 - i) for i in range(axis, rank)]
    return (*before, index, *after)


choose = primitive(
    "choose", lambda x, index, axis: x[_beside(index, axis)], inputs="x index",
    formula="yⱼ = x[indexⱼ, j]",
    x=lambda g, index, axis, x_shape: chosen(g, index, axis, x_shape),
)  # fmt: skip


def _chosen(x, index, axis, shape):
    y = zeros(shape, x)
    y[_beside(index, axis)] = x
    return y


chosen = primitive(
    "chosen", _chosen, inputs="x index", formula="y[indexⱼ, j] = xⱼ, else 0",
    x=lambda g, index, axis: choose(g, index, axis),
)  # fmt: skip


def _scatter(x, values, index, axis):
    y = x.copy()
    y[_along(index, axis)] = values
    return y


scatter = primitive(
    "scatter", _scatter, inputs="x values index", formula="x with x[indexᵢⱼ, j] = valuesᵢⱼ",
    x=lambda g, index, axis: scatter(g, 0.0, index, axis),
    values=lambda g, index, axis, values_shape: sum_to_shape(
        gather(g, index, axis, False), values_shape
    ),
)  # fmt: skip


# Assignment


def part_of(x, index, indices):
    """Return ``x[index]``, and of that the elements at ``indices`` where there are any."""
    x = getitem(x, index)
    return x if indices is None else pick_at(x, indices)


def _put(x, values, index, indices):
    y = x.copy()
    if indices is None:
        y[index] = values
    else:
        y[index][indices] = values
    return y


put = primitive(
    "put", _put, formula="x with x[index] = values",
    x=lambda g, index, indices: put(g, 0.0, index, indices),
    values=lambda g, values_shape, index, indices: sum_to_shape(
        part_of(g, index, indices), values_shape
    ),
)  # fmt: skip


# What occurs: a tie breaks where any of its elements moves, so that there is no slope to give


def _no_slope():
    raise GradientError(
        "unique and unique_consecutive have no derivative: elements that are equal do not move as "
        "one; pick what you need by its index, as in input[index]"
    )


distinct = primitive(
    "distinct", lambda values, x: values, inputs="values x", formula="each element of x once",
    x=lambda g: _no_slope(),
)  # fmt: skip


# Extremes of what is scattered to one place


def _scatter_extreme(x, values, index, axis, ufunc, include_self):
    y = x.copy()
    if not include_self:
        limit = -math.inf if ufunc is np.maximum else math.inf
        if x.dtype.kind != "f":
            info = np.iinfo(x.dtype) if x.dtype.kind in "iu" else None
            limit = (info.min if ufunc is np.maximum else info.max) if info else ufunc is np.minimum
        y[_along(index, axis)] = limit
    combine_at(ufunc, y, index, axis, values)
    return y


def _extreme_shares(g, x, values, y, index, axis, include_self):
    """Return for each place of ``y`` the gradient of one of the elements that tie for it."""
    won = cast(values == gather(y, index, axis, False), g.dtype)
    rivals = scatter_sum(won, index, axis, y.shape, False)
    own = cast(x == y, g.dtype)
    if not include_self:
        own = scatter(own, 0.0, index, axis)
    rivals = rivals + own
    # Only NaN equals nothing, and its gradient is none either, as that of amax.
    return own, won, g / np.where(rivals == 0.0, math.nan, rivals)


def _extreme_of_x(g, x, values, y, index, axis, include_self):
    own, _, share = _extreme_shares(g, x, values, y, index, axis, include_self)
    return own * share if include_self else scatter(own * share, 0.0, index, axis)


def _extreme_of_values(g, x, values, y, index, axis, include_self):
    _, won, share = _extreme_shares(g, x, values, y, index, axis, include_self)
    return won * gather(share, index, axis, False)


scatter_extreme = primitive(
    "scatter_extreme", _scatter_extreme, inputs="x values index",
    formula="y[indexᵢⱼ, j] = max(y[indexᵢⱼ, j], valuesᵢⱼ)",
    x=_extreme_of_x, values=_extreme_of_values,
)  # fmt: skip
