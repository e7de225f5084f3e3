"""``reduce``, ``accumulate``, ``reduceat`` and ``at`` of any ufunc of two that has a derivative.

Those that NumPy is used for most have forms of their own in ``ufuncs.py``; here the function of
two is applied along an axis: by halves where it is associative, else from one to the next, as
NumPy does. NumPy itself computes first, on the arrays: it refuses what it refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.ops.index import scattering
from aino.ops.pointwise.choosing import where as choose
from aino.ops.shape import broadcasting, joining
from aino.ops.tensor.inplace import copy_
from aino.ops.tensor.numpy_protocol.table import (
    axes_of,
    axis_of,
    cast_to,
    given,
    into,
    tensor_of,
)

#: Functions of two of which it does not matter what is combined first.
ASSOCIATIVE = {
    np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2,
    np.hypot,
}  # fmt: skip
#: Those that ``scatter_reduce`` knows: how many meet in one place does not matter to it.
_SCATTERED = {np.multiply: "prod", np.maximum: "amax", np.minimum: "amin"}


def reduce(ufunc: Any, function: Callable, a: Any, axis: Any = 0, dtype: Any = None,
           out: Any = None, keepdims: bool = False, initial: Any = np._NoValue,
           where: Any = True) -> Any:  # fmt: skip
    """Return a function of two, applied along axes."""
    options: dict[str, Any] = {} if initial is np._NoValue else {"initial": _array(initial)}
    a = tensor_of(a)
    ufunc.reduce(a.array, axis, dtype, None, keepdims, where=_array(where), **options)
    a, start = cast_to(a, dtype), given(initial)
    axes = axes_of(axis, a.ndim)
    if where is not True and start is None:
        start = ufunc.identity
    mask = None if where is True else broadcasting.broadcast_to(tensor_of(where), tuple(a.shape))
    for position in sorted(axes, reverse=True):
        a = _folded(ufunc, function, a, position, start, mask)
        start = mask = None  # what was left out, and what came first, is in the first axis
    if keepdims:
        for position in sorted(axes):
            a = a.unsqueeze(position)
    if not axes:
        a = a.clone()
    return into(out, a, f"{ufunc.__name__}.reduce")


def _folded(ufunc, function, a, axis, start, mask):
    rows = a.movedim(axis, 0)
    if start is None and mask is None and ufunc in ASSOCIATIVE:
        while rows.shape[0] > 1:
            half, odd = divmod(rows.shape[0], 2)
            joined = function(rows[: 2 * half : 2], rows[1 : 2 * half : 2])
            rows = joining.cat([joined, rows[2 * half :]]) if odd else joined
        return rows[0]
    masks = None if mask is None else mask.movedim(axis, 0)
    first = 0
    if start is None:
        y, first = rows[0], 1
    else:
        y = broadcasting.broadcast_to(
            cast_to(tensor_of(start), a.dtype), tuple(rows.shape[1:])
        )  # fmt: skip
    for i in range(first, rows.shape[0]):
        next_one = function(y, rows[i])
        y = next_one if masks is None else choose(masks[i], next_one, y)
    return y


def accumulate(ufunc: np.ufunc, function: Callable, a: Any, axis: int = 0, dtype: Any = None,
               out: Any = None) -> Any:  # fmt: skip
    """Return what a function of two makes of all elements up to each."""
    a = tensor_of(a)
    ufunc.accumulate(a.array, axis, dtype)
    a = cast_to(a, dtype)
    axis = axis_of(axis, a.ndim)
    rows = a.movedim(axis, 0)
    if ufunc in ASSOCIATIVE:
        step = 1
        while step < rows.shape[0]:
            rows = joining.cat([rows[:step], function(rows[:-step], rows[step:])])
            step *= 2
        y = rows.clone() if step == 1 else rows
    else:
        parts = [rows[0]] if rows.shape[0] else []
        for i in range(1, rows.shape[0]):
            parts.append(function(parts[-1], rows[i]))
        y = joining.stack(parts) if parts else rows.clone()
    return into(out, y.movedim(0, axis), f"{ufunc.__name__}.accumulate")


def reduceat(ufunc: np.ufunc, function: Callable, a: Any, indices: Any, axis: int = 0,
             dtype: Any = None, out: Any = None) -> Any:  # fmt: skip
    """Return a function of two, applied along the pieces of an axis that begin at indices."""
    a, begins = tensor_of(a), np.asarray(_array(indices))
    ufunc.reduceat(a.array, begins, axis, dtype)
    a = cast_to(a, dtype)
    axis = axis_of(axis, a.ndim)
    rows = a.movedim(axis, 0)
    ends = np.append(begins[1:], rows.shape[0])
    lengths = np.where(ends > begins, ends - begins, 1)
    pieces = np.repeat(np.arange(len(begins)), lengths)
    nth = np.arange(len(pieces)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    found = rows[make(begins)]
    # The second element of all pieces, then the third ...: as many rounds as the longest has.
    order = np.argsort(nth, kind="stable")
    cuts = np.searchsorted(nth[order], np.arange(1, lengths.max(initial=0) + 1))
    for first, last in pairwise(cuts):
        chosen = order[first:last]
        piece = make(pieces[chosen])
        values = function(found[piece], rows[make(begins[pieces[chosen]] + nth[chosen])])
        found = found.index_copy(0, piece, values)
    return into(out, found.movedim(0, axis), f"{ufunc.__name__}.reduceat")


def at(ufunc: np.ufunc, function: Callable, target: Tensor, index: Any, *values: Any) -> None:
    """Apply a function, in place, to the elements at indices, once for each time they occur."""
    array = target.array
    index = tuple([_array(i) for i in index]) if isinstance(index, tuple) else _array(index)
    ufunc.at(array.copy(), index, *map(_array, values))
    places = np.arange(array.size).reshape(array.shape)[index]
    operands = [
        broadcasting.broadcast_to(cast_to(tensor_of(x), array.dtype), places.shape).reshape((-1,))
        for x in values
    ]
    flat, places = target.clone().reshape((-1,)), places.reshape(-1)
    if ufunc in _SCATTERED and values:
        flat = scattering.scatter_reduce(flat, 0, make(places), operands[0], _SCATTERED[ufunc])
    else:
        # The first time that each place occurs, then the second ...
        order = np.argsort(places, kind="stable")
        again = np.r_[False, places[order][1:] == places[order][:-1]]
        every = np.arange(len(places))
        rank = np.empty(len(places), np.int64)
        rank[order] = every - np.maximum.accumulate(np.where(again, 0, every))
        for time in range(rank.max(initial=-1) + 1):
            chosen = make(np.flatnonzero(rank == time))
            here = make(places[rank == time])
            new = function(flat[here], *[x[chosen] for x in operands])
            flat = flat.index_copy(0, here, cast_to(new, flat.dtype))
    copy_(target, flat.reshape(tuple(target.shape)))


def _array(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x
