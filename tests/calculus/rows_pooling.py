"""Rows of pooling: the largest and the mean of each window."""

import itertools

import numpy as np

from aino.autograd.rules import pooling as rules
from aino.nn import functional
from tests.calculus.row import Row, case, distinct, given, integers, nonzero, positive, real


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


def pooled(name, oracle, cases, **options):
    options = {"method": "", "dtypes": "int64 float32"} | options
    return Row(f"nn.functional.{name}", getattr(functional, name), oracle, cases, **options)


def adaptive_of(n, x, output_size):
    """Yield where each output stands, and the slices of the input that its window reaches."""
    lengths = x.shape[-n:]
    sizes = (output_size,) * n if not isinstance(output_size, tuple) else output_size
    counts = [m if k is None else k for k, m in zip(sizes, lengths)]
    for place in itertools.product(*map(range, counts)):
        yield place, [
            range(i * m // k, -(-(i + 1) * m // k)) for i, m, k in zip(place, lengths, counts)
        ], tuple(counts)  # fmt: skip


def adaptive_avg(n):
    def oracle(x, output_size):
        places = list(adaptive_of(n, x, output_size))
        y = np.empty((*x.shape[: x.ndim - n], *places[0][2]), x.dtype)
        for place, reach, _ in places:
            y[(..., *place)] = x[(..., *np.ix_(*reach))].mean(tuple(range(-n, 0)))
        return y

    return oracle


def adaptive_max(n, named=False):
    def oracle(x, output_size, return_indices=named):
        places = list(adaptive_of(n, x, output_size))
        lead = x.shape[: x.ndim - n]
        y = np.empty((*lead, *places[0][2]), x.dtype)
        index = np.empty(y.shape, np.int64)
        flat = np.arange(np.prod(x.shape[-n:])).reshape(x.shape[-n:])
        for place, reach, _ in places:
            window = x[(..., *np.ix_(*reach))].reshape(*lead, -1)
            found = window.argmax(-1)
            y[(..., *place)] = np.take_along_axis(window, found[..., None], -1)[..., 0]
            index[(..., *place)] = flat[np.ix_(*reach)].reshape(-1)[found]
        return (y, index) if return_indices else y

    return oracle


def lp_pool(n):
    def oracle(x, norm_type, kernel_size, stride=None, ceil_mode=False):
        if np.isinf(norm_type):
            return max_pool(n)(abs(x), kernel_size, stride, 0, 1, ceil_mode)
        total = avg_pool(n)(x**norm_type, kernel_size, stride, 0, ceil_mode)
        return (total * np.prod(each(kernel_size, n))) ** (1 / norm_type)

    return oracle


def unpool(n):
    def oracle(x, index, kernel_size, stride=None, padding=0, output_size=None):
        size, padding = each(kernel_size, n), each(padding, n)
        stride = size if stride is None else each(stride, n)
        lengths = output_size or [
            (m - 1) * s - 2 * p + k
            for m, s, p, k in zip(x.shape[-n:], stride, padding, size)
        ]  # fmt: skip
        lead = x.shape[: x.ndim - n]
        y = np.zeros((*lead, np.prod(lengths)), x.dtype)
        np.put_along_axis(y, index.reshape(*lead, -1), x.reshape(*lead, -1), -1)
        return y.reshape(*lead, *lengths)

    return oracle


def fractional(n, named=False):
    """Samples of 0 leave no doubt where windows begin: floor(i · (length - size) / (count - 1))."""

    def oracle(x, kernel_size, output_size, return_indices=named, _random_samples=None):
        sizes, counts = each(kernel_size, n), each(output_size, n)
        lead, lengths = x.shape[: x.ndim - n], x.shape[-n:]
        starts = [
            [*(int(i * ((m - k) / max(c - 1, 1))) for i in range(c - 1)), m - k]
            for m, k, c in zip(lengths, sizes, counts)
        ]
        y = np.empty((*lead, *counts), x.dtype)
        index = np.empty(y.shape, np.int64)
        flat = np.arange(np.prod(lengths)).reshape(lengths)
        for place in itertools.product(*map(range, counts)):
            reach = [range(s[i], s[i] + k) for s, i, k in zip(starts, place, sizes)]
            window = x[(..., *np.ix_(*reach))].reshape(*lead, -1)
            found = window.argmax(-1)
            y[(..., *place)] = np.take_along_axis(window, found[..., None], -1)[..., 0]
            index[(..., *place)] = flat[np.ix_(*reach)].reshape(-1)[found]
        return (y, index) if return_indices else y

    return oracle


def picked(x, winner, axis, size, stride, dilation, before):
    starts = np.arange(winner.shape[axis]) * stride - before
    return np.take_along_axis(x, starts[:, None] + winner.astype(np.int64) * dilation, axis)


MAXIMA = [
    Row(
        "window_pick", rules.window_pick, picked,
        [
            case(real(6, 2), integers(0, 3, 2, 2, dtype=np.int8), 0, 3, 2, 1, 0),
            case(real(6, 2), integers(1, 3, 3, 2, dtype=np.int8), 0, 3, 2, 1, 1),
            case(real(21, 2), integers(0, 10, 2, 2), 0, 10, 10, 1, 0),
        ],
        torch=None, method="", covers="window_pick window_place",
    ),
    pooled(
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
    pooled(
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
    pooled("max_pool3d", max_pool(3), [case(distinct(1, 3, 4, 3), 2, 1, 1)], covers=""),
    *[
        pooled(f"max_pool{n}d_with_indices", max_pool(n, True), [
            case(distinct(1, *[2] * n), 2, (), int(n < 3))
        ], covers="", torch=f"nn.functional.max_pool{n}d_with_indices")
        for n in (1, 2, 3)
    ],
]  # fmt: skip

MEANS = [
    pooled(
        "avg_pool1d", avg_pool(1),
        [
            case(real(2, 2, 6), 2), case(real(1, 7), 3, 2, 1), case(real(1, 7), 3, 2, 1, True),
            case(real(1, 20), 10),
        ],
        covers="window_total window_spread",
        errors=[case(real(4), 2), case(real(1, 1, 4), 5), case(real(1, 1, 4), 2, 1, 2)],
    ),
    pooled(
        "avg_pool2d", avg_pool(2),
        [
            case(real(1, 2, 4, 4), 2), case(real(2, 5, 5), 3, 2, 1, False, False),
            case(real(1, 5, 5), (3, 2), 2, (1, 0), True, False),
            case(real(1, 4, 4), 2, divisor_override=3),
        ],
        covers="", errors=[case(real(1, 4, 4), 2, divisor_override=0)],
    ),
    pooled("avg_pool3d", avg_pool(3), [case(real(1, 3, 4, 3), 2, 1, 1, True)], covers=""),
]  # fmt: skip

ADAPTIVE = [
    pooled("adaptive_avg_pool1d", adaptive_avg(1), [case(real(2, 2, 6), 3), case(real(1, 5), 3)],
           covers="", errors=[case(real(4), 2), case(real(1, 4), -1), case(real(1, 4), (1, 2))],
           dtypes="float32"),
    pooled("adaptive_avg_pool2d", adaptive_avg(2),
           [case(real(2, 1, 4, 5), (2, 3)), case(real(1, 3, 4), (None, 2)),
            case(real(1, 3, 2), 5)],
           covers="", dtypes="float32",
           kinks=[case(given([[[np.nan, 1.0, np.inf, 2.0, 4.0]]]), (1, 3))
                  .gives(np.array([[[np.nan, np.inf, 3.0]]]))]),
    pooled("adaptive_avg_pool3d", adaptive_avg(3), [case(real(1, 3, 4, 2), (2, 2, 2))], covers="",
           dtypes="float32"),
    pooled("adaptive_max_pool1d", adaptive_max(1),
           [case(distinct(2, 2, 6), 3), case(distinct(1, 5), 3, return_indices=True)],
           covers="span_max",
           kinks=[case(given([[1.0, np.nan, np.nan]]), 2, return_indices=True)
                  .gives((np.array([[np.nan, np.nan]]), np.array([[1, 2]])))
                  .slopes([[0.0, 1, 1]])], errors=[case(real(4), 2)]),
    pooled("adaptive_max_pool2d", adaptive_max(2),
           [case(distinct(2, 1, 4, 5), (2, 3), return_indices=True),
            case(distinct(1, 3, 4), (None, 2))],
           covers="", kinks=[case(given(np.zeros((1, 3, 3))), 2)
                             .slopes([[[1.0, 1, 0], [1, 1, 0], [0, 0, 0]]])]),
    pooled("adaptive_max_pool3d", adaptive_max(3),
           [case(distinct(1, 3, 4, 2), (2, 2, 1), return_indices=True)], covers=""),
    *[
        pooled(f"adaptive_max_pool{n}d_with_indices", adaptive_max(n, True),
               [case(distinct(1, *[3] * n), 2)], covers="")
        for n in (1, 2, 3)
    ],
]  # fmt: skip

OTHERS = [
    *[
        pooled(f"lp_pool{n}d", lp_pool(n),
               [case(nonzero(1, *[4] * n), 2, 2), case(positive(1, *[3] * n), 1.5, 2, 1),
                case(nonzero(1, *[3] * n), np.inf, 2, 1, True)][: 4 - n],
               covers="", dtypes="float32",
               kinks=[case(given(np.zeros((1, *[2] * n))), 2, 2)
                      .slopes(np.zeros((1, *[2] * n)))])
        for n in (1, 2, 3)
    ],
    pooled("max_unpool1d", unpool(1),
           [case(real(1, 2), given(np.array([[1, 3]])), 2),
            case(real(1, 2), given(np.array([[1, 3]])), 2, output_size=(5,))],
           covers="", dtypes="float32",
           errors=[case(real(1, 2), given(np.array([[1, 4]])), 2),
                   case(real(1, 2), given(np.array([[1]])), 2),
                   case(real(1, 2), given(np.array([[1.0, 2.0]])), 2),
                   case(real(1, 2), given(np.array([[1, 3]])), 2, output_size=(6,)),
                   case(real(1, 2), given(np.array([[1, 3]])), 2, output_size=(6, 1, 1, 1))]),
    pooled("max_unpool2d", unpool(2),
           [case(real(1, 1, 1, 2), given(np.array([[[[5, 3]]]])), (2, 3))], covers="",
           dtypes="float32"),
    pooled("max_unpool3d", unpool(3),
           [case(real(1, 1, 2, 1), given(np.array([[[[0], [7]]]])), 2, 1)], covers="",
           dtypes="float32"),
    *[
        pooled(f"fractional_max_pool{n}d{end}", fractional(n, bool(end)),
               [case(distinct(2, *[6] * n), (2, 3, 2)[:n], (3, 3, 1)[:n],
                     _random_samples=given(np.zeros((1, 2, n))).constant())],
               covers="", dtypes="float32",
               errors=[] if end else [case(real(1, *[3] * n), 2), case(real(1, *[3] * n), 2, 3)])
        for n in (2, 3) for end in ("", "_with_indices")
    ],
]  # fmt: skip

ROWS = MAXIMA + MEANS + ADAPTIVE + OTHERS
