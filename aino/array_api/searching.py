"""Searching, sorting and sets, in the words of the array standard."""

from __future__ import annotations

from typing import Any, NamedTuple

from aino.array_api.given import checked, together, xp
from aino.autograd.tensor import Tensor

__all__ = [
    "argmax", "argmin", "argsort", "isin", "nonzero", "searchsorted", "sort", "unique_all",
    "unique_counts", "unique_inverse", "unique_values", "where",
]  # fmt: skip


class UniqueAll(NamedTuple):
    """The distinct values, where each stands first, which of them each element is, how many."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """The distinct values, and how many there are of each."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """The distinct values, and which of them each element is."""

    values: Tensor
    inverse_indices: Tensor


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the place of the largest element, the first of several.

    Arguments:
        x: a tensor of real numbers.
        axis: along which axis; None counts in the flattened tensor.
        keepdims: keep the axis, with length 1.
    """
    return xp.argmax(checked("argmax", x), axis=axis, keepdims=keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the place of the smallest element, the first of several.

    Arguments:
        x: a tensor of real numbers.
        axis: along which axis; None counts in the flattened tensor.
        keepdims: keep the axis, with length 1.
    """
    return xp.argmin(checked("argmin", x), axis=axis, keepdims=keepdims)


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Return the places of the elements in their order.

    Arguments:
        x: a tensor of real numbers.
        axis: along which axis.
        descending: the largest first.
        stable: equal elements keep their order.
    """
    x = checked("argsort", x)
    return x.sort(dim=axis, descending=descending, stable=stable)[1]


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the elements in their order.

    Arguments:
        x: a tensor of real numbers.
        axis: along which axis.
        descending: the largest first.
        stable: equal elements keep their order.
    """
    x = checked("sort", x)
    return x.sort(dim=axis, descending=descending, stable=stable)[0]


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """Tell of each element whether it is among others.

    Arguments:
        x1: the elements.
        x2: the others.
        invert: tell whether it is not.
    """
    return xp.isin(*together("isin", x1, x2), invert=invert)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Return the places of the elements that are not zero, a tensor for each axis."""
    x = checked("nonzero", x)
    if not x.ndim:
        raise ValueError("nonzero: a 0-d tensor has no axis")
    return tuple(xp.nonzero(x))


def searchsorted(
    x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Return where in ``x1`` elements would go, so that it stays in order.

    Arguments:
        x1: real numbers in order, of one dimension.
        x2: the elements.
        side: 'left' of equal ones, or 'right'.
        sorter: the places of the elements of ``x1`` in their order, where they are in none.
    """
    first, second = together("searchsorted", x1, x2)
    if sorter is not None:
        first = first[checked("searchsorted", sorter, "sorter")]
    return xp.searchsorted(first, second, side)


def unique_all(x: Tensor, /) -> UniqueAll:
    """Return the distinct values and all that is to be said of them: each NaN is one of its own."""
    return UniqueAll(*xp.unique_all(checked("unique_all", x)))


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """Return the distinct values, and how many there are of each."""
    return UniqueCounts(*xp.unique_counts(checked("unique_counts", x)))


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """Return the distinct values, and which of them each element is."""
    return UniqueInverse(*xp.unique_inverse(checked("unique_inverse", x)))


def unique_values(x: Tensor, /) -> Tensor:
    """Return the distinct values."""
    return xp.unique_values(checked("unique_values", x))


def where(condition: Tensor, x1: Any, x2: Any, /) -> Tensor:
    """Return elements of ``x1`` where a condition holds, else of ``x2``.

    Arguments:
        condition: a tensor of booleans.
        x1, x2: tensors, or a tensor and a Python number, that broadcast.
    """
    return xp.where(checked("where", condition, "condition"), *together("where", x1, x2))
