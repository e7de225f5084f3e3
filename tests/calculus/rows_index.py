"""Rows of what an index picks out of a tensor, and puts into one."""

import numpy as np

from aino.autograd.rules import index as rules
from aino.ops.index import indexing, scattering, slices, subscript
from tests.calculus.row import Row, booleans, case, distinct, given, integers, nonzero, real

ALL = slice(None)
ANY = {"complex": True, "dtypes": "bool int64 float32"}
NUMBERS = {"complex": True, "dtypes": "int64 float32"}


def axes_of(item) -> int:
    """Return how many axes one part of an index takes."""
    return item.ndim if getattr(item, "dtype", None) == np.bool_ else 1


def subscripted(x, index):
    """Return ``x[index]`` in NumPy with PyTorch's meaning: numbers take their axes first."""
    index = index if isinstance(index, tuple) else (index,)
    used = sum(axes_of(item) for item in index if item is not None and item is not Ellipsis)
    basic, rest = [], []
    for item in index:
        if isinstance(item, int):
            basic.append(item)
        elif item is Ellipsis:
            basic += [ALL] * (x.ndim - used)
            rest += [ALL] * (x.ndim - used)
        elif item is None:
            basic.append(None)
            rest.append(ALL)
        elif isinstance(item, slice):
            basic.append(item)
            rest.append(ALL)
        else:
            item = np.asarray(item)
            basic += [ALL] * axes_of(item)
            rest.append(item)
    return x[tuple(basic)][tuple(rest)]


def along(index, dim):
    """Return NumPy's index for one place along a dimension for each element of ``index``."""
    grid = list(np.indices(index.shape))
    grid[dim] = index
    return tuple(grid)


def gather(x, dim, index):
    return x[along(index, dim)]


def scatter_sum(x, index, dim, shape):
    y = np.zeros(shape, x.dtype)
    np.add.at(y, along(index, dim), x)
    return y


def scatter(x, dim, index, src=None, value=None, reduce=None):
    y, places = x.copy(), along(index, dim)
    src = value if src is None else src
    src = src[tuple(slice(n) for n in index.shape)] if np.ndim(src) else src
    if reduce is None:
        y[places] = src
    else:
        (np.add if reduce == "add" else np.multiply).at(y, places, src)
    return y


def scatter_reduce(x, dim, index, src, reduce, include_self=True):
    y = x.copy()
    groups = {}
    for place in np.ndindex(index.shape):
        target = (*place[:dim], index[place], *place[dim + 1 :])
        groups.setdefault(target, [x[target]] if include_self else []).append(src[place])
    reducer = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}
    for target, values in groups.items():
        y[target] = reducer[reduce](values)
    return y


def at_slices(dim, index):
    return (ALL,) * dim + (index,)


def index_add(x, dim, index, source, alpha=1):
    y = x.copy()
    np.add.at(y, at_slices(dim, index), alpha * source)
    return y


def index_copy(x, dim, index, source):
    y = x.copy()
    y[at_slices(dim, index)] = source
    return y


def index_put(x, indices, values, accumulate=False):
    y = x.copy()
    if accumulate:
        np.add.at(y, indices, values)
    else:
        y[indices] = values
    return y


def put(x, index, source, accumulate=False):
    return index_put(x.reshape(-1), (index,), source, accumulate).reshape(x.shape)


def replaced(x, src, place):
    y = x.copy()
    y[place] = src
    return y


def masked_scatter(x, mask, source):
    y = np.array(np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape)))
    mask = np.broadcast_to(mask, y.shape)
    y[mask] = source.reshape(-1)[: np.count_nonzero(mask)]
    return y


