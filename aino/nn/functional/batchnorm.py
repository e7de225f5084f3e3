"""Normalisation over a batch, over each sample of it, and over groups of channels."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.primitive import cast
from aino.autograd.rules import normalization as rules
from aino.autograd.tensor import Tensor
from aino.dtypes import float16, float32
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.half import in_float32


def _check_channels(name: str, channels: int, **tensors: Any) -> None:
    """Raise where a vector of one number for each channel is of another length."""
    for label, tensor in tensors.items():
        if tensor is not None and tensor.array.size != channels:
            raise ShapeError(
                f"{name}: {label} should contain {channels} elements, one for each channel, not "
                f"{tensor.array.size}"
            )


def _check_dtypes(name: str, input: Any, *tensors: Any) -> None:
    dtype = input.array.dtype
    if dtype.kind != "f":
        raise DtypeError(f"{name} takes real floating point numbers, not {dtype}")
    for tensor in tensors:
        if tensor is not None and tensor.array.dtype != dtype:
            raise DtypeError(
                f"{name}: the input is {dtype} and weight, bias or running statistics "
                f"{tensor.array.dtype}; bring them together with input.float() or model.double()"
            )


def _check_several(name: str, input: Any) -> None:
    """Raise where a channel has one value only: less its mean that is 0, whatever it is."""
    shape = input.array.shape
    if len(shape) > 1 and math.prod(shape) == shape[1]:
        raise ShapeError(
            f"{name}: expected more than 1 value per channel when training, got input size "
            f"{list(shape)}"
        )


def _update(running_mean, running_var, mean, variance, momentum, count) -> None:
    """Move running statistics in place: (1 - momentum) · running + momentum · what was found."""
    with no_grad():
        mean, variance = mean.detach(), variance.detach() * (count / (count - 1))
        moved = [
            (running, running * (1.0 - momentum) + cast(found, running.array.dtype) * momentum)
            for running, found in ((running_mean, mean), (running_var, variance))
            if running is not None
        ]
        for running, value in moved:
            running.copy_(value)


def _normalised(input, weight, bias, eps):
    """Return the input normalised with its own moments, and mean and variance of each channel."""
    if input.array.dtype is float16:
        wide = [x if x is None else cast(x, float32) for x in (input, weight, bias)]
        y, mean, variance = rules.batch_norm(*wide, eps)
        return cast(y, float16), mean, variance
    return rules.batch_norm(input, weight, bias, eps)


def _scaled(input, mean, variance, weight, bias, eps):
    """Return the input normalised with given moments, which have no derivative."""
    return rules.scaled(input, mean.detach(), variance.detach(), weight, bias, eps)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return (x - E[x]) / √(Var[x] + ε) · weight + bias, each channel by itself.

    In training, mean and variance are those of the batch, the variance divided by the number of
    elements, and the running statistics, where they are given, go towards them in place:
    (1 - momentum) · running + momentum · (mean, or unbiased variance). Otherwise the running
    statistics stand in their place. Raises ``ShapeError`` for vectors that are not as long as
    there are channels, and where there is one value per channel in training; ``ArgumentError``
    without running statistics outside of it, and for an eps below 0.

    Arguments:
        input: x: (N, C, ...), C the channels.
        running_mean: (C,), or None.
        running_var: (C,), or None.
        weight: what is multiplied: (C,); 1 for None.
        bias: what is added: (C,); 0 for None.
        training: whether the statistics are those of the batch.
        momentum: how far the running statistics go.
        eps: ε, which keeps the denominator from 0.

    Source: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", 2015.

    >>> import aino
    >>> x = aino.tensor([[1.0], [3.0]])
    >>> aino.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    if training:
        _check_several("batch_norm", input)
    if eps < 0.0 or (training and not eps):
        raise ArgumentError(f"batch_norm: eps must be positive, but got {eps}")
    return _batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )[0]  # fmt: skip


def _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps):
    """Return the normalised input, and the mean and the variance that were taken."""
    shape = input.array.shape
    if shape == (0,):
        return input.clone(), None, None
    if len(shape) < 2:
        raise ShapeError(f"batch_norm takes an input (N, C, ...), got shape {tuple(shape)}")
    statistics = {"running_mean": running_mean, "running_var": running_var}
    _check_channels("batch_norm", shape[1], weight=weight, bias=bias, **statistics)
    if input.array.dtype is not float16:
        _check_dtypes("batch_norm", input, weight, bias, *statistics.values())
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                "batch_norm: expected running_mean and running_var to be given when "
                "training=False, there is nothing else to normalise with"
            )
        arguments = (input, running_mean, running_var, weight, bias, eps)
        y = in_float32(_scaled, *arguments) if _is_half(input) else _scaled(*arguments)
        return y, running_mean, running_var
    count = math.prod(shape) // max(1, shape[1])
    if not math.prod(shape):
        return _affine(input, weight, bias), None, None
    y, mean, variance = _normalised(input, weight, bias, eps)
    if running_mean is not None or running_var is not None:
        _update(running_mean, running_var, mean, variance, momentum, count)
    return y, mean, variance


def _affine(x, weight, bias):
    """Return x · weight + bias, one of each for a channel; of another tensor than x."""
    ones = (1,) * (x.ndim - 2)
    y = x.clone() if weight is None else x * weight.reshape(-1, *ones)
    return y if bias is None else y + bias.reshape(-1, *ones)


def _is_half(x) -> bool:
    return x.array.dtype is float16


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return (x - E[x]) / √(Var[x] + ε) · weight + bias, each channel of each sample by itself.

    Running statistics, where they are given, go towards the means over the batch of what was
    taken, as those of ``batch_norm``. Raises ``ShapeError`` for vectors that are not as long as
    there are channels, and where a channel has one value; ``ArgumentError`` where the running
    statistics are asked for and not given.

    Arguments:
        input: x: (N, C, ...), C the channels.
        running_mean: (C,), or None.
        running_var: (C,), or None.
        weight: what is multiplied: (C,); 1 for None.
        bias: what is added: (C,); 0 for None.
        use_input_stats: take the statistics of the input; False takes the running ones.
        momentum: how far the running statistics go.
        eps: ε, which keeps the denominator from 0.

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for
    fast stylization", 2016.

    >>> import aino
    >>> aino.nn.functional.instance_norm(aino.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    shape = tuple(input.array.shape)
    if len(shape) < 2:
        raise ShapeError(f"instance_norm takes an input (N, C, ...), got shape {shape}")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                "instance_norm: expected running_mean and running_var to be given when "
                "use_input_stats=False"
            )
        return _batch_norm(
            input, running_mean, running_var, weight, bias, False, momentum, eps
        )[0]  # fmt: skip
    spatial = math.prod(shape[2:])
    if spatial == 1:
        raise ShapeError(
            "instance_norm: expected more than 1 spatial element when training, got input size "
            f"{list(shape)}"
        )
    statistics = {"running_mean": running_mean, "running_var": running_var}
    _check_channels("instance_norm", shape[1], weight=weight, bias=bias, **statistics)
    if not _is_half(input):
        _check_dtypes("instance_norm", input, weight, bias)
    if not math.prod(shape):
        return input.clone()
    samples, channels = shape[:2]
    gains, shifts = (x if x is None else x.repeat(samples) for x in (weight, bias))
    flat = input.reshape(1, samples * channels, *shape[2:])
    y, mean, variance = _normalised(flat, gains, shifts, eps)
    if running_mean is not None or running_var is not None:
        mean, variance = (x.reshape(samples, channels).mean(0) for x in (mean, variance))
        _update(running_mean, running_var, mean, variance, momentum, spatial)
    return y.reshape(shape)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return (x - E[x]) / √(Var[x] + ε) · weight + bias over groups of channels of each sample.

    Raises ``ShapeError`` when the channels can't be parted into so many groups, or weight or bias
    are not as long as there are channels.

    Arguments:
        input: x: (N, C, ...), C the channels.
        num_groups: how many groups of neighbouring channels there are.
        weight: what is multiplied: (C,); 1 for None.
        bias: what is added: (C,); 0 for None.
        eps: ε, which keeps the denominator from 0.

    Source: Wu and He, "Group normalization", 2018.

    >>> import aino
    >>> aino.nn.functional.group_norm(aino.tensor([[1.0, 3.0, 5.0, 5.0]]), 2)
    tensor([[-1.0000,  1.0000,  0.0000,  0.0000]])
    """
    return _group_norm(input, num_groups, weight, bias, eps)[0]


def _group_norm(input, num_groups, weight, bias, eps):
    """Return the normalised input, and mean and variance of each group."""
    shape = tuple(input.array.shape)
    if len(shape) < 2:
        raise ShapeError(f"group_norm takes an input (N, C, ...), got shape {shape}")
    samples, channels = shape[:2]
    if num_groups <= 0 or channels % num_groups:
        raise ShapeError(
            f"group_norm: expected the number of channels to be divisible by num_groups, got "
            f"{channels} channels and {num_groups} groups"
        )
    _check_channels("group_norm", channels, weight=weight, bias=bias)
    if not _is_half(input):
        _check_dtypes("group_norm", input, weight, bias)
    if not math.prod(shape):
        return _affine(input, weight, bias), None, None
    flat = input.reshape(1, samples * num_groups, -1)
    _check_several("group_norm", flat)
    y, mean, variance = _normalised(flat, None, None, eps)
    y = y.reshape(shape)
    return (y if weight is bias is None else _affine(y, weight, bias)), mean, variance
