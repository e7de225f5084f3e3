"""Losses over distances and similarities as modules, and the distances themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule
from aino.nn.modules.loss import _Loss

__all__ = [
    "CosineSimilarity", "PairwiseDistance", "CosineEmbeddingLoss", "MarginRankingLoss",
    "HingeEmbeddingLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class CosineSimilarity(TensorModule):
    """x₁ · x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)): the cosine of the angle between vectors along ``dim``.

    The output has the shape of the inputs, which are broadcast, without ``dim``.

    Arguments:
        dim: along which dimension the vectors lie.
        eps: ε: no length counts as less.

    >>> import aino
    >>> aino.nn.CosineSimilarity()(aino.tensor([[1.0, 0.0]]), aino.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the cosine of the angle between the vectors."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(TensorModule):
    """‖x₁ - x₂ + ε‖ₚ: the distance of vectors, which lie along the last dimension.

    Inputs (..., D), which are broadcast; output (...).

    Arguments:
        p: which norm.
        eps: ε, which keeps the slope finite where the vectors are the same.
        keepdim: keep the last dimension, with length 1: (..., 1) instead of (...).

    >>> import aino
    >>> aino.nn.PairwiseDistance()(aino.zeros(1, 2), aino.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the distances."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class _MarginLoss(_Loss):
    """A loss that asks for a margin."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class CosineEmbeddingLoss(_MarginLoss):
    """The mean of 1 - cos(x₁, x₂) where the target is 1, else max(0, cos(x₁, x₂) - margin).

    Inputs (N, D) and target (N,), or (D,) and (): 1 for pairs that should point the same way, -1
    for others. Raises ``ShapeError`` for other dimensions.

    Arguments:
        margin: which cosine is small enough for the others: -1 to 1.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each pair.

    >>> import aino
    >>> x, y = aino.tensor([[1.0, 0.0]]), aino.tensor([[0.0, 1.0]])
    >>> aino.nn.CosineEmbeddingLoss()(x, y, aino.tensor([1]))
    tensor(1.)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_MarginLoss):
    """The mean of max(0, -t (x₁ - x₂) + margin).

    The target t, of the inputs' shape, is 1 where x₁ should be the higher one, -1 where x₂ should.

    Arguments:
        margin: by how much it should be higher.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> high, low, t = aino.tensor([2.0]), aino.tensor([0.5]), aino.tensor([-1])
    >>> aino.nn.MarginRankingLoss()(high, low, t)
    tensor(1.5000)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """The mean of x where the target is 1, max(0, margin - x) where it is -1.

    Input and target are of one shape: x holds distances, the target is 1 for pairs that are alike.

    Arguments:
        margin: how far apart those that are not alike should be.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> x = aino.tensor([0.5, 0.25])
    >>> aino.nn.HingeEmbeddingLoss(reduction="none")(x, aino.tensor([1, -1]))
    tensor([0.5000, 0.7500])
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin); d is ‖x - y + ε‖ₚ.

    All three are (N, D), or (D,) for one triplet. Raises ``ValueError`` unless the margin is
    positive.

    Arguments:
        margin: by how much the negative should be further away than the positive.
        p: which norm the distance is.
        eps: ε, which keeps the slope finite.
        swap: take the negative's distance to the positive where that is the shorter one.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each triplet.

    Source: Balntas et al., "Learning shallow convolutional feature descriptors with triplet
    losses", 2016.

    >>> import aino
    >>> a, near, far = aino.zeros(1, 2), aino.tensor([[3.0, 4.0]]), aino.tensor([[0.0, 5.5]])
    >>> aino.nn.TripletMarginLoss()(a, near, far)
    tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"margin must be greater than 0, got {margin}")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss."""
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap,
            reduction=self.reduction,
        )  # fmt: skip


class TripletMarginWithDistanceLoss(_Loss):
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin) for your own d.

    All three have the shapes that the distance takes. Raises ``ValueError`` unless the margin is
    positive.

    Arguments:
        distance_function: d: takes two tensors and returns distances; `PairwiseDistance` for None.
        margin: by how much the negative should be further away than the positive.
        swap: take the negative's distance to the positive where that is the shorter one.
        reduction: "mean", "sum", or "none" for the loss of each triplet.

    >>> import aino
    >>> loss = aino.nn.TripletMarginWithDistanceLoss(
    ...     distance_function=lambda x, y: (x - y).abs().sum(-1))
    >>> loss(aino.zeros(1, 2), aino.tensor([[3.0, 4.0]]), aino.tensor([[0.0, 5.5]]))
    tensor(2.5000)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(f"margin must be greater than 0, got {margin}")
        self.distance_function = distance_function or PairwiseDistance()
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss."""
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction,
        )  # fmt: skip
