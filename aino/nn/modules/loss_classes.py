"""Losses for classes and distributions as modules."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.modules.loss import _Loss

__all__ = [
    "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "MultiMarginLoss",
    "MultiLabelSoftMarginLoss", "SoftMarginLoss",
]  # fmt: skip


class _WeightedLoss(_Loss):
    """A loss with a weight, which is a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    """The mean of -ln softmax(x) at the right classes: for scores that are no probabilities yet.

    Input (N, C, ...), or (C,) for one sample; target class indices (N, ...), of which
    ``ignore_index`` counts for nothing, or probabilities in the input's shape. ``weight`` (C,)
    makes classes count unequally, ``label_smoothing`` mixes the uniform distribution into the
    target. Raises ``IndexError`` for a class that does not exist.

    Source of label smoothing: Szegedy et al., "Rethinking the Inception architecture", 2016.

    >>> import aino
    >>> scores = aino.tensor([[2.0, 0.0], [0.0, 0.0]])
    >>> aino.nn.CrossEntropyLoss()(scores, aino.tensor([0, 1]))
    tensor(0.4100)
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Return the cross entropy."""
        return F.cross_entropy(
            input, target, self.weight, None, self.ignore_index, None, self.reduction,
            self.label_smoothing,
        )  # fmt: skip


class NLLLoss(_WeightedLoss):
    """The mean of -x at the right classes: for log-probabilities, as LogSoftmax returns them.

    Shapes and arguments are those of `CrossEntropyLoss`.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """Return the negative log likelihood."""
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCELoss(_WeightedLoss):
    """The mean of -(t ln x + (1 - t) ln(1 - x)): for probabilities, as Sigmoid returns them.

    The logarithms are cut off at -100.
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the binary cross entropy."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The binary cross entropy of σ(x), computed from x itself without overflow.

    ``pos_weight`` weighs the ones against the zeros.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the binary cross entropy of σ(x)."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """The mean of t (ln t - x): how far the distribution t is from the one of logarithms x.

    ``reduction="batchmean"`` is the divergence by its definition.

    Source: Kullback and Leibler, "On information and sufficiency", 1951.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """Return the divergence."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class MultiMarginLoss(_WeightedLoss):
    """The mean of Σ_{j ≠ y} max(0, margin - x_y + x_j)ᵖ / C, with p 1 or 2.

    Input (N, C) or (C,), target class indices (N,) or ().
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        self.p = p
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """Return the margin loss."""
        return F.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The binary cross entropy with logits, as a mean over classes and then samples.

    Input and target (N, C) or (C,).
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """The mean of ln(1 + exp(-t x)), the targets being 1 and -1."""

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)
