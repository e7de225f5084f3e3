"""Rows of activation functions, and of probabilities of scores."""

import math

import numpy as np

from aino.autograd.rules import activation as rules
from aino.ops.pointwise import activation as ops
from aino.ops.pointwise import softmax as scores
from tests.calculus.row import Row, case, given, nonzero, real

inf, nan = np.inf, np.nan
FLOATS = "float32 int64"
#: PyTorch's activations that are functions of torch and methods of its tensors too.
METHODS = "relu prelu sigmoid hardshrink softmax log_softmax"
FAR = given([-1000.0, -50.0, 50.0, 1000.0])
FAR_OUT = case(FAR).slopes([0.0, 0.0, 1.0, 1.0])

phi = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), [float])


def activation(name, oracle, sample=None, **options):
    """Return the row of an activation: its smooth points, and what is known at its kinks."""
    cases = [case(sample or real(3, 4)), *options.pop("cases", [])]
    method = None if name in METHODS.split() else ""
    options = {"dtypes": FLOATS, "elementwise": True} | options
    return Row(name, getattr(ops, name), oracle, cases, method=method, **options)


def at(points, slopes, *arguments, **keywords):
    """Return the case of a kink: the slopes there, which are PyTorch's."""
    return case(given(points), *arguments, **keywords).slopes(slopes)


def sigmoid(x):
    return np.exp(-np.logaddexp(0.0, -x))


def log1pexp(x):
    return np.logaddexp(0.0, x)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def celu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0) / alpha))


def gelu(x, approximate="none"):
    if approximate == "none":
        return x * phi(x)
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(beta * x > threshold, x, log1pexp(beta * x) / beta)


def prelu(x, weight):
    if weight.size > 1 and x.ndim > 1:
        weight = weight.reshape((-1,) + (1,) * (x.ndim - 2))
    return np.where(x > 0, x, weight * x).reshape(x.shape)


def rrelu(x, low=1.0 / 8.0, high=1.0 / 3.0):
    return np.where(x > 0, x, x * (low + high) / 2.0)


def glu(x, dim=-1):
    first, second = np.split(x, 2, dim)
    return first * sigmoid(second)


def softmax(x, dim, dtype=None):
    e = np.exp(x - np.max(x, dim, keepdims=True, initial=-inf))
    return e / e.sum(dim, keepdims=True)


def log_softmax(x, dim, dtype=None):
    highest = np.max(x, dim, keepdims=True, initial=-inf)
    return x - highest - np.log(np.exp(x - highest).sum(dim, keepdims=True))


