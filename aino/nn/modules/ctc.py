"""The loss of sequences whose labels are known, and not where they stand, as a module."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.modules.loss import _Loss

__all__ = ["CTCLoss"]


class CTCLoss(_Loss):
    """The mean of -ln p(targets): p sums over all paths that give the labels.

    It is called with ``log_probs`` (T, N, C), ``targets`` (N, S) or all of them one after the
    other, ``input_lengths`` (N,) and ``target_lengths`` (N,).

    Arguments:
        blank: the class that stands for no label.
        reduction: "mean", "sum", or "none" for the loss of each sample.
        zero_infinity: a sample with too few steps for its labels has the loss 0, not infinity.

    Source: Graves et al., "Connectionist temporal classification", 2006.

    >>> import aino
    >>> x = aino.zeros(2, 1, 2).log_softmax(2)
    >>> aino.nn.CTCLoss()(x, aino.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """Return minus the logarithm of the probability of the labels.

        Arguments:
            log_probs: logarithms of the classes' probabilities (T, N, C).
            targets: the labels, integers (N, S).
            input_lengths: how many steps each sample has.
            target_lengths: how many labels each sample has.
        """
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
            self.zero_infinity,
        )  # fmt: skip
