"""Modules, one family a file; PyTorch's programs import classes from here, too."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in ("module", "utils"):
            return _import_module(f"aino.nn.modules.{name}")
        found = vars(_import_module("aino.nn")).get(name)
        if isinstance(found, type):
            return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
