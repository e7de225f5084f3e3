"""The same elements in another shape or order, and their repetition."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.sums import sum_over, sum_to_shape

ndarray = np.ndarray


def zeros(shape, like):
    """Return zeros of the dtype of ``like``; np.zeros_like takes six times as long."""
    if type(like) is ndarray:
        return np.zeros(shape, like.dtype)
    return np.zeros_like(like, shape=shape, order="C")


def _empty(shape, like):
    if type(like) is ndarray:
        return np.empty(shape, like.dtype)
    return np.empty_like(like, shape=shape, order="C")


# Views: the same memory

reshape = primitive(
    "reshape", lambda x, shape: x.reshape(shape), formula="x in another shape", view=True,
    x=lambda g, x_shape: g.reshape(x_shape),
)  # fmt: skip

transposed = primitive("mT", lambda x: x.mT, formula="xᵀ", view=True, x=lambda g: transposed(g))


def inverse(axes) -> tuple[int, ...]:
    """Return the permutation that undoes ``axes``."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


permute = primitive(
    "permute", lambda x, axes: x.transpose(axes), formula="x with its axes permuted", view=True,
    x=lambda g, axes: permute(g, inverse(axes)),
)  # fmt: skip


def _expand(x, shape):
    added = len(shape) - x.ndim
    if shape[added:] == x.shape and shape[:added] == (1,) * added:
        return x[(None,) * added + (...,)]
    # NumPy's view is read-only, rightly: one element of x stands in many places.
    return np.broadcast_to(x, shape)


expand = primitive(
    "expand", _expand, formula="x broadcast", view=True,
    x=lambda g, x_shape: sum_to_shape(g, x_shape),
)  # fmt: skip


def _diagonal(x, offset, axis1, axis2):
    y = x.diagonal(offset, axis1, axis2)
    if type(y) is ndarray:
        y.flags.writeable = x.flags.writeable
    return y


diagonal = primitive(
    "diagonal", _diagonal, formula="xᵢᵢ", view=True,
    x=lambda g, offset, axis1, axis2, x_shape: on_diagonal(g, offset, axis1, axis2, x_shape),
)  # fmt: skip


def _on_diagonal(x, offset, axis1, axis2, shape):
    y = zeros(shape, x)
    _diagonal(y, offset, axis1, axis2)[...] = x
    return y


on_diagonal = primitive(
    "on_diagonal", _on_diagonal, formula="yᵢᵢ = x, else 0",
    x=lambda g, offset, axis1, axis2: diagonal(g, offset, axis1, axis2),
)  # fmt: skip


def _put_diagonal(x, values, offset, axis1, axis2):
    y = x.copy()
    _diagonal(y, offset, axis1, axis2)[...] = values
    return y


put_diagonal = primitive(
    "put_diagonal", _put_diagonal, formula="x with xᵢᵢ = values",
    x=lambda g, offset, axis1, axis2: put_diagonal(g, 0.0, offset, axis1, axis2),
    values=lambda g, offset, axis1, axis2: diagonal(g, offset, axis1, axis2),
)  # fmt: skip


def _windows(x, axis, size, step):
    count = (x.shape[axis] - size) // step + 1
    overlap = step < size and count > 1  # an element stands in several windows
    if type(x) is not ndarray:
        view = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=not overlap)
        return view[(*(slice(None),) * axis, slice(None, None, step))]
    # A buffer's base is the array itself, so that a write through the view is noticed;
    # as_strided would put an object of its own between them.
    owner = x
    while isinstance(owner.base, ndarray):
        owner = owner.base
    # In the order of its strides it is one piece of memory, unless the user has laid it out.
    buffer = owner.transpose(sorted(range(owner.ndim), key=lambda i: -owner.strides[i]))
    if not buffer.flags.c_contiguous:
        stack = _window_stack(x, axis, size, step, count)
        stack.flags.writeable = False
        return stack
    buffer = owner if owner.flags.c_contiguous else buffer
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :], size)
    along = x.strides[axis]
    strides = (*x.strides[:axis], along * step, *x.strides[axis + 1 :], along)
    start = x.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    windows = np.ndarray(shape, x.dtype, buffer, start, strides)
    if overlap:
        windows.flags.writeable = False
    return windows


def _window_stack(x, axis, size, step, count):
    lead = (slice(None),) * axis
    parts = [x[(*lead, slice(k, k + (count - 1) * step + 1, step), ..., None)] for k in range(size)]
    return np.concatenate(parts, -1)


