"""Rows of integrals and slopes over points, distances, sums to a size, and histograms."""

import numpy as np

from aino.ops.reduce import differences, histograms, integration, older_norms
from tests.calculus.row import Row, case, given, integers, nonzero, positive, real

NO_BOOL = [case(given([True, False]))]
POINTS = given([0.0, 0.5, 2.0, 3.5])


def widths(y, x, dx, dim):
    if x is None:
        return 1.0 if dx is None else dx
    if x.ndim == 1:
        x = x.reshape([-1 if i == dim % y.ndim else 1 for i in range(y.ndim)])
    return np.diff(x, axis=dim)


def heights(y, dim):
    y = np.moveaxis(y, dim, -1)
    return np.moveaxis(y[..., 1:] + y[..., :-1], -1, dim)


def trapezoid(y, x=None, *, dx=None, dim=-1):
    return (heights(y, dim) * widths(y, x, dx, dim) / 2).sum(dim)


def cumulative(y, x=None, *, dx=None, dim=-1):
    return (heights(y, dim) * widths(y, x, dx, dim) / 2).cumsum(dim)


def gradient(x, *, spacing=1, dim=None, edge_order=1):
    dims = tuple(range(x.ndim)) if dim is None else dim
    spacing = spacing if isinstance(spacing, (list, tuple)) else [spacing]
    found = np.gradient(x, *spacing, axis=dims, edge_order=edge_order)
    return found if isinstance(found, (list, tuple)) else [found]


def dist(a, b, p=2):
    return np.linalg.norm((a - b).ravel(), p)


def sum_to_size(x, *size):
    size = size[0] if isinstance(size[0], tuple) else size
    added = x.ndim - len(size)
    x = x.sum(tuple(range(added)))
    return x.sum(tuple(i for i, n in enumerate(size) if n == 1), keepdims=True)


def histogram(x, bins, *, range=None, weight=None, density=False):
    return np.histogram(x, bins, range, density, None if weight is None else weight)


def histogramdd(x, bins, *, range=None, weight=None, density=False):
    pairs = None if range is None else list(zip(range[::2], range[1::2]))
    return np.histogramdd(x, bins, pairs, density, weight)


def norm_except_dim(v, pow=2, dim=0):
    if dim == -1:
        return np.linalg.norm(v.ravel(), pow)
    others = tuple(i for i in range(v.ndim) if i != dim)
    return (abs(v) ** pow).sum(others, keepdims=True) ** (1 / pow)


