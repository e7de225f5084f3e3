"""What a compiled function is given: names for it, its leaves, and numbers that stay live."""

from __future__ import annotations

import keyword
import re

import numpy as np

from aino.pytree import is_container, is_plain, parts_of, paths_of, refilled

#: What a program's entry calls its own things; no argument may be called so.
_OWN_NAMES = re.compile(
    r"_.*|[xrtgn]\d+|saved|error|group\d+|Tensor|ndarray|MISS|make|mode|structure_version|tick|clock|Leaf|dtypes|np|seen|"
    r"still_fits|step|now|entry|args|kwargs|build"
)


def names_of(positional, arguments, keywords) -> list[str]:
    """Return a name for each argument, positional ones first: its own, fit to stand in a source."""
    wished = [*positional[: len(arguments)]]
    wished += [f"a{position}" for position in range(len(wished), len(arguments))]
    names: list[str] = []
    for name in [*wished, *keywords]:
        name = re.sub(r"\W", "_", name)
        while is_own_name(name) or name in names:
            name = f"given{name}" if name.startswith("_") else f"{name}_"
        names.append(name)
    return names


def is_own_name(name: str) -> bool:
    """Tell whether a name is one of a program's own, or of Python's."""
    return _OWN_NAMES.fullmatch(name) is not None or keyword.iskeyword(name)


def flatten_arguments(arguments, keywords, names, found) -> None:
    """List the leaves of the arguments with their names: ``x``, ``batch[0]``, ``x['mean']``."""
    for name, item in zip(names, [*arguments, *keywords.values()]):
        _flatten(item, name, found)


class Static(float):
    """A float that the program is made for, not a live number; ``kind``: what it was given as."""

    def __init__(self, value) -> None:
        self.kind = type(value)


class Dynamic(int):
    """An integer that changes from call to call."""


def is_dynamic(item) -> bool:
    """Tell whether an argument is a number that is read at each call."""
    return type(item) in (float, Dynamic) or isinstance(item, np.floating)


def _flatten(item, name, found, live=True) -> None:
    if is_container(item):
        live = live and is_plain(item)
        for path, part in paths_of(item, name):
            _flatten(part, path, found, live)
    else:
        found.append((name, item if live or type(item) is not float else Static(item)))


def _replaced(item, name, replaced):
    """Return a nested item with the named leaves replaced; as it is where there are none."""
    if name in replaced:
        return replaced[name]
    if not is_plain(item):
        return item
    parts = [_replaced(part, path, replaced) for path, part in paths_of(item, name)]
    changed = any(new is not old for new, old in zip(parts, parts_of(item)))
    return refilled(item, parts) if changed else item


def replace_arguments(arguments, keywords, names, replaced):
    """Return the arguments with the named leaves replaced."""

    if not replaced:
        return arguments, keywords
    given = zip(names, [*arguments, *keywords.values()])
    items = [_replaced(item, name, replaced) for name, item in given]
    count = len(arguments)
    return tuple(items[:count]), dict(zip(keywords, items[count:]))
