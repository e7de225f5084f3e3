"""Pooling along one axis: the largest of each window, or the sum.

Over several axes it goes one after the other, the last first, so that of equal elements the first
in the window's own order is found. Window ``i`` begins at ``i · stride`` and has ``size`` elements,
``dilation`` apart: the elements of one number in all windows are a strided slice, and a few whole
slices are compared or added where ``reduce`` would go from window to window.
"""

from __future__ import annotations

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.primitive import primitive
from aino.autograd.rules.compare import chosen_from, masked
from aino.autograd.rules.shape import zeros
from aino.autograd.sums import in_float32, sum_over

#: Windows of more elements are numbered by wider integers.
_INT8_REACHES = 127
#: Windows of more elements, which do not overlap, are rows that are summed as rows are.
_FEW = 8


def _slices(axis, size, stride, dilation, count):
    """Return the index of the elements of each number in all windows."""
    lead, reach = (slice(None),) * axis, (count - 1) * stride + 1
    return [
        (*lead, slice(k * dilation, k * dilation + reach, stride)) for k in range(size)
    ]  # fmt: skip


def _first_inside(axis, rank, count, stride, dilation, before, dtype):
    """Return for each window the number of its first element behind ``before`` others."""
    first = np.maximum(-((np.arange(count) * stride - before) // dilation), 0)
    return first.astype(dtype).reshape((count,) + (1,) * (rank - 1 - axis))


def _window_max(x, axis, size, stride, dilation, count, before):
    parts = [x[index] for index in _slices(axis, size, stride, dilation, count)]
    dtype = np.dtype(np.int8 if size <= _INT8_REACHES else np.int64)
    y = parts[0]
    winner = np.zeros_like(y, dtype)
    if before:
        # What was put before the input never wins, not even where all of them are -inf.
        winner = winner + _first_inside(axis, x.ndim, count, stride, dilation, before, dtype)
    for k in range(1, size):
        part = parts[k]
        larger = part > y
        if part.dtype.kind == "f":
            larger = larger | (part != part)
        # The largest of what a dual is made of would share its tangent among equals.
        y = np.where(larger, part, y) if isinstance(y, Duck) else np.maximum(y, part)
        if k == 1 and not before:
            winner = larger.astype(dtype)
        else:
            winner = np.where(larger, dtype.type(k), winner)
    return (y if size > 1 else y.copy()), winner


#: The largest element of each window, NaN above all, and its number in the window. The first
#: ``before`` elements along the axis are a frame around the input.
window_max = primitive(
    "window_max", _window_max, outputs="y winner", formula="yᵢ = maxₖ x[i·stride + k·dilation]",
    linked=True,
    x=lambda g, _, winner, axis, size, stride, dilation, x_shape: (
        window_place(g, winner, axis, size, stride, dilation, x_shape[axis])
    ),
)  # fmt: skip


def _window_place(x, winner, axis, size, stride, dilation, length):
    count = x.shape[axis]
    y = zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), x)
    overlap = stride <= (size - 1) * dilation
    for k, index in enumerate(_slices(axis, size, stride, dilation, count)):
        part = masked(x, winner == k)
        if overlap:
            y[index] += part
        else:
            y[index] = part
    return y


window_place = primitive(
    "window_place", lambda x, winner, axis, size, stride, dilation, length: (
        in_float32(_window_place, x, winner, axis, size, stride, dilation, length)
    ),
    inputs="x winner", formula="y[i·stride + winnerᵢ·dilation] += xᵢ",
    x=lambda g, winner, axis, size, stride, dilation: (
        window_pick(g, winner, axis, size, stride, dilation)
    ),
)  # fmt: skip


def _window_pick(x, winner, axis, size, stride, dilation):
    parts = _slices(axis, size, stride, dilation, winner.shape[axis])
    y = x[parts[0]]
    for k in range(1, size):
        y = chosen_from(winner == k, x[parts[k]], y)
    return y if size > 1 else y.copy()


window_pick = primitive(
    "window_pick", _window_pick, inputs="x winner", formula="yᵢ = x[i·stride + winnerᵢ·dilation]",
    x=lambda g, winner, axis, size, stride, dilation, x_shape: (
        window_place(g, winner, axis, size, stride, dilation, x_shape[axis])
    ),
)  # fmt: skip


def _window_total(x, axis, size, stride, count):
    if stride == size > _FEW:
        lead, shape = (slice(None),) * axis, x.shape
        rows = x[(*lead, slice(count * size))]
        return sum_over(rows.reshape((*shape[:axis], count, size, *shape[axis + 1 :])), axis + 1)
    first, *rest = _slices(axis, size, stride, 1, count)
    y = x[first].copy() if not rest else x[first] + x[rest[0]]
    for index in rest[1:]:
        y += x[index]
    return y


window_total = primitive(
    "window_total", lambda x, axis, size, stride, count: (
        in_float32(_window_total, x, axis, size, stride, count)
    ),
    jacobian="linear", linked=True, formula="yᵢ = Σₖ x[i·stride + k]",
    x=lambda g, axis, size, stride, x_shape: window_spread(g, axis, size, stride, x_shape[axis]),
)  # fmt: skip


def _window_spread(x, axis, size, stride, length):
    shape = x.shape
    y = zeros((*shape[:axis], length, *shape[axis + 1 :]), x)
    for index in _slices(axis, size, stride, 1, shape[axis]):
        if stride < size:
            y[index] += x
        else:
            y[index] = x
    return y


window_spread = primitive(
    "window_spread", lambda x, axis, size, stride, length: (
        in_float32(_window_spread, x, axis, size, stride, length)
    ),
    jacobian="linear", formula="y[i·stride + k] += xᵢ",
    x=lambda g, axis, size, stride, x_shape: (
        window_total(g, axis, size, stride, x_shape[axis])
    ),
)  # fmt: skip
