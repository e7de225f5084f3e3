"""Rows of corners: NaN, ties, zeros and orders where a slope is a convention, PyTorch's here.

The smooth points of these functions are in the rows of their families.
"""

import numpy as np

from aino.autograd.primitive import unmoved
from aino.autograd.rules import elementwise, index
from aino.nn import functional as F
from aino.ops import pointwise as math
from aino.ops.index import indexing, scattering, slices
from aino.ops.linalg import linear, matrices
from aino.ops.pointwise import activation
from aino.ops.random import distributions
from aino.ops.reduce import norms, scanning
from aino.ops.shape import joining
from tests.calculus.row import Row, case, given, positive, real

inf, nan = np.inf, np.nan


def corners(name, function, *cases):
    return Row(name, function, None, [], kinks=list(cases), covers="", dtypes="", method="")


def at_nan(name, function, slope, up, down):
    """Return the row of the slopes at eight NaN, and at 5 and -5 on both sides of them.

    Eight, because PyTorch answers otherwise in what is left over when registers are full; and
    many of them, where AINO goes about it otherwise.
    """
    points = [*[nan] * 8, *[5.0] * 8, *[-5.0] * 8]
    expected = [*[slope] * 8, *[up] * 8, *[down] * 8]
    return corners(
        name, function,
        case(given(points)).slopes(expected),
        case(given(points * 100)).slopes(expected * 100),
    )  # fmt: skip


NOT_A_NUMBER = [
    at_nan("relu", activation.relu, 1.0, 1.0, 0.0),
    at_nan("abs", math.abs, 0.0, 1.0, -1.0),
    at_nan("sgn", math.sgn, 0.0, 0.0, 0.0),
    *(
        at_nan(f"nn.functional.{name}", getattr(F, name), *expected)
        for name, expected in {
            "relu6": (0.0, 1.0, 0.0),
            "leaky_relu": (0.01, 1.0, 0.01),
            "hardtanh": (0.0, 0.0, 0.0),
            "hardshrink": (0.0, 1.0, 1.0),
            "softshrink": (0.0, 1.0, 1.0),
            "hardswish": (nan, 1.0, 0.0),
        }.items()
    ),
    corners("nn.functional.l1_loss", F.l1_loss,
            case(given([nan, 3.0]), given([1.0, 1.0]).constant(), reduction="none")
            .slopes([0.0, 1.0])),
    corners("norm", norms.norm, case(given([nan, 3.0, -1.0]), 1).slopes([0.0, 1.0, -1.0])),
    corners("xlogy", math.xlogy, case(given([0.0, 1.0]), given([-1.0, 1.0])).slopes(
        [0.0, 0.0], [-0.0, 1.0])),
]  # fmt: skip

STEPS = [
    # PyTorch raises in the backward pass.
    Row("heaviside", math.heaviside, np.heaviside, [], torch=None, method="", covers="heaviside",
        kinks=[case(given([0.0, 1.0, -1.0]), given([0.5])).slopes([0.0, 0.0, 0.0], [1.0])]),
]  # fmt: skip

FAR = [
    # What is added to one and taken away again must not swallow it.
    corners("nn.functional.silu", F.silu, case(given([1e20, -1e20, 40.0])).slopes([1.0, 0.0, 1.0])),
    corners("nn.functional.softplus", F.softplus,
            case(given([2.0, -2.0, 0.0, 50.0, -50.0, inf]), -1.0).slopes(
                [0.11920292202211755, 0.8807970779778823, 0.5, 0.0, 1.0, 0.0]),
            case(given([2.0, -2.0]), -0.5, 0.5).slopes([0.2689414213699951, 1.0])),
]  # fmt: skip

apart, together = given([[1.0, 0.0], [3.0, 5.0]]), given([[1.0, 2.0], [3.0, 5.0]])
tied, origin = given([[2.0, -2.0, 1.0]]), given([[0.0, 0.0, 0.0]]).constant()

ORDERS = [
    # The number of elements has the slope 0; p = inf gives a tie the whole slope in distances,
    # a share of it in norms.
    corners("cdist", linear.cdist,
            case(apart, together, 0.0).slopes(np.zeros((2, 2)), np.zeros((2, 2))),
            case(tied, origin, inf).slopes([[1.0, -1.0, 0.0]]),
            case(given([[0.0, 0.0]]), given([[0.0, 0.0]]), inf).slopes([[0.0, 0.0]], [[0.0, 0.0]])),
    corners("nn.functional.pdist", F.pdist,
            case(apart, 0.0).slopes(np.zeros((2, 2))),
            case(given([[2.0, -2.0, 1.0], [0.0, 0.0, 0.0]]), inf).slopes(
                [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])),
    corners("nn.functional.pairwise_distance", F.pairwise_distance,
            case(apart, together, 0.0).slopes(np.zeros((2, 2)), np.zeros((2, 2))),
            case(tied, origin, inf, 0.0).slopes([[0.5, -0.5, 0.0]])),
    corners("nn.functional.normalize", F.normalize,
            case(given([[3.0, 0.0, -4.0]]), 0.0).slopes([[0.5, 0.5, 0.5]])),
    corners("nn.functional.triplet_margin_loss", F.triplet_margin_loss,
            case(apart, together, apart, p=0.0).slopes(*[np.zeros((2, 2))] * 3)),
    corners("norm", norms.norm,
            case(given([3.0, 0.0, nan]), 0).slopes([0.0, 0.0, 0.0])),
]  # fmt: skip

