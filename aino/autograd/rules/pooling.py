"""Pooling along one axis: the largest of each window, or the sum.

Over several axes it goes one after the other, the last first, so that of equal elements the first
in the window's own order is found. Window ``i`` begins at ``i · stride - before`` and has ``size``
elements, ``dilation`` apart. The elements of one number in all windows are a strided slice, and a
few whole slices are compared or added where ``reduce`` would go from window to window. Windows of
many elements that lie side by side are rows, and reduced as rows are.

Where the largest stands is a number in its window, ``winner``: an integer, hence a constant.
"""

from __future__ import annotations

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.primitive import primitive
from aino.autograd.rules.compare import chosen_from, masked
from aino.autograd.rules.constants import BITS
from aino.autograd.rules.index import gather, scatter_sum
from aino.autograd.rules.shape import zeros
from aino.autograd.rules.window_gradient import routed
from aino.autograd.sums import in_float32, sum_over
from aino.autograd.tensor import Tensor

ndarray = np.ndarray

#: Windows of more elements are numbered by wider integers.
_INT8_REACHES = 127
#: Windows of more elements, side by side, are rows.
_FEW = 8


def _slices(axis, size, stride, dilation, count, before, length):
    """Return for each number of a window: which windows have that element, and the elements."""
    lead, found = (slice(None),) * axis, []
    for k in range(size):
        offset = k * dilation - before
        first = max(-(offset // stride), 0)
        end = max(min(count, (length - 1 - offset) // stride + 1), first)
        start = first * stride + offset
        where = slice(start, start + max((end - first - 1) * stride + 1, 0), stride)
        found.append(((*lead, slice(first, end)), (*lead, where if end > first else slice(0))))
    return found


def _are_rows(size, stride, dilation, before):
    return stride == size > _FEW and dilation == 1 and not before


def _rows(x, axis, size, count):
    """Return windows that lie side by side with an axis of their own, behind ``axis``."""
    shape = x.shape
    rows = x[(*(slice(None),) * axis, slice(count * size))]
    return rows.reshape((*shape[:axis], count, size, *shape[axis + 1 :]))


def _numbers(size, behind):
    """Return the numbers in a window along an axis that others follow."""
    return np.arange(size).reshape((size,) + (1,) * behind)


def _empty(x, axis, length):
    """Return memory in the order of that of ``x``."""
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return np.empty_like(x, shape=shape) if type(x) is ndarray else zeros(shape, x)


def _zeros(x, axis, length):
    y = _empty(x, axis, length)
    if type(x) is ndarray:
        y.fill(0)
    return y


def _lowest(dtype):
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _window_max(x, axis, size, stride, dilation, count, before):
    if _are_rows(size, stride, dilation, before) and not isinstance(x, Duck):
        return np.maximum.reduce(_rows(x, axis, size, count), axis=axis + 1)
    parts = _slices(axis, size, stride, dilation, count, before, x.shape[axis])
    whole = [k for k, (windows, _) in enumerate(parts) if windows[axis] == slice(0, count)]
    if len(whole) == size > 1:
        y = _larger(x[parts[0][1]], x[parts[1][1]])
        for _, elements in parts[2:]:
            y = _larger(y, x[elements])
        return y
    if whole:
        y = x[parts[whole[0]][1]].copy()
    else:
        y = _zeros(x, axis, count) + _lowest(x.dtype)
    for k, (windows, elements) in enumerate(parts):
        if k not in whole[:1]:
            y[windows] = _larger(y[windows], x[elements])
    return y


def _larger(a, b):
    if isinstance(a, Duck):  # of equal duals the maximum would share the tangent
        return np.where((b > a) | (b != b), b, a)
    return np.maximum(a, b)


def _values(*values):
    """Return arrays of tensors: what is found out about them is constant."""
    return [x.detach().array if isinstance(x, Tensor) else x for x in values]


def _all_known(y):
    """Tell whether no element is NaN, where that can be told."""
    return type(y) is ndarray and not (y != y).any()


def _where(x, y, axis):
    """Return where along an axis its largest element stands, which is y: the last of NaN."""
    winner = np.argmax(x, axis=axis)
    if _all_known(y):
        return winner
    numbers = _numbers(x.shape[axis], x.ndim - 1 - axis)
    return np.where(y != y, np.maximum.reduce((x != x) * numbers, axis=axis), winner)


def winners(x, y, axis, size, stride, dilation, before):
    """Return the number of the largest element in each window: the first, of NaN the last."""
    x, y = _values(x, y)
    count = y.shape[axis]
    numbers = np.dtype(np.int8 if size <= _INT8_REACHES else np.int64)
    if _are_rows(size, stride, dilation, before):
        return _where(_rows(x, axis, size, count), y, axis + 1)
    parts = _slices(axis, size, stride, dilation, count, before, x.shape[axis])
    if size == 2 and all([windows[axis] == slice(0, count) for windows, _ in parts]):
        a, b = x[parts[0][1]], x[parts[1][1]]
        if _all_known(y):
            return (a != y).view(numbers)
        return ((b > a) | (b != b)).astype(numbers)
    # The lower its number, the more an element that equals the largest scores.
    score = np.zeros_like(y, numbers)
    for k, (windows, elements) in enumerate(parts):
        equal = (x[elements] == y[windows]).astype(numbers)
        score[windows] = np.maximum(score[windows], equal * numbers.type(size - k))
    winner = numbers.type(size) - score
    if x.dtype.kind != "f" or _all_known(y):
        return winner
    last = np.zeros_like(y, numbers)
    for k, (windows, elements) in enumerate(parts):
        none = (x[elements] != x[elements]).astype(numbers)
        last[windows] = np.maximum(last[windows], none * numbers.type(k))
    return np.where(y != y, last, winner)


def _winners_anew(x, axis, size, stride, dilation, count, before):
    """Return the winners of windows whose maxima may have been written over in place.

    ``ReLU(inplace=True)`` behind a pooling does that.
    """
    (x,) = _values(x)
    y = _window_max(x, axis, size, stride, dilation, count, before)
    return winners(x, y, axis, size, stride, dilation, before)


def _window_max_x(g, x, axis, size, stride, dilation, count, before):
    overlap = stride < size
    if overlap and g.dtype.itemsize > 2 and not isinstance(g, Tensor | Duck):
        if not isinstance(x, Tensor | Duck):
            return routed(g, x, axis, size, stride, dilation, before)
    winner = _winners_anew(x, axis, size, stride, dilation, count, before)
    return window_place(g, winner, axis, size, stride, dilation, before, x.shape[axis])


#: The largest element of each window, NaN above all.
window_max = primitive(
    "window_max", _window_max, formula="yᵢ = maxₖ x[i·stride + k·dilation]",
    x=_window_max_x,
    jvp={"x": lambda t, x, axis, size, stride, dilation, count, before: window_pick(
        t, _winners_anew(x, axis, size, stride, dilation, count, before),
        axis, size, stride, dilation, before,
    )},
)  # fmt: skip


def _window_place(x, winner, axis, size, stride, dilation, before, length):
    count, behind = x.shape[axis], x.ndim - 1 - axis
    if _are_rows(size, stride, dilation, before):
        lead = (slice(None),) * (axis + 1)
        if type(x) is ndarray and type(winner) is ndarray:
            y = np.zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype)
            rows = _rows(y, axis, size, count)
            np.put_along_axis(rows, winner[(*lead, None)], x[(*lead, None)], axis + 1)
            return y
        placed = masked(x[(*lead, None)], winner[(*lead, None)] == _numbers(size, behind))
        placed = placed.reshape((*x.shape[:axis], count * size, *x.shape[axis + 1 :]))
        if count * size == length:
            return placed
        y = _zeros(x, axis, length)
        y[(*(slice(None),) * axis, slice(count * size))] = placed
        return y
    parts = _slices(axis, size, stride, dilation, count, before, length)
    if stride == size and not before and dilation == 1 and count * size == length:
        y = _empty(x, axis, length)
        bits = BITS.get(x.dtype)
        if size == 2 and type(x) is ndarray and bits is not None:
            # What is not the second's is the first's: the bits that are left.
            place, taken = y.view(bits), x.view(bits)
            second = np.multiply(taken, winner.astype(bits), out=place[parts[1][1]])
            np.bitwise_xor(taken, second, out=place[parts[0][1]])
            return y
        for k, (_, elements) in enumerate(parts):
            y[elements] = masked(x, winner == k)
        return y
    y = _zeros(x, axis, length)
    for k, (windows, elements) in enumerate(parts):
        y[elements] += masked(x[windows], winner[windows] == k)
    return y


window_place = primitive(
    "window_place", lambda x, winner, axis, size, stride, dilation, before, length: (
        in_float32(_window_place, x, winner, axis, size, stride, dilation, before, length)
    ),
    inputs="x winner", formula="y[i·stride + winnerᵢ·dilation] += xᵢ",
    x=lambda g, winner, axis, size, stride, dilation, before: (
        window_pick(g, winner, axis, size, stride, dilation, before)
    ),
)  # fmt: skip


def _window_pick(x, winner, axis, size, stride, dilation, before):
    count, behind = winner.shape[axis], x.ndim - 1 - axis
    if _are_rows(size, stride, dilation, before):
        lead = (slice(None),) * (axis + 1)
        chosen = winner[(*lead, None)] == _numbers(size, behind)
        return sum_over(masked(_rows(x, axis, size, count), chosen), axis + 1)
    y = _zeros(x, axis, count)
    parts = _slices(axis, size, stride, dilation, count, before, x.shape[axis])
    for k, (windows, elements) in enumerate(parts):
        y[windows] = chosen_from(winner[windows] == k, x[elements], y[windows])
    return y


window_pick = primitive(
    "window_pick", _window_pick, inputs="x winner", formula="yᵢ = x[i·stride + winnerᵢ·dilation]",
    x=lambda g, winner, axis, size, stride, dilation, before, x_shape: (
        window_place(g, winner, axis, size, stride, dilation, before, x_shape[axis])
    ),
)  # fmt: skip


# Windows of different lengths, (first, end) each


def _span_max(x, axis, spans):
    lead, found = (slice(None),) * axis, []
    duck = isinstance(x, Duck)
    for first, end in spans:
        if duck:
            y = x[(*lead, slice(first, first + 1))]
            for i in range(first + 1, end):
                y = _larger(y, x[(*lead, slice(i, i + 1))])
        else:
            y = np.maximum.reduce(x[(*lead, slice(first, end))], axis=axis, keepdims=True)
        found.append(y)
    return np.concatenate(found, axis) if found else x[(*lead, slice(0))]


def span_winners(x, y, axis, spans):
    """Return where along the axis the largest element of each stands."""
    x, y = _values(x, y)
    lead = (slice(None),) * axis
    found = [np.zeros_like(y[(*lead, slice(0))], np.int64)]
    for i, (first, end) in enumerate(spans):
        winner = _where(x[(*lead, slice(first, end))], y[(*lead, i)], axis)
        found.append((winner + first)[(*lead, None)])
    return np.concatenate(found, axis)


def _span_winners_anew(x, axis, spans):
    (x,) = _values(x)
    return span_winners(x, _span_max(x, axis, spans), axis, spans)


#: The largest element of each of a few windows, NaN above all.
span_max = primitive(
    "span_max", _span_max, formula="yᵢ = max x[firstᵢ : endᵢ]",
    x=lambda g, x, axis, spans: (
        scatter_sum(g, _span_winners_anew(x, axis, spans), axis, x.shape, False)
    ),
    jvp={"x": lambda t, x, axis, spans: (
        gather(t, _span_winners_anew(x, axis, spans), axis, False)
    )},
)  # fmt: skip


# Sums


def _window_total(x, axis, size, stride, count, before):
    if _are_rows(size, stride, 1, before):
        return sum_over(_rows(x, axis, size, count), axis + 1)
    parts = _slices(axis, size, stride, 1, count, before, x.shape[axis])
    whole = [k for k, (windows, _) in enumerate(parts) if windows[axis] == slice(0, count)]
    if len(whole) > 1:
        y = x[parts[whole[0]][1]] + x[parts[whole[1]][1]]
    else:
        y = x[parts[whole[0]][1]].copy() if whole else _zeros(x, axis, count)
    for k, (windows, elements) in enumerate(parts):
        if k in whole[2:]:
            y += x[elements]
        elif k not in whole:
            y[windows] += x[elements]
    return y


window_total = primitive(
    "window_total", lambda x, axis, size, stride, count, before: (
        in_float32(_window_total, x, axis, size, stride, count, before)
    ),
    jacobian="linear", linked=True, formula="yᵢ = Σₖ x[i·stride + k]",
    x=lambda g, axis, size, stride, before, x_shape: (
        window_spread(g, axis, size, stride, before, x_shape[axis])
    ),
)  # fmt: skip


def _window_spread(x, axis, size, stride, before, length):
    count = x.shape[axis]
    parts = _slices(axis, size, stride, 1, count, before, length)
    if stride == size and not before and count * size == length:
        y = _empty(x, axis, length)
        for _, elements in parts:
            y[elements] = x
        return y
    y = _zeros(x, axis, length)
    for windows, elements in parts:
        y[elements] += x[windows]
    return y


window_spread = primitive(
    "window_spread", lambda x, axis, size, stride, before, length: (
        in_float32(_window_spread, x, axis, size, stride, before, length)
    ),
    jacobian="linear", linked=True, formula="y[i·stride + k] += xᵢ",
    x=lambda g, axis, size, stride, before, x_shape: (
        window_total(g, axis, size, stride, x_shape[axis], before)
    ),
)  # fmt: skip
