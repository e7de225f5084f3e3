"""What a program relies on, as rows that C compares: which object stands where.

A row is at least as strict as the condition that the guard in Python has for it: where another
object stands there, the condition itself is asked.
"""

from __future__ import annotations

import ast
import types
from typing import Any

from aino.compiler.guards.reads import Read
from aino.compiler.guards.snapshots import is_plain_value
from aino.optim.optimizer import Group


def row(kind: str, holder, key: str, value, holds: str | None = None, place: int = 0) -> tuple:
    """Return a row: ``value`` stands at ``key`` of ``holder``, or else the condition ``holds``.

    ``kind``: "attr", "item" of a dictionary, "cell", "part" of the list that an attribute is, or
    "length" of a list, which is ``place``.
    """
    return (kind, holder, key, place, value, holds)


def row_of_place(text: str, containers: dict[str, Any], value, holds: str | None) -> tuple | None:
    """Return the row of ``group0['lr']`` or ``holder0.name``, None where it is neither."""
    return _row_of(ast.parse(text, mode="eval").body, containers, value, holds)


def row_of_comparison(text: str, containers: dict[str, Any], holds: str) -> tuple | None:
    """Return the row of an expression of one entry alone: it is what it was while that stands."""
    tree = ast.parse(text, mode="eval").body
    names = [node for node in ast.walk(tree) if isinstance(node, (ast.Name, ast.Call))]
    places = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    if len(names) != 1 or len(places) != 1:
        return None
    return _row_of(places[0], containers, None, holds)


def _row_of(node: ast.AST, containers: dict[str, Any], value, holds: str | None) -> tuple | None:
    if not isinstance(node, (ast.Subscript, ast.Attribute)) or not isinstance(node.value, ast.Name):
        return None
    holder = containers.get(node.value.id)
    if isinstance(node, ast.Attribute):
        return None if holder is None else row("attr", holder, node.attr, value, holds)
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if not is_dictionary(holder) or type(key) is not str:
        return None
    return row("item", holder, key, value, holds)


def is_dictionary(holder) -> bool:
    """Tell whether what an object holds is what its dictionary holds."""
    return type(holder) in (dict, Group)


def row_of_read(read: Read, condition: str) -> tuple | None:
    """Return the row of a read, None where it is none of one place."""
    holder, key, before = read.holder, read.key, read.before
    if read.label:
        return None
    # The very value is what it was; of others that equal it, its condition knows.
    known_alone = before is None or isinstance(before, bool) or not _is_compared(before)
    holds = None if known_alone else condition
    if read.kind == "cell" and type(holder) is types.CellType:
        return row("cell", holder, "", before, holds)
    if read.kind == "attr":
        return row("attr", holder, key, before, holds)
    if read.kind in ("global", "item") and type(holder) is dict and type(key) is str:
        return row("item", holder, key, before, holds)
    return None


def _is_compared(value) -> bool:
    return is_plain_value(value) or type(value) is tuple