SUBSCRIPTS = [
    Row(
        "getitem", subscript.getitem, subscripted,
        [
            case(real(3, 4), 1),
            case(real(3, 4), (-1, 2)),
            case(real(3, 4), slice(1, None)),
            case(real(3, 4), (ALL, slice(None, None, 2))),
            case(real(3, 4), (..., None, 1)),
            case(real(3), None),
            case(real(), ...),
            case(real(3, 4), ()),
        ],
        covers="getitem place", torch="Tensor.__getitem__", method="__getitem__", **ANY,
        errors=[case(real(3), 3), case(real(3), (0, 0)), case(real(3), 1.5), case(real(), 0)],
    ),
    Row(
        "getitem_at_indices", subscript.getitem, subscripted,
        [
            case(real(3, 4), given([0, 2, 2])),
            case(real(3, 4), [1, -1]),
            case(real(3, 4), (ALL, given([[0, 3], [3, 1]]))),
            case(real(3, 4), given(np.zeros(0, np.int64))),
            case(real(3, 4), (given([0, 2, 2]), given([1, 0, 0]))),
            case(real(3, 4, 2), (given([[0], [2]]), given([1, -1, 1]))),
            case(real(3, 4, 2), (given([0, 1]), ALL, given([1, 0]))),
            case(real(2, 3, 4), (0, ALL, given([2, 2]))),
            case(real(3, 4, 2), (given([1, 1]), 0)),
            case(real(3, 4), (None, given([0, 1]), None, given([3, 3]))),
            case(real(3, 4, 2), (slice(1, 3), given([0, 0]), slice(0, 1))),
            case(real(3, 4), given(1)),
        ],
        covers="take take_sum pick pick_sum", torch="Tensor.__getitem__", method="__getitem__",
        **ANY,
        errors=[
            case(real(3), given([3])),
            case(real(3), given([0.5])),
            case(real(3, 4), (given([0, 1]), given([0, 1, 2]))),
            case(real(3), (given([0]), given([0]))),
        ],
    ),
    Row(
        "getitem_by_mask", subscript.getitem, subscripted,
        [
            case(real(3), given([True, False, True])),
            case(real(2, 3), given([[True, False, True], [False, False, True]])),
            case(real(2, 3), given([False, True])),
            case(real(2, 3), (ALL, given([True, False, True]))),
            case(real(3, 3), (given([True, False, True]), given([0, 2]))),
            case(real(2), given([False, False])),
            case(real(2, 3), (given([True, True]), 1)),
        ],
        covers="take take_sum", torch="Tensor.__getitem__", method="__getitem__", **ANY,
        errors=[case(real(3), given([True, False])), case(real(3), given([[True, False, True]]))],
    ),
    Row("getitem_backwards", subscript.getitem, subscripted,
        [case(real(4), slice(None, None, -1)), case(real(4, 3), (slice(3, 0, -2), 1))],
        covers="", torch=None, method="__getitem__", complex=True),
]  # fmt: skip

