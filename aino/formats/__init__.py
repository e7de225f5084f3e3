"""Models as others keep them: what `aino.load` and `aino.save` do beside ``.dit``."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aino.formats import safetensors as safetensors
    from aino.formats.api import load as load
    from aino.formats.api import save as save
    from aino.formats.info import describe as describe

__all__ = ["save", "load", "describe", "safetensors"]

_LAZY = {"save": "api", "load": "api", "describe": "info"}


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:

    def __getattr__(name):
        if name == "safetensors":
            return import_module("aino.formats.safetensors")
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"aino.formats.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
