"""The classes that a ``.dit`` may name: registered by their author, never imported by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

from aino.errors import DitError

_Class = TypeVar("_Class", bound=type)
_classes: dict[str, type] = {}
_names: dict[type, str] = {}
_providers: list[Callable[[], object]] = []
_revivers: dict[str, Callable[[dict], object]] = {}


@overload
def register(which: _Class) -> _Class: ...
@overload
def register(which: str) -> Callable[[_Class], _Class]: ...
def register(which):
    """Let a ``.dit`` hold models of this class; a decorator, bare or with a name.

    The name is what stands in the file (the class's own by default). A file can only name
    classes that were registered in the process that reads it. A model is made again by the
    arguments of its constructor; attributes that were changed since are stored too. Caches that
    need no storing are named by the class in ``_not_stored = ("_cache", ...)``.

    Raises `DitError` when another class has the name already. Defining the same class again, as
    a notebook does, replaces it.

    >>> @register("documentation.Box")
    ... class Box:
    ...     pass
    >>> registered("documentation.Box") is Box
    True
    """
    if isinstance(which, str):
        return lambda cls: _add(cls, which)
    return _add(which, getattr(which, "__name__", ""))


def _add(cls: _Class, name: str) -> _Class:
    if not isinstance(cls, type):
        raise DitError(f"only a class can be registered, not {type(cls).__name__}")
    if not name or not name.isprintable():
        raise DitError(f"{name!r} is not a name that a class can be registered by")
    before = _classes.get(name)
    if before is not None and _origin(before) != _origin(cls):
        raise DitError(
            f"the name {name!r} belongs to {'.'.join(_origin(before))} already; "
            f"give another one: @aino.register('my.{name}')"
        )
    _classes[name] = cls
    _names[cls] = name
    return cls


def _origin(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def provide(load: Callable[[], object]) -> None:
    """Call ``load`` once before a class is looked up: it imports classes that register."""
    _providers.append(load)


def is_registered(name: str) -> bool:
    """Tell whether a class has this name; imports no more providers than it takes to find it."""
    while name not in _classes and _providers:
        _providers.pop(0)()
    return name in _classes


def registered(name: str) -> type:
    """Return the class registered by this name; raise `DitError` when there is none."""
    if not is_registered(name):
        raise DitError(
            f"unknown class {name[:100]!r}: import the module that defines it, "
            "and put @aino.register above the class"
        )
    return _classes[name]


def name_of(cls: type) -> str | None:
    """Return the name that a class was registered by, or None."""
    return _names.get(cls)


def registered_classes() -> dict[str, type]:
    """Return all registered classes by their names."""
    while _providers:
        _providers.pop(0)()
    return _classes.copy()


def revive(key: str, make: Callable[[dict], object]) -> None:
    """Let ``load`` return ``make(content)`` for a content whose first key is ``key``.

    So a file may hold what is no module, such as an estimator, as the dictionary that describes
    it.
    """
    _revivers[key] = make


def revived(content: object) -> object:
    """Return what a content describes, or the content itself."""
    if type(content) is not dict:
        return content
    make = _revivers.get(next(iter(content), None))  # type: ignore[arg-type]
    return content if make is None else make(content)