PICKED = [
    Row("index_select", indexing.index_select, lambda x, dim, index: np.take(x, index, dim),
        [case(real(3, 4), 0, given([2, 0, 0])), case(real(3, 4), dim=-1, index=integers(0, 4, 5)),
         case(real(3), 0, given([], np.int64))],
        covers="take take_sum", **ANY,
        errors=[case(real(3), 0, given([3])), case(real(3), 0, given([-1])),
                case(real(3), 1, given([0])), case(real(3), 0, given([[0]]))]),
    Row("select", indexing.select, lambda x, dim, index: np.take(x, index, dim),
        [case(real(3, 4), 0, 1), case(real(3, 4), -1, -1), case(real(3), 0, 2)],
        covers="", **ANY, errors=[case(real(3), 0, 3), case(real(), 0, 0), case(real(3), 1, 0)]),
    Row("narrow", indexing.narrow,
        lambda x, dim, start, length: np.take(x, range(start % 4, start % 4 + length), dim),
        [case(real(3, 4), 1, 1, 2), case(real(4), 0, -2, 2), case(real(4, 2), 0, 1, 0)],
        covers="", **ANY,
        errors=[case(real(4), 0, 3, 2), case(real(4), 0, 5, 1), case(real(), 0, 0, 1)]),
    Row("take", indexing.take, np.take,
        [case(real(3, 4), given([0, 11, -1, 0])), case(real(3), given([[0, 1]]))],
        covers="take take_sum", **ANY, errors=[case(real(3), given([3])), case(real(3), real(1))]),
    Row("gather", indexing.gather, gather,
        [case(real(3, 4), 0, integers(0, 3, 2, 4)),
         case(real(3, 4), dim=1, index=integers(0, 4, 3, 5)),
         case(real(2, 3, 2), 1, integers(0, 3, 2, 3, 1)), case(real(4), 0, integers(0, 4, 6))],
        covers="gather scatter_sum", **ANY,
        errors=[case(real(3), 0, given([3])), case(real(3), 0, given([-1])),
                case(real(3, 2), 0, given([0])), case(real(3, 2), 0, integers(0, 2, 2, 3))]),
    Row("take_along_dim", indexing.take_along_dim,
        lambda x, index, dim=None: np.take_along_axis(x, index, dim),
        [case(real(3, 4), integers(0, 4, 3, 2), 1), case(real(3, 4), integers(0, 4, 1, 2), dim=1),
         case(real(3, 4), integers(0, 12, 5))],
        covers="gather", torch=lambda torch, x, i, dim=None: (
            x.reshape(-1)[i] if dim is None else torch.take_along_dim(x, i, dim)),
        **ANY, errors=[case(real(3, 2), given([0]), 0)]),
    Row("masked_select", indexing.masked_select, lambda x, mask: x[np.broadcast_to(mask, x.shape)],
        [case(real(3, 4), booleans(3, 4)), case(real(2, 3), given([True, False, True]))],
        covers="", **ANY, errors=[case(real(3), given([1, 0, 1]))]),
    Row("nonzero", indexing.nonzero, np.argwhere,
        [case(given([[0, 1], [2, 0]])), case(given(1.0)), case(booleans(2, 3))],
        order=0, covers=""),
    Row("nonzero_as_tuple", indexing.nonzero, lambda x, as_tuple: np.nonzero(x),
        [case(given([[0, 1], [2, 0]]), as_tuple=True)], order=0, covers="", torch="nonzero",
        method="nonzero"),
    Row("argwhere", indexing.argwhere, np.argwhere, [case(given([0, 1, 1]))], order=0, covers=""),
    Row("choose", rules.choose, lambda x, index, axis: np.take_along_axis(
            x, np.expand_dims(index, axis), axis).squeeze(axis),
        [case(real(3, 4), integers(0, 4, 3), 1), case(real(3, 4, 2), integers(0, 3, 4, 2), 0)],
        torch=None, method="", complex=True),
    Row("take_rule", rules.take, lambda x, index, axis, unique: np.take(x, index, axis),
        [case(real(2, 3, 2), given([2, 0]), 1, True), case(real(2, 3, 2), given([2, 2]), 1, False)],
        torch=None, method="", complex=True),
]  # fmt: skip

PARTS = [
    Row("select_scatter", indexing.select_scatter,
        lambda x, src, dim, index: replaced(x, src, at_slices(dim, index)),
        [case(real(3, 4), real(4), 0, 1), case(real(3, 4), real(3), 1, -1)],
        covers="put", dtypes="int64 float32", errors=[case(real(3, 4), real(3), 0, 1)]),
    Row("slice_scatter", indexing.slice_scatter,
        lambda x, src, dim=0, start=None, end=None, step=1: replaced(
            x, src, at_slices(dim, slice(start, end, step))),
        [case(real(4, 2), real(2, 2), 0, 1, 3), case(real(2, 4), real(2, 2), dim=1, step=2)],
        covers="put", dtypes="int64 float32", errors=[case(real(4), real(2), 0, 0, 3)]),
    Row("diagonal_scatter", indexing.diagonal_scatter,
        lambda x, src, offset=0: np.where(np.eye(*x.shape, offset), np.diag(
            np.append(src, np.zeros(9)), offset)[: x.shape[0], : x.shape[1]], x),
        [case(real(3, 3), real(3)), case(real(3, 4), real(3), 1)],
        covers="put_diagonal", dtypes="int64 float32", errors=[case(real(3, 3), real(2))]),
]  # fmt: skip

