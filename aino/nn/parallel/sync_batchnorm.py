"""Normalisation of channels with the mean and variance over the batches of all ranks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.tensor import Tensor, make
from aino.distributed.differentiable import sum_over_ranks
from aino.dtypes import float16, float32, float64
from aino.errors import ShapeError
from aino.nn.functional.batchnorm import _affine, _check_channels, _check_dtypes, _update
from aino.ops.shape.joining import cat
from aino.tracing import checked


def moments_over_ranks(x: Tensor, group: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and variance of each channel over all ranks, and how many values it has.

    Each rank sends its own mean, sum of squares around it and count, in float64: one collective,
    and one more in the backward pass.

    Arguments:
        x: the batch of this rank, (N, C, ...); it may be empty.
        group: the ranks.
    """
    shape = x.array.shape
    channels = shape[1]
    count = math.prod(shape) // channels
    others = [dim for dim in range(x.ndim) if dim != 1]
    ones = (1,) * (x.ndim - 2)
    mean = x.sum(others) / max(count, 1)
    squares = ((x - mean.reshape(channels, *ones)) ** 2).sum(others)
    own = cat([cast(mean, float64), cast(squares, float64), make(np.full(1, float(count)))])
    place = np.zeros((group.size(), 1))
    place[group.rank()] = 1.0
    every = sum_over_ranks(own * make(place), group)
    counts, means = every[:, -1:], every[:, :channels]
    total = counts.sum()
    checked(_check_count, total.array)
    mean = (means * counts).sum(0) / total
    squares = every[:, channels:-1] + counts * (means - mean) ** 2
    return mean, squares.sum(0) / total, total


def _check_count(total: Any) -> None:
    if total <= 1:
        raise ShapeError(
            f"SyncBatchNorm: expected more than 1 value per channel when training, got "
            f"{int(total)} on all ranks together"
        )


def sync_batch_norm(
    input: Tensor, running_mean: Any, running_var: Any, weight: Any, bias: Any, momentum: Any,
    eps: float, group: Any,
) -> Tensor:  # fmt: skip
    """Return what ``batch_norm`` gives in training for the batches of all ranks as one.

    Arguments:
        input: the batch of this rank, (N, C, ...).
        running_mean, running_var: what goes towards mean and variance; None for none.
        weight, bias: what is multiplied and added; None for none.
        momentum: how far the running statistics go.
        eps: what is added to the variance.
        group: the ranks.
    """
    _check_channels(
        "SyncBatchNorm", input.array.shape[1], weight=weight, bias=bias,
        running_mean=running_mean, running_var=running_var,
    )  # fmt: skip
    half = input.array.dtype is float16
    if not half:
        _check_dtypes("SyncBatchNorm", input, weight, bias, running_mean, running_var)
    x, weight, bias = (
        cast(tensor, float32) if half and tensor is not None else tensor
        for tensor in (input, weight, bias)
    )
    mean, variance, count = moments_over_ranks(x, group)
    if running_mean is not None or running_var is not None:
        _update(running_mean, running_var, mean, variance, momentum, count.detach())
    ones = (1,) * (x.ndim - 2)
    dtype = x.array.dtype
    root = cast((variance + eps).rsqrt(), dtype).reshape(-1, *ones)
    y = (x - cast(mean, dtype).reshape(-1, *ones)) * root
    if weight is not None or bias is not None:
        y = _affine(y, weight, bias)
    return cast(y, float16) if half else y
