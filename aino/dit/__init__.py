"""The ``.dit`` file format: save, load and verify; the parts are loaded when they are used."""

from importlib import import_module

from aino.dit.registry import register, registered, registered_classes

__all__ = ["save", "load", "verify", "describe", "register", "registered", "registered_classes"]

_LAZY = {"save": "api", "load": "api", "verify": "api", "Report": "api", "describe": "info"}


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"aino.dit.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
