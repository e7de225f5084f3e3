"""Ranges of hyperparameters, checked before an optimizer takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aino.autograd.tensor import Tensor
from aino.optim.optimizer import number

TITLES = {"lr": "learning rate", "eps": "epsilon value"}


def check_not_negative(group: Mapping[str, Any], *names: str) -> None:
    """Raise ``ValueError`` for the first of the settings that is negative or not a number."""
    for name in names:
        value = group[name]
        if isinstance(value, Tensor) and value.array.size != 1:
            raise ValueError(f"Tensor {name} must be 1-element, not of shape {value.array.shape}")
        if not number(value) >= 0:
            raise ValueError(f"Invalid {TITLES.get(name, name + ' value')}: {value}")


def check_fraction(group: Mapping[str, Any], name: str) -> None:
    """Raise ``ValueError`` unless 0 <= setting <= 1."""
    if not 0 <= number(group[name]) <= 1:
        raise ValueError(f"Invalid {name} value: {group[name]}; it is a fraction between 0 and 1")


def check_betas(group: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` unless both betas are in [0, 1)."""
    betas = group["betas"]
    if len(betas) != 2:
        raise ValueError(f"betas are two numbers, not {len(betas)}: {betas}")
    for position, beta in enumerate(betas):
        if not 0 <= number(beta) < 1:
            raise ValueError(f"Invalid beta parameter at index {position}: {beta}")


def check_switches(group: Mapping[str, Any]) -> None:
    """Raise for switches of PyTorch's that exclude each other or that have no sense here."""
    if group.get("differentiable"):
        raise NotImplementedError(
            "differentiable=True: a step of AINO's optimizers is not recorded; write the update "
            "with tensor operations and autograd.grad(..., create_graph=True) instead"
        )
    if group.get("fused") and group.get("foreach"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
