"""Rows of order and of what is counted in it."""

import numpy as np

from aino.ops.index import sorting
from aino.ops.reduce import statistics
from tests.calculus.row import Row, case, distinct, given, integers, real

NAN = np.nan
REALS = "uint8 int64 float32"


def sort(x, dim=-1, descending=False, **_):
    index = np.argsort(-x if descending else x, dim, kind="stable")
    return np.take_along_axis(x, index, dim), index


def topk(x, k, dim=-1, largest=True):
    values, index = sort(x, dim, largest)
    return np.take(values, range(k), dim), np.take(index, range(k), dim)


def ranked(rank):
    """Return the oracle of what stands at a rank along a dimension."""

    def found(x, *args, dim=-1, keepdim=False):
        (k, dim) = (args[0], dim) if args else (None, dim)
        values, index = sort(x, dim)
        place = rank(k, x.shape[dim])
        values, index = np.take(values, [place], dim), np.take(index, [place], dim)
        return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))

    return found


def median(x):
    return np.sort(x, None)[(x.size - 1) // 2]


def mode(x, dim=-1):
    """The most frequent, of several the smallest; the index of its last occurrence."""
    rows = np.moveaxis(x, dim, -1)
    index = np.zeros(rows.shape[:-1], np.int64)
    for place in np.ndindex(index.shape):
        row = rows[place].tolist()
        best = max(sorted(set(row)), key=row.count)
        index[place] = len(row) - 1 - row[::-1].index(best)
    return np.take_along_axis(rows, index[..., None], -1)[..., 0], index


def quantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    return np.quantile(x, q, axis=dim, keepdims=keepdim, method=interpolation)


def unique(x, return_inverse=False, return_counts=False, dim=None, **_):
    return np.unique(x, return_inverse=return_inverse, return_counts=return_counts, axis=dim)


def consecutive(x):
    return x[np.flatnonzero(np.append(True, x[1:] != x[:-1]))]


def searched(right):
    def search(sequence, values):
        rows = sequence.reshape(-1, sequence.shape[-1])
        wanted = values.reshape(len(rows), -1)
        found = [
            [sum(s <= v if right else s < v for s in row) for v in line]
            for row, line in zip(rows, wanted)
        ]
        return np.array(found).reshape(values.shape)

    return search


def histc(x, bins, low, high):
    return np.histogram(x, bins, (low, high))[0].astype(float)


def covariance(x, correction=1, fweights=None, aweights=None):
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


ORDER = [
    Row(
        "sort", sorting.sort, sort,
        [
            case(distinct(4)),
            case(distinct(2, 3), 0),
            case(distinct(2, 3), dim=-1, descending=True),
            case(given([2.0, 1.0, 2.0, 1.0]).constant(), stable=True, dim=0, descending=True),
        ],
        covers="gather scatter_sum", dtypes="bool float32", torch="sort",
        kinks=[case(given([1.0, NAN, 0.0]))],
        errors=[case(real(2), 1)],
    ),
    Row(
        "argsort", sorting.argsort, lambda *args, **options: sort(*args, **options)[1],
        [case(distinct(4)), case(distinct(2, 3), 0), case(distinct(2, 3), descending=True)],
        order=0, covers="", dtypes="bool float32",
    ),
    Row("msort", sorting.msort, lambda x: np.sort(x, 0), [case(distinct(3, 2))], covers="",
        dtypes="bool " + REALS),
    Row(
        "topk", sorting.topk, topk,
        [
            case(distinct(5), 2),
            case(distinct(2, 4), 3, dim=-1, largest=False),
            case(distinct(4, 2), 1, 0),
            case(distinct(2, 4), 4),
        ],
        covers="", dtypes="float32", errors=[case(real(3), 4), case(real(3), -1)],
    ),
    Row(
        "topk_of_many", sorting.topk, topk,
        [case(distinct(1500), 5), case(distinct(2, 1100), 3, largest=False)],
        covers="", torch="topk", method="topk", dtypes="", order=1,
    ),
    Row(
        "kthvalue", sorting.kthvalue, ranked(lambda k, n: k - 1),
        [
            case(distinct(5), 2),
            case(distinct(2, 4), 3, dim=1, keepdim=True),
            case(distinct(4, 2), 1, dim=0),
        ],
        covers="choose", dtypes="float32", errors=[case(real(3), 0), case(real(3), 4)],
    ),
    Row("median", statistics.median, median, [case(distinct(5)), case(distinct(2, 3))],
        dtypes=REALS,
        kinks=[case(given([1.0, 2.0, 2.0, 3.0])).slopes([0.0, 0.5, 0.5, 0.0]),
               case(given([1.0, NAN, 0.0])).gives(NAN).slopes([0.0, 1.0, 0.0])]),
    Row("nanmedian", statistics.nanmedian, median, [case(distinct(5)), case(distinct(2, 3))],
        dtypes=REALS,
        kinks=[case(given([1.0, NAN, 3.0, 0.0])).gives(1.0).slopes([1.0, 0.0, 0.0, 0.0])]),
    Row("median_along", statistics.median, ranked(lambda k, n: (n - 1) // 2),
        [case(distinct(2, 4), dim=1), case(distinct(3, 2), dim=0, keepdim=True)],
        covers="choose", torch="median", method="median", dtypes="float32",
        kinks=[case(given([[1.0, NAN, 0.0]]), dim=1).gives((np.array([NAN]), np.array([1])))
               .slopes([[0.0, 1.0, 0.0]])]),
    Row("nanmedian_along", statistics.nanmedian, ranked(lambda k, n: (n - 1) // 2),
        [case(distinct(2, 4), dim=1), case(distinct(3, 2), dim=0, keepdim=True)],
        covers="choose", torch="nanmedian", method="nanmedian", dtypes="float32",
        kinks=[case(given([[1.0, NAN, 0.0]]), dim=1).gives((np.array([0.0]), np.array([2])))
               .slopes([[0.0, 0.0, 1.0]])]),
    Row("mode", statistics.mode, mode,
        [case(given([1.0, 2.0, 2.0, 3.0])),
         case(given([[3.0, 1.0, 3.0, 1.0], [2.0, 5.0, 5.0, 5.0]])),
         case(given([[1.0, 2.0], [1.0, 3.0], [4.0, 3.0]]), dim=0)],
        order=0, covers="", dtypes="bool " + REALS),
    Row(
        "quantile", statistics.quantile, quantile,
        [
            case(distinct(5), 0.3),
            case(distinct(2, 4), 0.61, 1),
            case(distinct(2, 4), 0.25, dim=0, keepdim=True),
            case(distinct(2, 4), given([0.1, 0.5, 0.77]).constant(), dim=1),
            case(distinct(2, 3), 0.4, keepdim=True),
            *(
                case(distinct(5), 0.3, interpolation=kind)
                for kind in ("lower", "higher", "nearest", "midpoint")
            ),
        ],
        covers="", dtypes="int64 float32", torch="quantile",
        kinks=[case(given([1.0, NAN, 0.0]), 0.5).gives(NAN)],
        errors=[case(real(3), 1.5), case(real(0), 0.5), case(real(3), 0.5, interpolation="cubic")],
    ),
    Row("nanquantile", statistics.nanquantile, quantile,
        [case(distinct(5), 0.3), case(distinct(2, 4), 0.61, 1)],
        covers="", dtypes="int64 float32",
        kinks=[case(given([1.0, NAN, 0.0, 2.0]), 0.25).gives(0.5).slopes([0.5, 0.0, 0.5, 0.0])]),
]  # fmt: skip

COUNTED = [
    Row(
        "unique", sorting.unique, unique,
        [
            case(given([3, 1, 3, 2])),
            case(given([3.0, 1.0, 3.0]), return_inverse=True, return_counts=True),
            case(given([[1, 2], [2, 1]]), return_inverse=True),
            case(given([[1, 2], [0, 5], [1, 2]]), dim=0, return_counts=True),
        ],
        order=0, covers="", dtypes="bool float32",
    ),
    Row("unique_consecutive", sorting.unique_consecutive, consecutive,
        [case(given([1, 1, 2, 1])), case(given([0.5]))], order=0, covers="", dtypes="bool float32"),
    Row("unique_consecutive_counted", sorting.unique_consecutive, None,
        [case(given([1, 1, 2, 1]), return_inverse=True, return_counts=True)
         .gives((np.array([1, 2, 1]), np.array([0, 0, 1, 2]), np.array([2, 1, 1]))),
         case(given([[1, 1], [1, 1], [2, 3]]), dim=0).gives(np.array([[1, 1], [2, 3]]))],
        order=0, covers="", torch="unique_consecutive", method="unique_consecutive"),
    Row("searchsorted", sorting.searchsorted, searched(False),
        [case(given([1.0, 3.0, 5.0]), given([[0.0, 3.0], [6.0, 4.0]])),
         case(given([[1.0, 3.0], [2.0, 2.0]]), given([[1.0, 3.0], [2.0, 3.0]]))],
        order=0, covers="", dtypes="float32", method=""),
    Row("searchsorted_right", sorting.searchsorted,
        lambda sequence, values, **_: searched(True)(sequence, values),
        [case(given([1.0, 3.0, 5.0]), given([[0.0, 3.0], [6.0, 4.0]]), right=True),
         case(given([[1.0, 3.0], [2.0, 2.0]]), given([[1.0, 3.0], [2.0, 3.0]]), side="right")],
        order=0, covers="", torch="searchsorted", method="", dtypes="float32",
        errors=[case(given([1.0]), given([1.0]), side="up"),
                case(given([[1.0]]), given([1.0, 2.0]))]),
    Row("bucketize", sorting.bucketize, lambda x, bounds: searched(False)(bounds, x),
        [case(given([[0.5, 2.0], [1.0, 3.0]]), given([1.0, 2.0]))],
        order=0, covers="", method="", dtypes="float32", errors=[case(real(2), real(2, 2))]),
    Row("histc", statistics.histc, histc,
        [case(given([1.0, 2.0, 1.0, 9.0, 3.0]), 4, 0, 3), case(real(20), 5, -1.0, 1.0)],
        order=0, covers="", dtypes="int64 float32",
        errors=[case(real(3), 0), case(real(3), 2, 1, 0)]),
    Row("bincount", statistics.bincount,
        lambda x, weights=None, minlength=0: np.bincount(x, weights, minlength),
        [case(integers(0, 5, 9)), case(integers(0, 3, 4), minlength=6),
         case(integers(0, 4, 5), real(5).constant())],
        order=0, covers="", errors=[case(given([-1])), case(integers(0, 2, 2, 2))]),
    # PyTorch has no derivative by the weights, which are added up.
    Row("bincount of weights", statistics.bincount,
        lambda x, weights, minlength=0: np.bincount(x, weights, minlength),
        [case(integers(0, 4, 5), real(5)), case(given([0, 3, 3]), real(3), 6),
         case(integers(0, 4, 0), real(0), minlength=2)],
        covers="", torch=None, method="bincount"),
    Row(
        "cov", statistics.cov, covariance,
        [
            case(real(2, 4)),
            case(real(4)),
            case(real(2, 4), correction=0),
            case(real(2, 4), fweights=given([1, 2, 1, 3])),
        ],
        covers="", complex=True, dtypes="bool float32", errors=[case(real(2, 2, 2))],
    ),
    Row(
        "cov_weighted", statistics.cov, covariance,
        [
            case(real(2, 3), aweights=given([0.5, 0.3, 0.2]).constant()),
            case(real(2, 3), fweights=given([1, 2, 1]), aweights=given([0.5, 0.3, 0.2]).constant()),
        ],
        covers="", torch="cov", method="cov", dtypes="",
    ),
    Row("corrcoef", statistics.corrcoef, np.corrcoef, [case(real(2, 5)), case(real(3, 4))],
        covers="", dtypes="bool float32"),
]  # fmt: skip

ROWS = ORDER + COUNTED
