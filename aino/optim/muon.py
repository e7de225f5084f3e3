"""Muon."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from numpy import add, divide, matmul, maximum, multiply, sqrt, subtract

from aino.optim.checks import check_not_negative
from aino.optim.optimizer import number, settings
from aino.optim.shaped import ShapedOptimizer

_CHOICES = (None, "original", "match_rms_adamw")


class Muon(ShapedOptimizer):
    """Momentum whose step is a matrix with singular values near 1: all directions move alike.

    B = μ·B + (1-μ)·g,  U = (1-μ)·g + μ·B (B without ``nesterov``),  X₀ = U / |U|,
    X = a·X + (b·A + c·A²)·X with A = X·Xᵀ, some times over;  p = (1 - lr·λ)·p - lr·r·X

    It is for the weights of hidden layers; biases, embeddings and outputs are AdamW's. The
    iteration is computed in the parameter's own dtype (PyTorch computes it in bfloat16, whose
    two or three digits its steps share with these).

    Arguments:
        params: matrices to step, or dicts of ``params`` and settings of their own, one a group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        weight_decay: λ, how far a parameter shrinks by itself.
        momentum: μ, how much of the running mean stays at each step.
        nesterov: look ahead: step along the mean of the gradient and the running mean.
        ns_coefficients: a, b and c of the iteration, which was Newton's and Schulz's.
        eps: the smallest norm that is divided by.
        ns_steps: how often it is iterated.
        adjust_lr_fn: r, by the shape of a matrix of m rows and n columns: √max(1, m/n) for
            ``"original"`` and None, 0.2·√max(m, n), which suits AdamW's rates, for
            ``"match_rms_adamw"``.

    Raises ``ValueError`` for what is no matrix and for a setting out of its range.

    >>> import aino
    >>> aino.optim.Muon([aino.zeros(2, 3, requires_grad=True)]).defaults["momentum"]
    0.95

    Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """

    counts = ()
    known = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(params, settings(locals()))

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "weight_decay", "momentum")
        if group["adjust_lr_fn"] not in _CHOICES:
            raise ValueError(
                f"Adjust learning rate function {group['adjust_lr_fn']} is not supported; there "
                "are 'original' and 'match_rms_adamw'"
            )
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(
                f"ns_coefficients are exactly 3 values, not {group['ns_coefficients']}"
            )
        if not 0 <= group["ns_steps"] < 100:
            raise ValueError(f"ns_steps is a number below 100, not {group['ns_steps']}")

    def _check_parameters(self, group: dict[str, Any]) -> None:
        super()._check_parameters(group)
        for parameter in group["params"]:
            if parameter.array.ndim != 2:
                raise ValueError(
                    "Muon only supports 2D parameters whereas we found a parameter with size: "
                    f"{parameter.shape}; biases and the like are for AdamW"
                )

    def _numbers(self, entries: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def _shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"momentum_buffer": shape}

    def _change(self, group, numbers, parameter, gradient, states: dict[str, Any]) -> None:
        lr, momentum = number(group["lr"]), group["momentum"]
        rows, columns = parameter.shape
        ratio = math.sqrt(max(1, rows / columns))
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        buffer = states["momentum_buffer"]
        multiply(buffer, momentum, out=buffer)
        rest = multiply(gradient, 1 - momentum)
        add(buffer, rest, out=buffer)
        update = add(rest, multiply(buffer, momentum)) if group["nesterov"] else buffer
        update = update.mT if rows > columns else update
        a, b, c = group["ns_coefficients"]
        update = orthogonalized(update, a, b, c, group["ns_steps"], group["eps"])
        update = update.mT if rows > columns else update
        multiply(parameter, 1 - lr * group["weight_decay"], out=parameter)
        subtract(parameter, multiply(update, lr * ratio), out=parameter)


def orthogonalized(x, a, b, c, steps, eps):
    """Return a matrix with the directions of x, and with singular values between 0.7 and 1.2."""
    norm = sqrt(add.reduce(multiply(x, x), axis=(0, 1), keepdims=True))
    x = divide(x, maximum(norm, eps))
    done = 0
    while done < steps:  # a comparison, which a trace can guard
        gram = matmul(x, x.mT)
        change = add(multiply(gram, b), multiply(matmul(gram, gram), c))
        x = add(multiply(x, a), matmul(change, x))
        done += 1
    return x
