"""Rows of sums, means, extremes, moments, norms, and of what runs along an axis."""

import numpy as np

from aino.autograd.rules import reduce as rules
from aino.autograd.rules import scan
from aino.ops.reduce import extremes, norms, reduction, scanning, truth
from tests.calculus.row import (
    Row,
    between,
    booleans,
    case,
    distinct,
    given,
    nonzero,
    positive,
    real,
)

INF, NAN = np.inf, np.nan
FLOATS = "float32 float16"
REALS = "uint8 int64 float32 float16"


def over(function):
    """Return NumPy's reduction with PyTorch's names of the arguments."""

    def reduced(x, dim=None, keepdim=False, **options):
        axis = tuple(range(x.ndim)) if isinstance(dim, tuple) and not dim else dim
        if axis is None and keepdim:
            return function(x, keepdims=True, **options)
        return function(x, axis=axis, keepdims=keepdim, **options)

    return reduced


def reductions(*samples, **options):
    """Return the usual ways to say what is reduced, for a sample of shape (2, 3) and one more."""
    x, wide = samples
    return [
        case(x, **options),
        case(x, 0, **options),
        case(x, -1, **options),
        case(x, dim=1, keepdim=True, **options),
        case(wide, (0, -1), **options),
        case(wide, dim=[0, 1], keepdim=True, **options),
        case(x, axis=0, **options),
        case(wide, axis=1, keepdims=True, **options),
    ]


def with_axis(function):
    """Let an oracle take NumPy's names too."""

    def named(x, *args, axis=None, keepdims=None, **options):
        if axis is not None:
            options["dim"] = axis
        if keepdims is not None:
            options["keepdim"] = keepdims
        if isinstance(options.get("dim"), list):
            options["dim"] = tuple(options["dim"])
        return function(x, *args, **options)

    return named


def oracle(function):
    return with_axis(over(function))


OUT_OF_RANGE = [case(real(2, 3), 2), case(real(2, 3), dim=-3), case(real(2, 3), (0, 0))]


def variance(x, dim=None, keepdim=False, correction=1):
    count = x.size if dim is None else np.prod([x.shape[i] for i in np.atleast_1d(dim)])
    away = x - x.mean(dim, keepdims=True)
    return (np.abs(away) ** 2).sum(dim, keepdims=keepdim) / (count - correction)


def deviation(*args, **options):
    return np.sqrt(variance(*args, **options))


def logsumexp(x, dim, keepdim=False):
    return np.log(np.exp(x).sum(dim, keepdims=keepdim))


def vector_norm(x, p="fro", dim=None, keepdim=False):
    size = np.abs(x)
    options = {"axis": dim, "keepdims": keepdim}
    if p in (INF, -INF):
        return size.max(**options) if p > 0 else size.min(**options)
    if p == 0:
        return np.count_nonzero(size, **options).astype(float)
    p = 2.0 if p == "fro" else p
    return (size**p).sum(**options) ** (1.0 / p)


def extreme(search):
    """Return the oracle of ``max`` along a dimension: the values and where they stand."""

    def found(x, dim, keepdim=False):
        index = np.expand_dims(search(x, axis=dim), dim)
        values = np.take_along_axis(x, index, dim)
        return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))

    return found


def running(ufunc):
    """Return the oracle of ``cummax``: of equal ones the last index."""

    def scanned(x, dim):
        dim %= x.ndim
        values = ufunc.accumulate(x, axis=dim)
        index = np.zeros(x.shape, np.int64)
        for place in np.ndindex(x.shape):
            for earlier in range(place[dim] + 1):
                here = (*place[:dim], earlier, *place[dim + 1 :])
                if x[here] == values[place]:
                    index[place] = earlier
        return values, index

    return scanned


def recurrence(a, b, axis, reverse):
    y = np.zeros(b.shape, b.dtype)
    steps = range(b.shape[axis])
    before = np.zeros_like(np.take(b, 0, axis))
    for k in reversed(steps) if reverse else steps:
        before = np.take(a, k, axis) * before + np.take(b, k, axis)
        np.moveaxis(y, axis, 0)[k] = before
    return y


