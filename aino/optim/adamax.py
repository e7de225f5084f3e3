"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import absolute, add, divide, maximum, multiply

from aino.optim.adam import average
from aino.optim.checks import check_betas, check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def adamax_update(gradient, mean, largest, work, beta1, rest1, beta2, eps, step_size):
    """m = β₁·m + (1-β₁)·g;  u = max(β₂·u, |g| + eps);  Δ = step_size · m / u"""
    average(mean, gradient, work, beta1, rest1)
    work = absolute(gradient, out=work)
    add(work, eps, out=work)
    multiply(largest, beta2, out=largest)
    maximum(largest, work, out=largest)
    work = divide(mean, largest, out=work)
    return multiply(work, step_size, out=work)


class Adamax(FlatOptimizer):
    """Adam with the largest recent gradient in the place of the root mean square.

    m = β₁·m + (1-β₁)·g,  u = max(β₂·u, |g| + eps),  p = p - lr / (1-β₁ᵗ) · m / u

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        betas: β₁ and β₂, how much of the running means stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is added to its gradient.
        maximize: step up the gradient instead of down.
        foreach, differentiable, capturable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    Raises ``ValueError`` for a negative setting and for betas outside [0, 1).

    >>> import aino
    >>> aino.optim.Adamax([aino.zeros(2, requires_grad=True)]).defaults["lr"]
    0.002

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", section 7.1, 2014.
    """

    known = ("step", "exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group)
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_inf")

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        step = numbers["step"] = numbers["step"] + 1
        beta1, beta2 = map(number, group["betas"])
        step_size = number(group["lr"]) / (1 - beta1**step)
        scalars = (beta1, 1 - beta1, beta2, group["eps"], step_size)
        decay = group["weight_decay"]
        return adamax_update, scalars, decay if decay != 0 else None, None, None
