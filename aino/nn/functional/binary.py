"""Losses for yes and no, and for distributions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.rules import fused
from aino.autograd.rules.activation import logsigmoid
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn.functional.reduction import (
    named_reduction,
    reduced,
    require_same_shape,
    warn_of_broadcasting,
)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of -(t ln x + (1 - t) ln(1 - x)); the input is probabilities.

    The logarithms are cut off at -100. Raises ``ValueError`` for a number outside [0, 1].

    >>> import aino
    >>> aino.nn.functional.binary_cross_entropy(aino.tensor([0.5]), aino.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    require_same_shape("binary_cross_entropy", input, target)
    tracing.checked(_check_probabilities, input.array)
    loss = fused.binary_cross_entropy(input, target)
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


def _check_probabilities(array: Any) -> None:
    if not ((array >= 0) & (array <= 1)).all():
        raise _OutOfRange("all elements of input should be between 0 and 1")


class _OutOfRange(ValueError, RuntimeError):
    """A probability below 0 or above 1; a RuntimeError, too, as in PyTorch."""


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Any = None,
) -> Tensor:  # fmt: skip
    """Return the mean of -(t ln σ(x) + (1 - t) ln(1 - σ(x))), computed from x without overflow.

    ``pos_weight`` multiplies the first term: it weighs the ones against the zeros.

    >>> import aino
    >>> F = aino.nn.functional
    >>> F.binary_cross_entropy_with_logits(aino.tensor([0.0]), aino.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    require_same_shape("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss = fused.binary_cross_entropy_with_logits(input, target)
    else:
        factor = (pos_weight - 1.0) * target + 1.0
        loss = (1.0 - target) * input - factor * logsigmoid(input)
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """Return the mean of t (ln t - x): how far the distribution t is from the one of logs x.

    ``reduction="batchmean"`` sums and divides by the first dimension, which is the divergence
    by its definition. With ``log_target`` the target is logarithms, too.

    Source: Kullback and Leibler, "On information and sufficiency", 1951.
    """
    if reduction != "batchmean":
        reduction = named_reduction(size_average, reduce, reduction)
    if reduction == "mean":
        warnings.warn(
            "reduction 'mean' divides by the number of elements; 'batchmean' gives the "
            "Kullback-Leibler divergence by its definition",
            stacklevel=2,
        )
    warn_of_broadcasting("kl_div", input, target)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = target.xlogy(target) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.shape[0] if input.ndim else loss.sum()
    return reduced(loss, reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of ln(1 + exp(-t x)), the targets being 1 and -1."""
    reduction = named_reduction(size_average, reduce, reduction)
    return reduced(-logsigmoid(input * target), reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean over classes, then samples, of the binary cross entropy with logits.

    ``input`` and ``target`` (N, C) or (C,), ``weight`` (C,).
    """
    reduction = named_reduction(size_average, reduce, reduction)
    require_same_shape("multilabel_soft_margin_loss", input, target)
    if input.ndim == 0:
        raise ShapeError("multilabel_soft_margin_loss: the input has no dimension of classes")
    loss = -(target * logsigmoid(input) + (1.0 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(loss.mean(-1), reduction)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of x where the target is 1, max(0, margin - x) where it is -1."""
    reduction = named_reduction(size_average, reduce, reduction)
    zero = input * 0.0
    unlike = np.where(target != 1, (margin - input).clamp(min=0.0), zero)
    like = np.where(target != -1, input, zero)
    return reduced(unlike + like, reduction)
