"""Places by number: unravelled, combined, found."""

from __future__ import annotations

import math
from operator import index as as_index
from typing import Any

import numpy as np

from aino.autograd.rules import index as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import int64
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops.arguments import ints_of, wrapped
from aino.ops.public import takes_out
from aino.tracing import checked, opaque

__all__ = ["unravel_index", "nonzero_static", "combinations"]


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Return where the elements of these numbers stand in a tensor of a shape, one tensor a dim.

    Raises ``IndexError`` for a number that no element has.

    Arguments:
        indices: numbers in the flattened tensor, of integers.
        shape: the shape, a number or a sequence of them.

    >>> import aino
    >>> aino.unravel_index(aino.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    array = indices.array
    if array.dtype.kind not in "iu":
        raise DtypeError(f"unravel_index: the indices must be of integers, not {array.dtype}")
    lengths = ints_of((shape,)) if not hasattr(shape, "__index__") else (as_index(shape),)
    if lengths and min(lengths) < 0:
        raise ShapeError(f"unravel_index: a shape has no negative length, got {lengths}")
    checked(_check_numbers, array, math.prod(lengths))
    array = array.astype(int64)
    places, step = [], 1
    for length in reversed(lengths):
        places.append(wrapped(array // step % max(length, 1)))
        step *= max(length, 1)
    return tuple(reversed(places))


def _check_numbers(array, size: int) -> None:
    if array.size and not (array.min() >= 0 and array.max() < size):
        raise BoundsError(
            f"unravel_index: indices from {array.min()} to {array.max()} in a tensor of {size} "
            "elements"
        )


@takes_out
def nonzero_static(
    input: Tensor, *, size: int, fill_value: int = -1, out: Tensor | None = None
) -> Tensor:
    """Return the places of the first ``size`` elements that are not zero, one a row.

    As its shape does not depend on the data, a compiled function can use it.

    Arguments:
        input: a tensor.
        size: how many rows there are.
        fill_value: what stands in the rows for which there is no element.

    >>> import aino
    >>> aino.nonzero_static(aino.tensor([3, 0, 5]), size=3)
    tensor([[ 0],
            [ 2],
            [-1]])
    """
    if size < 0:
        raise ArgumentError(f"nonzero_static: size must not be negative, got {size}")
    return make(_nonzero_static(input.array, as_index(size), as_index(fill_value)))


@opaque
def _nonzero_static(array, size, fill_value):
    found = np.full((size, array.ndim), fill_value, int64)
    if array.ndim:
        places = np.argwhere(array)[:size]
        found[: len(places)] = places
    return found


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return the combinations of ``r`` elements, one a row, in the order of their places.

    Raises ``ShapeError`` for what is not 1-D.

    Arguments:
        input: the elements, 1-D.
        r: how many are combined, 0 or more.
        with_replacement: whether an element may come again.

    >>> import aino
    >>> aino.combinations(aino.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.array.ndim != 1:
        raise ShapeError(f"combinations: the input must be 1-D, got shape {input.array.shape}")
    if r < 0:
        raise ArgumentError(f"combinations: r must not be negative, got {r}")
    if r == 0:
        return make(np.empty((0,), input.array.dtype))
    places = _combined(input.array.shape[0], r, bool(with_replacement))
    chosen = rules.take(input, places.reshape(-1), 0, False)
    return shape_rules.reshape(chosen, places.shape)


def _combined(count, r, again):
    """Return the places of each combination: those that go on from each shorter one."""
    places = np.arange(count)[:, None]
    for _ in range(r - 1):
        first = places[:, -1] + (0 if again else 1)
        following = count - first
        rows = np.repeat(places, following, axis=0)
        starts = np.repeat(np.cumsum(following) - following, following)
        last = np.arange(len(rows)) - starts + np.repeat(first, following)
        places = np.concatenate([rows, last[:, None]], axis=1)
    return places