ONCE = [
    Row("doubled", elementwise.doubled, lambda x: x + x, [case(real(3))], torch=None, method=""),
    Row("distinct", index.distinct, lambda values, x: values, [case(real(2), real(3))], order=0,
        torch=None, method=""),
]  # fmt: skip

#: A slope that is zero, not missing: what was drawn or counted may stand in a larger sum.
UNMOVED = [
    Row("unmoved", unmoved, lambda value, x: value, [case(real(3), real(2))], torch=None, method="",
        kinks=[case(given([1.0]), given([2.0, 3.0])).slopes([1.0], [0.0, 0.0])]),
    corners("matrix_power", matrices.matrix_power,
            case(given([[2.0, 1.0], [0.0, 3.0]]), 0).slopes(np.zeros((2, 2)))),
    corners("linalg.vector_norm", norms.vector_norm, case(given([3.0, 0.0]), 0).slopes([0.0, 0.0])),
    *(
        Row(name, function, None, [], kinks=[kink], covers="unmoved", torch=None, method="",
            seeded=True)
        for name, function, kink in (
            ("bernoulli", distributions.bernoulli, case(given([0.3, 0.5])).slopes([0.0, 0.0])),
            ("poisson", distributions.poisson, case(given([0.3, 0.5])).slopes([0.0, 0.0])),
            ("normal", distributions.normal,
             case(given([[1.0], [2.0]]), given([1.0, 2.0])).slopes([[0.0], [0.0]], [0.0, 0.0])),
        )
    ),
]  # fmt: skip

JOINED = [
    corners("cat", joining.cat, case([given([]), given([[1.0, 2.0]])], 1).slopes([], [[1.0, 1.0]]),
            case([given([[1.0]]), given([])], -1).slopes([[1.0]], [])),
    # An index that comes twice is written, and gives its gradient, once.
    corners("index_fill", slices.index_fill,
            case(real(3, 2), 0, given([0, 0, 2]), given(5.0)).slopes(
                [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]], 4.0)),
    corners("gather", indexing.gather, case(real(5), 0, given(np.zeros((2, 0), int)))),
    corners("scatter", scattering.scatter,
            case(real(3), 0, given(np.zeros((2, 0), int)), real(2, 0)).slopes(
                [1.0] * 3, np.zeros((2, 0)))),
    corners("scatter_add", scattering.scatter_add,
            case(real(3), 0, given(np.zeros((2, 0), int)), real(2, 0))),
    corners("take_along_dim", indexing.take_along_dim,
            case(given([1.0, 2.0, 3.0]), given([-1, -3, 1]), 0).slopes([1.0, 1.0, 1.0])),
    corners("put", scattering.put,
            case(given([1.0, 2.0]), given(np.array(-1)), given(np.array([9.0]))).slopes(
                [1.0, 0.0], [1.0]),
            case(given(1.0), given(np.array(0)), given(3.0), True).slopes(1.0, 1.0)),
    corners("diff", scanning.diff, case(given([1.0, 4.0]), n=0, prepend=given([7.0]).constant()),
            case(given([1, 4]), n=0, append=given([7]))),
    corners("complex", math.complex,
            case(given([1.0, -0.0, nan]), given([inf, -0.0, -inf])).slopes([1.0] * 3, [0.0] * 3)),
    corners("polar", math.polar, case(given([inf, 2.0]).constant(), given([1.0, 3.0]).constant())),
    *(
        corners("nn.functional.pad", F.pad, *(
            case(real(2, 4), widths, mode) for widths in ((-4, 5), (-1, 2), (3, -2), (-1, -1))
            if mode == "replicate" or max(widths) < 4
        ))
        for mode in ("replicate", "reflect")
    ),
    corners("nn.functional.multi_margin_loss", F.multi_margin_loss,
            case(given(1.5), given(np.array(0))), case(given(1.5), given([0]), reduction="none"),
            case(real(3), given([1]), reduction="none")),
    *(
        corners("nn.functional.gaussian_nll_loss", F.gaussian_nll_loss,
                case(real(5, 3), real(5, 3), positive(*shape), reduction="none"))
        for shape in ((1, 3), (5, 1), (5,), (5, 3))
    ),
]  # fmt: skip

ROWS = [*NOT_A_NUMBER, *STEPS, *FAR, *ORDERS, *ONCE, *UNMOVED, *JOINED]
