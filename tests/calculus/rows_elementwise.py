"""Rows of arithmetic, powers, exponentials, angles, rounding and signs."""

import numpy as np

from aino.ops import pointwise as ops
from tests.calculus.row import Row, between, case, given, integers, nonzero, positive, real

inf, nan = np.inf, np.nan
NUMBERS = "uint8 int64 float32"
FLOATS = "float32"


def unary(name, oracle, sample=None, **options):
    """Return the row of a function of one tensor that is called as in PyTorch."""
    cases = options.pop("cases", None) or [case(sample or real(3, 4))]
    return Row(name, getattr(ops, name), oracle, cases, elementwise=True, **options)


def binary(name, oracle, first=None, second=None, **options):
    """Return the row of a function of two tensors that broadcast."""
    cases = [case(first or real(3, 4), second or real(4)), *options.pop("cases", [])]
    options = {"elementwise": True, "broadcasts": True} | options
    return Row(name, getattr(ops, name), oracle, cases, **options)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def round_to(x, decimals=0):
    return np.round(x, decimals)


def numpy_xlogy(a, b):
    return np.where(a == 0, 0.0, a * np.log(np.where(a == 0, 1.0, b)))


def logit(x, eps=None):
    x = x if eps is None else np.clip(x, eps, 1.0 - eps)
    return np.log(x) - np.log(1.0 - x)


SUMS = [
    binary("add", lambda a, b, alpha=1: a + alpha * b, complex=True, covers="add scale",
           cases=[case(real(3), 2.0), case(real(3), real(3), alpha=0.5)]),
    binary("sub", lambda a, b, alpha=1: a - alpha * b, complex=True, covers="sub", dtypes=NUMBERS,
           cases=[case(real(3), 2.0), case(real(3), real(3), alpha=3)]),
    Row("rsub", ops.rsub, lambda a, b, alpha=1: b - alpha * a, [case(real(3, 4), real(4))],
        torch="rsub", method="", complex=True),
    binary("mul", np.multiply, complex=True, cases=[case(real(3), 3.0)]),
    binary("true_divide", np.divide, real(3, 4), nonzero(4), complex=True,
           cases=[case(real(3), 3.0)]),
    Row("a number divided", lambda x: 3.0 / x, lambda x: 3.0 / x, [case(nonzero(3, 4))],
        torch=lambda torch, x: 3.0 / x, covers="div", complex=True, elementwise=True, method=""),
    binary("div", lambda a, b, rounding_mode=None: a / b, real(3, 4), nonzero(4), complex=True,
           errors=[case(real(3), nonzero(3), rounding_mode="up")]),
    unary("neg", np.negative, complex=True),
    unary("positive", np.positive, complex=True),
    Row("addcmul", ops.addcmul, lambda x, a, b, value=1: x + value * a * b,
        [case(real(3, 4), real(4), real(3, 1)), case(real(3), real(3), real(3), value=2.5)],
        covers="addcmul", complex=True, elementwise=True, broadcasts=True, dtypes=FLOATS),
    Row("addcdiv", ops.addcdiv, lambda x, a, b, value=1: x + value * a / b,
        [case(real(3, 4), real(4), nonzero(3, 1)), case(real(3), real(3), nonzero(3), value=2.5)],
        covers="addcdiv", complex=True, elementwise=True, broadcasts=True),
    Row("lerp", ops.lerp, lambda a, b, w: a + w * (b - a),
        [case(real(3, 4), real(4), between(0.0, 1.0, 3, 1)), case(real(3), real(3), 0.25),
         case(real(3), real(3), 0.75)],
        covers="lerp lerp_number", elementwise=True, broadcasts=True,
        kinks=[case(given([0.1]), given([0.3]), given([1.0])).gives(np.array([0.3]))]),
]  # fmt: skip

