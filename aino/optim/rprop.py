"""Rprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import greater, less, maximum, minimum, multiply, sign

from aino.optim.checks import check_not_negative, check_switches
from aino.optim.flat import FlatOptimizer
from aino.optim.optimizer import number, settings


def rprop_update(gradient, previous, sizes, work, shrink, grow, smallest, largest):
    """η grows where the sign stays, shrinks where it turns, and there g = 0;  Δ = sign(g) · η"""
    agreement = multiply(gradient, previous, out=work)
    turned = less(agreement, 0)
    changed = np.where(turned, sizes * shrink, sizes)
    changed = np.where(greater(agreement, 0), sizes * grow, changed)
    maximum(minimum(changed, largest), smallest, out=sizes)
    np.copyto(previous, np.where(turned, 0, gradient))
    return multiply(sign(previous, out=work), sizes, out=work)


class Rprop(FlatOptimizer):
    """Steps by the sign of the gradient alone, each number with a step size of its own.

    A step size grows by ``etas[1]`` while the sign stays and shrinks by ``etas[0]`` when it
    turns, within ``step_sizes``. Raises ``ValueError`` for a negative rate, and unless
    0 < etas[0] < 1 < etas[1].

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the step size that every number begins with.
        etas: by what a step size shrinks, and by what it grows.
        step_sizes: the smallest and the largest step size.
        maximize: step up the gradient instead of down.
        capturable, foreach, differentiable: PyTorch's choices of how to compute; the steps are the
            same (``differentiable=True`` is refused).

    >>> import aino
    >>> aino.optim.Rprop([aino.zeros(2, requires_grad=True)]).defaults["etas"]
    (0.5, 1.2)

    Source: Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning:
    the RPROP algorithm", 1993.
    """

    known = ("step", "prev", "step_size")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr")
        check_switches(group)
        shrink, grow = group["etas"]
        if not 0 < shrink < 1 < grow:
            raise ValueError(f"Invalid eta values: {shrink}, {grow}; 0 < etas[0] < 1 < etas[1]")

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ("prev", "step_size")

    def _initial(self, kind: str, group: Mapping[str, Any]) -> float:
        return number(group["lr"]) if kind == "step_size" else 0.0

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        numbers["step"] += 1
        return rprop_update, (*group["etas"], *group["step_sizes"]), None, None, None
