"""Which of several equal elements is selected: the one that PyTorch selects on a CPU.

Values are found by NumPy. Where an element is not alone with its value, which one PyTorch finds
follows from the swaps of its partitions, so these are repeated, on the rows concerned alone:
Hoare's partition around the median of three, by quickselect for ``kthvalue``, by the introselect
and introsort of the C++ library for ``topk``. The keys of a row are sorted in ascending order;
``places`` says which element each key belongs to.
"""

from __future__ import annotations

import numpy as np

from aino.tracing import opaque, over_leading

#: Shorter rows are lists, whose elements are quicker to reach one by one.
_LONG = 256
#: Shorter ranges are walked, not searched by NumPy.
_WALKED = 64
#: The C++ library sorts ranges up to this length by insertion, which is stable.
_INSERTED = 16
#: ``topk`` repeats PyTorch's swaps for so many at most.
_MANY = 1024


def same(a, b):
    """Return where elements are equal, one NaN to another too."""
    equal = a == b
    if a.dtype.kind == "f" and np.count_nonzero(unknown := b != b):
        equal = equal | ((a != a) & unknown)
    return equal


def rows_of(array, dim):
    """Return the array with ``dim`` as its last axis."""
    return array if dim in (-1, array.ndim - 1) else np.moveaxis(array, dim, -1)


def keys_of(rows, descending: bool = False):
    """Return the keys of rows: in the order of their elements, in which NaN is the largest."""
    if rows.dtype.kind == "f":
        if np.any(rows != rows):
            rows = np.unique(rows, return_inverse=True)[1].reshape(rows.shape)
        keys = -rows if descending else rows
    else:
        keys = ~rows if descending else rows
    return keys.copy() if rows.shape[-1] > _LONG else keys.tolist()


def places_of(keys):
    """Return where each key stands before anything is swapped."""
    return list(range(len(keys))) if type(keys) is list else np.arange(len(keys))


def _swap(keys, places, i, j) -> None:
    keys[i], keys[j] = keys[j], keys[i]
    places[i], places[j] = places[j], places[i]


def _swap_across(keys, places, i, j, pivot):
    """Swap what is not below the pivot, from i upwards, with what is not above, from j downwards.

    Return where the walks stop after they have met.
    """
    if type(keys) is not list and j - i > _WALKED:
        return _swap_many(keys, places, i, j, pivot)
    while True:
        while keys[i] < pivot:
            i += 1
        while keys[j] > pivot:
            j -= 1
        if i >= j:
            return i, j
        _swap(keys, places, i, j)
        i, j = i + 1, j - 1


def _swap_many(keys, places, i, j, pivot):
    """Do the same at once: the stops of both walks are known before anything is swapped."""
    span = keys[i : j + 1]
    low, high = i + np.flatnonzero(span >= pivot), i + np.flatnonzero(span <= pivot)[::-1]
    pairs = min(len(low), len(high))
    swaps = int(np.count_nonzero(low[:pairs] < high[:pairs]))
    here, there = low[:swaps], high[:swaps]
    for values in (keys, places):
        values[here], values[there] = values[there], values[here]
    # What was swapped stops the other walk.
    up = [int(low[swaps]) if swaps < len(low) else j + 1, *there[-1:].tolist()]
    down = [int(high[swaps]) if swaps < len(high) else i - 1, *here[-1:].tolist()]
    return min(up), max(down)


def _sort(keys, places, first, last) -> None:
    """Sort a range; equal keys stay in their order."""
    if type(keys) is list:
        order = sorted(range(last - first), key=keys[first:last].__getitem__)
        keys[first:last] = [keys[first + i] for i in order]
        places[first:last] = [places[first + i] for i in order]
    else:
        order = first + np.argsort(keys[first:last], kind="stable")
        keys[first:last], places[first:last] = keys[order], places[order]


# kthvalue


