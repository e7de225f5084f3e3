"""Operators that take elements from places, and put them there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.table import Ints, Plain, operator
from aino.ops.pointwise.choosing import where
from aino.tracing import checked

_REDUCTIONS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def _counted_from_front(indices: Tensor, size: int) -> Tensor:
    """Return indices of which those below zero count from the end."""
    indices = indices.to("int64")
    return where(indices < 0, indices + size, indices)


@operator("Gather", moves=True)
def gather(data: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    axis += data.ndim if axis < 0 else 0
    return data[(slice(None),) * axis + (indices.to("int64"),)]


@operator("GatherElements", moves=True)
def gather_elements(data: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    return data.gather(axis, _counted_from_front(indices, data.shape[axis]))


@operator("GatherND", moves=True)
def gather_nd(data: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    batch, depth = tuple(data.shape[:batch_dims]), indices.shape[-1]
    inner = tuple(data.shape[batch_dims : batch_dims + depth])
    rest = tuple(data.shape[batch_dims + depth :])
    places = _flat(indices, inner).reshape(math.prod(batch), -1)
    samples = np.arange(math.prod(batch)).reshape(-1, 1) * math.prod(inner)
    rows = data.reshape(math.prod(batch) * math.prod(inner), math.prod(rest))
    taken = rows.index_select(0, (places + Tensor(samples)).reshape(-1))
    return taken.reshape(*indices.shape[:-1], *rest)


def _flat(indices: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Return the numbers of places that are given by one index for each dimension."""
    result = None
    for axis, size in enumerate(sizes):
        index = _counted_from_front(indices[..., axis], size)
        _check_inside(index, size)
        result = index if result is None else result * size + index
    if result is None:
        return Tensor(np.zeros(tuple(indices.shape[:-1]), np.int64))
    return result


def _check_inside(index: Tensor, size: int) -> None:
    def check(array: Any) -> None:
        if array.size and not (array.min() >= 0 and array.max() < size):
            raise OnnxError(f"an index is outside of an axis of size {size}")

    checked(check, index.array)


@operator("ScatterElements", moves=True)
def scatter_elements(
    data: Tensor, indices: Tensor, updates: Tensor, *, axis: int, reduction: str = "none"
) -> Tensor:
    places = _counted_from_front(indices, data.shape[axis])
    if reduction == "none":
        return data.scatter(axis, places, updates)
    return data.scatter_reduce(axis, places, updates, _kind(reduction))


operator("Scatter", moves=True)(scatter_elements)


@operator("ScatterND", moves=True)
def scatter_nd(
    data: Tensor, indices: Tensor, updates: Tensor, *, reduction: str = "none"
) -> Tensor:
    depth = indices.shape[-1]
    inner, rest = tuple(data.shape[:depth]), tuple(data.shape[depth:])
    width = math.prod(rest)
    places = _flat(indices, inner).reshape(-1, 1)
    places = places.broadcast_to((places.shape[0], width))
    rows, new = data.reshape(math.prod(inner), width), updates.reshape(-1, width)
    if reduction == "none":
        return rows.scatter(0, places, new).reshape(data.shape)
    return rows.scatter_reduce(0, places, new, _kind(reduction)).reshape(data.shape)


def _kind(reduction: str) -> str:
    if reduction not in _REDUCTIONS:
        raise OnnxError(f"the reduction {reduction!r} is none of none, {', '.join(_REDUCTIONS)}")
    return _REDUCTIONS[reduction]


@operator("TensorScatter", moves=True)
def tensor_scatter(
    past_cache: Tensor,
    update: Tensor,
    write_indices: Tensor | None = None,
    *,
    mode: str,
    axis: int,
) -> Tensor:
    axis %= past_cache.ndim
    size, length = past_cache.shape[axis], update.shape[axis]
    steps = np.arange(length).reshape(1, -1)
    places: Tensor = Tensor(steps.repeat(past_cache.shape[0], 0))
    if write_indices is not None:
        places = places + write_indices.to("int64").reshape(-1, 1)
    if mode == "circular":
        places = places.remainder(size)
    shape = [1] * past_cache.ndim
    shape[0], shape[axis] = past_cache.shape[0], length
    return past_cache.scatter(axis, places.reshape(shape).broadcast_to(update.shape), update)


@operator("NonZero")
def non_zero(X: Plain) -> np.ndarray:
    return np.array(np.nonzero(np.atleast_1d(X)), np.int64)


@operator("Compress", moves=True)
def compress(input: Tensor, condition: Plain, *, axis: int | None = None) -> Tensor:
    chosen = Tensor(np.flatnonzero(condition))
    if axis is None:
        return input.reshape(-1).index_select(0, chosen)
    return input.index_select(axis, chosen)


@operator("ReverseSequence", moves=True)
def reverse_sequence(
    input: Tensor, sequence_lens: Ints, *, batch_axis: int, time_axis: int
) -> Tensor:
    size = input.shape[time_axis]
    order = np.array(
        [[*range(n)][::-1] + [*range(n, size)] for n in sequence_lens], np.int64
    ).reshape(len(sequence_lens), size)
    shape = [1] * input.ndim
    shape[batch_axis], shape[time_axis] = order.shape
    order = order if batch_axis < time_axis else order.T
    return input.gather(time_axis, Tensor(order.reshape(shape)).broadcast_to(input.shape))


@operator("Unique")
def unique(X: Tensor, *, axis: int | None = None, sorted: int) -> tuple[Any, ...]:
    plain = X.detach().numpy()
    if axis is None:
        plain, axis = plain.reshape(-1), 0
        X = X.reshape(-1)
    _, first, inverse, counts = np.unique(
        plain, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first, kind="stable")
        first, counts = first[order], counts[order]
        inverse = np.argsort(order, kind="stable")[inverse]
    return (
        X.index_select(axis, Tensor(first.astype(np.int64))),
        *(part.astype(np.int64) for part in (first, inverse, counts)),
    )
