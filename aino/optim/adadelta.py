"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, divide, multiply, sqrt

from aino.optim.adam import average_squares
from aino.optim.checks import check_fraction, check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def adadelta_update(gradient, squares, deltas, work, rho, rest, eps, lr):
    """v = ρ·v + (1-ρ)·g²;  δ = √(u + eps) / √(v + eps) · g;  u = ρ·u + (1-ρ)·δ²;  Δ = lr · δ"""
    average_squares(squares, gradient, work, rho, rest)
    root = add(squares, eps)
    sqrt(root, out=root)
    delta = add(deltas, eps)
    sqrt(delta, out=delta)
    divide(delta, root, out=delta)
    multiply(delta, gradient, out=delta)
    average_squares(deltas, delta, work, rho, rest)
    return multiply(delta, lr, out=work)


class Adadelta(FlatOptimizer):
    """Steps in units of the parameter: the ratio of two running root mean squares.

    v = ρ·v + (1-ρ)·g²,  δ = √(u + eps) / √(v + eps) · g,  u = ρ·u + (1-ρ)·δ²,  p = p - lr · δ

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        rho: ρ, how much of the running means stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is added to its gradient.
        maximize: step up the gradient instead of down.
        foreach, capturable, differentiable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    Raises ``ValueError`` for a negative setting and for rho above 1.

    >>> import aino
    >>> aino.optim.Adadelta([aino.zeros(2, requires_grad=True)]).defaults["rho"]
    0.9

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """

    known = ("step", "square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_fraction(group, "rho")
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("square_avg", "acc_delta")

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        numbers["step"] += 1
        rho = group["rho"]
        scalars = (rho, 1 - rho, group["eps"], number(group["lr"]))
        decay = group["weight_decay"]
        return adadelta_update, scalars, decay if decay != 0 else None, None, None
