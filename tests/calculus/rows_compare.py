"""Rows of comparisons, logic on truth values and bits, bounds and choices."""

import numpy as np

from aino.autograd.rules import compare as rules
from aino.ops import pointwise
from aino.ops.pointwise import compare as ops
from tests.calculus.row import Row, booleans, case, given, integers, real

inf, nan = np.inf, np.nan
ENDS = given([-inf, -1.0, -0.0, 0.0, 2.0, inf, nan])
NUMBERS = "uint8 int64 float32"
WHOLE = "bool uint8 int64"


def comparison(name, oracle, complex=False):
    """Return the row of a comparison, with ties, mixed dtypes and numbers."""
    cases = [
        case(real(3, 4), real(4)), case(given([1.0, 2.0, nan]), given([1.0, 1.0, nan])),
        case(real(3), 1), case(integers(-2, 3, 5), 0.5), case(integers(-2, 3, 5), real(5)),
        case(booleans(4), booleans(4)),
    ]  # fmt: skip
    return Row(name, getattr(ops, name), oracle, cases, order=0, complex=complex,
               elementwise=True, broadcasts=True)  # fmt: skip


def test_of(name, oracle, **options):
    """Return the row of a test of each element."""
    cases = [case(real(3, 4)), case(ENDS), case(integers(-2, 3, 5)), case(booleans(3))]
    options = {"complex": True} | options
    return Row(name, getattr(ops, name), oracle, cases, order=0, elementwise=True, **options)


def logic(name, oracle):
    cases = [case(booleans(3, 4), booleans(4)), case(integers(0, 2, 5), real(5)),
             case(given([0.0, -0.0, nan]), booleans(3))]  # fmt: skip
    return Row(name, getattr(ops, name), oracle, cases, order=0, elementwise=True,
               broadcasts=True)  # fmt: skip


def bits(name, oracle, high=100, **options):
    cases = [case(integers(-100, 100, 3, 4), integers(0, high, 4)), case(integers(0, 9, 5), 3)]
    return Row(name, getattr(ops, name), oracle, cases, order=0, dtypes=NUMBERS,
               elementwise=True, broadcasts=True, **options)  # fmt: skip


COMPARISONS = [
    comparison("eq", np.equal, complex=True),
    comparison("ne", np.not_equal, complex=True),
    comparison("lt", np.less),
    comparison("le", np.less_equal),
    comparison("gt", np.greater),
    comparison("ge", np.greater_equal),
    test_of("isnan", np.isnan),
    test_of("isinf", np.isinf),
    test_of("isfinite", np.isfinite),
    test_of("isposinf", np.isposinf, complex=False),
    test_of("isneginf", np.isneginf, complex=False),
    test_of("isreal", np.isreal),
    Row("signbit", ops.signbit, np.signbit, [case(real(3, 4)), case(ENDS)], order=0,
        covers="signbit", elementwise=True),
    Row("equal", ops.equal, None,
        [case(real(3), real(3)).gives(False), case(given([1, 2]), given([1, 2])).gives(True),
         case(real(3), real(2)).gives(False), case(given([nan]), given([nan])).gives(False)],
        covers="", order=0),
    Row("isclose", ops.isclose, np.isclose,
        [case(given([1.0, 1.0, inf, inf, nan]), given([1.0 + 1e-6, 1.1, inf, -inf, nan])),
         case(real(3), real(3), rtol=0.5, atol=0.5), case(given([nan]), given([nan]), 0, 0, True),
         case(real(3), real(1))],
        covers="", order=0, complex=True,
        errors=[case(real(3), integers(0, 2, 3)), case(real(3), real(3), rtol=-1.0)]),
    Row("allclose", ops.allclose, np.allclose,
        [case(real(3), real(3)), case(real(3), real(3), rtol=10.0, atol=10.0)],
        covers="", order=0),
]  # fmt: skip