RAMPS = [
    activation("relu", lambda x: np.maximum(x, 0.0), nonzero(3, 4), dtypes="uint8 int64 bool",
               cases=[case(nonzero(60, 60))],
               kinks=[at([0.0, -0.0, -1.0, 2.0, -inf, inf], [0.0, 0.0, 0.0, 1.0, 0.0, 1.0])]),
    Row("negative_part", rules.negative_part, lambda x: np.minimum(x, 0.0), [case(nonzero(3, 4))],
        torch=None, method="", elementwise=True),
    activation("relu6", lambda x: np.clip(x, 0.0, 6.0), nonzero(3, 4),
               covers="hardtanh", kinks=[at([0.0, 6.0, 3.0], [0.0, 0.0, 1.0])]),
    activation("hardtanh", lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
               real(3, 4).away(-1, 1), cases=[case(real(3).away(-0.3, 1.5), -0.3, 1.5)],
               covers="hardtanh", kinks=[at([-1.0, 1.0, 0.0], [0.0, 0.0, 1.0])],
               errors=[case(real(3), 1.0, -1.0)]),
    activation("leaky_relu", lambda x, slope=0.01: np.where(x > 0, x, slope * x), nonzero(3, 4),
               cases=[case(nonzero(3), 0.3), case(nonzero(3), 2.0), case(nonzero(3), -0.5)],
               covers="leaky_relu", kinks=[at([0.0, -0.0], [0.01, 0.01])]),
    Row("prelu", ops.prelu, prelu,
        [case(nonzero(2, 3, 4), real(3)), case(nonzero(3, 4), real(1)), case(nonzero(3), real(1)),
         case(nonzero(), real(1)), case(nonzero(2, 3), real())],
        covers="prelu", dtypes=FLOATS, elementwise=False,
        kinks=[case(given([0.0]), given([0.5])).slopes([0.5], [0.0])],
        errors=[case(real(2, 3), real(4)), case(real(2, 3), real(3, 1))]),
    activation("rrelu", rrelu, nonzero(3, 4), cases=[case(nonzero(3), 0.1, 0.2)],
               covers="leaky_relu", errors=[case(real(3), 0.5, 0.1)]),
    activation("elu", elu, nonzero(3, 4), cases=[case(nonzero(3), 2.0)], covers="elu",
               kinks=[at([0.0, -1000.0, 1000.0], [1.0, 0.0, 1.0]), at([0.0], [2.0], 2.0)]),
    activation("selu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772), nonzero(3, 4),
               covers="elu", kinks=[at([0.0], [1.7580993408473766])]),
    activation("celu", celu, nonzero(3, 4), cases=[case(nonzero(3), 2.0)], covers="celu",
               kinks=[at([0.0], [1.0]), at([0.0], [1.0], 2.0)], errors=[case(real(3), 0.0)]),
    activation("hardsigmoid", lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0), gradtol=1e-5,
               cases=[case(given([-5.0, 4.0, 0.3]))], order=1,
               kinks=[at([-3.0, 3.0, 0.0], [0.0, 0.0, 1.0 / 6.0])]),
    activation("hardswish", lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
               cases=[case(given([-5.0, 4.0, 0.3]))],
               kinks=[at([-3.0, 3.0, 0.0], [0.0, 1.0, 0.5])]),
    activation("hardshrink", lambda x, bound=0.5: np.where(np.abs(x) > bound, x, 0.0),
               real(3, 4).away(-0.5, 0.5), cases=[case(real(3).away(-1.2, 1.2), 1.2)],
               covers="hardshrink", kinks=[at([-0.5, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0])]),
    activation("softshrink", lambda x, bound=0.5: x - np.clip(x, -bound, bound),
               real(3, 4).away(-0.5, 0.5), cases=[case(real(3).away(-1.2, 1.2), 1.2)],
               covers="softshrink", kinks=[at([-0.5, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0])],
               errors=[case(real(3), -1.0)]),
    Row("threshold", ops.threshold, lambda x, bound, value: np.where(x > bound, x, value),
        [case(real(3, 4).away(0.3), 0.3, -7.0)], covers="threshold", method="", dtypes=FLOATS,
        elementwise=True, kinks=[at([0.3, 0.4, 0.2], [0.0, 1.0, 0.0], 0.3, 5.0)]),
]  # fmt: skip

SMOOTH = [
    activation("gelu", gelu, cases=[case(real(3, 4), approximate="tanh")],
               covers="normal_cdf gelu_tanh", errors=[case(real(3), approximate="sigmoid")]),
    activation("silu", lambda x: x * sigmoid(x), complex=False, dtypes="float32",
               kinks=[FAR_OUT]),
    activation("mish", lambda x: x * np.tanh(log1pexp(x)), kinks=[FAR_OUT]),
    activation("softplus", softplus, dtypes="float32 int64",
               cases=[case(real(3, 4), 2.0), case(real(3, 4).away(0.5), 2.0, 1.0)],
               covers="softplus",
               kinks=[FAR_OUT, at([0.5], [1.0 / (1.0 + math.exp(-1.0))], 2, 1)]),
    activation("logsigmoid", lambda x: -log1pexp(-x),
               kinks=[case(FAR).slopes([1.0, 1.0, np.exp(-50.0), 0.0])]),
    activation("softsign", lambda x: x / (1.0 + np.abs(x)), nonzero(3, 4), complex=True,
               dtypes="int64 float32",
               kinks=[at([0.0], [1.0])]),
    activation("tanhshrink", lambda x: x - np.tanh(x), covers="",
               dtypes="uint8 int64 float32"),
    activation("glu", glu, nonzero(3, 4), cases=[case(real(4, 3), 0), case(real(2, 6, 3), dim=1)],
               covers="", elementwise=False, errors=[case(real(3, 3)), case(real(4), dim=1)]),
]  # fmt: skip

SCORES = [
    Row(name, getattr(scores, name), oracle,
        [case(real(3, 4), -1), case(real(3, 4), 0), case(real(2, 3, 4), dim=1), case(real(), 0),
         case(given(np.ones((2, 0))).constant(), 1)],
        covers=name.replace("softmin", "softmax"), dtypes="float32",
        method=None if name in METHODS.split() else "",
        torch=None if name == "softmin" else name,
        kinks=[case(given([1000.0, 0.0, -1000.0]), 0), case(given([0.0, -inf, 0.0]), 0)],
        errors=[case(real(3, 4), 2), case(real(3, 4), -3)])
    for name, oracle in (
        ("softmax", softmax),
        ("log_softmax", log_softmax),
        ("softmin", lambda x, dim: softmax(-x, dim)),
    )
]  # fmt: skip

ROWS = [*RAMPS, *SMOOTH, *SCORES]
