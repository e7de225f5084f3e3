"""NumPy's functions over all samples at once, as a table.

Most take their axes along one sample: the same function with every axis moved by one. What is
elementwise brings its operands' axes together. What is in no table goes sample by sample.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from aino.autograd.batched.array import BatchedArray, of
from aino.autograd.batched.registry import FUNCTIONS, LOOPS, numpy_function
from aino.autograd.batched.samples import (
    aligned,
    any_belongs,
    axes_in,
    belongs,
    spread,
    unbatched_memory,
)
from aino.errors import LevelError


def _table(answering, names: str, **options: Any) -> None:
    """Register ``answering(function)`` for NumPy's functions of these names."""
    for name in names.split():
        function: Any = getattr(np, name)
        FUNCTIONS[function] = answering(function, **options)


# Elementwise, of operands that are broadcast together


def _elementwise(function):
    def answer(level, *operands, **keywords):
        names = [key for key, value in keywords.items() if belongs(value, level)]
        values = aligned(level, (*operands, *[keywords[name] for name in names]))
        keywords = {**keywords, **dict(zip(names, values[len(operands) :]))}
        return of(level, function(*values[: len(operands)], **keywords))

    return answer


_table(
    _elementwise,
    "clip isclose nan_to_num angle real imag i0 sinc fix round around isneginf isposinf iscomplex "
    "isreal",
)


@numpy_function(np.where)
def where(level, condition, *choices):
    if not choices:
        raise LevelError(
            "np.where of a condition alone gives as many places as hold, which differs from sample "
            "to sample; use aino.where(condition, a, b)"
        )
    return BatchedArray(np.where(*aligned(level, (condition, *choices))), level)


@numpy_function(np.select)
def select(level, condlist, choicelist, default=0):
    count = len(condlist)
    values = aligned(level, (*condlist, *choicelist, default))
    return BatchedArray(np.select(values[:count], values[count:-1], values[-1]), level)


@numpy_function(np.copyto)
def copyto(level, dst, src, casting="same_kind", where=True):
    if not belongs(dst, level):
        raise unbatched_memory(level)
    _, src, where = aligned(level, (dst, src, where))
    np.copyto(dst.values, src, casting=casting, where=where)


# One array, along one axis, several, or all


@functools.cache
def _names(function) -> tuple[list[str], Any]:
    """Return the names of a function's arguments, and the axis that it takes by default."""
    arguments = inspect.signature(function).parameters
    return list(arguments), arguments["axis"].default


def _along(function, flattens=False):
    """Answer a function of one array with an ``axis``.

    ``flattens``: with no axis it takes all elements in a row.
    """

    def answer(level, *given, **keywords):
        names, default = _names(function)
        keywords.update(zip(names, given))
        a, axis = keywords.pop(names[0]), keywords.pop("axis", default)
        if any_belongs((keywords,), level):
            raise LevelError(f"np.{function.__name__} takes settings that are one for all samples")
        if keywords.pop("out", None) is not None:
            raise unbatched_memory(level)
        values = spread(a, level)
        if axis is np._NoValue or axis is None:
            axis = None
            if flattens:
                values, axis = values.reshape((values.shape[0], -1)), 0
        ndim = values.ndim - 1
        if ndim or axis is None:
            return of(level, function(values, axis=axes_in(axis, ndim), **keywords))
        # One number, along an axis that it does not have: a row of one.
        found = function(values[:, None], axis=1, **keywords)
        return of(level, found.reshape(values.shape) if found.size == values.size else found)

    return answer


_table(
    _along,
    "sum prod max min mean std var all any median ptp nansum nanprod nanmax nanmin nanmean nanstd "
    "nanvar nanmedian count_nonzero flip",
)
_table(
    _along,
    "argmax argmin cumsum cumprod nanargmax nanargmin sort argsort partition argpartition repeat "
    "diff delete",
    flattens=True,
)


def _rolled(level, a, shift, axis=None):
    if axis is None:
        flat = a.values.reshape((a.values.shape[0], -1))
        return BatchedArray(np.roll(flat, shift, 1).reshape(a.values.shape), level)
    return BatchedArray(np.roll(a.values, shift, axes_in(axis, a.ndim)), level)


FUNCTIONS[np.roll] = _rolled


@numpy_function(np.searchsorted)
def searchsorted(level, a, v, side="left", sorter=None):
    if belongs(a, level) or sorter is not None:
        keywords = {"side": side, "sorter": sorter}
        return LOOPS["function"](level, np.searchsorted, (a, v), keywords)
    return BatchedArray(np.searchsorted(a, v.values, side), level)


# Made like one


def _like(function):
    def answer(level, a, *rest, **keywords):
        names = ["fill_value"] if function is np.full_like else []
        names += ["dtype", "order", "subok", "shape"]
        keywords.update(zip(names, rest))
        shape = keywords.pop("shape", None)
        fill = keywords.pop("fill_value", None)
        given = () if fill is None else (fill,)
        if not belongs(a, level):
            a = BatchedArray(spread(a, level), level)
        shape = a.shape if shape is None else shape
        shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        if belongs(fill, level):
            made = np.empty_like(a.values, shape=(level.size, *shape), **keywords)
            BatchedArray(made, level)[...] = fill
        else:
            made = function(a.values, *given, shape=(level.size, *shape), **keywords)
        return BatchedArray(made, level)

    return answer


_table(_like, "zeros_like ones_like empty_like full_like")


@numpy_function(np.copy)
def copy(level, a, order="K", subok=False):
    return a.copy()


# What only looks at shapes and dtypes


@numpy_function(np.shape)
def shape(level, a):
    return a.shape


@numpy_function(np.ndim)
def ndim(level, a):
    return a.ndim


@numpy_function(np.size)
def size(level, a, axis=None):
    return a.size if axis is None else a.shape[axis]


@numpy_function(np.result_type)
def result_type(level, *arrays_and_dtypes):
    # Arrays of one shape tell as much as those that NumPy takes for numbers.
    return np.result_type(
        *[np.empty(0, x.dtype) if belongs(x, level) else x for x in arrays_and_dtypes]
    )


@numpy_function(np.can_cast)
def can_cast(level, from_, to, casting="safe"):
    return np.can_cast(from_.dtype, to, casting)


@numpy_function(np.iscomplexobj)
def iscomplexobj(level, x):
    return x.dtype.kind == "c"


@numpy_function(np.isrealobj)
def isrealobj(level, x):
    return x.dtype.kind != "c"


@numpy_function(np.may_share_memory, np.shares_memory)
def may_share_memory(level, a, b, max_work=None):
    return np.may_share_memory(*[getattr(x, "shadow", x) for x in (a, b)])


# What takes as many elements as the data says


def _by_data(function):
    def answer(level, *_, **__):
        raise LevelError(
            f"the shape of what np.{function.__name__} gives depends on the data, and so differs "
            f"from sample to sample inside {level.name}; use aino.where with a mask"
        )

    return answer


_table(
    _by_data,
    "nonzero flatnonzero argwhere unique extract compress trim_zeros union1d intersect1d setdiff1d",
)
