"""Modules without initial values."""

from __future__ import annotations

import inspect
from typing import Any

from aino.dit.building import rebuilding
from aino.nn.base.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Any:
    """Return a module whose parameters were not drawn: they are whatever its memory holds.

    Raises ``RuntimeError`` for what is no class of modules, or takes no ``device``.

    Arguments:
        module_cls: the class.
        args, kwargs: what it is made with.

    >>> from aino import nn
    >>> nn.utils.skip_init(nn.Linear, 3, 2)
    Linear(in_features=3, out_features=2, bias=True)
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with rebuilding(1_000_000):
        return module_cls(*args, **kwargs)
