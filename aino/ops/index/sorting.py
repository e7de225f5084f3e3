"""Order: sorting, the largest and smallest few, what occurs, where it belongs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.duck import still
from aino.autograd.rules import index as index_rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import int32, int64
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops import return_types
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.index.selection import kth_of, top_of
from aino.ops.public import method, takes_out
from aino.ops.reduce.extremes import along
from aino.tracing import opaque

__all__ = [
    "sort", "argsort", "msort", "topk", "kthvalue",
    "unique", "unique_consecutive", "searchsorted", "bucketize",
]  # fmt: skip


def order(array, dim, descending=False, stable=False):
    """Return the indices that sort ``array`` along ``dim``; NaN counts as the largest number.

    Equal elements keep their order where ``stable``, and, as in PyTorch, where there are few.
    """
    if array.dtype.kind == "c":
        raise DtypeError("sort: complex numbers have no order")
    # NumPy's own choice is up to six times as fast on long rows.
    kind: Any = "stable" if stable or array.shape[dim] <= 16 else None
    if not descending:
        return np.argsort(array, axis=dim, kind=kind)
    backwards = (slice(None),) * dim + (slice(None, None, -1),)
    found = np.argsort(array[backwards], axis=dim, kind=kind)
    return array.shape[dim] - 1 - found[backwards]


@method
@numpy_names
@takes_out
def sort(
    input: Tensor,
    dim: Any = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return ``(values, indices)``: the elements in ascending order along a dimension.

    nan counts as the largest number. Raises ``DtypeError`` for complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension.
        descending: whether the order is the other way round.
        stable: whether equal elements keep their order.

    >>> import aino
    >>> aino.sort(aino.tensor([3.0, 1.0, 2.0])).values
    tensor([1., 2., 3.])
    """
    dim = dim_of(dim, input.array.ndim)
    if not input.array.ndim:
        return return_types.sort(input.clone(), make(np.zeros((), int64)))
    index = order(input.array, dim, descending, stable)
    return return_types.sort(index_rules.gather(input, index, dim, True), make(index))