DIVISIONS = [
    binary("floor_divide", np.floor_divide, real(3, 4).away(0), nonzero(4), order=0,
           cases=[case(real(3), 0.7)], dtypes=NUMBERS,
           kinks=[case(given([-7.0, 7.0, 1.0]), given([2.0, -2.0, inf])),
                  case(given([-7, 7]), given([2, -2]))],
           errors=[case(given([1]), given([0]))]),
    Row("div_floor", lambda a, b: ops.div(a, b, rounding_mode="floor"), np.floor_divide,
        [case(given([-2.3, 2.3, 0.7]), given([1.1, -1.1, 0.4]))], covers="floor_divide",
        torch=lambda torch, a, b: torch.div(a, b, rounding_mode="floor"), method="",
        dtypes=NUMBERS),
    Row("div_trunc", lambda a, b: ops.div(a, b, rounding_mode="trunc"),
        lambda a, b: np.trunc(a / b), [case(given([-2.3, 2.3, 0.7]), given([1.1, -1.1, 0.4]))],
        covers="trunc_divide",
        kinks=[case(given([-7, 7, -6]), given([2, -2, 3])).gives(np.array([-3, -3, -2]))],
        torch=lambda torch, a, b: torch.div(a, b, rounding_mode="trunc"), method="",
        dtypes=NUMBERS),
    binary("remainder", np.remainder, given([[-2.3, 2.3, 0.7]]), given([1.1, -1.1, 0.4]),
           elementwise=False, broadcasts=False, cases=[case(given([-2.3, 2.3]), 0.7)],
           kinks=[case(given([-7, 7, -7]), given([3, -3, -3])),
                  case(given([-7.0, 1.0, -1.0]), given([3.0, inf, inf]))],
           errors=[case(given([1]), given([0]))], dtypes=NUMBERS),
    binary("fmod", np.fmod, given([[-2.3, 2.3, 0.7]]), given([1.1, -1.1, 0.4]),
           elementwise=False, broadcasts=False, cases=[case(given([-2.3, 2.3]), 0.7)],
           kinks=[case(given([-7, 7, -7]), given([3, -3, -3]))],
           errors=[case(given([1]), given([0]))], dtypes=NUMBERS),
]  # fmt: skip

POWERS = [
    binary("pow", np.power, positive(3, 4), real(4), covers="pow pow_number", complex=True,
           cases=[case(positive(3), 1.7), case(real(3), 3), case(nonzero(3), -1),
                  case(real(3), 2), case(positive(3), 0.5), case(real(3), 1), case(real(3), 0),
                  case(2.0, real(3)), case(integers(-3, 4, 5), 2), case(integers(1, 4, 5), 1.5)],
           kinks=[case(given([0.0, 2.0, 0.0, -2.0]), given([0.0, 0.0, 2.0, 3.0])).slopes(
                      [0.0, 0.0, 0.0, 12.0], [0.0, np.log(2.0), 0.0, nan]),
                  case(given([0.0, -1.0]), 2).slopes([0.0, -2.0]),
                  case(given([0.0, -1.0]), 0).slopes([0.0, 0.0]),
                  case(given([0, 1, 2, -1]), given([-1, -2, -1, -3])).gives(
                      np.array([0, 1, 0, -1]))],
           errors=[case(integers(1, 4, 5), -1)]),
    Row("float_power", lambda a, b: ops.float_power(a, b).to(a.dtype), np.float_power,
        [case(positive(3, 4), real(4)), case(positive(3), 2)], covers="pow",
        torch=lambda torch, a, b: torch.float_power(a, b).to(a.dtype), method="",
        elementwise=True, broadcasts=True),
    unary("square", np.square, complex=True),
    unary("sqrt", np.sqrt, positive(3, 4), complex=True,
          kinks=[case(given([0.0, 4.0])).slopes([inf, 0.25])]),
    unary("rsqrt", lambda x: 1.0 / np.sqrt(x), positive(3, 4), complex=True),
    unary("reciprocal", np.reciprocal, nonzero(3, 4), complex=True),
    binary("hypot", np.hypot, nonzero(3, 4), nonzero(4),
           kinks=[case(given([1e200]), given([1e200])).gives(np.array([np.sqrt(2.0) * 1e200]))]),
]  # fmt: skip

EXPONENTIALS = [
    unary("exp", np.exp, complex=True),
    unary("exp2", np.exp2, rtol=1e-9),
    unary("expm1", np.expm1, complex=True),
    unary("log", np.log, positive(3, 4), complex=True),
    unary("log2", np.log2, positive(3, 4), complex=True),
    unary("log10", np.log10, positive(3, 4), complex=True),
    unary("log1p", np.log1p, positive(3, 4), complex=True),
    Row("logaddexp", ops.logaddexp, lambda a, b: np.log(np.exp(a) + np.exp(b)),
        [case(real(3, 4), real(4))], complex=True),
    binary("logaddexp", np.logaddexp,
           kinks=[case(given([1000.0, -1000.0, 0.0, -inf, inf]),
                       given([1000.0, -1000.0, 1000.0, 0.0, -inf])).slopes(
                      [0.5, 0.5, 0.0, 0.0, 1.0], [0.5, 0.5, 1.0, 1.0, 0.0])]),
    binary("logaddexp2", np.logaddexp2),
    binary("xlogy", numpy_xlogy, nonzero(3, 4), positive(4),
           kinks=[case(given([0.0, 0.0]), given([2.0, 0.5])).slopes(
                      [np.log(2.0), np.log(0.5)], [0.0, 0.0]),
                  case(given([0.0, 0.0]).constant(), given([0.0, -1.0]).constant()).gives(
                      np.array([0.0, 0.0]))]),
    unary("sigmoid", sigmoid, complex=True),
    Row("sigmoid far out", ops.sigmoid, None, [], torch="sigmoid", method="",
        kinks=[case(given([-1000.0, 0.0, 1000.0, -inf, inf])).gives(
                   np.array([0.0, 0.5, 1.0, 0.0, 1.0])).slopes([0.0, 0.25, 0.0, 0.0, 0.0])]),
    unary("logit", logit, cases=[case(between(0.1, 0.9, 3, 4)),
                                 case(given([0.1, 0.3, 0.6, 0.95]), eps=0.2),
                                 case(given([0.1, 0.3, 0.95]), 0.2)],
          covers="logit", kinks=[case(given([0.25, 0.75, 0.1]), 0.25).slopes(
              [1 / 0.1875, 1 / 0.1875, 0.0])]),
]  # fmt: skip

