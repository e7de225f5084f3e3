"""Losses for numbers as modules: how far predictions are from their targets."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.errors import DtypeError
from aino.nn import functional as F
from aino.nn.base.module import TensorModule
from aino.nn.functional.reduction import named_reduction

__all__ = ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "PoissonNLLLoss", "GaussianNLLLoss"]


class _Loss(TensorModule):
    """What all losses have: a reduction, 'mean', 'sum' or 'none'.

    Input and target have one shape, the result is one number, or that shape with 'none'.
    """

    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = named_reduction(size_average, reduce, reduction)
        self.reduction = reduction


class MSELoss(_Loss):
    """The mean squared error: the mean of (x - t)².

    Input x and target t are of one shape.

    Arguments:
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.MSELoss()(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the mean of (x - t)²."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The mean absolute error: the mean of |x - t|.

    Input x and target t are of one shape.

    Arguments:
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.L1Loss()(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the mean of |x - t|."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """The mean of d²/(2β) where |d| < β, else |d| - β/2, with d = x - t.

    Input x and target t are of one shape. Raises ``ValueError`` in the first call for β < 0.

    Arguments:
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.
        beta: β: from which difference on the loss is linear; with 0 it is the absolute error.

    Source: Girshick, "Fast R-CNN", 2015.

    >>> import aino
    >>> aino.nn.SmoothL1Loss(reduction="sum")(aino.tensor([0.5, 3.0]), aino.zeros(2))
    tensor(2.6250)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the smooth absolute error."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """The mean of d²/2 where |d| ≤ δ, else δ (|d| - δ/2), with d = x - t.

    Input x and target t are of one shape. Raises ``TypeError`` for a δ that is no number,
    ``ValueError`` in the first call unless δ > 0.

    Arguments:
        reduction: "mean", "sum", or "none" for the loss of each element.
        delta: δ: from which difference on the loss grows linearly.

    Source: Huber, "Robust estimation of a location parameter", 1964.

    >>> import aino
    >>> aino.nn.HuberLoss(reduction="none")(aino.tensor([0.5, 3.0]), aino.zeros(2))
    tensor([0.1250, 2.5000])
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not isinstance(delta, (int, float)):
            raise DtypeError(f"HuberLoss: delta must be a float or int, got {delta!r}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return Huber's error."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class PoissonNLLLoss(_Loss):
    """The mean of exp(x) - t x: minus the log likelihood of counts t at the rate exp(x).

    Input x and target t are of one shape.

    Arguments:
        log_input: x is the logarithm of the rate; False takes it as the rate λ: λ - t ln(λ + ε).
        full: add Stirling's approximation of ln(t!) where t > 1.
        size_average: the older way to choose the reduction, with ``reduce``; both deprecated.
        eps: ε, which keeps the logarithm of a rate 0 finite.
        reduce: see ``size_average``.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> aino.nn.PoissonNLLLoss()(aino.zeros(2), aino.tensor([1.0, 3.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """Return the negative log likelihood of the counts."""
        return F.poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """The mean of (ln v + (x - t)² / v) / 2, with v = max(var, ε) the predicted variance.

    It is called with the means x, the targets t and the variances: in the shape of x, or without
    its last dimension, or with the length 1 in one of them. Raises ``ValueError`` for a negative
    variance.

    Arguments:
        full: add the constant ln(2π) / 2.
        eps: ε: no variance counts as less.
        reduction: "mean", "sum", or "none" for the loss of each element.

    Source: Nix and Weigend, "Estimating the mean and variance of the target probability
    distribution", 1994.

    >>> import aino
    >>> aino.nn.GaussianNLLLoss()(aino.zeros(2), aino.tensor([1.0, 3.0]), aino.ones(2))
    tensor(2.5000)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor) -> Tensor:
        """Return the negative log likelihood of the targets."""
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )
