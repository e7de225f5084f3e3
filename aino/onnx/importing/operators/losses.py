"""Losses."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.onnx.importing.table import operator

#: An index that no class has: torch's own word for none.
_NONE = -100


def _nll(
    log_p: Tensor, target: Tensor, weight: Tensor | None, ignore: int | None, reduction: str
) -> Tensor:
    target = target.to("int64")
    if log_p.ndim > 2:
        log_p = log_p.reshape(*log_p.shape[:2], -1)
    shape = target.shape
    if log_p.ndim > 2:
        target = target.reshape(shape[0], -1)
    loss = F.nll_loss(
        log_p, target, weight, ignore_index=_NONE if ignore is None else ignore,
        reduction=reduction,
    )  # fmt: skip
    return loss.reshape(shape) if reduction == "none" else loss


@operator("NegativeLogLikelihoodLoss")
def negative_log_likelihood_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str,
) -> Tensor:
    return _nll(input, target, weight, ignore_index, reduction)


@operator("SoftmaxCrossEntropyLoss")
def softmax_cross_entropy_loss(
    scores: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str,
    outputs: int,
) -> Any:
    log_p = scores.log_softmax(1)
    loss = _nll(log_p, labels, weights, ignore_index, reduction)
    return (loss, log_p)[:outputs]
