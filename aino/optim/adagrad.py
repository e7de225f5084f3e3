"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import add, divide, multiply, sqrt

from aino.autograd.tensor import make
from aino.optim.checks import check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def adagrad_update(gradient, total, work, eps, step_size):
    """s = s + g²;  Δ = step_size · g / (√s + eps)"""
    add(total, multiply(gradient, gradient, out=work), out=total)
    work = sqrt(total, out=work)
    add(work, eps, out=work)
    divide(gradient, work, out=work)
    return multiply(work, step_size, out=work)


class Adagrad(FlatOptimizer):
    """Steps scaled by the sum of all squared gradients.

    s = s + g²,  p = p - lr / (1 + (t-1) · lr_decay) · g / (√s + eps)

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        lr_decay: how fast the learning rate falls with the steps.
        weight_decay: how much of the parameter is added to its gradient.
        initial_accumulator_value: where the sum s starts.
        eps: what is added to the denominator, so that it is never 0.
        maximize: step up the gradient instead of down.
        foreach, differentiable, fused: PyTorch's choices of how to compute; the steps are the same
            (``differentiable=True`` is refused).

    Raises ``ValueError`` for a negative setting.

    >>> import aino
    >>> aino.optim.Adagrad([aino.zeros(2, requires_grad=True)]).defaults["lr"]
    0.01

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", 2011.
    """

    known = ("step", "sum")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, settings(locals()))
        # As in PyTorch, the sums are there before the first step.
        for group in self.param_groups:
            for parameter in group["params"]:
                total = np.zeros(parameter.array.shape, parameter.array.dtype)
                start = initial_accumulator_value
                total[...] = complex(start, start) if total.dtype.kind == "c" else start
                self.state[parameter] = {"step": 0, "sum": make(total)}

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(
            group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"
        )
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("sum",)

    def _initial(self, kind: str, group: Mapping[str, Any]) -> float:
        return group["initial_accumulator_value"]

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        step = numbers["step"] = numbers["step"] + 1
        step_size = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        decay = group["weight_decay"]
        scalars = (group["eps"], step_size)
        return adagrad_update, scalars, decay if decay != 0 else None, None, None
