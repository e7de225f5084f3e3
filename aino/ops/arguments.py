"""Parameters as users give them, brought to the one form that the rules know."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import index
from typing import ParamSpec, TypeVar

import numpy as np

from aino.autograd.operands import not_a_tensor
from aino.autograd.tensor import make
from aino.errors import BoundsError, DtypeError, ShapeError


def dim_of(dim, rank: int) -> int:
    """Return a dimension counted from the front; a 0-d tensor passes as one of rank 1.

    Raises ``IndexError`` when there is no such dimension.
    """
    if dim.__class__ is int and 0 <= dim < rank:
        return dim
    try:
        dim = index(dim)
    except TypeError:
        raise DtypeError(f"a dimension is an integer, not {dim!r}") from None
    reach = rank or 1
    if dim < -reach or dim >= reach:
        raise BoundsError(
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
    dims = dims_of(dim if hasattr(dim, "__iter__") else (dim,), rank)
    if not dims:
        return None
    return dims if rank else ()


def whole(value, what: str):
    """Return what is to be an integer; raises ``DtypeError`` for a fraction, which is not cut."""
    if isinstance(value, (float, complex, np.inexact)):
        raise DtypeError(f"{what} is an integer, not {value!r}")
    return value


def ints_of(values) -> tuple[int, ...]:
    """Return the integers of ``f(2, 3)`` or ``f((2, 3))``."""
    try:
        if len(values) == 1 and not hasattr(values[0], "__index__"):
            values = values[0]
        return tuple([index(value) for value in values])
    except TypeError:
        raise DtypeError(f"expected integers, got {values!r}") from None


def in_places_or_named(places: tuple, named, name: str) -> tuple:
    """Return the arguments of ``f(2, 3)``, or what ``f(name=(2, 3))`` gives in their place."""
    if named is None:
        return places
    if places:
        raise TypeError(f"{name} is given twice: in its place and by name")
    return (named,)


P = ParamSpec("P")
R = TypeVar("R")


def other_names(**names: str) -> Callable[[Callable[P, R]], Callable[..., R]]:
    """Let an argument be given by another name: ``@other_names(axis="dim")``.

    Raises ``TypeError`` for an argument that is given by both.
    """

    def decorate(function: Callable[P, R]) -> Callable[..., R]:
        @functools.wraps(function)
        def call(*arguments, **keywords):
            if keywords:
                for other, name in names.items():
                    if other in keywords:
                        if name in keywords:
                            raise _twice(function.__name__, name, other)
                        keywords[name] = keywords.pop(other)
            return function(*arguments, **keywords)

        call.other_names = names  # type: ignore[attr-defined]
        return call

    return decorate


#: Lets NumPy's names ``axis`` and ``keepdims`` stand for ``dim`` and ``keepdim``.
numpy_names = other_names(axis="dim", keepdims="keepdim")


def _twice(function, name, other) -> TypeError:
    return TypeError(f"{function}: {name} and {other} are the same argument; give one of them")


def the_dim(dim, axis, function):
    """Return the one of the two that is given."""
    if axis is None:
        return dim
    if dim is not None:
        raise _twice(function, "dim", "axis")
    return axis


def not_numbers_alone(name: str, input, other) -> None:
    """Raise ``DtypeError`` unless one of two arguments at least is a tensor, or an array."""
    if not (hasattr(input, "__array_ufunc__") or hasattr(other, "__array_ufunc__")):
        raise not_a_tensor(name, "argument 'input'", input)


def wrapped(array):
    """Return a tensor over what NumPy returned; it reduces to scalars, which become 0-d arrays."""
    return make(np.asarray(array) if isinstance(array, (np.generic, int)) else array)