SUMS = [
    Row(
        "sum", reduction.sum, oracle(np.sum), reductions(real(2, 3), real(2, 2, 3)), complex=True,
        covers="sum spread", errors=OUT_OF_RANGE, elementwise=True,
    ),
    Row(
        "mean", reduction.mean, oracle(np.mean), reductions(real(2, 3), real(2, 2, 3)),
        complex=True, dtypes="bool int64 float32", errors=OUT_OF_RANGE,
    ),
    Row(
        "prod", reduction.prod, oracle(np.prod),
        [case(real(5)), case(real(2, 3), 0), case(real(2, 3), dim=-1, keepdim=True)],
        complex=True,
        kinks=[
            case(given([2.0, 0.0, 3.0])).slopes([0.0, 6.0, 0.0]),
            case(given([0.0, 2.0, 0.0])).slopes([0.0, 0.0, 0.0]),
            case(given([[0.0, 5.0], [4.0, 3.0]]), 0).slopes([[4.0, 3.0], [0.0, 5.0]]),
        ],
        errors=[case(real(2, 3), 2)], elementwise=True,
    ),
    Row(
        "nansum", reduction.nansum, oracle(np.nansum), reductions(real(2, 3), real(2, 2, 3)),
        kinks=[
            case(given([1.0, NAN, 2.0])).gives(3.0).slopes([1.0, 0.0, 1.0]),
            case(given([NAN, NAN])).gives(0.0).slopes([0.0, 0.0]),
        ],
    ),
    Row(
        "nanmean", reduction.nanmean, oracle(np.nanmean), reductions(real(2, 3), real(2, 2, 3)),
        dtypes=FLOATS,
        kinks=[
            case(given([1.0, NAN, 2.0])).gives(1.5).slopes([0.5, 0.0, 0.5]),
            case(given([NAN, NAN])).gives(NAN).slopes([NAN, NAN]),
        ],
    ),
    Row("count_nonzero", truth.count_nonzero,
        lambda x, dim=None: np.asarray(np.count_nonzero(x, axis=dim)),
        [case(given([[0.0, 1.0], [2.0, 3.0]])), case(given([[0.0, 1.0], [0.0, 0.0]]), 0)],
        order=0, covers=""),
]  # fmt: skip

MOMENTS = [
    Row(
        "var", reduction.var, with_axis(variance),
        [
            *reductions(real(2, 3), real(2, 2, 3)),
            case(real(4), correction=0),
            case(real(3, 2), dim=0, correction=2),
        ],
        complex=True, dtypes=FLOATS,
        kinks=[case(given([2.0]), correction=0).slopes([0.0])],
    ),
    Row("var_forms", reduction.var,
        lambda x, *form, unbiased=None: x.var(ddof=form[-1] if form else unbiased),
        [case(real(4), False), case(real(4), True), case(real(4), unbiased=False)],
        covers="", torch="var", method="var", dtypes=""),
    Row(
        "std", reduction.std, with_axis(deviation),
        [
            *reductions(real(2, 3), real(2, 2, 3)),
            case(real(4), correction=0),
        ],
        complex=True, dtypes=FLOATS,
        kinks=[
            case(given([2.0, 2.0, 2.0])).slopes([0.0, 0.0, 0.0]),
            case(given([[1.0, 1.0], [1.0, 2.0]]), 1).slopes(
                [[0.0, 0.0], [-(0.5**0.5), 0.5**0.5]]
            ),
        ],
    ),
    Row("var_mean", reduction.var_mean,
        lambda x, dim=None: (x.var(dim, ddof=1), x.mean(dim)),
        [case(real(2, 3)), case(real(2, 3), dim=1)], covers="", method="", dtypes=FLOATS),
    Row("std_mean", reduction.std_mean,
        lambda x, dim=None: (x.std(dim, ddof=1), x.mean(dim)),
        [case(real(2, 3)), case(real(2, 3), dim=1)], covers="", method="", dtypes=FLOATS),
    Row(
        "logsumexp", reduction.logsumexp, logsumexp,
        [case(real(2, 3), 0), case(real(2, 3), (0, 1)), case(real(2, 3), dim=-1, keepdim=True)],
        complex=True, errors=[case(real(2), 1)],
    ),
    Row(
        "logsumexp_at_the_ends", reduction.logsumexp, None, [], covers="", torch="logsumexp",
        method="logsumexp",
        kinks=[
            case(given([1000.0, 1000.0]), 0).gives(1000.0 + np.log(2.0)).slopes([0.5, 0.5]),
            case(given([-INF, 1.0]), 0).slopes([0.0, 1.0]),
            case(given([[-INF, 1.0], [2.0, -INF]]), 0).slopes([[0.0, 1.0], [1.0, 0.0]]),
        ],
    ),
    Row(
        "norm", norms.norm, vector_norm,
        [
            case(nonzero(2, 3)),
            case(nonzero(2, 3), 2, 0),
            case(nonzero(2, 3), 1, dim=1, keepdim=True),
            case(nonzero(2, 3), 3, dim=(0, 1)),
            case(nonzero(5), 1.5),
            case(nonzero(5), 0.5),
            case(nonzero(5), -1.0),
            case(given([0.3, -1.2, 2.0, -0.7]), INF),
            case(given([[0.3, -1.2], [2.0, -0.7]]), -INF, dim=0),
        ],
        complex=True, dtypes=FLOATS,
        kinks=[
            case(given([0.0, 0.0])).slopes([0.0, 0.0]),
            case(given([0.0, 0.0]), 3).slopes([0.0, 0.0]),
            case(given([0.0, 0.0]), 0.5).slopes([0.0, 0.0]),
            case(given([0.0, 2.0]), 1).slopes([0.0, 1.0]),
            case(given([-3.0, 3.0, 1.0]), INF).slopes([-0.5, 0.5, 0.0]),
        ],
        errors=[case(real(2), 2, 1), case(real(0), INF)],
    ),
]  # fmt: skip

