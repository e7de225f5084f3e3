"""Operands of a batched operation: all samples of each, their axes brought together."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.duck import Duck
from aino.errors import LevelError

ndarray = np.ndarray


def belongs(x: Any, level) -> bool:
    """Tell whether an operand is a batched array of this level."""
    return isinstance(x, Duck) and x.level is level


def any_belongs(items, level) -> bool:
    """Tell whether one of the items, or of what they hold, is a batched array of this level."""
    for item in items:
        if isinstance(item, (tuple, list)):
            if any_belongs(item, level):
                return True
        elif isinstance(item, dict):
            if any_belongs(item.values(), level):
                return True
        elif isinstance(item, Duck) and item.level is level:
            return True
    return False


def spread(x, level):
    """Return all samples of an operand along a first axis; an unbatched one is in each of them.

    That is a view that can't be written: nothing is copied.
    """
    if belongs(x, level):
        return x.values
    if not hasattr(x, "shape"):
        x = np.asarray(x)
    return np.broadcast_to(x, (level.size, *x.shape))


def aligned(level, operands) -> list:
    """Return operands whose axes correspond: behind that of the samples, the last to the last."""
    rank = 0
    for x in operands:
        shape = getattr(x, "shape", ())
        rank = max(rank, len(shape))
    result = []
    for x in operands:
        if belongs(x, level):
            values = x.values
            shape = values.shape
            if len(shape) <= rank:
                values = values.reshape((shape[0], *(1,) * (rank + 1 - len(shape)), *shape[1:]))
            result.append(values)
        else:
            result.append(np.asarray(x) if isinstance(x, (list, tuple)) else x)
    return result


def axis_in(axis: int, ndim: int) -> int:
    """Return where an axis of one sample stands among all of them."""
    if not -ndim <= axis < max(ndim, 1):
        raise np.exceptions.AxisError(axis, ndim)
    return axis % max(ndim, 1) + 1


def axes_in(axis: Any, ndim: int):
    """The same for one axis, several, or all (None)."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if hasattr(axis, "__index__"):
        return axis_in(int(axis), ndim) if ndim else ()
    return tuple([axis_in(int(one), ndim) for one in axis])


def unbatched_memory(level) -> LevelError:
    """Return the error for a write of many values into the place of one."""
    return LevelError(
        f"an operation in place inside {level.name} writes a value for each sample into a tensor "
        "that is not batched, which has room for one; use the form that makes a new tensor"
    )
