"""Normalizations."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.onnx.importing.block import Running
from aino.onnx.importing.elements import dtype_of
from aino.onnx.importing.table import operator


def _channels(x: Tensor, ndim: int) -> Tensor:
    """Return one number for each channel, so that it meets a tensor of so many dimensions."""
    return x.reshape(1, -1, *[1] * (ndim - 2))


@operator("BatchNormalization", 14, buffers=(3, 4))
def batch_norm(
    X: Tensor,
    scale: Tensor,
    B: Tensor,
    input_mean: Tensor,
    input_var: Tensor,
    *,
    epsilon: float,
    momentum: float,
    training_mode: int = 0,
    outputs: int,
    running: Running,
) -> Any:
    if not (training_mode and running.training):
        y = _normalized(X, scale, B, input_mean, input_var, epsilon)
        return (y, input_mean, input_var)[:outputs] if training_mode else y
    return _of_batch(X, scale, B, input_mean, input_var, epsilon, momentum, running)[:outputs]


def _of_batch(
    X: Tensor,
    scale: Tensor,
    B: Tensor,
    old_mean: Tensor,
    old_variance: Tensor,
    epsilon: float,
    momentum: float,
    running: Running,
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise with a batch's own statistics, and average them into those that are kept."""
    axes = (0, *range(2, X.ndim))
    mean = X.mean(axes)
    centred = X - _channels(mean, X.ndim)
    variance = (centred * centred).mean(axes)
    y = _normalized(X, scale, B, mean, variance, epsilon)
    new_mean = old_mean * momentum + mean.detach() * (1 - momentum)
    new_variance = old_variance * momentum + variance.detach() * (1 - momentum)
    if running.update is not None:
        running.update(3, new_mean.detach())
        running.update(4, new_variance.detach())
    return y, new_mean, new_variance


def _normalized(
    X: Tensor, scale: Tensor, B: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> Tensor:
    ndim = X.ndim
    factor = (variance + epsilon).rsqrt() * scale
    y = (X - _channels(mean, ndim)) * _channels(factor, ndim) + _channels(B, ndim)
    return y.to(X.dtype)


@operator("BatchNormalization", 7, buffers=(3, 4))
def former_batch_norm(
    X: Tensor,
    scale: Tensor,
    B: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float,
    momentum: float,
) -> Tensor:
    return _normalized(X, scale, B, mean, var, epsilon)


@operator("BatchNormalization", buffers=(3, 4))
def oldest_batch_norm(
    X: Tensor,
    scale: Tensor,
    B: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float,
    is_test: int,
    momentum: float,
    consumed_inputs: list[int] | None = None,
    outputs: int,
    running: Running,
) -> Any:
    if is_test or not running.training:
        return _normalized(X, scale, B, mean, var, epsilon)
    return _of_batch(X, scale, B, mean, var, epsilon, momentum, running)[:outputs]


@operator("InstanceNormalization")
def instance_norm(input: Tensor, scale: Tensor, B: Tensor, *, epsilon: float) -> Tensor:
    axes = tuple(range(2, input.ndim))
    centred = input - input.mean(axes, True)
    y = centred * ((centred * centred).mean(axes, True) + epsilon).rsqrt()
    return y * _channels(scale, input.ndim) + _channels(B, input.ndim)


def _grouped(X: Tensor, epsilon: float, groups: int, dtype: Any) -> Tensor:
    x = X.to(dtype).reshape(X.shape[0], groups, -1)
    centred = x - x.mean(2, keepdim=True)
    return centred * ((centred * centred).mean(2, keepdim=True) + epsilon).rsqrt()


@operator("GroupNormalization", 21)
def group_norm(
    X: Tensor, scale: Tensor, bias: Tensor, *, epsilon: float, num_groups: int, stash_type: int
) -> Tensor:
    y = _grouped(X, epsilon, num_groups, dtype_of(stash_type)).to(X.dtype).reshape(X.shape)
    return y * _channels(scale, X.ndim) + _channels(bias, X.ndim)


@operator("GroupNormalization", 18)
def former_group_norm(
    X: Tensor, scale: Tensor, bias: Tensor, *, epsilon: float, num_groups: int
) -> Tensor:
    y = _grouped(X, epsilon, num_groups, X.dtype)
    return (y * scale.reshape(1, -1, 1) + bias.reshape(1, -1, 1)).reshape(X.shape)


@operator("LayerNormalization")
def layer_norm(
    X: Tensor,
    Scale: Tensor,
    B: Tensor | None = None,
    *,
    axis: int,
    epsilon: float,
    stash_type: int,
    outputs: int,
) -> Any:
    axis += X.ndim if axis < 0 else 0
    dtype, whole = dtype_of(stash_type), tuple(X.shape[axis:])
    if outputs == 1 and dtype == X.dtype and tuple(Scale.shape) == whole:
        if B is None or tuple(B.shape) == whole:
            return F.layer_norm(X, whole, Scale, B, epsilon)
    axes = tuple(range(axis, X.ndim))
    x = X.to(dtype)
    mean = x.mean(axes, True)
    centred = x - mean
    inverse = ((centred * centred).mean(axes, True) + epsilon).rsqrt()
    y = (centred * inverse).to(X.dtype) * Scale
    return (y if B is None else y + B, mean, inverse)[:outputs]


@operator("RMSNormalization")
def rms_norm(X: Tensor, scale: Tensor, *, axis: int, epsilon: float, stash_type: int) -> Tensor:
    axis += X.ndim if axis < 0 else 0
    axes = tuple(range(axis, X.ndim))
    x = X.to(dtype_of(stash_type))
    return (x * ((x * x).mean(axes, True) + epsilon).rsqrt()).to(X.dtype) * scale


@operator("LRN")
def lrn(X: Tensor, *, alpha: float, beta: float, bias: float, size: int) -> Tensor:
    # The window reaches (size - 1) // 2 channels back, and the rest forward.
    before = (size - 1) // 2
    squares = F.pad(X * X, [0, 0] * (X.ndim - 2) + [before, size - 1 - before])
    channels = X.shape[1]
    total = squares.narrow(1, 0, channels)
    for place in range(1, size):
        total = total + squares.narrow(1, place, channels)
    return X / (total * (alpha / size) + bias).pow(beta)


@operator("LpNormalization")
def lp_normalization(input: Tensor, *, axis: int, p: int) -> Tensor:
    size = input.abs().sum(axis, True) if p == 1 else (input * input).sum(axis, True).sqrt()
    return input / size.masked_fill(size == 0, 1)


@operator("MeanVarianceNormalization", 13)
def mean_variance_normalization(X: Tensor, *, axes: list[int] | None = None) -> Tensor:
    over = tuple(axes or (0, 2, 3))
    centred = X - X.mean(over, True)
    return centred / ((centred * centred).mean(over, True).sqrt() + 1e-9)
