"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, multiply

from aino.optim.checks import check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def sgd_update(gradient, buffer, work, lr, momentum, rest):
    """Δ = lr · g"""
    return multiply(gradient, lr, out=work)


def momentum_update(gradient, buffer, work, lr, momentum, rest):
    """b = momentum · b + (1 - dampening) · g;  Δ = lr · b"""
    multiply(buffer, momentum, out=buffer)
    add(buffer, multiply(gradient, rest, out=work), out=buffer)
    return multiply(buffer, lr, out=work)


def nesterov_update(gradient, buffer, work, lr, momentum, rest):
    """b = momentum · b + g;  Δ = lr · (g + momentum · b)"""
    multiply(buffer, momentum, out=buffer)
    add(buffer, gradient, out=buffer)
    work = multiply(buffer, momentum, out=work)
    add(work, gradient, out=work)
    return multiply(work, lr, out=work)


class SGD(FlatOptimizer):
    """Stochastic gradient descent, with momentum if wanted.

    b = momentum · b + (1 - dampening) · g,  p = p - lr · b;  the first b is g.

    With ``nesterov`` g + momentum · b stands in the place of b. Raises ``ValueError`` for a
    negative setting, and for ``nesterov`` without momentum or with dampening.

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        momentum: how much of the last step is taken again.
        dampening: how much of the new gradient is left out of the momentum.
        weight_decay: how much of the parameter is added to its gradient.
        nesterov: look ahead: step along g + momentum · b.
        maximize: step up the gradient instead of down.
        foreach, differentiable, fused: PyTorch's choices of how to compute; the steps are the same
            (``differentiable=True`` is refused).

    >>> import aino
    >>> w = aino.tensor([1.0], requires_grad=True)
    >>> optimizer = aino.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)

    Source: Sutskever et al., "On the importance of initialization and momentum in deep
    learning", 2013.
    """

    known = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "momentum", "weight_decay")
        check_switches(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("momentum_buffer" if group["momentum"] != 0 else None,)

    def _numbers(self, entries: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
        # How many gradients are in the buffer: the first one enters undampened.
        return {"_seen": int("momentum_buffer" in entries)}

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        momentum = group["momentum"]
        function = sgd_update
        rest = 1
        if momentum != 0:
            function = nesterov_update if group["nesterov"] else momentum_update
            seen = numbers["_seen"]
            numbers["_seen"] = seen + 1
            rest = 1 - group["dampening"] * (1 - 0**seen)
        decay = group["weight_decay"]
        decay = number(decay) if decay != 0 else None
        return function, (number(group["lr"]), momentum, rest), decay, None, None
