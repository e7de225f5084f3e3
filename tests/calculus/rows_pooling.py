"""Rows of pooling: the largest and the mean of each window."""

import itertools

import numpy as np

from aino.autograd.rules import pooling as rules
from aino.nn.functional import pooling
from tests.calculus.row import Row, case, distinct, given, integers, real


def each(value, n):
    return (value,) * n if isinstance(value, int) else tuple(value)


def windows_of(n, x, size, stride, padding, dilation=1, ceil=False):
    """Yield where each output stands, and the slices of the input that its window reaches.

    Slices that begin before the input or end behind it are cut; how long a window would be within
    the padding is given with it.
    """
    size, padding, dilation = each(size, n), each(padding, n), each(dilation, n)
    stride = size if stride in (None, ()) else each(stride, n)
    counts = []
    for i, length in enumerate(x.shape[-n:]):
        room = length + 2 * padding[i] - dilation[i] * (size[i] - 1) - 1
        count = int(np.ceil(room / stride[i]) if ceil else np.floor(room / stride[i])) + 1
        counts.append(count - (ceil and (count - 1) * stride[i] >= length + padding[i]))
    for place in itertools.product(*map(range, counts)):
        reach, framed = [], []
        for i, length in enumerate(x.shape[-n:]):
            start = place[i] * stride[i] - padding[i]
            places = [start + k * dilation[i] for k in range(size[i])]
            reach.append([k for k in places if 0 <= k < length])
            framed.append(min(start + size[i], length + padding[i]) - start)
        yield place, reach, np.prod(framed), tuple(counts)


def max_pool(n, named=False):
    def oracle(
        x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=named
    ):
        places = list(windows_of(n, x, kernel_size, stride, padding, dilation, ceil_mode))
        lead = x.shape[: x.ndim - n]
        y, index = np.empty((*lead, *places[0][3]), x.dtype), None
        index = np.empty(y.shape, np.int64)
        flat = np.arange(np.prod(x.shape[-n:])).reshape(x.shape[-n:])
        for place, reach, _, _ in places:
            window = x[(..., *np.ix_(*reach))].reshape(*lead, -1)
            found = window.argmax(-1)
            y[(..., *place)] = np.take_along_axis(window, found[..., None], -1)[..., 0]
            index[(..., *place)] = flat[np.ix_(*reach)].reshape(-1)[found]
        return (y, index) if return_indices else y

    return oracle


def avg_pool(n):
    def oracle(
        x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
        divisor_override=None,
    ):  # fmt: skip
        places = list(windows_of(n, x, kernel_size, stride, padding, 1, ceil_mode))
        y = np.empty((*x.shape[: x.ndim - n], *places[0][3]), x.dtype)
        for place, reach, framed, _ in places:
            count = framed if count_include_pad else np.prod([len(part) for part in reach])
            window = x[(..., *np.ix_(*reach))]
            total = window.sum(tuple(range(-n, 0)))
            y[(..., *place)] = total / (divisor_override or count)
        return y

    return oracle


def functional(name, oracle, cases, **options):
    return Row(
        f"nn.functional.{name}", getattr(pooling, name), oracle, cases,
        method="", dtypes="int64 float32", **options,
    )  # fmt: skip


def picked(x, winner, axis, size, stride, dilation):
    starts = np.arange(winner.shape[axis]) * stride
    return np.take_along_axis(x, starts[:, None] + winner.astype(np.int64) * dilation, axis)


MAXIMA = [
    Row(
        "window_pick", rules.window_pick, picked,
        [case(real(6, 2), integers(0, 3, 2, 2, dtype=np.int8), 0, 3, 2, 1)],
        torch=None, method="", covers="window_pick window_place",
    ),
    functional(
        "max_pool1d", max_pool(1),
        [case(distinct(2, 2, 6), 2), case(distinct(1, 7), 3, 2, 1, return_indices=True)],
        covers="window_max",
        errors=[
            case(real(4), 2), case(real(1, 1, 4), 0), case(real(1, 1, 4), 5),
            case(real(1, 1, 4), 2, 0), case(real(1, 1, 4), 2, 1, 2), case(real(1, 0, 4), 2),
            case(real(1, 1, 4), (2, 2)), case(real(1, 1, 4), 2, 1, -1),
            case(given(np.ones((1, 4), bool)), 2),
        ],
    ),
    functional(
        "max_pool2d", max_pool(2),
        [
            case(distinct(1, 2, 4, 4), 2),
            case(distinct(2, 5, 5), 3, 2, 1, return_indices=True),
            case(distinct(1, 5, 7), (2, 3), (2, 1), (1, 0), 2, True, return_indices=True),
        ],
        covers="",
        kinks=[
            case(given(np.zeros((1, 2, 4))), 2).slopes([[[1.0, 0, 1, 0], [0, 0, 0, 0]]]),
            case(given([[[1.0, 2.0], [2.0, 0.0]]]), 2).slopes([[[0.0, 1], [0, 0]]]),
            case(given([[[1.0, np.nan], [2.0, np.inf]]]), 2)
            .gives([np.array([[[np.nan]]])]).slopes([[[0.0, 1], [0, 0]]]),
            case(given([[[np.nan, 1.0], [2.0, np.nan]]]), 2, return_indices=True)
            .gives((np.array([[[np.nan]]]), np.array([[[3]]]))),
            case(given(np.full((1, 2, 2), -np.inf)), 2, 1, 1, return_indices=True)
            .gives((np.full((1, 3, 3), -np.inf), np.array([[[0, 0, 1], [0, 0, 1], [2, 2, 3]]])))
            .slopes([[[4.0, 2], [2, 1]]]),
        ],
    ),
    functional("max_pool3d", max_pool(3), [case(distinct(1, 3, 4, 3), 2, 1, 1)], covers=""),
    *[
        functional(f"max_pool{n}d_with_indices", max_pool(n, True), [
            case(distinct(1, *[3] * n), 2, (), 1)
        ], covers="", torch=f"nn.functional.max_pool{n}d_with_indices")
        for n in (1, 2, 3)
    ],
]  # fmt: skip

MEANS = [
    functional(
        "avg_pool1d", avg_pool(1),
        [
            case(real(2, 2, 6), 2), case(real(1, 7), 3, 2, 1), case(real(1, 7), 3, 2, 1, True),
            case(real(1, 20), 10),
        ],
        covers="window_total window_spread",
        errors=[case(real(4), 2), case(real(1, 1, 4), 5), case(real(1, 1, 4), 2, 1, 2)],
    ),
    functional(
        "avg_pool2d", avg_pool(2),
        [
            case(real(1, 2, 4, 4), 2), case(real(2, 5, 5), 3, 2, 1, False, False),
            case(real(1, 5, 5), (3, 2), 2, (1, 0), True, False),
            case(real(1, 4, 4), 2, divisor_override=3),
        ],
        covers="", errors=[case(real(1, 4, 4), 2, divisor_override=0)],
    ),
    functional("avg_pool3d", avg_pool(3), [case(real(1, 3, 4, 3), 2, 1, 1, True)], covers=""),
]  # fmt: skip

ROWS = MAXIMA + MEANS
