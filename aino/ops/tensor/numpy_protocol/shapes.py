"""NumPy's functions that give the same elements another shape or order."""

from __future__ import annotations

import math

import numpy as np

from aino.errors import ShapeError
from aino.ops.shape import arranging, broadcasting, padding, shaping, transposing
from aino.ops.tensor.numpy_protocol.table import (
    axes_of,
    axis_of,
    check_choice,
    holds_numbers,
    numpy_function,
    tensor_of,
)


@numpy_function("shape")
def shape(a):
    return tuple(tensor_of(a).shape)


@numpy_function("ndim")
def ndim(a):
    return tensor_of(a).ndim


@numpy_function("size")
def size(a, axis=None):
    axes = axes_of(axis, a.ndim)
    return math.prod([a.shape[i] for i in axes])


def _turned(a):
    return transposing.permute(a, tuple(reversed(range(a.ndim))))


def _order(a, order, name):
    """Return ``C`` or ``F`` for the order in which NumPy would read ``a``."""
    check_choice(name, "order", order, ("C", "F", "A", "K") if name == "ravel" else ("C", "F", "A"))
    if order == "A":
        flags = a.array.flags
        return "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    return order


@numpy_function("reshape")
def reshape(a, /, shape, order="C", *, copy=None):
    if order is None or _order(a, order, "reshape") == "C":
        result = shaping.reshape(a, shape)
    else:
        lengths = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        result = _turned(shaping.reshape(_turned(a), lengths[::-1]))
    if copy is None:
        return result
    if copy:
        return result.clone()
    if not np.may_share_memory(result.array, a.array):
        raise ValueError(f"np.reshape: {tuple(a.shape)} can't become {shape} without a copy")
    return result


@numpy_function("ravel")
def ravel(a, order="C"):
    order = _order(a, order, "ravel")
    if order == "F":
        a = _turned(a)
    elif order == "K":
        strides = [-abs(stride) for stride in a.array.strides]
        a = transposing.permute(a, tuple(sorted(range(a.ndim), key=strides.__getitem__)))
    return shaping.ravel(a)


@numpy_function("transpose", "permute_dims")
def transpose(a, axes=None):
    return _turned(a) if axes is None else transposing.permute(a, axes)


