"""Parameters as users give them, brought to the one form that the rules know."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import index
from typing import ParamSpec, TypeVar

import numpy as np

from aino.autograd.tensor import make
from aino.errors import ShapeError


def dim_of(dim, rank: int) -> int:
    """Return a dimension counted from the front; a 0-d tensor passes as one of rank 1.

    Raises ``IndexError`` when there is no such dimension.
    """
    if dim.__class__ is int and 0 <= dim < rank:
        return dim
    dim = index(dim)
    reach = rank or 1
    if dim < -reach or dim >= reach:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], "
            f"but got {dim})"
        )
    return dim + reach if dim < 0 else dim


def dims_of(dims, rank: int) -> tuple[int, ...]:
    """Return dimensions counted from the front; raises ``ShapeError`` when one comes twice."""
    found = tuple([dim_of(dim, rank) for dim in dims])
    for position, dim in enumerate(found):
        if dim in found[:position]:
            raise ShapeError(f"dim {dim} appears multiple times in the list of dims")
    return found


def reduced(dim, rank: int):
    """Return the axis of a reduction: None for all, a number, or a tuple of numbers.

    No dimensions at all, ``()``, mean all of them, as in PyTorch.
    """
    if dim is None or (dim.__class__ is int and 0 <= dim < rank):
        return dim
    if hasattr(dim, "__index__"):
        dim = dim_of(dim, rank)
        return dim if rank else ()
    dims = dims_of(dim, rank)
    if not dims:
        return None
    return dims if rank else ()


def ints_of(values) -> tuple[int, ...]:
    """Return the integers of ``f(2, 3)`` or ``f((2, 3))``."""
    if len(values) == 1 and not hasattr(values[0], "__index__"):
        values = values[0]
    return tuple([index(value) for value in values])


P = ParamSpec("P")
R = TypeVar("R")


def numpy_names(function: Callable[P, R]) -> Callable[..., R]:
    """Let NumPy's names ``axis`` and ``keepdims`` stand for ``dim`` and ``keepdim``."""

    @functools.wraps(function)
    def call(*arguments, **keywords):
        if keywords:
            if "axis" in keywords:
                keywords["dim"] = keywords.pop("axis")
            if "keepdims" in keywords:
                keywords["keepdim"] = keywords.pop("keepdims")
        return function(*arguments, **keywords)

    call.takes_numpy_names = True  # type: ignore[attr-defined]
    return call


def wrapped(array):
    """Return a tensor over what NumPy returned; it reduces to scalars, which become 0-d arrays."""
    return make(np.asarray(array) if isinstance(array, (np.generic, int)) else array)
