"""Activation functions: what a neuron makes of its weighted sum."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import cast, primitive, unmoved
from aino.autograd.rules.compare import chosen_from, masked
from aino.autograd.rules.constants import INFINITY, MINUS_INFINITY, ZERO, clip, quiet_exp
from aino.autograd.rules.elementwise import sigmoid
from aino.autograd.rules.rounding import sgn
from aino.autograd.sums import sum_over
from aino.errors import DtypeError

# Two ramps, of which many others are made


def _relu(x):
    zero = ZERO.get(x.dtype)
    if zero is None:
        if x.dtype.kind in "bc":
            raise DtypeError(f"relu: expected numbers with an order, got {x.dtype}")
        return np.maximum(x, 0)
    return clip(x, zero, INFINITY[x.dtype])


def _relu_to_x(g, y):
    # Exactly nothing where the output is 0, be g infinite; a nan passes, as in PyTorch. np.where
    # is quickest where there is little, and branches at every element where there is much.
    if math.prod(y.shape) < 1024:
        return np.where(y, g, ZERO.get(y.dtype, 0))
    return masked(g, y != ZERO.get(y.dtype, 0))


relu = primitive("relu", _relu, formula="max(0, x)", jacobian="diagonal", x=_relu_to_x)


def _negative_part(x):
    return clip(x, MINUS_INFINITY[x.dtype], ZERO[x.dtype])


negative_part = primitive(
    "negative_part", _negative_part, formula="min(0, x)", jacobian="diagonal", promotes="floating",
    x=lambda g, x: masked(g, x < 0),
)  # fmt: skip


# Slopes on both sides of 0


def _leaky_relu(x, slope):
    return np.maximum(x, slope * x) if 0 < slope <= 1 else np.where(x > 0, x, slope * x)


def _leaky_relu_to_x(g, x, slope):
    if 0 < slope <= 1:
        # fmax gives a nan the slope, as PyTorch does.
        return g * np.fmax(np.sign(x), slope)
    passed = masked(g, x > 0)
    return passed + slope * (g - passed)


leaky_relu = primitive(
    "leaky_relu", _leaky_relu, formula="x where x > 0, else slope · x",
    jacobian="diagonal", promotes="floating",
    x=_leaky_relu_to_x,
)  # fmt: skip


def _prelu_to_x(g, x, weight):
    passed = masked(g, x > 0)
    return unmoved(passed + weight * (g - passed), x)


prelu = primitive(
    "prelu", lambda x, weight: _relu(x) + weight * _negative_part(x),
    formula="x where x > 0, else weight · x",
    jacobian="diagonal", broadcasts=True, promotes="floating",
    x=_prelu_to_x,
    weight=lambda g, x, weight: unmoved(g * negative_part(x), weight),
)  # fmt: skip


def _elu(x, alpha):
    return _relu(x) + alpha * np.expm1(_negative_part(x))


def _elu_to_x(g, x, alpha):
    rise = np.exp(negative_part(x))
    if alpha == 1:
        return g * rise
    passed = masked(g, x > 0)
    return passed + alpha * (g - passed) * rise


elu = primitive(
    "elu", _elu, formula="x where x > 0, else α (eˣ - 1)", jacobian="diagonal",
    promotes="floating", x=_elu_to_x,
)  # fmt: skip


def _celu(x, alpha):
    return _relu(x) + alpha * np.expm1(_negative_part(x) / alpha)


celu = primitive(
    "celu", _celu, formula="x where x > 0, else α (e^(x/α) - 1)",
    jacobian="diagonal", promotes="floating",
    x=lambda g, x, alpha: g * np.exp(negative_part(x) / alpha),
)  # fmt: skip


# Bounded ramps: flat outside their bounds, and at them


hardtanh = primitive(
    "hardtanh", lambda x, low, high: clip(x, low, high), formula="x within [low, high]",
    jacobian="diagonal",
    x=lambda g, x, low, high: masked(g, (x > low) & (x < high)),
)  # fmt: skip

hardsigmoid = primitive(
    "hardsigmoid", lambda x: clip(x + 3.0, 0.0, 6.0) / 6.0, formula="(x + 3) / 6 within [0, 1]",
    jacobian="diagonal",
    promotes="floating",
    x=lambda g, x: masked(g / 6.0, (x > -3) & (x < 3)),
)  # fmt: skip


def _hardswish_to_x(g, x):
    return np.where(x >= 3, g, masked(g * (x / 3.0 + 0.5), np.logical_not(x <= -3)))


hardswish = primitive(
    "hardswish", lambda x: x * clip(x + 3.0, 0.0, 6.0) / 6.0,
    formula="x · (x + 3) / 6, the factor within [0, 1]",
    jacobian="diagonal", promotes="floating", x=_hardswish_to_x,
)  # fmt: skip


# Shrinking: nothing near 0


def _outside(x, bound):
    return (x < -bound) | (x > bound)


hardshrink = primitive(
    "hardshrink", lambda x, bound: masked(x, np.logical_not((x >= -bound) & (x <= bound))),
    formula="x where |x| > λ, else 0", jacobian="diagonal", promotes="floating",
    x=lambda g, x, bound: masked(g, _outside(x, bound)),
)  # fmt: skip

softshrink = primitive(
    "softshrink", lambda x, bound: x - clip(x, -bound, bound),
    formula="x moved by λ towards 0", jacobian="diagonal", promotes="floating",
    x=lambda g, x, bound: masked(g, _outside(x, bound)),
)  # fmt: skip


threshold = primitive(
    "threshold", lambda x, bound, value: chosen_from(x <= bound, value, x),
    formula="x where x > bound, else value", jacobian="diagonal",
    x=lambda g, x, bound: masked(g, np.logical_not(x <= bound)),
)  # fmt: skip


# Smooth ones


def _softplus(x, beta, threshold):
    z = x if beta == 1 else beta * x
    # Where the exponential would overflow in float16, adding 1 to it changes nothing.
    top = threshold if x.dtype != np.float16 else min(threshold, 11.0)
    y = np.log1p(quiet_exp(np.minimum(z, top)))
    if beta != 1:
        y = y / beta
    # Beyond 20, ln(1 + eᶻ) is z but for 2e-9, and below it is more.
    if threshold >= 20 and beta > 0:
        return np.maximum(x, y)
    return np.where(z > top, x, y)


def _softplus_to_x(g, x, beta, threshold):
    z = x if beta == 1 else beta * x
    slope = g * sigmoid(z)
    return slope if threshold >= 20 and beta > 0 else np.where(z > threshold, g, slope)


softplus = primitive(
    "softplus", _softplus, formula="ln(1 + e^(β · x)) / β, x where β · x > threshold",
    jacobian="diagonal", promotes="floating", x=_softplus_to_x,
)  # fmt: skip

logsigmoid = primitive(
    "logsigmoid", lambda x: _negative_part(x) - np.log1p(np.exp(-np.absolute(x))),
    formula="ln σ(x)", jacobian="diagonal", promotes="floating",
    x=lambda g, x: g * sigmoid(-x),
)  # fmt: skip


def _softsign_to_x(g, x):
    size = np.absolute(x) + 1.0
    if x.dtype.kind != "c":
        return g / (size * size)
    # The length |x| changes too, along the direction of x; at 0 it does not matter.
    along = (g * x).real / (size * size)
    return g / size - along * np.conjugate(sgn(x))


softsign = primitive(
    "softsign", lambda x: x / (np.absolute(x) + 1.0), formula="x / (1 + |x|)",
    jacobian="diagonal if real", promotes="float",
    x=_softsign_to_x,
)  # fmt: skip


def _silu_to_x(g, x):
    s = sigmoid(x)
    return g * (s + x * (s - s * s))


silu = primitive(
    "silu", lambda x: x * sigmoid(x), formula="x · σ(x)", jacobian="diagonal", promotes="float",
    x=_silu_to_x,
)  # fmt: skip


def _tanh_softplus(x):
    # tanh(ln(1 + eˣ)) = n / (n + 2) with n = eˣ (eˣ + 2); beyond 20, eˣ is as good as infinite.
    if x.dtype == np.float16:
        return cast(_tanh_softplus(cast(x, np.dtype(np.float32))), x.dtype)
    e = np.exp(np.minimum(x, 20.0))
    n = e * (e + 2.0)
    return n / (n + 2.0)


def _mish_to_x(g, x):
    t = _tanh_softplus(x)
    return g * (t + x * sigmoid(x) * (1.0 - t * t))


mish = primitive(
    "mish", lambda x: x * _tanh_softplus(x), formula="x · tanh(ln(1 + eˣ))",
    jacobian="diagonal", promotes="floating",
    x=_mish_to_x,
)  # fmt: skip

_ROOT_2_BY_PI, _CUBIC = math.sqrt(2.0 / math.pi), 0.044715


def _gelu_tanh(x):
    half = 0.5 * x
    return half + half * np.tanh(x * (_ROOT_2_BY_PI + _ROOT_2_BY_PI * _CUBIC * (x * x)))


def _gelu_tanh_to_x(g, x):
    square = _ROOT_2_BY_PI * _CUBIC * (x * x)
    t = np.tanh(x * (_ROOT_2_BY_PI + square))
    return 0.5 * g * (1.0 + t + (x - x * t * t) * (_ROOT_2_BY_PI + 3.0 * square))


gelu_tanh = primitive(
    "gelu_tanh", _gelu_tanh, formula="½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))",
    jacobian="diagonal",
    promotes="floating", x=_gelu_tanh_to_x,
)  # fmt: skip


# Distributions over an axis. The largest is subtracted first, so that nothing overflows


def _softmax(x, axis):
    if not x.size:
        return x.astype(x.dtype)
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    return e / sum_over(e, axis, True)


def _softmax_to_x(g, y, axis):
    g = g * y
    return g - y * sum_over(g, axis, True)


softmax = primitive(
    "softmax", _softmax, formula="eˣ / Σ eˣ", jacobian="symmetric", promotes="float",
    x=_softmax_to_x,
)  # fmt: skip


def _log_softmax(x, axis):
    if not x.size:
        return x.astype(x.dtype)
    x = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return x - np.log(sum_over(np.exp(x), axis, True))


log_softmax = primitive(
    "log_softmax", _log_softmax, formula="x - ln Σ eˣ", promotes="float",
    x=lambda g, y, axis: g - np.exp(y) * sum_over(g, axis, True),
    jvp={"x": lambda t, y, axis: t - sum_over(np.exp(y) * t, axis, True)},
)  # fmt: skip