@numpy_function("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x, /):
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: at least two axes, got shape {tuple(x.shape)}")
    return x.mT


@numpy_function("swapaxes")
def swapaxes(a, axis1, axis2):
    return transposing.transpose(a, axis1, axis2)


@numpy_function("moveaxis")
def moveaxis(a, source, destination):
    return transposing.movedim(a, source, destination)


@numpy_function("rollaxis")
def rollaxis(a, axis, start=0):
    axis = axis_of(axis, a.ndim)
    if not -a.ndim <= start <= a.ndim:
        raise np.exceptions.AxisError(start, a.ndim)
    start += a.ndim if start < 0 else 0
    return transposing.movedim(a, axis, start - 1 if axis < start else start)


@numpy_function("squeeze")
def squeeze(a, axis=None):
    if axis is None:
        return shaping.squeeze(a)
    axes = axes_of(axis, a.ndim)
    for i in axes:
        if a.shape[i] != 1:
            raise ShapeError(f"np.squeeze: axis {i} of shape {tuple(a.shape)} is longer than 1")
    return shaping.reshape(a, tuple([n for i, n in enumerate(a.shape) if i not in axes]))


@numpy_function("expand_dims")
def expand_dims(a, axis):
    added = 1 if hasattr(axis, "__index__") else len(axis)
    axes = axes_of(axis, a.ndim + added)
    lengths = iter(a.shape)
    return shaping.reshape(
        a, tuple([1 if i in axes else next(lengths) for i in range(a.ndim + added)])
    )


@numpy_function("broadcast_to")
def broadcast_to(array, shape, subok=False):
    return broadcasting.broadcast_to(array, shape)


@numpy_function("broadcast_arrays")
def broadcast_arrays(*args, subok=False):
    # What holds no numbers, None among settings say, is no tensor, and stays an array.
    plain = {i: x for i, x in enumerate(args) if not holds_numbers(x)}
    tensors = [tensor_of(x) for i, x in enumerate(args) if i not in plain]
    shapes = [*[x.shape for x in tensors], *[np.shape(x) for x in plain.values()]]
    shape = np.broadcast_shapes(*shapes)
    found = iter([broadcasting.broadcast_to(x, shape) for x in tensors])
    return tuple(
        [np.broadcast_to(plain[i], shape) if i in plain else next(found) for i in range(len(args))]
    )


def _at_least(function):
    def at_least(*arys):
        brought = [function(tensor_of(x)) for x in arys]
        return brought[0] if len(brought) == 1 else tuple(brought)

    return at_least


numpy_function("atleast_1d")(_at_least(broadcasting.atleast_1d))
numpy_function("atleast_2d")(_at_least(broadcasting.atleast_2d))
numpy_function("atleast_3d")(_at_least(broadcasting.atleast_3d))


# Another order


@numpy_function("flip")
def flip(m, axis=None):
    return arranging.flip(m, axes_of(axis, m.ndim))


@numpy_function("fliplr")
def fliplr(m):
    return arranging.fliplr(m)


@numpy_function("flipud")
def flipud(m):
    return arranging.flipud(m)


@numpy_function("rot90")
def rot90(m, k=1, axes=(0, 1)):
    return arranging.rot90(m, k, axes)


@numpy_function("roll")
def roll(a, shift, axis=None):
    if axis is None:
        return arranging.roll(a, int(np.sum(shift)))
    shifts, axes = np.broadcast_arrays(shift, axis)
    if not shifts.size:
        return a.clone()
    return arranging.roll(a, tuple(shifts.ravel().tolist()), tuple(axes.ravel().tolist()))


@numpy_function("tile")
def tile(A, reps):
    counts = (reps,) if hasattr(reps, "__index__") else tuple(reps)
    A = shaping.reshape(A, (1,) * (len(counts) - A.ndim) + tuple(A.shape))
    return arranging.tile(A, counts)


@numpy_function("repeat")
def repeat(a, repeats, axis=None):
    return arranging.repeat_interleave(a, repeats, axis)


@numpy_function("resize")
def resize(a, new_shape):
    lengths = (new_shape,) if hasattr(new_shape, "__index__") else tuple(new_shape)
    flat, wanted = shaping.ravel(a), math.prod(lengths)
    if not a.array.size:
        return tensor_of(np.zeros(lengths, a.dtype))
    if wanted > a.array.size:
        flat = arranging.tile(flat, -(-wanted // a.array.size))
    return shaping.reshape(flat[:wanted], lengths)


@numpy_function("tril")
def tril(m, k=0):
    return arranging.tril(_as_matrix(m), k)


@numpy_function("triu")
def triu(m, k=0):
    return arranging.triu(_as_matrix(m), k)


def _as_matrix(m):
    """Return a vector repeated as the rows of a matrix: NumPy broadcasts it to its mask."""
    return broadcasting.broadcast_to(m, (m.shape[0], m.shape[0])) if m.ndim == 1 else m


@numpy_function("diagonal")
def diagonal(a, offset=0, axis1=0, axis2=1):
    return shaping.diagonal(a, offset, axis1, axis2)


@numpy_function("linalg.diagonal")
def linalg_diagonal(x, /, *, offset=0):
    return shaping.diagonal(x, offset, -2, -1)


@numpy_function("diag")
def diag(v, k=0):
    return arranging.diag(v, k)


@numpy_function("diagflat")
def diagflat(v, k=0):
    return arranging.diagflat(v, k)


@numpy_function("trim_zeros")
def trim_zeros(filt, trim="fb", axis=None):
    places = np.argwhere(filt.array)
    axes = axes_of(axis, filt.ndim)
    cut = [slice(None)] * filt.ndim
    for i in axes:
        if not len(places):
            cut[i] = slice(0)
            continue
        first = places[:, i].min() if "f" in trim.lower() else 0
        last = places[:, i].max() + 1 if "b" in trim.lower() else filt.shape[i]
        cut[i] = slice(int(first), int(last))
    return filt[tuple(cut)]


# Frames

_MODES = ("constant", "edge", "reflect", "wrap", "symmetric")


@numpy_function("pad")
def pad(array, pad_width, mode="constant", **kwargs):
    check_choice("pad", "mode", mode, _MODES)
    taken = {"constant": {"constant_values"}}.get(mode, set())
    if mode in ("reflect", "symmetric") and kwargs.get("reflect_type", "even") == "even":
        taken = {"reflect_type"}
    for key in kwargs.keys() - taken:
        raise ValueError(f"np.pad on tensors does not take {key}= with mode {mode!r}")
    widths = _widths(pad_width, array.ndim)
    if mode == "constant":
        return _framed(array, widths, kwargs.get("constant_values", 0))
    return _continued(array, widths, mode)


def _widths(pad_width, rank):
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * rank
        for axis, width in pad_width.items():
            pairs[axis_of(axis, rank)] = (width, width) if isinstance(width, int) else width
        pad_width = pairs
    widths = np.broadcast_to(np.asarray(pad_width), (rank, 2))
    if widths.dtype.kind not in "iu":
        raise TypeError("np.pad: pad_width is made of integers")
    if widths.size and widths.min() < 0:
        raise ValueError("np.pad: pad_width must not be negative")
    return widths.tolist()


def _framed(array, widths, values):
    """Return a tensor in a frame of numbers, one for each side of each axis."""
    values = np.broadcast_to(np.asarray(values), (array.ndim, 2))
    if (values == values.reshape(-1)[:1]).all():
        flat = [n for pair in reversed(widths) for n in pair]
        value = values.reshape(-1)[0].item() if values.size else 0
        return padding.pad(array, flat, value=value)
    for axis, (pair, sides) in enumerate(zip(widths, values.tolist())):
        for place in (0, 1):
            one = [0, 0] * (array.ndim - 1 - axis) + [pair[0], 0]
            if place:
                one[-2:] = [0, pair[1]]
            array = padding.pad(array, one, value=sides[place])
    return array


def _continued(array, widths, mode):
    """Return a tensor continued beyond its edges, as often as the frame is wide."""
    for axis, (before, after) in enumerate(widths):
        n = array.shape[axis]
        if not before and not after:
            continue
        if not n:
            raise ValueError(f"np.pad: axis {axis} has no elements to continue with")
        places = np.arange(-before, n + after)
        if mode == "edge":
            places = np.clip(places, 0, n - 1)
        elif mode == "wrap":
            places = places % n
        elif mode == "symmetric":
            places = places % (2 * n)
            places = np.where(places < n, places, 2 * n - 1 - places)
        else:
            places = places % max(2 * n - 2, 1)
            places = np.where(places < n, places, 2 * n - 2 - places)
        array = array.index_select(axis, tensor_of(places))
    return array