@method
@numpy_names
@takes_out
def argsort(
    input: Tensor,
    dim: Any = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the indices that put a tensor in ascending order along a dimension.

    nan counts as the largest number. Raises ``DtypeError`` for complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension.
        descending: whether the order is the other way round.
        stable: whether equal elements keep their order.

    >>> import aino
    >>> aino.argsort(aino.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([0, 2, 1])
    """
    dim = dim_of(dim, input.array.ndim)
    if not input.array.ndim:
        return make(np.zeros((), int64))
    return make(order(input.array, dim, descending, stable))


@method
@takes_out
def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the input sorted along its first dimension.

    >>> import aino
    >>> aino.msort(aino.tensor([3.0, 1.0]))
    tensor([1., 3.])
    """
    return sort(input, 0).values


@method
@numpy_names
@takes_out
def topk(
    input: Tensor,
    k: int,
    dim: Any = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return ``(values, indices)`` of the k largest elements along a dimension, the best first.

    nan counts as the largest number. Of equal elements those are found that PyTorch finds on a CPU
    (of more than 1024, those that come first), and they get the gradient.
    Raises ``ShapeError`` when there are fewer than k.

    Arguments:
        input: a tensor.
        k: how many.
        dim: the dimension.
        largest: False for the smallest elements.
        sorted: has no effect: the result is always in order.

    >>> import aino
    >>> aino.topk(aino.tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    array = input.array
    dim = dim_of(dim, array.ndim)
    length = array.shape[dim] if array.ndim else 1
    if not 0 <= k <= length:
        raise ShapeError(f"topk: k = {k} is out of range for dim {dim} of length {length}")
    if not array.ndim:
        return return_types.topk(input.clone(), make(np.zeros((), int64)))
    index = top_of(array, k, dim - array.ndim, largest)
    return return_types.topk(index_rules.gather(input, index, dim, True), make(index))


@method
@numpy_names
@takes_out
def kthvalue(
    input: Tensor,
    k: int,
    dim: Any = -1,
    keepdim: bool = False,
    *,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return ``(values, indices)`` of the k-th smallest element along a dimension.

    nan counts as the largest number. Of equal elements that is found which PyTorch finds on a CPU.
    Raises ``ShapeError`` when there are fewer than k.

    Arguments:
        input: a tensor.
        k: which, counted from 1.
        dim: the dimension.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.kthvalue(aino.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    array = input.array
    dim = dim_of(dim, array.ndim)
    length = array.shape[dim] if array.ndim else 1
    if not 1 <= k <= length:
        raise ShapeError(f"kthvalue: k = {k} is out of range for dim {dim} of length {length}")
    if not array.ndim:
        return along(input, dim, keepdim, np.zeros((), int64), return_types.kthvalue)
    return along(input, dim, keepdim, kth_of(array, k, dim - array.ndim), return_types.kthvalue)


def _chosen(input, results, wanted):
    """Return the first result, and with it those that were asked for."""
    values = index_rules.distinct(make(results[0]), input)
    chosen = [values] + [make(r) for r, want in zip(results[1:], wanted) if want]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


@method
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: Any = None,
) -> Any:
    """Return the elements that occur, in order, each once; and where and how often, if asked.

    The results are a tuple where there are several.

    Arguments:
        input: a tensor.
        sorted: has no effect: the result is always in order.
        return_inverse: whether to add the index of each element of the input in the result.
        return_counts: whether to add how often each element of the result occurs.
        dim: the dimension whose slices are compared; None for elements.

    >>> import aino
    >>> aino.unique(aino.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    array = input.array
    if dim is not None:
        dim = dim_of(dim, array.ndim)
    values, inverse, counts = np.unique(
        array, return_inverse=True, return_counts=True, axis=dim, equal_nan=False
    )
    inverse = inverse.reshape(array.shape if dim is None else -1)
    return _chosen(input, (values, inverse, counts), (return_inverse, return_counts))


@method
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """Return the input without the elements that repeat the one before.

    The results are a tuple where there are several.

    Arguments:
        input: a tensor.
        return_inverse: whether to add the index of each element of the input in the result.
        return_counts: whether to add how often each element of the result is repeated.
        dim: the dimension whose slices are compared; None for the elements of the flattened tensor.

    >>> import aino
    >>> aino.unique_consecutive(aino.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    array = input.array
    rows = array.reshape(-1) if dim is None else np.moveaxis(array, dim_of(dim, array.ndim), 0)
    length = len(rows)
    fixed = still(rows)
    differs = (fixed[1:] != fixed[:-1]).any(axis=tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(np.concatenate([np.ones(min(length, 1), bool), differs]))
    inverse = np.cumsum(np.concatenate([np.zeros(min(length, 1), int64), differs]))
    values = rows[starts]
    if dim is None:
        inverse = inverse.reshape(array.shape)
    else:
        values = np.moveaxis(values, 0, dim)
    counts = np.diff(np.append(starts, length))
    return _chosen(input, (values, inverse, counts), (return_inverse, return_counts))


@takes_out
def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return where values belong in a sequence that is sorted along its last dimension.

    An index i says ``sequence[i-1] < value <= sequence[i]``. Raises ``ShapeError`` where rows of
    several dimensions don't agree, ``ValueError`` where ``side`` contradicts ``right``.

    Arguments:
        sorted_sequence: the sequence, or several as rows.
        input: the values: a tensor, of as many rows, or a number.
        out_int32: whether the indices are int32, not int64.
        right: whether the index says ``sequence[i-1] <= value < sequence[i]``.
        side: ``"left"`` or ``"right"``, which says the same in words.
        sorter: the indices that sort the sequence, where it isn't sorted itself.

    >>> import aino
    >>> aino.searchsorted(aino.tensor([1.0, 3.0, 5.0]), aino.tensor([3.0, 4.0]))
    tensor([1, 2])
    """
    sequence = sorted_sequence.array
    values = input.array if isinstance(input, Tensor) else np.asarray(input)
    if side is not None and side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side must be 'left' or 'right', not {side!r}")
    if side == "left" and right:
        raise ArgumentError("searchsorted: side 'left' and right=True contradict each other")
    side = "right" if right or side == "right" else "left"
    if sorter is not None:
        sequence = np.take_along_axis(sequence, sorter.array, -1)
    if sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise ShapeError(
            f"searchsorted: all but the last dimension must agree, got {sequence.shape} and "
            f"{values.shape}"
        )
    return make(_searchsorted(sequence, values, side, int32 if out_int32 else int64))


@opaque
def _searchsorted(sequence, values, side, dtype):
    """Return where values would stand among sorted ones, row by row."""
    if sequence.ndim == 1:
        return np.asarray(np.searchsorted(sequence, values, side), dtype)
    count, length = math.prod(values.shape[:-1]), sequence.shape[-1]
    rows = sequence.reshape((count, length))
    wanted = values.reshape((count, values.shape[-1]))
    if count <= wanted.shape[-1]:
        found = [np.searchsorted(row, value, side) for row, value in zip(rows, wanted)]
        return np.array(found, dtype).reshape(values.shape)
    # Many short rows: all of them are halved at once, as often as the sequence is long.
    low, high = np.zeros(wanted.shape, int64), np.full(wanted.shape, length)
    for _ in range(length.bit_length()):
        middle = (low + high) // 2
        there = np.take_along_axis(rows, np.minimum(middle, length - 1), -1)
        # NaN is larger than any number.
        below = (there < wanted) | ((wanted != wanted) & (there == there))
        if side == "right":
            below |= (there == wanted) | ((wanted != wanted) & (there != there))
        below &= middle < high
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return low.astype(dtype).reshape(values.shape)


@takes_out
def bucketize(
    input: Tensor,
    boundaries: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the index of the bucket, between boundaries, that each element is in.

    An index i says ``boundaries[i-1] < value <= boundaries[i]``. Raises ``ShapeError`` unless the
    boundaries are 1-D.

    Arguments:
        input: the values: a tensor, or a number.
        boundaries: the boundaries in ascending order, 1-D.
        out_int32: whether the indices are int32, not int64.
        right: whether the index says ``boundaries[i-1] <= value < boundaries[i]``.

    >>> import aino
    >>> aino.bucketize(aino.tensor([0.5, 2.0]), aino.tensor([1.0, 2.0]))
    tensor([0, 1])
    """
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize: boundaries must be 1-D, got shape {tuple(boundaries.shape)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
