"""NumPy's functions that write into an array: into a tensor in place, on record."""

from __future__ import annotations

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import GradientError
from aino.ops import pointwise
from aino.ops.shape import broadcasting, shaping
from aino.ops.tensor.inplace import copy_
from aino.ops.tensor.numpy_protocol import shapes
from aino.ops.tensor.numpy_protocol.table import (
    cast_to,
    check_casting,
    check_choice,
    numpy_function,
    tensor_of,
)


def _store(target, changed, name):
    """Write a changed copy into its tensor, or into an array where no gradient is lost."""
    if isinstance(target, Tensor):
        copy_(target, changed)
    elif changed.requires_grad:
        raise GradientError(f"np.{name} writes into an array, where the gradient would be lost")
    else:
        np.copyto(target, changed.array)


@numpy_function("copyto")
def copyto(dst, src, casting="same_kind", where=True):
    number = isinstance(src, (bool, int, float, complex))
    source = make(np.asarray(src, dst.dtype)) if number else tensor_of(src)
    check_casting(source, dst.dtype, casting, "copyto")
    source = cast_to(source, dst.dtype)
    if where is not True:
        source = pointwise.where(tensor_of(where), source, tensor_of(dst))
    _store(dst, broadcasting.broadcast_to(source, tuple(dst.shape)), "copyto")


def _replaced(a, places, values, name):
    """Write values, repeated where there are too few, at places of the flat array."""
    if not places.size:
        return
    base = tensor_of(a)
    values = shaping.ravel(cast_to(tensor_of(values), base.dtype))
    if not values.array.size:
        raise ValueError(f"np.{name}: there are no values to write")
    # Of what is written twice the last value stays, which one gradient flows into.
    place_of = dict(zip(places.tolist(), range(places.size)))
    unique = np.fromiter(place_of.keys(), np.int64)
    source = np.fromiter(place_of.values(), np.int64) % values.array.size
    flat = shaping.ravel(base).index_copy(0, make(unique), values[make(source)])
    _store(a, shaping.reshape(flat, tuple(base.shape)), name)


@numpy_function("put")
def put(a, ind, v, mode="raise"):
    check_choice("put", "mode", mode, ("raise", "wrap", "clip"))
    places = np.asarray(tensor_of(ind).array).reshape(-1)
    size = tensor_of(a).array.size
    if mode == "raise" and places.size and (places.min() < -size or places.max() >= size):
        raise IndexError(f"np.put: an index is out of bounds for {size} elements")
    places = np.clip(places, 0, size - 1) if mode == "clip" else places % size
    _replaced(a, places, v, "put")


@numpy_function("place")
def place(arr, mask, vals):
    mask = tensor_of(mask).array
    if mask.size != tensor_of(arr).array.size:
        raise ValueError("np.place: the mask has as many elements as the array")
    _replaced(arr, np.flatnonzero(mask), vals, "place")


@numpy_function("putmask")
def putmask(a, /, mask, values):
    base = tensor_of(a)
    mask = tensor_of(mask)
    if mask.array.size != base.array.size:
        raise ValueError("np.putmask: the mask has as many elements as the array")
    values = shaping.ravel(cast_to(tensor_of(values), base.dtype))
    spread = shapes.resize(values, tuple(base.shape))
    truth = shaping.reshape(mask if mask.dtype.kind == "b" else mask != 0, tuple(base.shape))
    _store(a, pointwise.where(truth, spread, base), "putmask")


@numpy_function("put_along_axis")
def put_along_axis(arr, indices, values, axis):
    base = tensor_of(arr)
    places = np.arange(base.array.size).reshape(tuple(base.shape))
    index = tensor_of(indices).array
    if axis is None:
        places, axis = places.reshape(-1), 0
    places = np.take_along_axis(places, index, axis)
    values = broadcasting.broadcast_to(tensor_of(values), places.shape)
    _replaced(arr, places.reshape(-1), values, "put_along_axis")


@numpy_function("fill_diagonal")
def fill_diagonal(a, val, wrap=False):
    base = tensor_of(a)
    places = np.zeros(tuple(base.shape), bool)
    np.fill_diagonal(places, True, wrap)
    _replaced(a, np.flatnonzero(places), val, "fill_diagonal")
