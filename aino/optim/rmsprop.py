"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, divide, multiply, sqrt, subtract

from aino.optim.adam import average, average_squares
from aino.optim.checks import check_fraction, check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def rmsprop_update(gradient, squares, mean, buffer, work, alpha, rest, eps, lr, momentum):
    """v = α·v + (1-α)·g²;  b = momentum · b + g / (√v + eps);  Δ = lr · b

    With a running mean of the gradient, v - mean² stands under the root.
    """
    average_squares(squares, gradient, work, alpha, rest)
    if mean is not None:
        average(mean, gradient, work, alpha, rest)
        work = multiply(mean, mean, out=work)
        squares = subtract(squares, work, out=work)
    work = sqrt(squares, out=work)
    add(work, eps, out=work)
    divide(gradient, work, out=work)
    if buffer is not None:
        multiply(buffer, momentum, out=buffer)
        add(buffer, work, out=buffer)
        return multiply(buffer, lr, out=work)
    return multiply(work, lr, out=work)


class RMSprop(FlatOptimizer):
    """Steps scaled by a running mean of the squared gradient.

    v = α·v + (1-α)·g²,  p = p - lr · g / (√v + eps)

    ``centered`` takes the running variance in the place of v; ``momentum`` accumulates the
    steps. Raises ``ValueError`` for a negative setting.

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        alpha: α, how much of the running mean stays at each step.
        eps: what is added to the denominator, so that it is never 0.
        weight_decay: how much of the parameter is added to its gradient.
        momentum: how much of the last step is taken again.
        centered: divide by the running standard deviation instead of the root mean square.
        maximize: step up the gradient instead of down.
        capturable, foreach, differentiable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    >>> import aino
    >>> aino.optim.RMSprop([aino.zeros(2, requires_grad=True)]).defaults["alpha"]
    0.99

    Source: Hinton, "Neural networks for machine learning", lecture 6, 2012; Graves, "Generating
    sequences with recurrent neural networks", 2013.
    """

    known = ("step", "square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "momentum", "weight_decay")
        check_fraction(group, "alpha")
        check_switches(group)

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return (
            "square_avg",
            "grad_avg" if group["centered"] else None,
            "momentum_buffer" if group["momentum"] > 0 else None,
        )

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        numbers["step"] += 1
        alpha = group["alpha"]
        scalars = (alpha, 1 - alpha, group["eps"], number(group["lr"]), group["momentum"])
        decay = group["weight_decay"]
        return rmsprop_update, scalars, decay if decay != 0 else None, None, None
