"""Optimizers of several ranks: ``ZeroRedundancyOptimizer``, which ``aino.optim`` has, too."""

from importlib import import_module
from typing import Any

__all__ = ["ZeroRedundancyOptimizer"]


def __getattr__(name: str) -> Any:
    if name == "ZeroRedundancyOptimizer":  # it stands on optimizers, and they above this room
        return getattr(import_module("aino.optim"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
