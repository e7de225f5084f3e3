"""The activation functions; with ``inplace`` they write their result into their input."""

from __future__ import annotations

from aino.autograd.inplace import inplace as in_place
from aino.autograd.tensor import Tensor
from aino.ops.pointwise import activation as ops
from aino.ops.pointwise import sigmoid, tanh
from aino.ops.pointwise.activation import (
    gelu,
    glu,
    hardshrink,
    logsigmoid,
    prelu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
)
from aino.ops.pointwise.softmax import gumbel_softmax, log_softmax, softmax, softmin

__all__ = [
    "celu", "elu", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "leaky_relu", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6",
    "rrelu", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink",
    "softsign", "tanh", "tanhshrink", "threshold", "relu_", "elu_", "selu_", "celu_",
    "leaky_relu_", "hardtanh_", "threshold_", "rrelu_",
]  # fmt: skip

relu_ = in_place(ops.relu)
elu_ = in_place(ops.elu)
selu_ = in_place(ops.selu)
celu_ = in_place(ops.celu)
leaky_relu_ = in_place(ops.leaky_relu)
hardtanh_ = in_place(ops.hardtanh)
threshold_ = in_place(ops.threshold)
rrelu_ = in_place(ops.rrelu)
_relu6_ = in_place(ops.relu6)
_silu_ = in_place(ops.silu)
_mish_ = in_place(ops.mish)
_hardsigmoid_ = in_place(ops.hardsigmoid)
_hardswish_ = in_place(ops.hardswish)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(0, x), with slope 0 at 0.

    >>> import aino
    >>> aino.nn.functional.relu(aino.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_(input) if inplace else ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(0, x), 6)."""
    return _relu6_(input) if inplace else ops.relu6(input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else α (eˣ - 1)."""
    return elu_(input, alpha) if inplace else ops.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return 1.0507 (x where x > 0, else 1.6733 (eˣ - 1))."""
    return selu_(input) if inplace else ops.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return max(0, x) + min(0, α (e^(x/α) - 1))."""
    return celu_(input, alpha) if inplace else ops.celu(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else slope · x."""
    if inplace:
        return leaky_relu_(input, negative_slope)
    return ops.leaky_relu(input, negative_slope)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    """Return x where x > 0, else a · x: a is drawn from U(lower, upper), or their middle."""
    if inplace:
        return rrelu_(input, lower, upper, training)
    return ops.rrelu(input, lower, upper, training)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x σ(x)."""
    return _silu_(input) if inplace else ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x tanh(ln(1 + eˣ))."""
    return _mish_(input) if inplace else ops.mish(input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return x within [min_val, max_val]."""
    if inplace:
        return hardtanh_(input, min_val, max_val)
    return ops.hardtanh(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return (x + 3) / 6 within [0, 1]."""
    return _hardsigmoid_(input) if inplace else ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x (x + 3) / 6, the factor within [0, 1]."""
    return _hardswish_(input) if inplace else ops.hardswish(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return x where x > threshold, else value."""
    if inplace:
        return threshold_(input, threshold, value)
    return ops.threshold(input, threshold, value)
