"""Adafactor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import add, divide, maximum, multiply, negative, sqrt, subtract

from aino.optim.checks import check_not_negative
from aino.optim.optimizer import number, settings
from aino.optim.shaped import ShapedOptimizer


class Adafactor(ShapedOptimizer):
    """Adam's scaling with the squares of a matrix kept by rows and columns alone.

    With ρ = min(lr, 1/√t), α = max(ε₂, rms(p)) · ρ and β = 1 - t^decay, of a matrix:
    R = β·R + (1-β)·mean of g² along rows,  C the same along columns,  V = R·C / mean(R);
    of a vector V = β·V + (1-β)·g².  Then
    U = g / max(√V, ε₁),  p = p - α · U / max(1, rms(U) / d)

    Arguments:
        params: tensors to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the largest learning rate; a number or a tensor of one element.
        beta2_decay: the exponent with which running means get slower.
        eps: ε₁, None for that of the dtype, and ε₂, the smallest size that a parameter is taken
            to have.
        d: the largest root mean square of an update.
        weight_decay: how far a parameter shrinks by itself, times the learning rate.
        foreach: PyTorch's choice of how to compute; the steps are the same.
        maximize: step up the gradient instead of down.

    Raises ``ValueError`` for a setting out of its range, ``RuntimeError`` for complex parameters.

    >>> import aino
    >>> aino.optim.Adafactor([aino.zeros(2, requires_grad=True)]).defaults["beta2_decay"]
    -0.8

    Source: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost",
    2018.
    """

    known = ("step", "row_var", "col_var", "variance")

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "weight_decay")
        if not number(group["beta2_decay"]) <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {group['beta2_decay']}")
        for name, value in zip(("epsilon1", "epsilon2"), group["eps"], strict=True):
            if value is not None and not value >= 0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if not number(group["d"]) >= 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {group['d']}")

    def _shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        if len(shape) < 2:
            return {"variance": shape}
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}

    def _change(self, group, numbers, parameter, gradient, states: dict[str, Any]) -> None:
        step = numbers["step"] = numbers["step"] + 1
        lr, decay = number(group["lr"]), group["weight_decay"]
        small, smallest = group["eps"]
        small = float(np.finfo(parameter.dtype).eps) if small is None else small
        fresh = step ** group["beta2_decay"]
        rate = min(lr, 1 / step**0.5)
        if group["maximize"]:
            gradient = negative(gradient)
        size = multiply(maximum(_rms(parameter), smallest), rate)
        if decay != 0:
            multiply(parameter, 1 - lr * decay, out=parameter)
        squares = multiply(gradient, gradient)
        if "variance" in states:
            expected = states["variance"]
            _follow(expected, squares, fresh)
        else:
            rows, columns = states["row_var"], states["col_var"]
            _follow(rows, _mean(squares, -1), fresh)
            _follow(columns, _mean(squares, -2), fresh)
            expected = divide(multiply(rows, columns), maximum(_mean(rows, -2), small))
        update = divide(gradient, sqrt(maximum(expected, small * small)))
        shrink = maximum(divide(_rms(update), group["d"]), 1)
        subtract(parameter, multiply(update, divide(size, shrink)), out=parameter)


def _mean(x, axis: int):
    return divide(add.reduce(x, axis=axis, keepdims=True), x.shape[axis])


def _rms(x):
    """Return the root mean square of all numbers, with as many dimensions as they have."""
    axes = tuple(range(x.ndim))
    return sqrt(divide(add.reduce(multiply(x, x), axis=axes, keepdims=True), math.prod(x.shape)))


def _follow(average, value, fresh) -> None:
    """average = average + fresh · (value - average)"""
    add(average, multiply(subtract(value, average), fresh), out=average)
