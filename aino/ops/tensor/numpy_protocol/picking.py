"""NumPy's functions that choose, search and sort."""

from __future__ import annotations

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dtypes import int64
from aino.ops import pointwise
from aino.ops.index import indexing, sorting
from aino.ops.shape import broadcasting, joining, shaping
from aino.ops.tensor.numpy_protocol.table import (
    NoValue,
    axis_of,
    beside,
    cast_to,
    check_choice,
    into,
    numpy_function,
    refuse,
    tensor_of,
)


@numpy_function("where")
def where(condition, x=None, y=None, /):
    if x is None and y is None:
        return indexing.nonzero(condition, as_tuple=True)
    if x is None or y is None:
        raise ValueError("np.where takes both of x and y, or neither")
    if isinstance(x, (list, tuple)):
        x = tensor_of(x)
    if isinstance(y, (list, tuple)):
        y = tensor_of(y)
    condition = tensor_of(condition)
    if condition.array.dtype.kind != "b":
        condition = condition != 0
    if not (isinstance(x, Tensor) or isinstance(y, Tensor)):
        x = tensor_of(x)
    return pointwise.where(condition, x, y)


@numpy_function("select")
def select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError("np.select takes as many choices as conditions, and at least one")
    choices = [tensor_of(x) for x in choicelist]
    result = beside(default, choices[0])
    for condition, choice in zip(reversed(condlist), reversed(choices)):
        condition = tensor_of(condition)
        if condition.array.dtype.kind != "b":
            raise TypeError(f"np.select: conditions are booleans, not {condition.dtype}")
        result = pointwise.where(condition, choice, result)
    return result


@numpy_function("piecewise")
def piecewise(x, condlist, funclist, *args, **kw):
    """Every piece is computed everywhere, and chosen from: so the gradient passes."""
    x = tensor_of(x)
    if isinstance(condlist, (Tensor, np.ndarray)) and condlist.ndim == x.ndim:
        condlist = [condlist]
    conditions = [tensor_of(c) for c in condlist]
    if len(funclist) == len(conditions) + 1:
        otherwise, funclist = funclist[-1], funclist[:-1]
    elif len(funclist) == len(conditions):
        otherwise = 0
    else:
        raise ValueError(f"np.piecewise: {len(conditions)} conditions, {len(funclist)} functions")
    result = _piece(otherwise, x, args, kw)
    # The last condition that holds decides.
    for condition, function in zip(conditions, funclist):
        result = pointwise.where(condition, _piece(function, x, args, kw), result)
    return result


def _piece(function, x, args, kw):
    value = function(x, *args, **kw) if callable(function) else function
    return cast_to(tensor_of(value), x.dtype)


def _index(indices, length, mode, name):
    """Return indices in [0, length) by NumPy's three ways with what lies beyond."""
    index = tensor_of(indices)
    array = index.array
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and not array.size):
        array = array.astype(int64)
    check_choice(name, "mode", mode, ("raise", "wrap", "clip"))
    if mode == "wrap":
        array = array % length
    elif mode == "clip":
        array = np.clip(array, 0, length - 1)
    return index if array is index.array else make(array)


@numpy_function("take")
def take(a, indices, axis=None, out=None, mode="raise"):
    a = tensor_of(a)
    if axis is None:
        a, axis = shaping.ravel(a), 0
    axis = axis_of(axis, a.ndim)
    index = _index(indices, a.shape[axis], mode, "take")
    return into(out, a[(slice(None),) * axis + (index,)], "take")


@numpy_function("take_along_axis")
def take_along_axis(arr, indices, axis=-1):
    arr, indices = tensor_of(arr), tensor_of(indices)
    if axis is None:
        arr, axis = shaping.ravel(arr), 0
    axis = axis_of(axis, arr.ndim)
    length = arr.shape[axis]
    array = indices.array
    if array.dtype.kind in "iu" and array.size and (array < 0).any():
        indices = make(np.where((array < 0) & (array >= -length), array + length, array))
    return indexing.take_along_dim(arr, indices, axis)


