"""Losses for yes and no, and for distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.rules import fused
from aino.autograd.rules.activation import logsigmoid
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.nn.functional.reduction import (
    named_reduction,
    reduced,
    require_same_shape,
    warn_of_broadcasting,
)
from aino.user_warnings import warn


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of -(t ln x + (1 - t) ln(1 - x)), where the input x is probabilities.

    The logarithms are cut off at -100, so that the loss is finite. Raises ``ValueError`` for an
    input outside [0, 1], ``ShapeError`` unless input and target have one shape.

    Arguments:
        input: x: probabilities, of any shape.
        target: t: numbers within [0, 1], of the same shape; mostly 0 and 1.
        weight: how much each element counts: a tensor that is broadcast to the input's shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

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
        raise ArgumentError(
            "binary_cross_entropy: all elements of input should be between 0 and 1; scores go to "
            "binary_cross_entropy_with_logits"
        )


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Any = None,
) -> Tensor:  # fmt: skip
    """Return the mean of -(t ln σ(x) + (1 - t) ln(1 - σ(x))), computed from x without overflow.

    Raises ``ShapeError`` unless input and target have one shape.

    Arguments:
        input: x: scores, of any shape.
        target: t: numbers within [0, 1], of the same shape; mostly 0 and 1.
        weight: how much each element counts: a tensor that is broadcast to the input's shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.
        pos_weight: what the first term is multiplied by: how much ones count against zeros; a
            tensor that is broadcast to the input's shape.

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
    """Return the mean of t (ln t - x): how far the distribution t is from exp(x).

    The mean is over all elements, and warns: the divergence by its definition is "batchmean". Input
    and target of different shapes are broadcast, with a warning.

    Arguments:
        input: x: logarithms of probabilities, of any shape.
        target: t: probabilities, of the same shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", "none", or "batchmean": the sum divided by the first length.
        log_target: the target holds logarithms of probabilities, too.

    Source: Kullback and Leibler, "On information and sufficiency", 1951.

    >>> import aino
    >>> even, skew = aino.tensor([[0.5, 0.5]]), aino.tensor([[0.25, 0.75]])
    >>> aino.nn.functional.kl_div(skew.log(), even, reduction="batchmean")
    tensor(0.1438)
    """
    if reduction != "batchmean":
        reduction = named_reduction(size_average, reduce, reduction)
    if reduction == "mean":
        warn(
            "reduction 'mean' divides by the number of elements; 'batchmean' gives the "
            "Kullback-Leibler divergence by its definition"
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
    """Return the mean of ln(1 + exp(-t x)).

    Arguments:
        input: x: scores, of any shape.
        target: t: 1 or -1 for each, in the same shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.functional.soft_margin_loss(aino.tensor([0.0, 2.0]), aino.tensor([1.0, -1.0]))
    tensor(1.4100)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    return reduced(-logsigmoid(input * target), reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean over classes, then samples, of -(t ln σ(x) + (1 - t) ln(1 - σ(x))).

    Raises ``ShapeError`` unless input and target have one shape, of one dimension at least.

    Arguments:
        input: x: scores (N, C), or (C,) for one sample.
        target: t: 1 for each class that the sample belongs to, else 0; in the same shape.
        weight: how much each class counts: (C,).
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> x, t = aino.tensor([[0.0, 2.0]]), aino.tensor([[1.0, 0.0]])
    >>> aino.nn.functional.multilabel_soft_margin_loss(x, t)
    tensor(1.4100)
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
    """Return the mean of x where the target is 1, max(0, margin - x) where it is -1.

    Arguments:
        input: x: distances, of any shape.
        target: 1 for pairs that are alike, -1 for others; in the same shape.
        margin: how far apart those that are not alike should be.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> x = aino.tensor([0.5, 0.25])
    >>> aino.nn.functional.hinge_embedding_loss(x, aino.tensor([1, -1]), reduction="none")
    tensor([0.5000, 0.7500])
    """
    reduction = named_reduction(size_average, reduce, reduction)
    zero = input * 0.0
    unlike = np.where(target != 1, (margin - input).clamp(min=0.0), zero)
    like = np.where(target != -1, input, zero)
    return reduced(unlike + like, reduction)
