"""NumPy's functions that arrange, join and pick elements, over all samples at once."""

from __future__ import annotations

import numpy as np

from aino.autograd.batched.array import BatchedArray
from aino.autograd.batched.registry import numpy_function
from aino.autograd.batched.samples import (
    aligned,
    axes_in,
    axis_in,
    belongs,
    spread,
    unbatched_memory,
)
from aino.autograd.sums import sum_over

# Another shape, the same elements


@numpy_function(np.reshape)
def reshape(level, a, /, shape=None, order="C", *, newshape=None, copy=None):
    return a.reshape(shape if shape is not None else newshape, order=order)


@numpy_function(np.ravel)
def ravel(level, a, order="C"):
    return a.reshape((a.size,), order=order)


@numpy_function(np.transpose, np.permute_dims)
def transpose(level, a, axes=None):
    return a.transpose() if axes is None else a.transpose(*axes)


@numpy_function(np.matrix_transpose)
def matrix_transpose(level, x):
    return x.mT


@numpy_function(np.swapaxes)
def swapaxes(level, a, axis1, axis2):
    first, second = axis_in(axis1, a.ndim), axis_in(axis2, a.ndim)
    return BatchedArray(a.values.swapaxes(first, second), level)


@numpy_function(np.moveaxis)
def moveaxis(level, a, source, destination):
    return BatchedArray(
        np.moveaxis(a.values, axes_in(source, a.ndim), axes_in(destination, a.ndim)), level
    )


@numpy_function(np.expand_dims)
def expand_dims(level, a, axis):
    axes = (axis,) if hasattr(axis, "__index__") else tuple(axis)
    rank = a.ndim + len(axes)
    return BatchedArray(np.expand_dims(a.values, tuple([n % rank + 1 for n in axes])), level)


@numpy_function(np.squeeze)
def squeeze(level, a, axis=None):
    if axis is None:
        axis = tuple([i for i, n in enumerate(a.shape) if n == 1])
    return BatchedArray(np.squeeze(a.values, axes_in(axis, a.ndim)), level)


@numpy_function(np.broadcast_to)
def broadcast_to(level, array, shape, subok=False):
    shape = tuple(shape) if hasattr(shape, "__len__") else (shape,)
    values = array.values
    values = values.reshape((values.shape[0], *(1,) * (len(shape) - array.ndim), *values.shape[1:]))
    return BatchedArray(np.broadcast_to(values, (values.shape[0], *shape)), level)


@numpy_function(np.broadcast_arrays)
def broadcast_arrays(level, *args, subok=False):
    shape = np.broadcast_shapes(*[np.shape(x) for x in args])
    return tuple([np.broadcast_to(x, shape) for x in args])


@numpy_function(np.atleast_1d)
def atleast_1d(level, *arys):
    found = [x if np.ndim(x) else np.reshape(x, (1,)) for x in arys]
    return found[0] if len(found) == 1 else tuple(found)


@numpy_function(np.diagonal, np.linalg.diagonal)
def diagonal(level, a, offset=0, axis1=None, axis2=None):
    axis1 = 0 if axis1 is None else axis1
    axis2 = 1 if axis2 is None else axis2
    first, second = axis_in(axis1, a.ndim), axis_in(axis2, a.ndim)
    found = a.values.diagonal(offset, first, second)
    if isinstance(found, np.ndarray):
        found.flags.writeable = a.values.flags.writeable
    return BatchedArray(found, level)


@numpy_function(np.trace)
def trace(level, a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    found = diagonal(level, a, offset, axis1, axis2)
    return sum_over(found if dtype is None else found.astype(dtype), found.ndim - 1)


@numpy_function(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(level, x, window_shape, axis=None, *, subok=False, writeable=False):
    axis = tuple(range(x.ndim)) if axis is None else axis
    # Where the samples are one in memory a view that could be written would say otherwise.
    writeable = writeable and x.flags.writeable
    return BatchedArray(
        np.lib.stride_tricks.sliding_window_view(
            x.values, window_shape, axes_in(axis, x.ndim), writeable=writeable
        ),
        level,
    )


@numpy_function(np.tril)
def tril(level, m, k=0):
    return BatchedArray(np.tril(m.values, k), level)


@numpy_function(np.triu)
def triu(level, m, k=0):
    return BatchedArray(np.triu(m.values, k), level)


@numpy_function(np.rot90)
def rot90(level, m, k=1, axes=(0, 1)):
    return BatchedArray(np.rot90(m.values, k, axes_in(axes, m.ndim)), level)


@numpy_function(np.fliplr)
def fliplr(level, m):
    return m[:, ::-1]


@numpy_function(np.flipud)
def flipud(level, m):
    return m[::-1]


@numpy_function(np.tile)
def tile(level, A, reps):
    reps = tuple(reps) if hasattr(reps, "__len__") else (reps,)
    a = A.reshape((1,) * max(len(reps) - A.ndim, 0) + tuple(A.shape))
    reps = (1,) * (a.ndim - len(reps)) + reps
    return BatchedArray(np.tile(a.values, (1, *reps)), level)


@numpy_function(np.pad)
def pad(level, array, pad_width, mode="constant", **keywords):
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    return BatchedArray(np.pad(array.values, [(0, 0), *widths], mode, **keywords), level)


# Several arrays end to end


@numpy_function(np.concatenate)
def concatenate(level, arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    if out is not None:
        raise unbatched_memory(level)
    values = [spread(x, level) for x in arrays]
    if axis is None:
        values, axis = [x.reshape((x.shape[0], -1)) for x in values], 0
    axis = axis_in(axis, values[0].ndim - 1)
    return BatchedArray(np.concatenate(values, axis, dtype=dtype, casting=casting), level)


@numpy_function(np.stack)
def stack(level, arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    values = [spread(x, level) for x in arrays]
    axis = axis_in(axis, values[0].ndim)
    return BatchedArray(np.stack(values, axis, dtype=dtype, casting=casting), level)


@numpy_function(np.append)
def append(level, arr, values, axis=None):
    if axis is None:
        arr, values, axis = np.ravel(arr), np.ravel(values), 0
    return concatenate(level, (arr, values), axis)


@numpy_function(np.array_split, np.split)
def split(level, ary, indices_or_sections, axis=0):
    found = np.array_split(ary.values, indices_or_sections, axis_in(axis, ary.ndim))
    return [BatchedArray(part, level) for part in found]


# By indices


@numpy_function(np.take)
def take(level, a, indices, axis=None, out=None, mode="raise"):
    if axis is None:
        a, axis = np.ravel(a), 0
    if not belongs(indices, level):
        return BatchedArray(np.take(a.values, indices, axis_in(axis, a.ndim), mode=mode), level)
    if not belongs(a, level):
        a = BatchedArray(spread(a, level), level)
    return a[(slice(None),) * (axis_in(axis, a.ndim) - 1) + (indices,)]


@numpy_function(np.take_along_axis)
def take_along_axis(level, arr, indices, axis=-1):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    arr, indices = spread(arr, level), spread(indices, level)
    return BatchedArray(np.take_along_axis(arr, indices, axis_in(axis, arr.ndim - 1)), level)


@numpy_function(np.put_along_axis)
def put_along_axis(level, arr, indices, values, axis):
    if not belongs(arr, level):
        raise unbatched_memory(level)
    indices = spread(indices, level)
    if belongs(values, level):
        (values,) = aligned(level, (values,))
        values = np.broadcast_to(values, indices.shape)
    np.put_along_axis(arr.values, indices, values, axis_in(axis, arr.ndim))
