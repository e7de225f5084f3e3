"""The public names of PyTorch's namespaces, and those that AINO does not have."""

from __future__ import annotations

import importlib
import inspect
import types
from typing import Any

import torch

import aino


def _found(root: Any, space: str) -> Any:
    """Return the namespace ``space`` of a library, None where it has none."""
    for part in space.split(".")[1:]:
        try:
            root = getattr(root, part)
        except AttributeError:
            try:
                root = importlib.import_module(f"{root.__name__}.{part}")
            except ImportError:
                return None
    return root


def public_names(space: str) -> list[str]:
    """Return the names that PyTorch shows in a namespace: ``"torch"``, ``"torch.linalg"`` ..."""
    place = _found(torch, space)
    listed = getattr(place, "__all__", None)
    return sorted(
        {
            name
            for name in listed or dir(place)
            if not name.startswith("_") and _belongs(place, name, bool(listed))
        }
    )


def _belongs(place: Any, name: str, listed: bool) -> bool:
    value = getattr(place, name, None)
    if isinstance(value, types.ModuleType) or value is None:
        return False
    if listed or place is torch.Tensor or inspect.isbuiltin(value):
        return True
    return (getattr(value, "__module__", None) or "").startswith("torch")


def missing_names(space: str) -> list[str]:
    """Return the names of a namespace that AINO does not have."""
    place = _found(aino, space)
    return [name for name in public_names(space) if place is None or not hasattr(place, name)]
