"""Nested arguments and results of transformed functions, taken apart and put together."""

from __future__ import annotations

from typing import Any

from aino.pytree import is_container, parts_of, refilled


def leaves_of(tree: Any) -> list:
    """Return the leaves of nested containers, in order."""
    if not is_container(tree):
        return [tree]
    return [leaf for part in parts_of(tree) for leaf in leaves_of(part)]


def rebuilt(tree: Any, leaves) -> Any:
    """Return nested containers like ``tree`` with other leaves."""
    return _rebuilt(tree, iter(leaves))


def _rebuilt(tree, leaves):
    if not is_container(tree):
        return next(leaves)
    return refilled(tree, [_rebuilt(part, leaves) for part in parts_of(tree)])


def prefixed(prefix: Any, tree: Any, what: str, of: str) -> list:
    """Return for each leaf of ``tree`` what ``prefix`` says of it.

    ``prefix`` is nested like ``tree``, but may stop anywhere: what stands there is for all below.
    """
    if not is_container(prefix):
        return [prefix for _ in leaves_of(tree)]
    own, others = parts_of(prefix), parts_of(tree)
    fits = is_container(tree) and len(own) == len(others)
    if fits and isinstance(prefix, dict):
        fits = isinstance(tree, dict) and list(prefix) == list(tree)
    if not fits:
        raise ValueError(f"{what} is not nested as {of}, {structure(tree)}")
    return [item for a, b in zip(own, others) for item in prefixed(a, b, what, of)]


def structure(tree: Any) -> str:
    """Return how containers are nested, with a star for each leaf."""
    if not is_container(tree):
        return "*"
    parts = [structure(part) for part in parts_of(tree)]
    if isinstance(tree, dict):
        return "{" + ", ".join([f"{key!r}: {part}" for key, part in zip(tree, parts)]) + "}"
    if isinstance(tree, list):
        return f"[{', '.join(parts)}]"
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def name_of(func: Any) -> str:
    """Return what messages call a function."""
    return getattr(func, "__name__", None) or type(func).__name__