ROWS = [
    Row(name, getattr(integration, name), trapezoid,
        [case(real(2, 4)), case(real(2, 4), dx=0.5), case(real(2, 4), dim=0),
         case(real(2, 4), POINTS), case(real(4, 2), real(4), dim=0), case(real(2, 3), real(2, 3)),
         case(real(2, 3), real(1, 3)), case(real(1))],
        covers="", complex=True, method="", dtypes="bool int64 float32 float16",
        kinks=[case(real(3, 0))],
        errors=[*NO_BOOL, case(real()), case(real(2, 3), real(4)), case(real(2, 3), dim=2),
                case(real(3), real(3), dx=1.0), case(real(2, 3), real(2, 1))])
    for name in ("trapezoid", "trapz")
] + [
    Row("cumulative_trapezoid", integration.cumulative_trapezoid, cumulative,
        [case(real(2, 4)), case(real(2, 4), dx=0.5), case(real(2, 4), dim=0),
         case(real(2, 4), POINTS), case(real(4, 2), real(4), dim=0), case(real(2, 3), real(2, 3)),
         case(real(1))],
        covers="", complex=True, method="", dtypes="bool int64 float32 float16",
        errors=[*NO_BOOL, case(real()), case(real(2, 3), real(4))]),
    Row("gradient", integration.gradient, gradient,
        [case(real(5)), case(real(3, 4)), case(real(3, 4), spacing=0.5, edge_order=2),
         case(real(3, 4), dim=(1,)), case(real(3, 4), spacing=(0.5, 2.0)),
         case(real(3, 4), spacing=(POINTS,), dim=(1,), edge_order=2),
         case(real(4, 2), spacing=(POINTS, given([1.0, 3.0]))), case(real(2), spacing=2)],
        covers="", complex=True, method="", dtypes="bool int64 float32",
        errors=[*NO_BOOL, case(real(1)), case(real(2), edge_order=2), case(real(3), edge_order=3),
                case(real(3), spacing=[1.0, 2.0]), case(real(3), dim=1),
                case(real(3), spacing=[0.5], dim=(0, 0))]),
    Row("dist", differences.dist, dist,
        [case(real(2, 3), real(2, 3)), case(real(2, 3), real(2, 3), 1), case(real(4), real(4), 3.5),
         case(real(3), real(3), np.inf), case(real(3), real(3), -np.inf)],
        covers="", complex=True, dtypes="float32", gradtol=1e-4,
        errors=[case(real(2), real(3))],
        kinks=[case(given([1.0, 2.0]), given([1.0, 2.0])).slopes([0.0, 0.0], [0.0, 0.0])]),
    Row("sum_to_size", differences.sum_to_size, sum_to_size,
        [case(real(2, 3), 1, 3), case(real(2, 3), (2, 1)), case(real(2, 3), 3),
         case(real(2, 3), 2, 3), case(real(2, 3), 1), case(real(2, 0), 2, 1)],
        covers="", complex=True, torch="Tensor.sum_to_size",
        errors=[case(real(2, 3), 3, 3), case(real(2, 3), 1, 2, 3), case(real(2, 3))]),
    Row("histogram", histograms.histogram, histogram,
        [case(real(20).constant(), 4), case(real(4, 5).constant(), 3, range=(-1.0, 1.0)),
         case(real(20).constant(), given([-2.0, -0.5, 0.0, 1.0]).constant()),
         case(real(6).constant(), 3, weight=positive(6).constant(), density=True),
         case(given([1.0, 1.0]).constant(), 2), case(real(0).constant(), 2),
         case(given([0.0, 1.0, 2.0, 3.0]).constant(), 3)],
        order=0, dtypes="int64 float32",
        errors=[case(real(3).constant(), 0), case(real(3).constant(), 2, range=(1.0, 0.0)),
                case(integers(0, 3, 4), 2), case(given([np.nan, 1.0]).constant(), 2),
                case(real(3).constant(), 2, weight=real(2).constant())]),
    Row("histogramdd", histograms.histogramdd, histogramdd,
        [case(real(20, 2).constant(), [2, 3]),
         case(real(2, 5, 3).constant().of_shape(10, 3), [2, 2, 2]),
         case(real(9, 2).constant(), [2, 3], range=[-1.0, 1.0, -2.0, 2.0], density=True),
         case(real(9, 2).constant(), [given([-1.0, 0.0, 1.0]).constant(),
                                      given([-2.0, 0.5, 2.0]).constant()]),
         case(real(6, 1).constant(), [3], weight=positive(6).constant())],
        order=0, method="", dtypes="int64 float32",
        errors=[case(real(3).constant(), [2]), case(real(3, 2).constant(), [2])]),
    # PyTorch has no derivative by the weights, which are added up.
    Row("histogram of weights", lambda *a, **k: histograms.histogram(*a, **k)[0],
        lambda *a, **k: histogram(*a, **k)[0],
        [case(real(6).constant(), 3, weight=positive(6)),
         case(real(6).constant(), 3, weight=positive(6), density=True),
         case(real(2, 3).constant(), 3, range=(-1.0, 1.0), weight=positive(2, 3)),
         case(real(6).constant(), given([-0.9, 0.0, 1.0]).constant(), weight=positive(6))],
        covers="", torch=None, method=""),
    Row("histogramdd of weights", lambda *a, **k: histograms.histogramdd(*a, **k)[0],
        lambda *a, **k: histogramdd(*a, **k)[0],
        [case(real(6, 2).constant(), [2, 3], weight=positive(6), density=True),
         case(real(6, 2).constant(), [2, 3], range=[-1.0, 1.0, -2.0, 2.0], weight=positive(6))],
        covers="", torch=None, method=""),
    Row("frobenius_norm", older_norms.frobenius_norm, lambda x, dim, keepdim=False: np.sqrt(
            (abs(x) ** 2).sum(dim, keepdims=keepdim)),
        [case(real(2, 3), (0, 1)), case(real(2, 3), 1, True), case(real(2, 3, 2), (0, -1))],
        covers="", complex=True, method="", dtypes="float32", errors=[case(real(2, 3), 2)]),
    Row("nuclear_norm", older_norms.nuclear_norm, lambda x, dim=None, keepdim=False: np.linalg.norm(
            x, "nuc", (-2, -1), bool(keepdim or dim is True)),
        [case(real(2, 3)), case(real(3, 2), True), case(real(2, 2, 3), (1, 2)),
         case(real(2, 2, 3), (-2, -1), True)],
        covers="", method="", dtypes="float32", gradtol=1e-4, errors=[case(real(3))]),
    Row("norm_except_dim", older_norms.norm_except_dim, norm_except_dim,
        [case(real(2, 3)), case(real(2, 3, 2), 2, 1), case(real(2, 3), 1, 1),
         case(real(2, 3), 2, -1), case(nonzero(3))],
        covers="", method="", dtypes="float32", errors=[case(real(2, 3), 2, 2)]),
]  # fmt: skip