ANGLES = [
    unary("sin", np.sin, complex=True),
    unary("cos", np.cos, complex=True),
    unary("tan", np.tan, between(-1.2, 1.2, 3, 4), complex=True),
    unary("asin", np.arcsin, between(-0.9, 0.9, 3, 4), complex=True),
    unary("acos", np.arccos, between(-0.9, 0.9, 3, 4), complex=True),
    unary("atan", np.arctan, between(-0.9, 0.9, 3, 4), complex=True),
    unary("sinh", np.sinh, complex=True),
    unary("cosh", np.cosh, complex=True),
    unary("tanh", np.tanh, complex=True,
          kinks=[case(given([-1000.0, 1000.0])).slopes([0.0, 0.0])]),
    unary("asinh", np.arcsinh, between(-0.9, 0.9, 3, 4), complex=True),
    unary("acosh", np.arccosh, between(1.2, 3.0, 3, 4), complex=True),
    unary("atanh", np.arctanh, between(-0.9, 0.9, 3, 4), complex=True),
    binary("atan2", np.arctan2, nonzero(3, 4), nonzero(4),
           kinks=[case(given([0.0, 0.0]), given([0.0, -1.0])).slopes([0.0, -1.0], [0.0, 0.0])]),
    unary("deg2rad", lambda x: x * np.pi / 180.0),
    unary("rad2deg", lambda x: x * 180.0 / np.pi),
]  # fmt: skip

# Flat nearly everywhere: their slope is compared where it is known, and with PyTorch's.
STEPS = [
    unary(name, oracle, real(3, 4).away(-2, -1, -0.5, 0, 0.5, 1, 2), **options)
    for name, oracle, options in (
        ("floor", np.floor, {"dtypes": "bool uint8 int64 float32"}),
        ("ceil", np.ceil, {}),
        ("trunc", np.trunc, {}),
        ("frac", lambda x: x - np.trunc(x), {}),
        ("sign", np.sign, {"kinks": [case(given([-1.0, 0.0, 2.0])).slopes([0.0, 0.0, 0.0])]}),
    )
] + [
    unary("round", round_to,
          cases=[case(real(3, 4).away(-1.5, -0.5, 0.5, 1.5)),
                 case(given([1.2345, -9.8765]), decimals=2), case(given([123.4]), decimals=-1)],
          covers="round", kinks=[case(given([0.5, 1.5, -2.5])).slopes([0.0, 0.0, 0.0])]),
    unary("abs", np.abs, nonzero(3, 4), complex=True,
          kinks=[case(given([0.0, -0.0, -2.0])).slopes([0.0, 0.0, -1.0])]),
    unary("sgn", np.sign, nonzero(3, 4), complex=True,
          kinks=[case(given([0.0, -2.0])).slopes([0.0, 0.0])]),
    Row("signum", np.sign, np.sign, [case(nonzero(3, 4))], complex=True, covers="signum", method="",
        torch=None, kinks=[case(given([0.0, -2.0])).slopes([0.0, 0.0])]),
    binary("copysign", np.copysign, nonzero(3, 4), nonzero(4), cases=[case(nonzero(3), -2.0)],
           kinks=[case(given([0.0, 2.0, -3.0]), given([-1.0, -0.0, -2.0])).slopes(
               [0.0, -1.0, 1.0], [0.0, 0.0, 0.0])]),
    Row("heaviside", ops.heaviside, np.heaviside,
        [case(real(3, 4), real(4)), case(given([0.0, -0.0, -1.0]), given([0.5]))], order=0,
        covers="heaviside", elementwise=True, broadcasts=True),
    unary("nan_to_num", lambda x, nan=0.0, posinf=None, neginf=None: np.nan_to_num(
              x, nan=nan, posinf=posinf, neginf=neginf),
          cases=[case(real(3, 4)), case(real(3), 1.0, posinf=2.0)], covers="nan_to_num",
          kinks=[case(given([nan, inf, -inf, 1.0])).slopes([0.0, 0.0, 0.0, 1.0]),
                 case(given([nan, inf, -inf]), 1.0, 2.0, 3.0).slopes([0.0, 0.0, 0.0])]),
]  # fmt: skip

ROWS = [*SUMS, *DIVISIONS, *POWERS, *EXPONENTIALS, *ANGLES, *STEPS]