INDEX = integers(0, 3, 2, 4)
NAN = float("nan")
MEETING = given([0, 1, 1])
SCATTERED = [
    Row("scatter", scattering.scatter, scatter,
        [case(real(3, 4), 0, given([[0, 1, 2, 0]]), real(1, 4)),
         case(real(3, 4), 1, given([[0, 3], [1, 2], [2, 0]]), real(3, 2)),
         case(real(3, 4), 1, given([[0], [1], [2]]), 2.5), case(real(4), 0, given([1]), value=1.5)],
        dtypes="int64 float32", complex=True,
        errors=[case(real(3), 0, given([3]), real(1)), case(real(3), 0, given([0, 1]), real(1)),
                case(real(3, 2), 0, given([0]), real(1))]),
    Row("scatter_larger", scattering.scatter, scatter,
        [case(real(3, 4), 0, given([[0, 1]]), real(2, 4).constant())],
        covers="scatter", torch="scatter", method="scatter", dtypes="float32"),
    Row("scatter_combined", scattering.scatter, scatter,
        [case(real(3, 4), 0, INDEX, real(2, 4), reduce="add"),
         case(nonzero(3, 4), 0, INDEX, nonzero(2, 4), reduce="multiply")],
        covers="", torch=lambda torch, x, dim, index, src, reduce: torch.scatter_reduce(
            x, dim, index, src, {"add": "sum", "multiply": "prod"}[reduce]),
        method="scatter", dtypes="float32",
        errors=[case(real(3), 0, given([0]), real(1), reduce="x")]),
    Row("scatter_add", scattering.scatter_add,
        lambda x, dim, index, src: x + scatter_sum(src, index, dim, x.shape),
        [case(real(3, 4), 0, INDEX, real(2, 4)), case(real(3), 0, given([1, 1, 1, 0]), real(4)),
         case(real(2, 3), 1, integers(0, 3, 2, 5), real(2, 5))],
        covers="scatter_sum gather", **NUMBERS, errors=[case(real(3), 0, given([5]), real(1))]),
    # An infinity stays where it was scattered. PyTorch divides by it, and has NaN for its slope.
    Row("scatter_reduce_prod (infinite)", scattering.scatter_reduce, scatter_reduce, [],
        covers="scatter_product", torch=None, method="",
        kinks=[case(given([1.0, 2.0]), 0, MEETING, given([np.inf, 3.0, 5.0]), "prod")
               .gives(np.array([np.inf, 30.0])).slopes([np.inf, 15.0], [1.0, 10.0, 6.0])]),
    *[
        Row(f"scatter_reduce_{name}", scattering.scatter_reduce, scatter_reduce,
            [case(distinct(3, 4), 0, INDEX, real(2, 4), name),
             case(distinct(3), 0, given([1, 1, 0, 1]), real(4), name),
             case(distinct(3), 0, given([1, 1, 0, 1]), real(4), name, include_self=False)],
            covers={"prod": "scatter_product", "amax": "scatter_extreme",
                    "amin": "scatter_extreme"}.get(name, ""), torch="scatter_reduce",
            method="scatter_reduce", dtypes="float32",
            kinks={
                "prod": [
                    case(given([0.0, 2.0]), 0, MEETING, given([3.0, 0.0, 5.0]), "prod")
                    .slopes([3.0, 0.0], [0.0, 10.0, 0.0])
                ],
                "amax": [
                    case(given([1.0, 2.0]), 0, MEETING, given([1.0, 2.0, 2.0]), "amax")
                    .slopes([0.5, 1 / 3], [0.5, 1 / 3, 1 / 3]),
                    case(given([1.0, NAN]), 0, MEETING, given([NAN, 2.0, 2.0]), "amax")
                    .gives(np.array([NAN, NAN])).slopes([NAN, NAN], [NAN, NAN, NAN]),
                    case(given([1.0, NAN]), 0, MEETING, given([NAN, 2.0, 3.0]), "amax",
                         include_self=False)
                    .gives(np.array([NAN, 3.0])).slopes([0.0, 0.0], [NAN, 0.0, 1.0]),
                ],
            }.get(name, []),
            errors=[case(real(3), 0, given([0]), real(1), "median")])
        for name in ("sum", "prod", "mean", "amax", "amin")
    ],
    Row("index_add", slices.index_add, index_add,
        [case(real(3, 2), 0, given([0, 2, 0]), real(3, 2)),
         case(real(3, 2), 1, given([1]), real(3, 1), alpha=2)],
        covers="take_sum", **NUMBERS,
        errors=[case(real(3), 0, given([3]), real(1)), case(real(3), 0, given([0]), real(2))]),
    Row("index_copy", slices.index_copy, index_copy,
        [case(real(3, 2), 0, given([2, 0]), real(2, 2)),
         case(real(3, 2), 1, given([1]), real(3, 1))],
        covers="put pick", **NUMBERS, errors=[case(real(3), 0, given([0]), real(2))]),
    Row("index_fill", slices.index_fill, index_copy,
        [case(real(3, 2), 0, given([2, 0]), 5), case(real(3, 2), 1, given([1]), real())],
        covers="where", dtypes="float32", errors=[case(real(3), 0, given([0]), real(2))]),
    *[
        Row(f"index_reduce_{name}", slices.index_reduce,
            lambda x, dim, index, source, reduce, **options: scatter_reduce(
                x, dim, np.broadcast_to(index[:, None], source.shape), source, reduce, **options),
            [case(distinct(3, 2), 0, given([0, 2, 0]), real(3, 2), name)],
            covers="", torch="index_reduce", method="index_reduce", dtypes="float32")
        for name in ("prod", "mean", "amax", "amin")
    ],
    Row("index_put", scattering.index_put, index_put,
        [case(real(3, 4), (given([0, 2]), given([1, 1])), real(2)),
         case(real(3, 4), (given([0, 2]),), real(4)),
         case(real(3, 4), (given([[True] * 4, [False] * 4, [True] * 4]),), real()),
         case(real(3, 4), (given([0, 0, 2]), given([1, 1, 3])), real(3), accumulate=True),
         case(real(3, 4), (given([1, 1]),), real(1, 4), accumulate=True)],
        covers="put pick take_sum", **NUMBERS,
        errors=[case(real(3), (given([3]),), real(1)), case(real(3), (given([0, 1]),), real(3))]),
    Row("put", scattering.put, put,
        [case(real(2, 3), given([0, 5]), real(2)),
         case(real(2, 3), given([1, 1, -1]), real(3), accumulate=True)],
        covers="put", torch="Tensor.put", **NUMBERS,
        errors=[case(real(3), given([0, 1]), real(1))]),
    Row("put_rule", rules.put,
        lambda x, values, index, indices: replaced(x, values, index),
        [case(real(3, 4), real(4), (1, ...), None), case(real(3, 4), real(), (ALL, 2), None)],
        torch=None, method="", complex=True),
    Row("masked_fill", scattering.masked_fill, lambda x, mask, value: np.where(mask, value, x),
        [case(real(2, 3), booleans(2, 3), 1.5),
         case(real(2, 3), given([True, False, True]), real()),
         case(real(3), booleans(2, 3), -1)],
        covers="", **NUMBERS,
        errors=[case(real(3), given([1, 0, 1]), 0.0), case(real(2), booleans(2), real(2))]),
    Row("masked_scatter", scattering.masked_scatter, masked_scatter,
        [case(real(2, 3), given([[True, False, True], [False, True, False]]), real(4)),
         case(real(2, 3), given([True, False, True]), real(2, 3))],
        covers="", **NUMBERS, errors=[case(real(3), given([True, True, True]), real(2))]),
]  # fmt: skip

ROWS = SUBSCRIPTS + PICKED + PARTS + SCATTERED
