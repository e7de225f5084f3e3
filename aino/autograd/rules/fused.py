"""Several operations as one: where a measurement shows that it pays.

Their rules compute what they need anew from the inputs, so that they can be differentiated
again. Where a rule reads what the caller computed from the inputs instead, the primitive has a
``definition`` that computes all of it, which is differentiated in its place.
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.activation import log_softmax
from aino.autograd.rules.compare import masked
from aino.autograd.rules.elementwise import sigmoid
from aino.autograd.rules.index import take, take_sum
from aino.autograd.rules.linalg import product, rows_mm
from aino.autograd.rules.reduce import mean
from aino.autograd.rules.shape import reshape
from aino.autograd.sums import sum_over, total
from aino.errors import DtypeError, ShapeError

# Weighted sums: x Wᵀ + b; a weight of one dimension is one row of a matrix, without its axis


def _linear(x, weight, bias=None):
    if x.shape[-1:] != weight.shape[-1:]:
        raise ShapeError(
            f"linear: the input has shape {x.shape}, and a weight of shape {weight.shape} takes "
            f"{weight.shape[-1:]} in its last dimension"
        )
    if x.dtype is not weight.dtype and x.dtype != weight.dtype:
        raise DtypeError(
            f"linear: the input is {x.dtype} and the weight {weight.dtype}; bring them together "
            "with input.float() or model.double()"
        )
    if weight.ndim == 1:
        y = product(x, weight)
    elif x.ndim == 2:
        y = product(x, weight.mT)
    else:
        y = rows_mm(x, weight.mT)
    return y if bias is None else y + bias


def _as_rows(x):
    return x if len(x.shape) == 2 else x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _linear_x(g, weight):
    if len(weight.shape) == 1:
        return g[..., None] * weight
    return np.dot(g, weight) if len(g.shape) == 2 else rows_mm(g, weight)


def _linear_weight(g, x, weight_shape):
    if len(weight_shape) == 1:
        return g.reshape((math.prod(g.shape),)) @ _as_rows(x)
    return np.dot(_as_rows(g).mT, _as_rows(x))


def _over_rows(g, rank):
    """Return the sum over all dimensions but the last ``rank``."""
    rows = len(g.shape) - rank
    if rows == 1:
        return sum_over(g, 0)
    return sum_over(g, tuple(range(rows))) if rows else g


linear = primitive(
    "linear", _linear, formula="x Wᵀ + b",
    x=_linear_x, weight=_linear_weight,
    bias=lambda g, bias_shape: _over_rows(g, len(bias_shape)),
)  # fmt: skip

# Losses of single numbers


def _mse_loss(x, target):
    d = x - target
    count = math.prod(d.shape)
    if 0 < count <= 65536 and d.dtype.kind == "f":
        # The sum of squares by BLAS, while there are few enough to be summed one by one.
        d = d.reshape((count,))
        return np.dot(d, d) / count
    return total(d * d) / count


def _mse_loss_x(g, x, target):
    return (x - target) * (g * (2.0 / math.prod(x.shape)))


mse_loss = primitive(
    "mse_loss", _mse_loss, formula="Σ (x - t)² / n", jacobian="reduced", promotes="common",
    x=_mse_loss_x,
    target=lambda g, x, target: _mse_loss_x(g, target, x),
)  # fmt: skip


def _huber(x, target, delta):
    size = np.absolute(x - target)
    inner = np.minimum(size, delta)
    return inner * (size - 0.5 * inner)


def _huber_x(g, x, target, delta):
    return g * np.minimum(np.maximum(x - target, -delta), delta)


huber = primitive(
    "huber", _huber, formula="d²/2 where |d| < δ, else δ (|d| - δ/2), d = x - t",
    jacobian="diagonal",
    broadcasts=True, promotes="common",
    x=_huber_x,
    target=lambda g, x, target, delta: _huber_x(-g, x, target, delta),
)  # fmt: skip


# Losses of probabilities


def _binary_cross_entropy(x, target):
    # The logarithms end at -100: a probability of 0 must not make the loss infinite.
    with np.errstate(divide="ignore"):
        no, yes = np.maximum(np.log1p(-x), -100.0), np.maximum(np.log(x), -100.0)
    return (target - 1.0) * no - target * yes


def _binary_cross_entropy_x(g, x, target):
    return g * ((x - target) / np.maximum(x * (1.0 - x), 1e-12))


binary_cross_entropy = primitive(
    "binary_cross_entropy", _binary_cross_entropy,
    formula="-(t ln x + (1 - t) ln(1 - x))", jacobian="diagonal", promotes="common",
    x=_binary_cross_entropy_x,
    target=lambda g, x: g * (np.log1p(-x) - np.log(x)),
)  # fmt: skip


def _binary_cross_entropy_with_logits(x, target):
    # ln(1 + eˣ) - x t, in a form in which no exponential overflows.
    return np.maximum(x, 0.0) - x * target + np.log1p(np.exp(-np.absolute(x)))


binary_cross_entropy_with_logits = primitive(
    "binary_cross_entropy_with_logits", _binary_cross_entropy_with_logits,
    formula="ln(1 + eˣ) - x t", jacobian="diagonal", promotes="common",
    x=lambda g, x, target: g * (sigmoid(x) - target),
    target=lambda g, x: -g * x,
)  # fmt: skip


# The mean of -ln softmax(x) at one class a row. The logarithms are computed by the caller and
# kept for the rule, which otherwise would take the maximum and the sum of each row again;
# ``places`` are the classes' positions in the flattened rows.


def _cross_entropy(x, logarithms, places):
    return total(logarithms.reshape(-1)[places]) / -x.shape[0]


def _cross_entropy_x(g, logarithms, places):
    p = np.exp(logarithms)
    p.reshape(-1)[places] -= 1.0
    p *= g / p.shape[0]
    return p


cross_entropy = primitive(
    "cross_entropy", _cross_entropy, formula="-Σ ln softmax(x)[t] / n",
    definition=lambda x, logarithms, places: -mean(
        take(reshape(log_softmax(x, 1), (math.prod(x.shape),)), places, 0, True)
    ),
    x=_cross_entropy_x,
)  # fmt: skip


# Normalisation over the last ``rank`` dimensions: ``z`` is what is left of x when mean and scale
# are taken out, computed by the caller and kept for the rules, as above


def _last(x, rank):
    """Return the axes to reduce, and how many elements they hold."""
    axes = tuple(range(len(x.shape) - rank, len(x.shape)))
    return (axes if rank > 1 else axes[0]), math.prod(x.shape[len(x.shape) - rank :])


def standardised(x, rank, eps):
    """Return x with mean 0 and variance 1, and what it was divided by."""
    axes, count = _last(x, rank)
    x = x - sum_over(x, axes, True) / count
    scale = np.sqrt(sum_over(x * x, axes, True) / count + eps)
    return x / scale, scale


def rescaled(x, rank, eps):
    """Return x with mean square 1, and what it was divided by."""
    axes, count = _last(x, rank)
    scale = np.sqrt(sum_over(x * x, axes, True) / count + eps)
    return x / scale, scale


def _affine(z, weight, bias):
    y = np.positive(z) if weight is None else z * weight
    return y if bias is None else y + bias


def _layer_norm_x(g, weight, z, scale, rank):
    axes, count = _last(z, rank)
    if weight is not None:
        g = g * weight
    along = sum_over(g, axes, True) / count
    across = sum_over(g * z, axes, True) / count
    return (g - along - z * across) / scale


def _layer_norm(x, weight, bias, z, scale, rank, eps):
    return _affine(z, weight, bias)


layer_norm = primitive(
    "layer_norm", _layer_norm, formula="(x - E[x]) / √(Var[x] + ε) · γ + β",
    definition=lambda x, weight, bias, z, scale, rank, eps: _affine(
        standardised(x, rank, eps)[0], weight, bias
    ),
    x=_layer_norm_x,
    weight=lambda g, z, rank: _over_rows(g * z, rank),
    bias=lambda g, x, rank: _over_rows(g, rank),
)  # fmt: skip


def _rms_norm_x(g, weight, z, scale, rank):
    axes, count = _last(z, rank)
    if weight is not None:
        g = g * weight
    return (g - z * (sum_over(g * z, axes, True) / count)) / scale


rms_norm = primitive(
    "rms_norm", lambda x, weight, z, scale, rank, eps: _affine(z, weight, None),
    formula="x / √(E[x²] + ε) · γ",
    definition=lambda x, weight, z, scale, rank, eps: _affine(
        rescaled(x, rank, eps)[0], weight, None
    ),
    x=_rms_norm_x,
    weight=lambda g, z, rank: _over_rows(g * z, rank),
)  # fmt: skip


# Rows of a table. ``counts``, where it is given, says how often each of them is looked up


def _embedding_weight(g, index, weight_shape, padding, counts):
    if padding is not None:
        g = masked(g, (index != padding)[..., None])
    if counts is not None:
        g = g / counts[..., None]
    return take_sum(g, index, 0, weight_shape[0], False)


embedding = primitive(
    "embedding", lambda weight, index, padding, counts: take(weight, index, 0, False),
    inputs="weight index", formula="weight[index]",
    weight=_embedding_weight,
)  # fmt: skip
