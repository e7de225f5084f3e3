"""RAdam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, divide, multiply, sqrt

from aino.optim.adam import average, average_squares, weight_decay
from aino.optim.checks import check_betas, check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def radam_update(gradient, mean, squares, work, beta1, rest1, beta2, rest2, eps, step_size):
    """m = β₁·m + (1-β₁)·g;  v = β₂·v + (1-β₂)·g²;  Δ = step_size · m / (√v + eps)"""
    average(mean, gradient, work, beta1, rest1)
    average_squares(squares, gradient, work, beta2, rest2)
    work = sqrt(squares, out=work)
    add(work, eps, out=work)
    divide(mean, work, out=work)
    return multiply(work, step_size, out=work)


def unadapted_update(gradient, mean, squares, work, beta1, rest1, beta2, rest2, eps, step_size):
    """The first steps, when the variance of v is not tractable yet: Δ = step_size · m"""
    average(mean, gradient, work, beta1, rest1)
    average_squares(squares, gradient, work, beta2, rest2)
    return multiply(mean, step_size, out=work)


class RAdam(FlatOptimizer):
    """Adam whose steps are rectified while few gradients have been seen.

    ρ∞ = 2/(1-β₂) - 1,  ρₜ = ρ∞ - 2t·β₂ᵗ/(1-β₂ᵗ);  where ρₜ > 5, Adam's step is scaled by
    r = √((ρₜ-4)(ρₜ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρₜ));  before, p = p - lr · m/(1-β₁ᵗ)

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        betas: β₁ and β₂, how much of the running means stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is added to its gradient.
        decoupled_weight_decay: shrink the parameter by itself instead of adding to its gradient.
        maximize: step up the gradient instead of down.
        foreach, capturable, differentiable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    Raises ``ValueError`` for a negative setting and for betas outside [0, 1).

    >>> import aino
    >>> aino.optim.RAdam([aino.zeros(2, requires_grad=True)]).defaults["lr"]
    0.001

    Source: Liu et al., "On the variance of the adaptive learning rate and beyond", 2019.
    """

    known = ("step", "exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group)
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        step = numbers["step"] = numbers["step"] + 1
        lr = number(group["lr"])
        beta1, beta2 = map(number, group["betas"])
        step_size = lr / (1 - beta1**step)
        correction = 1 - beta2**step
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / correction
        function = unadapted_update
        if length > 5:
            function = radam_update
            rectified = (length - 4) * (length - 2) * limit
            rectified = rectified / ((limit - 4) * (limit - 2) * length)
            step_size = step_size * (rectified * correction) ** 0.5
        scalars = (beta1, 1 - beta1, beta2, 1 - beta2, group["eps"], step_size)
        return function, scalars, *weight_decay(group, lr), None