windows = primitive(
    "windows", _windows, formula="yᵢⱼ = x[i·step + j]", view=True,
    x=lambda g, axis, size, step, x_shape: window_sum(g, axis, size, step, x_shape),
)  # fmt: skip


def _window_sum(x, axis, size, step, shape):
    # As many additions as windows overlap: each adds a column of blocks, one step wide.
    count, overlap = x.shape[axis], -(-size // step)
    lead, after = (slice(None),) * axis, shape[axis + 1 :]
    y = zeros((*shape[:axis], count + overlap - 1, step, *after), x)
    blocks = x.transpose((*range(axis + 1), x.ndim - 1, *range(axis + 1, x.ndim - 1)))
    for j in range(overlap):
        width = min(step, size - j * step)
        part = blocks[(*lead, slice(None), slice(j * step, j * step + width))]
        y[(*lead, slice(j, j + count), slice(width))] += part
    y = y.reshape((*shape[:axis], (count + overlap - 1) * step, *after))
    n = shape[axis]
    if y.shape[axis] >= n:
        return y[(*lead, slice(n))]
    whole = zeros(shape, x)
    whole[(*lead, slice(y.shape[axis]))] = y
    return whole


window_sum = primitive(
    "window_sum", _window_sum, formula="y[i·step + j] = Σ xᵢⱼ", jacobian="linear",
    x=lambda g, axis, size, step: windows(g, axis, size, step),
)  # fmt: skip


# Copies: memory of their own


def _clone(x, order="K"):
    # An expanded axis has no place among the others: NumPy would make it the innermost.
    return x.copy("C" if type(x) is ndarray and 0 in x.strides else order)


clone = primitive("clone", _clone, formula="x", x=lambda g: g)


def _spread(x, shape):
    y = _empty(shape, x)
    y[...] = x
    return y


#: ``expand`` into memory of its own: what follows in a backward pass reads it several times, and
#: an empty array that is filled costs a fifth of a broadcast view.
spread = primitive(
    "spread", _spread, formula="x repeated", x=lambda g, x_shape: sum_to_shape(g, x_shape)
)


def _backwards(axes, rank):
    """Return the index that walks these axes from their ends."""
    return tuple([slice(None, None, -1 if axis in axes else 1) for axis in range(rank)])


flip = primitive(
    "flip", lambda x, axes: x[_backwards(axes, x.ndim)].copy(), formula="x backwards",
    x=lambda g, axes: flip(g, axes),
)  # fmt: skip


def _opposite(shifts):
    return tuple([-shift for shift in shifts]) if type(shifts) is tuple else -shifts


roll = primitive(
    "roll", lambda x, shifts, axes: np.roll(x, shifts, axes), formula="x turned round",
    x=lambda g, shifts, axes: roll(g, _opposite(shifts), axes),
)  # fmt: skip


def _untile(g, counts, shape):
    """Sum the copies that ``repeat`` laid side by side."""
    own = (1,) * (len(counts) - len(shape)) + tuple(shape)
    pairs = [length for pair in zip(counts, own) for length in pair]
    copies = tuple(range(0, 2 * len(counts), 2))
    return sum_over(g.reshape(tuple(pairs)), copies).reshape(shape)


repeat = primitive(
    "repeat", lambda x, counts: np.tile(x, counts), formula="x side by side",
    x=lambda g, counts, x_shape: _untile(g, counts, x_shape),
)  # fmt: skip


def _inner(widths, shape):
    """Return the index of the original inside what was padded."""
    return tuple([slice(before, before + n) for (before, _), n in zip(widths, shape)])


def _pad(x, widths, value):
    shape = tuple([n + before + after for n, (before, after) in zip(x.shape, widths)])
    y = zeros(shape, x)
    if value:
        y.fill(value)
    y[_inner(widths, x.shape)] = x
    return y


pad = primitive(
    "pad", _pad, formula="x in a frame of one value",
    x=lambda g, widths, x_shape: g[_inner(widths, x_shape)],
)  # fmt: skip

tril = primitive(
    "tril", lambda x, k: np.tril(x, k), formula="xᵢⱼ where j ≤ i + k",
    x=lambda g, k: tril(g, k),
)  # fmt: skip

triu = primitive(
    "triu", lambda x, k: np.triu(x, k), formula="xᵢⱼ where j ≥ i + k",
    x=lambda g, k: triu(g, k),
)  # fmt: skip
