"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import add, multiply, subtract

from aino.optim.checks import check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def asgd_update(gradient, average, work, eta, mu):
    """Δ = η · g"""
    return multiply(gradient, eta, out=work)


def follow(parameter, average, work, eta, mu):
    """a = p, until averaging begins"""
    np.copyto(average, parameter)


def average_in(parameter, average, work, eta, mu):
    """a = a + μ · (p - a)"""
    work = subtract(parameter, average, out=work)
    multiply(work, mu, out=work)
    add(average, work, out=average)


class ASGD(FlatOptimizer):
    """Stochastic gradient descent that also keeps the average of the parameters, ``ax``.

    p = (1 - λη) · p - η · g,  a = a + μ · (p - a),  then
    η = lr / (1 + λ · lr · t)^α,  μ = 1 / max(1, t - t₀)

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        lambd: λ, how fast parameters decay.
        alpha: α, how fast the rate η falls.
        t0: t₀, the step from which on parameters are averaged.
        weight_decay: how much of the parameter is added to its gradient.
        maximize: step up the gradient instead of down.
        foreach, differentiable, capturable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    Raises ``ValueError`` for a negative rate or weight decay.

    >>> import aino
    >>> aino.optim.ASGD([aino.zeros(2, requires_grad=True)]).defaults["alpha"]
    0.75

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    counts = ("step", "eta", "mu")
    known = ("step", "eta", "mu", "ax")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "weight_decay")
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("ax",)

    def _numbers(self, entries: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
        eta = number(entries["eta"] if "eta" in entries else group["lr"])
        mu = float(number(entries.get("mu", 1.0)))
        return {**super()._numbers(entries, group), "eta": float(eta), "mu": mu}

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        step = numbers["step"] = numbers["step"] + 1
        eta, mu = numbers["eta"], numbers["mu"]
        lr, rate = number(group["lr"]), group["lambd"]
        numbers["eta"] = lr / (1 + rate * lr * step) ** group["alpha"]
        numbers["mu"] = 1 / max(1, step - group["t0"])
        decay = group["weight_decay"]
        after = follow if mu == 1 else average_in
        return asgd_update, (eta, mu), decay if decay != 0 else None, 1 - rate * eta, after
