"""Names that PyTorch has and AINO only says something about: what to use in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


def refused(name: str, why: str) -> Callable[..., NoReturn]:
    """Return a function that can be named, and raises ``NotImplementedError`` when it is called.

    Arguments:
        name: what it is called, from the package on: ``"jit.script"``.
        why: what to do instead.
    """

    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"aino.{name} is not there: {why}")

    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = f"Raise ``NotImplementedError``: {why}."
    return function


def refused_class(name: str, why: str) -> type:
    """Return a class of which no object can be made, for ``isinstance`` and annotations."""
    short = name.rpartition(".")[2]

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"aino.{name} is not there: {why}")

    text = f"A class without objects: making one raises ``NotImplementedError``; {why}."
    return type(short, (), {"__new__": __new__, "__doc__": text, "__module__": "aino"})
