"""Losses for numbers: how far predictions are from their targets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.duck import still
from aino.autograd.rules import fused
from aino.autograd.tensor import Tensor
from aino.dtypes import float16
from aino.errors import ArgumentError, ShapeError
from aino.nn.functional.reduction import named_reduction, reduced, warn_of_broadcasting
from aino.ops.half import in_float32


def _check_weight(name: str, input: Tensor, weight: Any) -> None:
    if weight.shape != input.shape:
        raise ShapeError(
            f"{name}: the weight has shape {tuple(weight.shape)}, the input {tuple(input.shape)}; "
            "they have to be the same"
        )


def _weighted(loss: Any, weight: Any, reduction: str) -> Any:
    """Reduce losses that count unequally: the mean divides by the sum of the weights."""
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else reduced(loss, reduction)


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Any = None,
) -> Tensor:  # fmt: skip
    """Return the mean squared error: the mean of (input - target)².

    Input and target of different shapes are broadcast, with a warning.

    Arguments:
        input: the predictions, of any shape.
        target: what they should be: of the same shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.
        weight: how much each element counts, of the input's shape; the mean divides by their sum.

    >>> import aino
    >>> aino.nn.functional.mse_loss(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 4.0]))
    tensor(2.)
    """
    if reduction != "mean" or size_average is not None or reduce is not None:
        reduction = named_reduction(size_average, reduce, reduction)
    if input.array.dtype is float16 and target.array.dtype is float16:
        return in_float32(mse_loss, input, target, None, None, reduction, weight)
    if input.array.shape == target.array.shape:
        if reduction == "mean" and weight is None:
            return fused.mse_loss(input, target)
    else:
        warn_of_broadcasting("mse_loss", input, target)
    difference = input - target
    loss = difference * difference
    if weight is None:
        return reduced(loss, reduction)
    _check_weight("mse_loss", input, weight)
    return _weighted(loss, weight, reduction)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Any = None,
) -> Tensor:  # fmt: skip
    """Return the mean absolute error: the mean of |input - target|.

    Input and target of different shapes are broadcast, with a warning.

    Arguments:
        input: the predictions, of any shape.
        target: what they should be: of the same shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.
        weight: how much each element counts, of the input's shape; the mean divides by their sum.

    >>> import aino
    >>> aino.nn.functional.l1_loss(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    warn_of_broadcasting("l1_loss", input, target)
    loss = (input - target).abs()
    if weight is None:
        return reduced(loss, reduction)
    _check_weight("l1_loss", input, weight)
    return _weighted(loss, weight, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """Return the mean of d²/2 where |d| ≤ δ, else δ (|d| - δ/2), with d = input - target.

    Input and target of different shapes are broadcast, with a warning. Raises ``ValueError`` unless
    δ > 0.

    Arguments:
        input: the predictions, of any shape.
        target: what they should be: of the same shape.
        reduction: "mean", "sum", or "none" for the loss of each element.
        delta: δ: from which difference on the loss grows linearly.
        weight: what each element's loss is multiplied by, of the input's shape; here the mean
            divides by the number of elements, as in PyTorch.

    Source: Huber, "Robust estimation of a location parameter", 1964.

    >>> import aino
    >>> aino.nn.functional.huber_loss(aino.tensor([0.5, 3.0]), aino.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if not delta > 0:
        raise ArgumentError(
            f"huber_loss does not support non-positive values for delta, got {delta}"
        )
    reduction = named_reduction(None, None, reduction)
    warn_of_broadcasting("huber_loss", input, target)
    loss = fused.huber(input, target, delta * 1.0)
    if weight is not None:
        _check_weight("huber_loss", input, weight)
        loss = loss * weight
    return reduced(loss, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """Return the mean of d²/(2β) where |d| < β, else |d| - β/2, with d = input - target.

    Input and target of different shapes are broadcast, with a warning. Raises ``ValueError`` for
    β < 0.

    Arguments:
        input: the predictions, of any shape.
        target: what they should be: of the same shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.
        beta: β: from which difference on the loss is linear; with 0 it is the absolute error.

    Source: Girshick, "Fast R-CNN", 2015.

    >>> import aino
    >>> aino.nn.functional.smooth_l1_loss(aino.tensor([0.5, 3.0]), aino.zeros(2), reduction="sum")
    tensor(2.6250)
    """
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    reduction = named_reduction(size_average, reduce, reduction)
    warn_of_broadcasting("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced((input - target).abs(), reduction)
    return reduced(fused.huber(input, target, float(beta)) / beta, reduction)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False,
    size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of exp(x) - t x: minus the log likelihood of counts t at the rate exp(x).

    Arguments:
        input: x: the logarithm of the rates, of any shape; the rates without ``log_input``.
        target: t: the counts, of the same shape.
        log_input: False takes the input as the rate λ itself: the mean of λ - t ln(λ + ε).
        full: add Stirling's approximation of ln(t!) where t > 1.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        eps: ε, which keeps the logarithm of a rate 0 finite.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.functional.poisson_nll_loss(aino.zeros(2), aino.tensor([1.0, 3.0]))
    tensor(1.)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        large = still(target.array) > 1
        counts: Any = np.where(large, target, 1.0)
        stirling = counts * counts.log() - counts + 0.5 * (2.0 * math.pi * counts).log()
        loss = loss + np.where(large, stirling, 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of (ln v + (input - target)² / v) / 2 with v = max(var, ε).

    It is minus the log likelihood of the targets under N(input, v), up to a constant. Raises
    ``ValueError`` for a negative variance, ``ShapeError`` for one that does not fit.

    Arguments:
        input: the predicted means, of any shape.
        target: what was found: of the same shape, or one that is broadcast to it.
        var: the variances: a number, or a tensor of the input's shape, or of that shape without its
            last dimension, or with the length 1 in one of them.
        full: add the constant ln(2π) / 2.
        eps: ε: no variance counts as less; its gradient is as if there were no limit.
        reduction: "mean", "sum", or "none" for the loss of each element.

    Source: Nix and Weigend, "Estimating the mean and variance of the target probability
    distribution", 1994.

    >>> import aino
    >>> aino.nn.functional.gaussian_nll_loss(aino.zeros(2), aino.tensor([1.0, 3.0]), aino.ones(2))
    tensor(2.5000)
    """
    reduction = named_reduction(None, None, reduction)
    if not isinstance(var, Tensor):
        if var < 0:
            raise ArgumentError(f"var has negative entry: {var}")
        var = input.detach() * 0.0 + var
    if var.shape != input.shape:
        if tuple(var.shape) == tuple(input.shape[:-1]):
            var = var.unsqueeze(-1)
        elif input.ndim != var.ndim or [m for n, m in zip(input.shape, var.shape) if n != m] != [1]:
            raise ShapeError(
                f"gaussian_nll_loss: var of shape {tuple(var.shape)} does not fit an input of "
                f"shape {tuple(input.shape)}"
            )
    tracing.checked(_check_variances, var.array)
    # The limit is not differentiated: a variance below ε still learns.
    limited = var + (var.detach().clamp(min=eps) - var.detach())
    difference = input - target
    loss = 0.5 * (limited.log() + difference * difference / limited)
    if full:
        loss = loss + 0.5 * math.log(2.0 * math.pi)
    return reduced(loss, reduction)


def _check_variances(array: Any) -> None:
    if (array < 0).any():
        raise ArgumentError("gaussian_nll_loss: var has negative entries")
