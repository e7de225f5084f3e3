"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, divide, maximum, multiply, sqrt

from aino.optim.checks import check_betas, check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def average(mean, values, work, beta, rest):
    """mean = beta · mean + rest · values, in place"""
    multiply(mean, beta, out=mean)
    add(mean, multiply(values, rest, out=work), out=mean)


def average_squares(mean, values, work, beta, rest):
    """mean = beta · mean + rest · values², in place"""
    work = multiply(values, values, out=work)
    multiply(work, rest, out=work)
    multiply(mean, beta, out=mean)
    add(mean, work, out=mean)


def adam_update(gradient, mean, squares, largest, work, beta1, rest1, beta2, rest2, eps, step_size):
    """m = β₁·m + (1-β₁)·g;  v = β₂·v + (1-β₂)·g²;  Δ = step_size · m / (√v + eps)"""
    average(mean, gradient, work, beta1, rest1)
    average_squares(squares, gradient, work, beta2, rest2)
    if largest is not None:
        squares = maximum(largest, squares, out=largest)
    work = sqrt(squares, out=work)
    add(work, eps, out=work)
    divide(mean, work, out=work)
    return multiply(work, step_size, out=work)


class Adam(FlatOptimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    m = β₁·m + (1-β₁)·g,  v = β₂·v + (1-β₂)·g²,
    p = p - lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + eps)

    ``weight_decay`` adds to the gradient, or with ``decoupled_weight_decay`` shrinks the
    parameter by itself; ``amsgrad`` takes the largest v so far. Raises ``ValueError`` for a
    negative setting and for betas outside [0, 1).

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        betas: β₁ and β₂, how much of the running means stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is added to its gradient, or taken off the
            parameter.
        amsgrad: divide by the largest v so far.
        maximize: step up the gradient instead of down.
        decoupled_weight_decay: shrink the parameter by itself instead of adding to its gradient.
        foreach, capturable, differentiable, fused: PyTorch's choices of how to compute; the steps
            are the same (``differentiable=True`` is refused).

    >>> import aino
    >>> w = aino.tensor([1.0], requires_grad=True)
    >>> optimizer = aino.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2014; Reddi et al., "On
    the convergence of Adam and beyond", 2018.
    """

    known = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group)
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq" if group["amsgrad"] else None)

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        step = numbers["step"] = numbers["step"] + 1
        lr = number(group["lr"])
        beta1, beta2 = map(number, group["betas"])
        # √(v/c) + eps = (√v + eps·√c) / √c saves one pass over the second moments.
        root = (1 - beta2**step) ** 0.5
        step_size = lr / (1 - beta1**step) * root
        scalars = (beta1, 1 - beta1, beta2, 1 - beta2, group["eps"] * root, step_size)
        return adam_update, scalars, *weight_decay(group, lr), None


def weight_decay(group: Mapping[str, Any], lr: Any) -> tuple[Any, Any]:
    """Return what a group adds to the gradient per parameter, and what it scales it by."""
    decay = group["weight_decay"]
    if decay == 0:
        return None, None
    if group["decoupled_weight_decay"]:
        return None, 1 - lr * number(decay)
    return number(decay), None


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter by itself: p = (1 - lr · weight_decay) · p.

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        betas: β₁ and β₂, how much of the running means stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is taken off at each step, times ``lr``.
        amsgrad: divide by the largest mean square so far.
        maximize: step up the gradient instead of down.
        foreach, capturable, differentiable, fused: PyTorch's choices of how to compute; the steps
            are the same (``differentiable=True`` is refused).

    Raises ``ValueError`` for a negative setting and for betas outside [0, 1).

    >>> import aino
    >>> aino.optim.AdamW([aino.zeros(2, requires_grad=True)]).defaults["weight_decay"]
    0.01

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2017.
    """

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
