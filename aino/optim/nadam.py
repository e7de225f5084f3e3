"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, divide, multiply, sqrt

from aino.optim.adam import average, average_squares, weight_decay
from aino.optim.checks import check_betas, check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def nadam_update(gradient, mean, squares, work, beta1, rest1, beta2, rest2, eps, ahead, behind):
    """m = β₁·m + (1-β₁)·g;  v = β₂·v + (1-β₂)·g²;  Δ = (ahead · g + behind · m) / (√v + eps)"""
    average(mean, gradient, work, beta1, rest1)
    average_squares(squares, gradient, work, beta2, rest2)
    root = sqrt(squares)
    add(root, eps, out=root)
    step = multiply(mean, behind)
    work = multiply(gradient, ahead, out=work)
    add(work, step, out=work)
    return divide(work, root, out=work)


class NAdam(FlatOptimizer):
    """Adam with Nesterov's momentum.

    μₜ = β₁ · (1 - 0.96^(t · momentum_decay) / 2),  Πₜ = μ₁·…·μₜ,
    p = p - lr · ((1-μₜ)/(1-Πₜ) · g + μₜ₊₁/(1-Πₜ₊₁) · m) / (√(v/(1-β₂ᵗ)) + eps)

    m and v are Adam's means. Raises ``ValueError`` for a negative setting and for betas outside
    [0, 1).

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        betas: β₁ and β₂, how much of the running means stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is added to its gradient.
        momentum_decay: how fast the momentum μ comes to β₁.
        decoupled_weight_decay: shrink the parameter by itself instead of adding to its gradient.
        maximize: step up the gradient instead of down.
        foreach, capturable, differentiable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    >>> import aino
    >>> aino.optim.NAdam([aino.zeros(2, requires_grad=True)]).defaults["momentum_decay"]
    0.004

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.
    """

    counts = ("step", "mu_product")
    known = ("step", "mu_product", "exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay", "momentum_decay")
        check_betas(group)
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _numbers(self, entries: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
        product = float(number(entries.get("mu_product", 1.0)))
        return {**super()._numbers(entries, group), "mu_product": product}

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        step = numbers["step"] = numbers["step"] + 1
        lr = number(group["lr"])
        beta1, beta2 = map(number, group["betas"])
        rate = group["momentum_decay"]
        mu = beta1 * (1 - 0.5 * 0.96 ** (step * rate))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * rate))
        product = numbers["mu_product"] = numbers["mu_product"] * mu
        # As in Adam, √(1-β₂ᵗ) is taken out of the denominator.
        root = (1 - beta2**step) ** 0.5
        scalars = (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"] * root,
            lr * (1 - mu) / (1 - product) * root,
            lr * mu_next / (1 - product * mu_next) * root,
        )
        return nadam_update, scalars, *weight_decay(group, lr), None
