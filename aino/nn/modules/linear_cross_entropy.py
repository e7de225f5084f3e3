"""A last linear map together with its cross-entropy, as a module."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.nn import functional as F
from aino.nn.modules.linear import Linear
from aino.nn.modules.loss_classes import _WeightedLoss

__all__ = ["LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch computes the loss in pieces; the numbers are the same, and here it is one piece.

    Raises ``ValueError`` for values that PyTorch does not take.

    Arguments:
        allow_retain_graph: a second backward pass is allowed; here it always is.
        batch_chunk_size: how many samples a piece has.
        chunking_method: how that is chosen: "auto", "aspect_ratio", "aspect_ratio:N" or None.
        acc_policy: "auto", "accurate", "balanced" or "compact".
        acc_dtype: the dtype that is added up in, or None.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in {"auto", "accurate", "balanced", "compact"}:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, _, factor = str(self.chunking_method).partition(":")
            wanted = str(self.chunking_method) == name or (factor.isdigit() and int(factor) > 0)
            if name != "aspect_ratio" or not wanted:
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")


class LinearCrossEntropyLoss(_WeightedLoss):
    """The cross-entropy of the scores x Wᵀ + b, whose weight W is the module's own.

    Input (N, in_features), or (in_features,) for one sample; target classes (N,), or
    probabilities (N, num_classes), with further dimensions ``out_features`` behind. Raises
    ``ShapeError`` for another weight, ``ValueError`` for a smoothing outside [0, 1].

    Arguments:
        in_features: how many numbers a sample has.
        num_classes: C: how many classes there are.
        out_features: the shape of several losses of a sample.
        bias: the scores have a shift.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        reduction: "mean", "sum", or "none" for the loss of each sample.
        weight: how much each class counts: (C,).
        ignore_index: samples of this class are left out; -100 for None.
        label_smoothing: the share of the uniform distribution in the target.
        options: how PyTorch computes it in pieces; has no effect here.

    >>> import aino
    >>> loss = aino.nn.LinearCrossEntropyLoss(4, 3)
    >>> loss(aino.zeros(2, 4), aino.tensor([0, 2]))
    tensor(1.0986, grad_fn=<CrossEntropyBackward0>)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if not 0.0 <= label_smoothing <= 1.0:
            raise ArgumentError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        outputs = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, outputs, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy of the scores."""
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input, self.linear.weight.reshape(*shape, self.linear.in_features), target,
            linear_bias=None if bias is None else bias.reshape(*shape),
            weight=self.weight, reduction=self.reduction, ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing, options=self.options,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
