"""Models as others keep them: what `aino.load` and `aino.save` do beside ``.dit``."""

from importlib import import_module

__all__ = ["save", "load"]

_LAZY = {"save": "api", "load": "api"}


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"aino.formats.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
