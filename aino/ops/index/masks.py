"""Masks in a trace: how many elements they take isn't known, but whether each is taken is.

A write through a mask that a trace follows is a choice between the old and the new elements.
"""

from __future__ import annotations

from types import EllipsisType, NoneType

import numpy as np

from aino import tracing
from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.rules import index as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import make
from aino.dtypes import int64
from aino.errors import BoundsError, ShapeError

__all__: list[str] = []

ndarray = np.ndarray

#: What NumPy answers with a view.
BASIC = {int, slice, NoneType, EllipsisType}

ALL = slice(None)


def dotted(index: tuple) -> tuple:
    """Return a basic index with dots, so that an element is a 0-d view."""
    return index if Ellipsis in index else (*index, ...)


def check_mask(mask, shape, start) -> None:
    """Raise ``IndexError`` unless a mask has the shape of the dimensions from ``start`` on."""
    if mask.shape != shape[start : start + mask.ndim]:
        raise BoundsError(
            f"The shape of the mask {list(mask.shape)} at index {start} does not match the shape "
            f"of the indexed tensor {list(shape)} at index {start}"
        )


def has_traced_mask(index: tuple) -> bool:
    """Tell whether a raw index has one mask that a trace follows, and no other array."""
    arrays = [item for item in index if type(item) not in BASIC]
    if len(arrays) != 1 or type(arrays[0]) is ndarray:
        return False
    return arrays[0].dtype.kind == "b" and bool(arrays[0].ndim)


def order_of(mask):
    """Return, where a mask is True, how many of its elements before are; elsewhere what fits."""
    count = np.cumsum(mask.reshape((-1,)), dtype=int64) - 1
    return np.maximum(count, 0).reshape(mask.shape)


def put_by_mask(input, value, index: tuple):
    """Return ``input`` with ``value`` where the mask among basic indices is True."""
    shape = input.array.shape
    position = [type(item) not in BASIC for item in index].index(True)
    before, mask, after = index[:position], index[position], index[position + 1 :]
    # Slices in the place of the mask: the part that it chooses from.
    slices = (*before, *(ALL,) * mask.ndim, *after)
    if _taken(slices) > len(shape):
        raise BoundsError(f"too many indices for tensor of dimension {len(shape)}")
    skipped = len(shape) - _taken(slices) if Ellipsis in before else 0
    check_mask(mask, shape, _taken(before) + skipped)
    part = rules.getitem(input, dotted(slices))
    axis = skipped + sum([item is None or type(item) is slice for item in before])
    follow = part.array.ndim - axis - mask.ndim
    chosen = make(mask.reshape((*mask.shape, *(1,) * follow)))
    changed = compare.where(chosen, _spread_over(value, mask, follow), part)
    if all([item is Ellipsis or item == ALL for item in slices]):
        return changed
    return rules.put(input, changed, dotted(slices), None)


def _taken(index: tuple) -> int:
    """Return how many dimensions basic indices are for."""
    return sum([type(item) in (int, slice) for item in index])


def write_by_mask(array, value, index: tuple) -> None:
    """``array[index] = value`` on the memory itself, with a mask among basic indices."""
    if hasattr(type(value), "beside"):  # a number of a program that is being traced
        value = value.beside(array)
    elif not hasattr(value, "dtype"):
        value = np.asarray(value, array.dtype)
    array[...] = put_by_mask(make(array), cast(make(value), array.dtype), index).array


def _spread_over(value, mask, follow: int):
    """Return values for what a mask takes as values for all that it is over."""
    shape = value.array.shape
    if len(shape) <= follow:
        return value
    lead, count, rest = shape[: -follow - 1], shape[-follow - 1], shape[len(shape) - follow :]
    if count == 1:
        return shape_rules.reshape(value, (*lead, *(1,) * mask.ndim, *rest))
    tracing.checked(_check_count, mask, count)
    if not count:
        return value.sum()
    return rules.take(value, order_of(mask), len(lead), False)


def _check_count(mask, count: int) -> None:
    if (found := np.count_nonzero(mask)) != count:
        raise ShapeError(
            f"x[mask] = v: v has {count} values for the {found} elements where the mask is True"
        )