def quickselect(keys, k: int) -> int:
    """Return where the k-th smallest key stands, counted from 0."""
    places = places_of(keys)
    low, high = 0, len(keys) - 1
    while high > low + 1:
        _swap(keys, places, low + (high - low) // 2, low + 1)
        for i, j in ((low + 1, high), (low, high), (low + 1, low)):
            if keys[i] > keys[j]:
                _swap(keys, places, i, j)
        i, j = _swap_across(keys, places, low + 2, high - 1, keys[low])
        if i == j:
            i, j = _swap_across(keys, places, i + 1, j - 1, keys[low])
        _swap(keys, places, low, j)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1
    if high == low + 1 and keys[low] > keys[high]:
        _swap(keys, places, low, high)
    return int(places[k])


# topk


def _median_of_three(keys, a, b, c) -> int:
    """Return which of three places holds the middle key."""
    if keys[a] < keys[b]:
        return b if keys[b] < keys[c] else c if keys[a] < keys[c] else a
    return a if keys[a] < keys[c] else c if keys[b] < keys[c] else b


def _partition(keys, places, first, last) -> int:
    """Part a range around a median of three; return where its upper part begins."""
    median = _median_of_three(keys, first + 1, first + (last - first) // 2, last - 1)
    _swap(keys, places, first, median)
    return _swap_across(keys, places, first + 1, last - 1, keys[first])[0]


def introselect(keys, places, k: int) -> None:
    """Bring the k-th smallest to its place, smaller ones before it."""
    first, last = 0, len(keys)
    while last - first > 3:
        cut = _partition(keys, places, first, last)
        first, last = (cut, last) if cut <= k else (first, cut)
    _sort(keys, places, first, last)


def introsort(keys, places, last: int) -> None:
    """Sort the range before ``last``."""
    ranges = [(0, last)]
    while ranges:
        first, end = ranges.pop()
        while end - first > _INSERTED:
            cut = _partition(keys, places, first, end)
            ranges.append((cut, end))
            end = cut
    _sort(keys, places, 0, last)


def heapselect(keys, k: int):
    """Return where the k smallest stand, in their order: the largest of them on top of a heap."""
    heap = list(zip(keys[:k], range(k)))

    def sink(hole, end, item):
        top = hole
        while (child := 2 * hole + 2) < end:
            if heap[child][0] < heap[child - 1][0]:
                child -= 1
            heap[hole] = heap[child]
            hole = child
        if child == end:
            heap[hole] = heap[child - 1]
            hole = child - 1
        while hole > top and heap[parent := (hole - 1) // 2][0] < item[0]:
            heap[hole] = heap[parent]
            hole = parent
        heap[hole] = item

    for parent in reversed(range(k // 2)):
        sink(parent, k, heap[parent])
    start = k
    while start < len(keys):
        # The longer it has taken, the fewer are below the top.
        end = 2 * start
        for place in (start + np.flatnonzero(np.less(keys[start:end], heap[0][0]))).tolist():
            if keys[place] < heap[0][0]:
                sink(0, k, (keys[place], place))
        start = end
    for end in reversed(range(1, k)):
        item = heap[end]
        heap[end] = heap[0]
        sink(0, end, item)
    return [place for _, place in heap]


def topmost(keys, k: int):
    """Return where the k smallest keys stand, in their order."""
    if 64 * k <= len(keys):
        return heapselect(keys, k)
    places = places_of(keys)
    introselect(keys, places, k - 1)
    introsort(keys, places, k - 1)
    return places[:k]


# Of arrays


@opaque
@over_leading
def kth_of(array, k, dim):
    """Return the index of the k-th smallest along ``dim``, counted from 1."""
    rows = rows_of(array, dim)
    value = np.partition(rows, k - 1, axis=-1)[..., k - 1 : k]
    equal = same(rows, value)
    index = np.asarray(equal.argmax(axis=-1))
    if np.count_nonzero(equal) > index.size:
        tied = np.count_nonzero(equal, axis=-1) > 1
        index[tied] = [quickselect(keys, k - 1) for keys in keys_of(rows[tied])]
    return index


@opaque
@over_leading
def top_of(array, k, dim, largest):
    """Return the indices of the k largest or smallest along ``dim``, the best first.

    Of more than 1024 those are found that come first, which costs less.
    """
    rows = rows_of(array, dim)
    index = _first(rows, k, largest) if k > _MANY else _best(rows, k, largest)
    return index if dim in (-1, array.ndim - 1) else np.moveaxis(index, -1, dim)


def _first(rows, k, largest):
    if not largest:
        return np.argsort(rows, axis=-1, kind="stable")[..., :k]
    turned = np.argsort(rows[..., ::-1], axis=-1, kind="stable")
    return rows.shape[-1] - 1 - turned[..., ::-1][..., :k]


def _best(rows, k, largest):
    """Find those that PyTorch finds; where all are different there is only one answer."""
    length, more = rows.shape[-1], k + 1
    # One value more than is wanted: it may be equal to the last of them.
    last = slice(-more, None) if largest else slice(more)
    if length <= 1024 or 8 * more > length:
        order, values = np.argsort(rows, axis=-1), np.sort(rows, axis=-1)[..., last]
    else:
        few = np.argpartition(rows, length - more if largest else k, axis=-1)[..., last]
        values = np.take_along_axis(rows, few, -1)
        order = np.take_along_axis(few, np.argsort(values, axis=-1), -1)
        values = np.sort(values, axis=-1)
    index = (order[..., ::-1] if largest else order)[..., :k].copy()
    equal = same(values[..., 1:], values[..., :-1])
    if np.count_nonzero(equal):
        tied = equal.any(axis=-1)
        index[tied] = [topmost(keys, k) for keys in keys_of(rows[tied], largest)]
    return index


@opaque
@over_leading
def median_of(array, dim, ignore_nan):
    """Return the index of the median along ``dim``: of equal ones the first in a stable order.

    Where there is NaN, the first of them, unless it is ignored.
    """
    rows = rows_of(array, dim)
    length = rows.shape[-1]
    if rows.dtype.kind != "f" or not np.count_nonzero(rows != rows):
        return _in_order(rows, (length - 1) // 2)
    order = np.argsort(rows, axis=-1, kind="stable")
    numbers = np.count_nonzero(rows == rows, axis=-1, keepdims=True)
    if not ignore_nan:
        rank = np.where(numbers == length, (length - 1) // 2, numbers)
        return np.take_along_axis(order, rank, -1)[..., 0]
    index = np.take_along_axis(order, np.maximum(numbers - 1, 0) // 2, -1)[..., 0]
    places = list(range(length))
    introselect([0] * length, places, 0)
    return np.where(numbers[..., 0] == 0, places[0], index)


def _in_order(rows, rank):
    """Return where the number of a rank stands, counted from 0; equal ones count in their order."""
    value = np.partition(rows, rank, axis=-1)[..., rank : rank + 1]
    equal = rows == value
    index = equal.argmax(axis=-1)
    if np.count_nonzero(equal) == np.size(index):
        return index
    nth = rank + 1 - np.count_nonzero(rows < value, axis=-1, keepdims=True)
    return np.argmax(equal & (np.cumsum(equal, axis=-1) == nth), axis=-1)
