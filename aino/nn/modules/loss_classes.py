"""Losses for classes and distributions as modules."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.modules.loss import _Loss
from aino.user_warnings import warn

__all__ = [
    "CrossEntropyLoss", "NLLLoss", "NLLLoss2d", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss",
    "MultiMarginLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "SoftMarginLoss",
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
    """The mean of -ln softmax(x) at the right classes: for scores, not for probabilities.

    Input (N, C, ...), or (C,) for one sample; target indices of classes (N, ...), or probabilities
    in the input's shape. The mean divides by the sum of the classes' weights where the target is
    indices, by the number of samples where it is probabilities. Raises ``IndexError`` for a class
    index out of range.

    Arguments:
        weight: how much each class counts: (C,).
        size_average: the older way to choose the reduction, with ``reduce``; both deprecated.
        ignore_index: samples of this class are left out.
        reduce: see ``size_average``.
        reduction: "mean", "sum", or "none" for the loss of each sample.
        label_smoothing: ε: the target is 1 - ε times itself plus ε times the uniform distribution.

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

    Input (N, C, ...), or (C,) for one sample; target indices of classes (N, ...). The mean divides
    by the sum of the classes' weights. Raises ``IndexError`` for a class index out of range.

    Arguments:
        weight: how much each class counts: (C,).
        size_average: the older way to choose the reduction, with ``reduce``; both deprecated.
        ignore_index: samples of this class are left out.
        reduce: see ``size_average``.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> scores = aino.tensor([[-0.5, -1.0], [-2.0, -0.1]])
    >>> aino.nn.NLLLoss()(scores, aino.tensor([0, 1]))
    tensor(0.3000)
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


class NLLLoss2d(NLLLoss):
    """NLLLoss under an older name of PyTorch's, for images; making one warns of that.

    Arguments:
        weight: how much each class counts: (C,).
        size_average: the older way to choose the reduction, with ``reduce``; both deprecated.
        ignore_index: samples of this class are left out.
        reduce: see ``size_average``.
        reduction: "mean", "sum", or "none" for the loss of each sample.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        warn("NLLLoss2d is deprecated, please use NLLLoss instead", FutureWarning)
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class BCELoss(_WeightedLoss):
    """The mean of -(t ln x + (1 - t) ln(1 - x)): for probabilities x, as Sigmoid returns them.

    Input and target, numbers within [0, 1], are of one shape. The logarithms are cut off at -100.
    Raises ``ValueError`` for an input outside [0, 1].

    Arguments:
        weight: how much each element counts: a tensor that is broadcast to the input's shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.BCELoss()(aino.tensor([0.5]), aino.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the binary cross entropy."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The binary cross entropy of σ(x), computed from scores x without overflow.

    It is the mean of -(t ln σ(x) + (1 - t) ln(1 - σ(x))). Input and target, numbers within [0, 1],
    are of one shape.

    Arguments:
        weight: how much each element counts: a tensor that is broadcast to the input's shape.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.
        pos_weight: what the first term is multiplied by: how much ones count against zeros; a
            tensor that is broadcast to the input's shape.

    >>> import aino
    >>> aino.nn.BCEWithLogitsLoss()(aino.tensor([0.0]), aino.tensor([1.0]))
    tensor(0.6931)
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
    """The mean of t (ln t - x): how far the distribution t is from exp(x).

    Input x, logarithms of probabilities, and target t are of one shape. The mean is over all
    elements, and warns: the divergence by its definition is "batchmean".

    Arguments:
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", "none", or "batchmean": the sum divided by the first length.
        log_target: the target holds logarithms of probabilities, too.

    Source: Kullback and Leibler, "On information and sufficiency", 1951.

    >>> import aino
    >>> even, skew = aino.tensor([[0.5, 0.5]]), aino.tensor([[0.25, 0.75]])
    >>> aino.nn.KLDivLoss(reduction="batchmean")(skew.log(), even)
    tensor(0.1438)
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
    """The mean of Σ_(j ≠ y) w_y max(0, margin - x_y + x_j)ᵖ / C, with y the right class.

    Input (N, C), or (C,) for one sample; target indices of classes (N,), or (). Raises
    ``ValueError`` for another p, ``IndexError`` for a class index out of range.

    Arguments:
        p: 1 or 2.
        margin: by how much the right class's score should be the highest.
        weight: w: how much each class counts: (C,); 1 for None.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> aino.nn.MultiMarginLoss()(aino.tensor([[0.5, 1.0, -2.0]]), aino.tensor([1]))
    tensor(0.1667)
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


class MultiLabelMarginLoss(_Loss):
    """The mean of Σ_(y, i) max(0, 1 - (x_y - x_i)) / C over right classes y and all others i.

    Input (N, C), or (C,) for one sample; the target has its shape and holds the numbers of the
    right classes, ended by a negative one. Raises ``IndexError`` for a class index out of range.

    Arguments:
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> x, right = aino.tensor([0.1, 0.2, 0.4, 0.8]), aino.tensor([3, 0, -1, 1])
    >>> aino.nn.MultiLabelMarginLoss()(x, right)
    tensor(0.8500)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return how far scores of wrong classes come near those of right ones."""
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over classes, then samples, of -(t ln σ(x) + (1 - t) ln(1 - σ(x))).

    Input and target, 1 for each class that a sample belongs to and else 0, are both (N, C), or (C,)
    for one sample.

    Arguments:
        weight: how much each class counts: (C,).
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each sample.

    >>> import aino
    >>> aino.nn.MultiLabelSoftMarginLoss()(aino.tensor([[0.0, 2.0]]), aino.tensor([[1.0, 0.0]]))
    tensor(1.4100)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """The mean of ln(1 + exp(-t x)), the targets t being 1 and -1.

    Input x and target t are of one shape.

    Arguments:
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.SoftMarginLoss()(aino.tensor([0.0, 2.0]), aino.tensor([1.0, -1.0]))
    tensor(1.4100)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)