COUNTS = [
    Row("norm_of_order_0", norms.norm, vector_norm,
        [case(given([3.0, 0.0, 4.0]), 0), case(given([[3.0, 0.0, 4.0]]), 0, dim=1, keepdim=True)],
        order=0, covers="", torch="norm", method="norm", dtypes=FLOATS),
]  # fmt: skip

EXTREMES = [
    Row(
        f"a{name}", getattr(extremes, f"a{name}"), oracle(getattr(np, name)),
        reductions(distinct(2, 3), distinct(2, 2, 3)),
        dtypes="bool " + REALS,
        kinks=[
            case(given([1.0, 2.0, 2.0, 1.0]), 0).slopes(slope),
            case(given([[1.0, 1.0]]), (0, 1)).slopes([[0.5, 0.5]]),
        ],
        errors=[*OUT_OF_RANGE, case(real(0)), case(real(2, 0), 1)],
    )
    for name, slope in (("max", [0, 0.5, 0.5, 0]), ("min", [0.5, 0, 0, 0.5]))
] + [
    Row(
        name, getattr(extremes, name), getattr(np, name),
        [case(distinct(2, 3))], dtypes="bool " + REALS,
        kinks=[
            case(given([1.0, 2.0, 2.0, 1.0])).slopes(slope),
            case(given([1.0, NAN, 2.0])).slopes([0.0, 1.0, 0.0]),
        ],
        errors=[case(real(0)), case(real(2), 1)],
    )
    for name, slope in (("max", [0, 0.5, 0.5, 0]), ("min", [0.5, 0, 0, 0.5]))
] + [
    Row(
        f"{name}_along", getattr(extremes, name), extreme(getattr(np, f"arg{name}")),
        [
            case(distinct(2, 3), 0),
            case(distinct(2, 3), dim=-1),
            case(distinct(2, 3, 2), dim=1, keepdim=True),
            case(distinct(4), 0),
        ],
        covers="choose chosen", torch=name, method=name, dtypes="bool " + REALS,
        kinks=[case(given([[1.0, 2.0, 2.0, 1.0]]), 1).slopes([slope])],
        errors=[case(real(2, 0), 1), case(real(2), 1)],
    )
    for name, slope in (("max", [0.0, 1, 0, 0]), ("min", [1.0, 0, 0, 0]))
] + [
    Row(
        f"{name}_of_two", getattr(extremes, name), getattr(np, f"{name}imum"),
        [case(real(2, 3), real(3))], covers="", torch=name, method=name,
        kinks=[case(given([1.0]), given([1.0])).slopes([0.5], [0.5])],
    )
    for name in ("max", "min")
] + [
    Row(
        "aminmax", extremes.aminmax,
        lambda x, dim=None, keepdim=False: tuple(
            [end(x, axis=dim, keepdims=keepdim) for end in (np.min, np.max)]
        ),
        [
            case(distinct(2, 3)),
            case(distinct(2, 3), dim=0),
            case(distinct(2, 3), dim=1, keepdim=True),
        ],
        covers="", dtypes="bool " + REALS,
    ),
] + [
    Row(
        name, getattr(extremes, name), oracle(search),
        [
            case(distinct(2, 3)),
            case(distinct(2, 3), 0),
            case(distinct(2, 3), dim=-1, keepdim=True),
            case(given([1.0, 2.0, 2.0, 1.0])),
            case(given([1.0, NAN, 2.0])),
            case(distinct(2, 3), axis=1),
        ],
        order=0, covers="", dtypes="bool " + REALS,
        errors=[case(real(0)), case(real(2), 1)],
    )
    for name, search in (("argmax", np.argmax), ("argmin", np.argmin))
] + [
    Row(
        name, getattr(truth, name), oracle(search),
        [
            case(booleans(2, 3)),
            case(booleans(2, 3), 0),
            case(booleans(2, 2, 3), (0, 2), keepdim=True),
            case(given([0.0, 1.0])),
            case(given([[1.0, 2.0]]), axis=1),
        ],
        order=0, covers="", dtypes="uint8 int64 float32",
    )
    for name, search in (("any", np.any), ("all", np.all))
]  # fmt: skip

