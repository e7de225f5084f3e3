"""Tuples, lists, dictionaries and dataclasses: what arguments and results are nested in."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any


def is_plain(item) -> bool:
    """Tell whether an item is a tuple, a list or a dictionary."""
    return isinstance(item, (tuple, list, dict))


def is_container(item) -> bool:
    """Tell whether an item is taken apart: plain ones are, and dataclasses."""
    return is_plain(item) or (dataclasses.is_dataclass(item) and not isinstance(item, type))


def parts_of(item) -> list:
    """Return the parts of a container, in order; none of anything else."""
    if isinstance(item, (tuple, list)):
        return list(item)
    if isinstance(item, dict):
        return list(item.values())
    if not is_container(item):
        return []
    return [getattr(item, field.name) for field in dataclasses.fields(item)]


def named_parts_of(item) -> list[tuple]:
    """Return the parts of a container with their keys, the names of its fields, or places."""
    parts = parts_of(item)
    keys: Any
    if isinstance(item, dict):
        keys = item
    elif is_plain(item):
        keys = getattr(item, "_fields", None) or range(len(parts))
    else:
        keys = [field.name for field in dataclasses.fields(item)] if parts else []
    return list(zip(keys, parts))


def paths_of(item, name: str) -> list[tuple[str, object]]:
    """Return the parts of a container with the expressions that reach them from ``name``."""
    parts = parts_of(item)
    if isinstance(item, dict):
        plain = all(type(key) in (str, int, bool) for key in item)
        keys = list(item) if plain else range(len(parts))
        form = "{}[{!r}]" if plain else "list({}.values())[{}]"
    elif isinstance(item, (tuple, list)):
        keys, form = range(len(parts)), "{}[{}]"
    else:
        keys = [field.name for field in dataclasses.fields(item)] if parts else []
        form = "{}.{}"
    return [(form.format(name, key), part) for key, part in zip(keys, parts)]


def rebuild(kind, items: list):
    """Return a tuple or list of ``kind`` over ``items``; named tuples take them one by one."""
    return kind(*items) if hasattr(kind, "_fields") else kind(items)


def refilled(item, parts: list):
    """Return a container like ``item`` with other parts."""
    if isinstance(item, (tuple, list)):
        return rebuild(type(item), parts)
    if type(item) is dict:
        return dict(zip(item, parts))
    other = copy.copy(item)
    if isinstance(item, dict):
        for key, part in zip(item, parts):
            other[key] = part
        return other
    for field, part in zip(dataclasses.fields(item), parts):
        object.__setattr__(other, field.name, part)
    return other


def mapped(item, change):
    """Return nested containers with ``change(leaf)`` in the places of their leaves.

    An object of the user's in which nothing changes stays that object.
    """
    if not is_container(item):
        return change(item)
    old = parts_of(item)
    new = [mapped(part, change) for part in old]
    if not is_plain(item) and all(a is b for a, b in zip(old, new)):
        return item
    return refilled(item, new)


def structure_of(item):
    """Return the shape of nested arguments, without their leaves."""
    if not is_container(item):
        return None
    keys = tuple(item) if isinstance(item, dict) else None
    return (type(item), keys, tuple([structure_of(part) for part in parts_of(item)]))
