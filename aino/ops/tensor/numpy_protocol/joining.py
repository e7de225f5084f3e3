"""NumPy's functions that join arrays, cut them apart, and insert into them."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.ops.shape import arranging, broadcasting, joining, shaping
from aino.ops.tensor.numpy_protocol.table import (
    axis_of,
    cast_to,
    check_casting,
    check_choice,
    into,
    numpy_dtype,
    numpy_function,
    tensor_of,
)


def _operands(arrays, dtype, casting, name):
    """Return what is joined as tensors, in the dtype that was asked for."""
    tensors = [tensor_of(x) for x in arrays]
    if dtype is not None:
        dtype = numpy_dtype(dtype)
        for x in tensors:
            check_casting(x, dtype, casting, name)
        tensors = [cast_to(x, dtype) for x in tensors]
    return tensors


@numpy_function("concatenate", "concat")
def concatenate(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind"):
    tensors = _operands(arrays, dtype, casting, "concatenate")
    if axis is None:
        tensors, axis = [shaping.ravel(x) for x in tensors], 0
    if out is None:
        return joining.cat(tensors, axis)
    return into(out, joining.cat(tensors, axis), "concatenate", casting)


@numpy_function("stack")
def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    if not hasattr(axis, "__index__"):
        raise TypeError(f"np.stack: axis is one integer, not {axis!r}")
    result = joining.stack(_operands(arrays, dtype, casting, "stack"), axis)
    return into(out, result, "stack", casting)


@numpy_function("vstack", "row_stack")
def vstack(tup, *, dtype=None, casting="same_kind"):
    return joining.vstack(_operands(tup, dtype, casting, "vstack"))


@numpy_function("hstack")
def hstack(tup, *, dtype=None, casting="same_kind"):
    return joining.hstack(_operands(tup, dtype, casting, "hstack"))


@numpy_function("dstack")
def dstack(tup):
    return joining.dstack([tensor_of(x) for x in tup])


@numpy_function("column_stack")
def column_stack(tup):
    return joining.column_stack([tensor_of(x) for x in tup])


@numpy_function("block")
def block(arrays):
    depth = _depth(arrays)
    rank = max(depth, _rank(arrays))
    return _block(arrays, depth, rank)


def _depth(arrays) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _rank(arrays) -> int:
    if isinstance(arrays, list):
        return max([_rank(part) for part in arrays], default=0)
    return tensor_of(arrays).ndim


def _block(arrays, depth, rank):
    """Join nested lists: the innermost along the last axis."""
    if not isinstance(arrays, list):
        if depth:
            raise ValueError("np.block: the lists are not nested equally deep")
        x = tensor_of(arrays)
        return shaping.reshape(x, (1,) * (rank - x.ndim) + tuple(x.shape))
    if not arrays or not depth:
        raise ValueError("np.block: lists must not be empty, and equally deep")
    return joining.cat([_block(part, depth - 1, rank) for part in arrays], rank - depth)


@numpy_function("append")
def append(arr, values, axis=None):
    return concatenate([arr, values], axis)


@numpy_function("insert")
def insert(arr, obj, values, axis=None):
    arr, axis = _flat_unless(tensor_of(arr), axis)
    length = arr.shape[axis]
    single = hasattr(obj, "__index__") and not isinstance(obj, Tensor)
    places = np.arange(length)[obj] if isinstance(obj, slice) else _plain(obj)
    if places.dtype.kind == "b":
        places = np.flatnonzero(places)
    if (places < -length).any() or (places > length).any():
        raise IndexError(f"np.insert: {obj} is out of bounds for axis {axis} of length {length}")
    values = cast_to(tensor_of(values), arr.dtype)
    if single and values.ndim == arr.ndim and arr.ndim > 1:
        count = values.shape[axis]
        places = np.full(count, places)
    elif single:
        places = places.reshape(1)
        if values.ndim and arr.ndim == 1:
            places = np.full(values.array.size, places[0])
        elif values.ndim:
            values = shaping.unsqueeze(values, axis) if values.ndim < arr.ndim else values
    places = np.where(places < 0, places + length, places).reshape(-1)
    shape = [len(places) if i == axis else n for i, n in enumerate(arr.shape)]
    values = broadcasting.broadcast_to(values, shape)
    both = joining.cat([arr, values], axis)
    # A stable sort puts what is inserted before what stood there.
    keys = np.concatenate([np.arange(length) + 0.5, places.astype(float)])
    return both.index_select(axis, tensor_of(np.argsort(keys, kind="stable")))


@numpy_function("delete")
def delete(arr, obj, axis=None):
    arr, axis = _flat_unless(tensor_of(arr), axis)
    length = arr.shape[axis]
    keep = np.ones(length, bool)
    keep[obj if isinstance(obj, slice) else _plain(obj)] = False
    return arr.index_select(axis, tensor_of(np.flatnonzero(keep)))


def _plain(x):
    """Return an index, of integers or booleans, as an array."""
    array = np.asarray(x.array if isinstance(x, Tensor) else x)
    return array if array.size else array.astype(int)


def _flat_unless(arr, axis):
    """Return an array and the axis of it that is meant: flat where none is named."""
    return (shaping.ravel(arr), 0) if axis is None else (arr, axis_of(axis, arr.ndim))


# Cut apart


@numpy_function("array_split")
def array_split(ary, indices_or_sections, axis=0):
    if not hasattr(indices_or_sections, "__index__"):
        indices_or_sections = [int(i) for i in indices_or_sections]
    return list(joining.tensor_split(ary, indices_or_sections, axis))


@numpy_function("split")
def split(ary, indices_or_sections, axis=0):
    if hasattr(indices_or_sections, "__index__"):
        length = ary.shape[axis_of(axis, ary.ndim)]
        if length % indices_or_sections:
            raise ShapeError(
                f"np.split: axis {axis} of length {length} can't be cut into "
                f"{indices_or_sections} equal parts; np.array_split cuts unequal ones"
            )
    return array_split(ary, indices_or_sections, axis)


@numpy_function("hsplit")
def hsplit(ary, indices_or_sections):
    return split(ary, indices_or_sections, min(ary.ndim - 1, 1))


@numpy_function("vsplit")
def vsplit(ary, indices_or_sections):
    if ary.ndim < 2:
        raise ShapeError(f"np.vsplit: at least two axes, got shape {tuple(ary.shape)}")
    return split(ary, indices_or_sections, 0)


@numpy_function("dsplit")
def dsplit(ary, indices_or_sections):
    if ary.ndim < 3:
        raise ShapeError(f"np.dsplit: at least three axes, got shape {tuple(ary.shape)}")
    return split(ary, indices_or_sections, 2)


@numpy_function("unstack")
def unstack(x, /, *, axis=0):
    return joining.unbind(x, axis)


@numpy_function("meshgrid")
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    check_choice("meshgrid", "indexing", indexing, ("xy", "ij"))
    tensors = [shaping.ravel(tensor_of(x)) for x in xi]
    grids: Any
    if sparse:
        places = list(range(len(tensors)))
        if indexing == "xy" and len(places) > 1:
            places[:2] = 1, 0
        grids = [
            shaping.reshape(x, [-1 if i == place else 1 for i in range(len(tensors))])
            for place, x in zip(places, tensors)
        ]
    else:
        grids = arranging.meshgrid(*tensors, indexing=indexing)
    return tuple([grid.clone() for grid in grids]) if copy else tuple(grids)