SCANS = [
    Row(
        "cumsum", scanning.cumsum, lambda x, dim: np.cumsum(x, dim),
        [case(real(4), 0), case(real(2, 3), 0), case(real(2, 3), dim=-1)],
        complex=True, errors=[case(real(2), 1)],
    ),
    Row(
        "cumprod", scanning.cumprod, lambda x, dim: np.cumprod(x, dim),
        [case(real(5), 0), case(real(2, 3), 0), case(real(2, 3), dim=-1)],
        covers="cumprod recurrence pad", complex=True,
        kinks=[
            case(given([2.0, 0.0, 3.0]), 0).slopes([1.0, 8.0, 0.0]),
            case(given([0.0, 2.0, 0.0, 3.0]), 0).slopes([3.0, 0.0, 0.0, 0.0]),
        ],
        errors=[case(real(2), 1)],
    ),
    Row(
        "logcumsumexp", scanning.logcumsumexp, lambda x, dim: np.log(np.cumsum(np.exp(x), dim)),
        [case(between(-1.0, 1.0, 2, 3), 0), case(between(-1.0, 1.0, 2, 3), dim=-1)],
        dtypes="", complex=True,
    ),
    Row(
        "logcumsumexp", scanning.logcumsumexp, lambda x, dim: np.log(np.cumsum(np.exp(x), dim)),
        [case(real(5), 0), case(real(2, 3), 0), case(real(2, 3), dim=-1)], dtypes=FLOATS,
        kinks=[
            case(given([800.0, 800.0]), 0)
            .gives(np.array([800.0, 800.0 + np.log(2)]))
            .slopes([1.5, 0.5])
        ],
        errors=[case(real(2), 1)],
    ),
    Row(
        "cummax", scanning.cummax, running(np.maximum),
        [case(distinct(5), 0), case(distinct(2, 3), 0), case(distinct(2, 3), dim=-1)],
        covers="gather scatter_sum", dtypes="bool " + REALS,
        kinks=[case(given([1.0, 2.0, 2.0, 1.0]), 0).slopes([1.0, 1.0, 2.0, 0.0])],
        errors=[case(real(2), 1)],
    ),
    Row(
        "cummin", scanning.cummin, running(np.minimum),
        [case(distinct(5), 0), case(distinct(2, 3), 0), case(distinct(2, 3), dim=-1)],
        covers="", dtypes="bool " + REALS,
        kinks=[case(given([1.0, 2.0, 1.0]), 0).slopes([2.0, 0.0, 1.0])],
        errors=[case(real(2), 1)],
    ),
    Row(
        "recurrence", scan.recurrence, recurrence,
        [
            case(real(5), real(5), 0, False),
            case(real(2, 6), real(2, 6), 1, True),
            case(real(3, 2), real(3, 2), 0, True),
            case(real(1), real(1), 0, False),
        ],
        torch=None, method="", complex=True,
    ),
    Row(
        "diff", scanning.diff,
        lambda x, n=1, dim=-1, **ends: np.diff(x, n, dim, **ends),
        [
            case(real(4)),
            case(real(3, 4), dim=0),
            case(real(5), 2),
            case(real(2), prepend=real(2), append=real(1)),
        ],
        covers="", complex=True, errors=[case(real())],
    ),
]  # fmt: skip

# The rules that no function reaches in every form.
PLAIN = [
    Row("amax_rule", rules.amax, lambda x, axis, keepdims: x.max(axis, keepdims=keepdims),
        [case(distinct(2, 3), None, True), case(distinct(2, 3), (1,), False)],
        torch=None, method="", covers=""),
    Row("mean_rule", rules.mean, lambda x, axis, keepdims: x.mean(axis, keepdims=keepdims),
        [case(real(2, 3), None, True), case(positive(2, 3, 2), (0, 2), False)],
        torch=None, method="", covers=""),
]  # fmt: skip

ROWS = SUMS + MOMENTS + COUNTS + EXTREMES + SCANS + PLAIN
