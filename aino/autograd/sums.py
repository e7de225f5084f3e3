"""Sums that keep their digits, whatever the axes: the one place where numbers are added up.

NumPy adds pairwise along the axis that lies closest in memory, and one by one along all others:
a million rows of float32 lose their last five bits, twenty million a sixth of their value. Here
a sum is a product with ones, which BLAS does in blocks and sooner than NumPy adds, and a long
one is a sum of sums of a few hundred numbers each. float16 is added up in float32.

Everything is written in the rules' dialect, and serves arrays, tensors and tracers alike.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.operands import float32, float64
from aino.autograd.tensor import Tensor
from aino.dtypes import float16

ndarray = np.ndarray

#: So many numbers NumPy adds one by one without harm; and in so many loops it is quick enough.
FEW = 128
#: So many rows are summed to one, where there are more than a few.
ROWS = 64
#: The same where NumPy adds them, one by one.
STEPS = 32
#: So many numbers of each row or column of a small matrix BLAS adds in one product,
MEDIUM = 256
#: and so many where it keeps several sums at once: of a vector, and of columns by fours.
LONGEST = 1024
#: Matrices of more numbers are cut: they leave the cache, and BLAS wakes threads for them.
LARGEST = 1 << 18
#: Rows of fewer numbers are read several at once.
WIDE = 1024

_ONES32: dict[int, ndarray] = {}
_ONES64: dict[int, ndarray] = {}


def _make_ones(length, dtype):
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    (_ONES32 if dtype is float32 else _ONES64)[length] = ones
    return ones


def ones_of(length, dtype):
    """Return a vector of ones, which is made once."""
    ones = (_ONES32 if dtype is float32 else _ONES64).get(length)
    return _make_ones(length, dtype) if ones is None else ones


def sum_over(x, axis=None, keepdims=False):
    """Return the sum over one axis, several, or all (None), none of them negative.

    The relative error of a sum of ten million positive float32 numbers is a few units in the
    last place, along whatever axis they lie.
    """
    if isinstance(x, Tensor):
        return np.add.reduce(x, axis=axis, keepdims=keepdims)
    if axis is None:
        return total(x).reshape((1,) * x.ndim) if keepdims else total(x)
    dtype = x.dtype
    if (dtype is float32 or dtype is float64) and x.ndim == 2 and x.size <= LARGEST:
        length, width = x.shape
        if axis == 0 and length <= LONGEST:
            if length <= MEDIUM or width % 4 == 0 or width == 1:
                ones = ones_of(length, dtype)
                y = ones.dot(x) if type(x) is ndarray else np.dot(ones, x)
                return y[None] if keepdims else y
            end = length - length % 4
            fours = x if end == length else x[:end]
            fours = sum_over(fours.reshape((end // 4, width * 4)), 0).reshape((4, width))
            y = sum_over(fours, 0, keepdims)
            return y if end == length else y + sum_over(x[end:], 0, keepdims)
        elif axis == 1 and width <= MEDIUM:
            ones = ones_of(width, dtype)
            y = x.dot(ones) if type(x) is ndarray else np.dot(x, ones)
            return y[:, None] if keepdims else y
    if dtype is float16:
        return sum_over(x.astype(float32), axis, keepdims).astype(float16)
    shape = x.shape
    if type(axis) is int:
        if not shape or shape[axis] <= FEW:
            loops = shape[:-1] if axis == x.ndim - 1 else shape[: axis + 1]
            if math.prod(loops) <= FEW or math.prod(shape[axis + 1 :]) >= WIDE:
                return np.add.reduce(x, axis=axis, keepdims=keepdims)
        axis = (axis,)
    axes, straight = tuple(sorted(axis)), x.flags.c_contiguous
    if _is_quick(shape, axes, straight) or dtype.kind not in "fc" or not x.size:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)
    y = _sum_runs(x, axes) if straight and dtype.kind == "f" else _sum_ordered(x, axes)
    if keepdims:
        return y
    return y.reshape(tuple([length for i, length in enumerate(shape) if i not in axes]))


def _is_quick(shape, axes, straight):
    """Tell whether NumPy adds so few numbers, or in so few loops, that it loses nothing."""
    if not straight:
        return math.prod([shape[axis] for axis in axes]) <= FEW
    inner = len(shape)
    if axes and axes[-1] != inner - 1:
        inner = axes[-1] + 1
    else:
        while inner and inner - 1 in axes:
            inner -= 1
    return math.prod(shape[:inner]) <= FEW


def total(x):
    """Return the sum of all elements of an array, in a kernel."""
    count, dtype = x.size, x.dtype
    if dtype is float32 or dtype is float64:
        if count <= LONGEST:
            x, ones = x.reshape((count,)), ones_of(count, dtype)
            return ones.dot(x) if type(x) is ndarray else np.dot(ones, x)
        if x.flags.forc:
            return np.add.reduce(x, axis=None)
    return sum_over(x, tuple(range(x.ndim)))


def widened(x):
    """Return float16 as float32, in which it is added up and squared; others as they are."""
    return x.astype(float32) if x.dtype is float16 else x


def in_float32(kernel, x, *parameters):
    """Compute a kernel on float16 in float32: sums of squares would soon be infinite."""
    if x.dtype is float16:
        return kernel(x.astype(float32), *parameters).astype(float16)
    return kernel(x, *parameters)


def _sum_runs(x, axes):
    """Sum over runs of neighbouring axes, the longest first, for an array in C order."""
    runs: list[list[int]] = []
    for axis in axes:
        if runs and runs[-1][1] == axis:
            runs[-1][1] += 1
        else:
            runs.append([axis, axis + 1])
    if len(runs) > 1:
        runs.sort(key=lambda run: -math.prod(x.shape[run[0] : run[1]]))
    for first, stop in runs:
        before, along, after = x.shape[:first], x.shape[first:stop], x.shape[stop:]
        length = math.prod(along)
        if length > 1:
            y = _sum_middle(x, math.prod(before), length, math.prod(after))
            x = y.reshape((*before, *[1] * len(along), *after))
    return x


def _sum_middle(x, outer, length, inner):
    """Sum over the middle of three axes."""
    if inner > 1:
        return _sum_blocks(x.reshape((outer, length, inner)))
    lanes = 1 if length <= MEDIUM else 4
    if length > LONGEST or length % lanes or (x.size > LARGEST and length >= 32):
        # NumPy adds pairwise here.
        return np.add.reduce(x.reshape((outer, length)), axis=1)
    y = np.dot(x.reshape((outer * lanes, length // lanes)), ones_of(length // lanes, x.dtype))
    return y if lanes == 1 else np.dot(y.reshape((outer, lanes)), ones_of(lanes, x.dtype))


def _sum_blocks(x):
    """Sum over the middle of three axes, as a sum of sums of a few rows each."""
    outer, length, inner = x.shape
    rows = max(16, min(ROWS, LARGEST // inner))
    if length <= rows:
        return np.matmul(ones_of(length, x.dtype), x)
    joined = max(1, min(WIDE // inner, length // rows))
    count = length // (rows * joined)
    end = count * rows * joined
    blocks = x[:, :end].reshape((outer, count, rows, joined * inner))
    sums = np.matmul(ones_of(rows, x.dtype), blocks)
    y = _sum_blocks(sums.reshape((outer, count * joined, inner)))
    return y if end == length else y + _sum_blocks(x[:, end:])


def _sum_ordered(x, axes):
    """Sum over axes that are kept, whatever the order of an array in memory."""
    strides = x.strides
    order = sorted(range(x.ndim), key=lambda axis: (-abs(strides[axis]), axis))
    x = x.transpose(*order)
    axes = tuple(sorted([order.index(axis) for axis in axes]))
    contiguous = x.dtype.kind == "f" and x.flags.c_contiguous
    y = _sum_runs(x, axes) if contiguous else _sum_split(x, axes)
    return y.transpose(*[order.index(axis) for axis in range(len(order))])


def _sum_split(x, axes):
    """Sum over axes of which NumPy adds the last pairwise and the others one by one."""
    outer = [axis for axis in axes if axis != x.ndim - 1]
    if math.prod([x.shape[axis] for axis in outer]) <= STEPS:
        return np.add.reduce(x, axis=axes, keepdims=True)
    axis = max(outer, key=lambda axis: x.shape[axis])
    length, lead = x.shape[axis], (slice(None),) * axis
    rows = min(length, STEPS)
    count = length // rows
    end = count * rows
    split = x[(*lead, slice(end))].reshape((*x.shape[:axis], count, rows, *x.shape[axis + 1 :]))
    y = sum_over(np.add.reduce(split, axis=axis + 1), axes, True)
    return y if end == length else y + _sum_split(x[(*lead, slice(end, None))], axes)


def sum_to_shape(g, shape):
    """Sum a gradient back to the shape its input had before it was broadcast."""
    extra = len(g.shape) - len(shape)
    if extra == 1 and g.ndim == 2 and g.shape[1:] == shape:
        return sum_over(g, 0)
    axes = list(range(extra))
    for axis, length in enumerate(shape):
        if length == 1 and g.shape[axis + extra] != 1:
            axes.append(axis + extra)
    if axes:
        keepdims: Any = len(axes) > extra
        g = sum_over(g, axes[0] if len(axes) == 1 else tuple(axes), keepdims)
    return g if g.shape == shape else g.reshape(shape)


def accumulated(ufunc, x, axis):
    """Return what a ufunc makes of all elements up to each: of many, or products, in float64."""
    kind = x.dtype.kind
    short = x.shape[axis] <= FEW and ufunc is not np.multiply and x.dtype is not float16
    if short or kind not in "fc":
        return ufunc.accumulate(x, axis=axis)
    wide = float64 if kind == "f" else np.dtype(np.complex128)
    return ufunc.accumulate(x, axis=axis, dtype=wide).astype(x.dtype)
