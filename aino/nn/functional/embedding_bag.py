"""Rows of a table, looked up by number and combined bag by bag."""

from __future__ import annotations

import numpy as np

from aino import tracing
from aino.autograd.rules.index import gather, take_sum
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float16
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn.functional.sparse import embedding
from aino.ops.half import in_float32
from aino.ops.pointwise.choosing import where

MODES = ("sum", "mean", "max")


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
    norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean",
    sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the sum, the mean or the largest of the rows ``weight[input]`` of each bag.

    An empty bag gives zeros. Raises ``ShapeError`` for an input that is neither a matrix nor one
    dimension with offsets, ``ValueError`` for another mode or for offsets that do not fit,
    ``IndexError`` for a number outside the table.

    Arguments:
        input: the numbers: integers (bags, n), or (n,) with offsets.
        weight: the table (rows, dimension); the output is (bags, dimension).
        offsets: where each bag begins in the input (bags,): 0 first, and not falling.
        max_norm: rows that are longer are shortened to this, in the table itself.
        norm_type: p of the norm that ``max_norm`` is about.
        scale_grad_by_freq: divide a row's gradient by how often its number stands in the input.
        mode: "sum", "mean" or "max".
        sparse: taken for PyTorch's sake; gradients are dense.
        per_sample_weights: factors in the input's shape, for the sum alone.
        include_last_offset: the last of the offsets is the length of the input.
        padding_idx: the number that counts as absent; negative counts from the end.

    >>> import aino
    >>> table = aino.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> bags = aino.tensor([[0, 1], [2, 2]])
    >>> aino.nn.functional.embedding_bag(bags, table, mode="sum")
    tensor([[ 2.,  4.],
            [ 8., 10.]])
    """
    return bagged(
        input, weight, offsets, max_norm, norm_type, scale_grad_by_freq, mode,
        per_sample_weights, include_last_offset, padding_idx,
    )[0]  # fmt: skip


def bagged(
    input, weight, offsets, max_norm, norm_type, scale_grad_by_freq, mode, weights, last, padding
):
    """Return the rows of each bag as one, each number's bag, the bags' sizes, and the largest."""
    if mode not in MODES:
        raise ArgumentError(f"embedding_bag: mode has to be one of sum, mean or max, not {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ArgumentError(
            "embedding_bag: max mode does not support scaling the gradient by the frequency"
        )
    index = input.array
    if index.dtype.kind not in "iu":
        raise DtypeError(f"embedding_bag looks up integers, got {index.dtype}: input.long()")
    _check_weights(input, weight, weights, mode)
    if weight.array.dtype is float16:
        return in_float32_parts(
            input, weight, offsets, max_norm, norm_type, scale_grad_by_freq, mode, weights, last,
            padding,
        )  # fmt: skip
    starts = _starts(input, offsets, last)
    count, total = starts.shape[0], index.size
    flat = input.reshape(-1)
    rows = weight.shape[0]
    found = embedding(flat, weight, padding, max_norm, norm_type, scale_grad_by_freq)
    bags = bags_of(starts, total)
    kept = np.ones(total, bool) if padding is None else flat.array != padding % max(rows, 1)
    sizes = np.add.reduce((bags == np.arange(count)[:, None]) & kept, axis=1)
    if mode == "max":
        winners = winners_of(found.array, bags, kept, count)
        picked = gather(found, np.maximum(winners, 0), 0, False) if total else _none(found, count)
        return np.where(make(winners >= 0), picked, 0.0), bags, sizes, winners
    if weights is not None:
        found = found * weights.reshape(-1, 1)
    if padding is not None:
        found = where(make(kept[:, None]), found, 0.0)
    y = take_sum(found, bags, 0, count, False)
    if mode == "mean":
        y = y / make(np.maximum(sizes, 1).astype(y.array.dtype)[:, None])
    return y, bags, sizes, None


def in_float32_parts(input, weight, *rest):
    """Do the same of float16 by way of float32."""
    parts: list = []

    def first(wide, *others):
        weights = others[5]
        if weights is not None and weights.array.dtype is float16:
            others = (*others[:5], weights.float(), *others[6:])
        parts[:] = bagged(input, wide, *others)
        return parts[0]

    return (in_float32(first, weight, *rest), *parts[1:])


def _none(found, count):
    return make(np.zeros((count, found.shape[1]), found.array.dtype))


def _check_weights(input, weight, weights, mode) -> None:
    if weight.ndim != 2:
        raise ShapeError(f"embedding_bag: weight is 2-D, (rows, features), not {weight.shape}")
    if weights is None:
        return
    if mode != "sum":
        raise ArgumentError(
            f"embedding_bag: per_sample_weights are for mode='sum' alone, not for mode={mode!r}"
        )
    if weights.shape != input.shape:
        raise ShapeError(
            f"embedding_bag: per_sample_weights have the input's shape {tuple(input.shape)}, not "
            f"{tuple(weights.shape)}"
        )
    if weights.dtype != weight.dtype:
        raise DtypeError(
            f"embedding_bag: per_sample_weights are of the table's dtype {weight.dtype}, not of "
            f"{weights.dtype}"
        )


def _starts(input, offsets, last):
    """Return where each bag begins among all numbers."""
    if input.ndim == 2:
        if offsets is not None:
            raise ArgumentError(
                "embedding_bag: an input of 2 dimensions has a bag in each row, and no offsets"
            )
        count, each = input.shape
        return np.arange(count) * each
    if input.ndim != 1:
        raise ShapeError(f"embedding_bag takes an input of 1 or 2 dimensions, got {input.ndim}")
    if offsets is None:
        raise ArgumentError("embedding_bag: an input of 1 dimension needs offsets")
    if offsets.ndim != 1 or offsets.array.dtype.kind not in "iu":
        raise ShapeError(
            f"embedding_bag: offsets are integers (bags,), not {offsets.dtype} of shape "
            f"{tuple(offsets.shape)}"
        )
    starts = offsets.array
    if last and not starts.shape[0]:
        raise ArgumentError("embedding_bag: include_last_offset needs at least one offset")
    tracing.checked(_check_offsets, starts, input.array.size)
    return starts[:-1] if last else starts


def _check_offsets(starts, total) -> None:
    if not starts.size:
        return
    if starts[0] != 0:
        raise ArgumentError(f"embedding_bag: the first of the offsets has to be 0, not {starts[0]}")
    if (starts[1:] < starts[:-1]).any() or starts[-1] > total:
        raise ArgumentError(
            f"embedding_bag: offsets may not fall, nor go beyond the {total} numbers of the input"
        )


@tracing.opaque
def bags_of(starts, total):
    """Return the bag of each number."""
    return np.searchsorted(starts, np.arange(total), "right") - 1


@tracing.opaque
def winners_of(rows, bags, kept, count):
    """Return where the largest number of each bag and column stands first; -1 in empty bags."""
    winners = np.full((count, rows.shape[1]), -1)
    places = np.flatnonzero(kept)
    if places.size:
        own = bags[places]
        first = np.flatnonzero(np.diff(own, prepend=-1))
        largest = np.maximum.reduceat(rows[places], first, axis=0)
        wide = np.repeat(largest, np.diff(first, append=len(own)), axis=0)
        same = (rows[places] == wide) | np.isnan(rows[places])
        candidates = np.where(same, places[:, None], len(rows))
        winners[own[first]] = np.minimum.reduceat(candidates, first, axis=0)
    return winners
