"""Subscripts of batched arrays: of one sample, found in all of them at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.batched.samples import belongs, spread
from aino.errors import LevelError


def _parts(index, ndim: int) -> list:
    """Return the parts of an index, an Ellipsis written out, masks as the places they name."""
    parts: list = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, (list, range, bool, np.bool_)):
            part = np.asarray(part)
        if getattr(part, "dtype", None) is not None and part.dtype.kind == "b":
            if belongs_anywhere(part):
                raise LevelError(
                    "a mask inside a transform takes as many elements as it has True, which "
                    "differs from sample to sample; use aino.where(mask, x, 0)"
                )
            parts += np.nonzero(part) if part.ndim else [part]
        else:
            parts.append(part)
    taken = sum([_consumes(part) for part in parts])
    for place, part in enumerate(parts):
        if part is Ellipsis:
            parts[place : place + 1] = [slice(None)] * (ndim - taken)
            break
    else:
        parts += [slice(None)] * (ndim - taken)
    return parts


def belongs_anywhere(part) -> bool:
    return hasattr(part, "level")


def _consumes(part) -> int:
    if part is None or part is Ellipsis:
        return 0
    return 0 if getattr(getattr(part, "dtype", None), "kind", "") == "b" else 1


def _is_array(part) -> bool:
    return hasattr(part, "dtype") and hasattr(part, "shape") and not isinstance(part, np.generic)


def _is_plain(part) -> bool:
    return part is None or isinstance(part, slice) or part is Ellipsis


class Place:
    """Where a subscript of one sample stands in all of them.

    ``index`` goes into the values; the samples' axis, and the axes that arrays made, come first
    then, and ``moved`` says where the latter belong: (how many they are, behind how many others).
    """

    __slots__ = ("index", "moved")

    def __init__(self, array, index) -> None:
        self.moved = None
        if isinstance(index, tuple):
            basic = all([_is_plain(part) or (hasattr(part, "__index__") and not _is_array(part))
                         for part in index])  # fmt: skip
        else:
            basic = _is_plain(index) or (hasattr(index, "__index__") and not _is_array(index))
        if basic and type(index) is not bool:
            self.index: tuple = (slice(None), *(index if isinstance(index, tuple) else (index,)))
            return
        level = array.level
        parts: Any = _parts(index, array.ndim)
        at = [place for place, part in enumerate(parts) if not _is_plain(part)]
        together = at[-1] - at[0] == len(at) - 1
        batched = [part for part in parts if belongs(part, level)]
        if not batched and together:
            self.index = (slice(None), *parts)
            return
        # The samples are one more array among the others, which so come to stand first.
        rank = max([len(getattr(parts[place], "shape", ())) for place in at])
        samples = np.arange(array.values.shape[0]).reshape((-1,) + (1,) * rank)
        full: list = [samples]
        for part in parts:
            if belongs(part, level):
                values = part.values
                values = values.reshape(
                    (values.shape[0], *(1,) * (rank - part.ndim), *values.shape[1:])
                )
                full.append(values)
            else:
                full.append(part)
        self.index = tuple(full)
        if together and at[0] and rank:
            self.moved = rank, at[0]


def get_item(array, index):
    """Return ``array[index]``, of each sample."""
    place = Place(array, index)
    found = array.values[place.index]
    if not isinstance(found, np.ndarray) and not hasattr(found, "__array_ufunc__"):
        found = np.asarray(found)
    if place.moved is not None:
        rank, behind = place.moved
        order = [0, *range(rank + 1, rank + 1 + behind), *range(1, rank + 1)]
        found = found.transpose((*order, *range(len(order), found.ndim)))
    return array.like(found)


def set_item(array, index, value) -> None:
    """Do ``array[index] = value``, for each sample."""
    level = array.level
    place = Place(array, index)
    if not belongs(value, level) and (place.moved is None or not getattr(value, "shape", ())):
        array.values[place.index] = value
        return
    shape = array.values[place.index].shape
    if place.moved is not None:
        rank, behind = place.moved
        # ``shape`` has the arrays' axes before the others; the value is laid out as the sample is.
        shape = (shape[0], *shape[rank + 1 : rank + 1 + behind], *shape[1 : rank + 1],
                 *shape[rank + 1 + behind :])  # fmt: skip
    values = spread(value, level)
    extra = values.ndim - len(shape)
    if extra > 0 and values.shape[1 : extra + 1] == (1,) * extra:
        values = values.reshape((values.shape[0], *values.shape[extra + 1 :]))
    elif extra < 0:
        values = values.reshape((values.shape[0], *(1,) * -extra, *values.shape[1:]))
    if place.moved is not None:
        values = np.broadcast_to(values, shape)
        order = [0, *range(behind + 1, behind + 1 + rank), *range(1, behind + 1)]
        values = values.transpose((*order, *range(len(order), values.ndim)))
    array.values[place.index] = values