LOGIC = [
    logic("logical_and", np.logical_and),
    logic("logical_or", np.logical_or),
    logic("logical_xor", np.logical_xor),
    Row("logical_not", ops.logical_not, np.logical_not,
        [case(booleans(3, 4)), case(given([0.0, -0.0, nan, 2.0]))], order=0),
    bits("bitwise_and", np.bitwise_and),
    bits("bitwise_or", np.bitwise_or),
    bits("bitwise_xor", np.bitwise_xor),
    bits("bitwise_left_shift", np.left_shift, 6),
    bits("bitwise_right_shift", np.right_shift, 6),
    Row("bitwise_not", ops.bitwise_not, np.invert, [case(integers(-9, 9, 5)), case(booleans(4))],
        order=0),
]  # fmt: skip


def choice(name, oracle, first_wins):
    """Return the row of the larger or smaller of two: ``first_wins`` at a tie, or shares."""
    share, rest = (1.0, 0.0) if first_wins else (0.5, 0.5)
    return Row(
        name, getattr(pointwise, name), oracle,
        [case(real(3, 4), real(3, 4)), case(given([[0.1, 0.7]]), given([[0.3], [-0.4]]))],
        elementwise=True, broadcasts=False,
        kinks=[case(given([1.0, -0.0, inf, -inf]), given([1.0, 0.0, inf, -inf])).slopes(
            [share] * 4, [rest] * 4)],
    )  # fmt: skip


CHOICES = [
    choice("maximum", np.maximum, False),
    choice("minimum", np.minimum, False),
    choice("fmax", np.fmax, True),
    choice("fmin", np.fmin, True),
    Row("clamp", pointwise.clamp, lambda x, min=None, max=None: np.clip(x, min, max),
        [case(real(3, 4).away(-0.5, 1.0), -0.5, 1.0), case(real(3, 4).away(-0.5), min=-0.5),
         case(real(3, 4).away(0.5), max=0.5),
         case(real(3, 4).away(-0.9, 1.1), given([-0.9] * 4), given([[1.1]] * 3)),
         case(real(3, 4).away(0.4), None, given([0.4])), case(integers(-5, 5, 6), -1, 2),
         case(integers(-5, 5, 6), 0.5)],
        covers="clamp clamp_min clamp_max", elementwise=False,
        kinks=[case(given([-1.0, 1.0, 0.0]), -1.0, 1.0).slopes([1.0, 1.0, 1.0]),
               case(given([-1.0, 3.0]), given([-1.0, 2.0]), given([4.0, 1.0])).slopes(
                   [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]),
               case(given([1.0]), min=1.0).slopes([1.0]), case(given([1.0]), max=1.0).slopes([1.0]),
               case(given([nan, inf]), 0.0, 1.0).slopes([0.0, 0.0])],
        errors=[case(real(3))]),
    Row("clamp between a number and a tensor", pointwise.clamp, np.clip,
        [case(real(3, 4).away(-0.3, 0.4), -0.3, given(0.4))], covers="clamp", torch=None,
        method=""),
    Row("clamp_min", pointwise.clamp_min, np.maximum, [case(real(3, 4).away(0.5), 0.5)]),
    Row("clamp_max", pointwise.clamp_max, np.minimum, [case(real(3, 4).away(0.5), 0.5)]),
    Row("where", pointwise.where, np.where,
        [case(booleans(3, 4), real(3, 4), real(4)), case(booleans(4), real(4), 0.0),
         case(booleans(3), 1.0, real(3)), case(booleans(70, 70), real(70, 70), real(70)),
         case(booleans(3), 1, 2), case(booleans(3), real(3), integers(0, 5, 3))],
        covers="where masked", complex=True, elementwise=True, broadcasts=True, method="",
        kinks=[case(given([True, False]), given([1.0, nan]), given([inf, 2.0])).slopes(
            [1.0, 0.0], [0.0, 1.0])],
        errors=[case(integers(0, 2, 3), real(3), real(3))]),
    Row("where (the indices)", pointwise.where, lambda c: np.nonzero(np.atleast_1d(c)),
        [case(booleans(3, 4)), case(booleans()), case(given([0.0, 2.0]).constant())], covers="",
        order=0, torch="where", method=""),
    Row("masked", rules.masked, lambda x, mask: np.where(mask, x, 0),
        [case(real(3, 4), booleans(3, 4)), case(given([inf, nan, -1.0]), given([False] * 3))],
        torch=None, method="", complex=True, elementwise=True, broadcasts=True),
]  # fmt: skip

ROWS = [*COMPARISONS, *LOGIC, *CHOICES]