@numpy_function("choose")
def choose(a, choices, out=None, mode="raise"):
    choices = [tensor_of(x) for x in choices] if not isinstance(choices, Tensor) else choices
    parts = broadcasting.broadcast_tensors(tensor_of(a), *choices)
    index, stacked = parts[0], joining.stack(parts[1:])
    index = _index(index, len(parts) - 1, mode, "choose")
    chosen = indexing.take_along_dim(stacked, shaping.unsqueeze(index.long(), 0), 0)
    return into(out, chosen[0], "choose")


@numpy_function("compress")
def compress(condition, a, axis=None, out=None):
    a, mask = tensor_of(a), tensor_of(condition)
    places = np.flatnonzero(mask.array)
    return take(a, places, axis, out)


@numpy_function("extract")
def extract(condition, arr):
    return compress(shaping.ravel(tensor_of(condition)), arr)


@numpy_function("nonzero")
def nonzero(a):
    return indexing.nonzero(a, as_tuple=True)


# Order


def _sorted_from(a, axis, order, name):
    if order is not None:
        refuse(name, "order", "it names the fields of a structured array")
    return (shaping.ravel(a), 0) if axis is None else (a, axis_of(axis, a.ndim))


def _is_stable(kind, stable):
    return bool(stable) or kind in ("stable", "mergesort")


@numpy_function("sort")
def sort(a, axis=-1, kind=None, order=None, *, stable=None, descending=NoValue):
    a, axis = _sorted_from(a, axis, order, "sort")
    if descending is not NoValue and descending:
        return np.take_along_axis(a, _falling(a, axis), axis)
    return sorting.sort(a, axis, stable=_is_stable(kind, stable))[0]


@numpy_function("argsort")
def argsort(a, axis=-1, kind=None, order=None, *, stable=None, descending=NoValue):
    a, axis = _sorted_from(a, axis, order, "argsort")
    if descending is not NoValue and descending:
        return _falling(a, axis)
    return sorting.argsort(a, axis, stable=_is_stable(kind, stable))


def _falling(a, axis):
    """Return the indices of a stable descending order, in which NumPy puts nan last, too."""
    if a.array.dtype.kind == "f":
        return sorting.argsort(-a.detach(), axis, stable=True)
    return sorting.argsort(a, axis, True, stable=True)


@numpy_function("partition")
def partition(a, kth, axis=-1, kind="introselect", order=None):
    """Wholly sorted rows are parted at every place."""
    check_choice("partition", "kind", kind, ("introselect",))
    a, axis = _sorted_from(a, axis, order, "partition")
    for place in np.atleast_1d(kth):
        axis_of(place, a.shape[axis])
    return sorting.sort(a, axis)[0]


@numpy_function("searchsorted")
def searchsorted(a, v, side="left", sorter=None):
    a, v = tensor_of(a), tensor_of(v)
    if a.ndim != 1:
        raise ValueError(f"np.searchsorted takes a vector to search, got {tuple(a.shape)}")
    check_choice("searchsorted", "side", side, ("left", "right"))
    sorter = None if sorter is None else tensor_of(sorter)
    return sorting.searchsorted(a, v, side=side, sorter=sorter)


@numpy_function("unique")
def unique(
    ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *,
    equal_nan=True, sorted=True,
):  # fmt: skip
    options = {} if sorted else {"sorted": False}
    _, first, inverse, counts = np.unique(
        ar.array, True, True, True, axis, equal_nan=equal_nan, **options
    )
    values = take(ar, first, axis)
    extras = [(return_index, first), (return_inverse, inverse), (return_counts, counts)]
    chosen = [make(extra) for wanted, extra in extras if wanted]
    return (values, *chosen) if chosen else values


@numpy_function("unique_values")
def unique_values(x):
    return unique(x, equal_nan=False)


def _unique_result(function):
    """Return NumPy's named tuple of a form of ``unique``, with the values on record."""

    def answer(x):
        found = function(x.array)
        values = unique(x, equal_nan=False)
        rest = [make(part) for part in tuple(found)[1:]]
        return type(found)(values, *rest)

    return answer


for _name in ("unique_all", "unique_counts", "unique_inverse"):
    numpy_function(_name)(_unique_result(getattr(np, _name)))
