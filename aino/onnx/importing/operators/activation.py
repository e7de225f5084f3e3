"""Activations."""

from __future__ import annotations

import math
from collections.abc import Callable

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.onnx.importing.table import operator
from aino.ops.pointwise.choosing import where

_ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "Relu": Tensor.relu, "Sigmoid": Tensor.sigmoid, "Softplus": F.softplus, "Softsign": F.softsign,
    "HardSwish": F.hardswish, "Mish": F.mish,
}  # fmt: skip


def _enter(name: str, function: Callable[[Tensor], Tensor]) -> None:
    @operator(name)
    def row(X: Tensor) -> Tensor:
        return function(X)


for _name, _one in _ONE.items():
    _enter(_name, _one)


@operator("Gelu")
def gelu(X: Tensor, *, approximate: str = "none") -> Tensor:
    return F.gelu(X, approximate=approximate)


@operator("Elu")
def elu(X: Tensor, *, alpha: float) -> Tensor:
    return F.elu(X, alpha)


@operator("Celu")
def celu(X: Tensor, *, alpha: float) -> Tensor:
    return F.celu(X, alpha)


@operator("Selu")
def selu(X: Tensor, *, alpha: float, gamma: float) -> Tensor:
    return F.elu(X, alpha) * gamma


@operator("LeakyRelu")
def leaky_relu(X: Tensor, *, alpha: float) -> Tensor:
    return F.leaky_relu(X, alpha)


@operator("PRelu", 7)
def prelu(X: Tensor, slope: Tensor) -> Tensor:
    return where(X > 0, X, X * slope)


@operator("PRelu")
def former_prelu(X: Tensor, slope: Tensor) -> Tensor:
    if slope.ndim == 1 and slope.numel() != 1 and X.ndim > 2:
        slope = slope.reshape(-1, *[1] * (X.ndim - 2))  # one for each channel
    return prelu(X, slope)


@operator("HardSigmoid")
def hard_sigmoid(X: Tensor, *, alpha: float, beta: float) -> Tensor:
    return (X * alpha + beta).clamp(0, 1)


@operator("Swish")
def swish(X: Tensor, *, alpha: float) -> Tensor:
    return X * (X * alpha).sigmoid()


@operator("SwiGLU")
def swiglu(A: Tensor, B: Tensor, *, alpha: float) -> Tensor:
    return swish(A, alpha=alpha) * B


@operator("Shrink")
def shrink(input: Tensor, *, bias: float, lambd: float) -> Tensor:
    zero = input * 0
    moved = where(input < -lambd, input + bias, where(input > lambd, input - bias, zero))
    return moved.to(input.dtype)


@operator("ThresholdedRelu")
def thresholded_relu(X: Tensor, *, alpha: float) -> Tensor:
    return where(alpha < X, X, X * 0)


@operator("Softmax", 13)
def softmax(input: Tensor, *, axis: int) -> Tensor:
    return input.softmax(axis)


@operator("LogSoftmax", 13)
def log_softmax(input: Tensor, *, axis: int) -> Tensor:
    return input.log_softmax(axis)


def _matrix(x: Tensor, axis: int) -> Tensor:
    """Return a matrix: what is before the axis, and what is from it on."""
    axis += x.ndim if axis < 0 else 0
    return x.reshape(math.prod(x.shape[:axis]), -1)


@operator("Softmax")
def former_softmax(input: Tensor, *, axis: int) -> Tensor:
    return _matrix(input, axis).softmax(1).reshape(input.shape)


@operator("LogSoftmax")
def former_log_softmax(input: Tensor, *, axis: int) -> Tensor:
    return _matrix(input, axis).log_softmax(1).reshape(input.shape)


def _hardmax(x: Tensor, axis: int) -> Tensor:
    return (x * 0).detach().scatter(axis, x.argmax(axis, keepdim=True), 1.0)


@operator("Hardmax", 13)
def hardmax(input: Tensor, *, axis: int) -> Tensor:
    return _hardmax(input, axis)


@operator("Hardmax")
def former_hardmax(input: Tensor, *, axis: int) -> Tensor:
    return _hardmax(_matrix(input, axis), 1).reshape(input.shape)
