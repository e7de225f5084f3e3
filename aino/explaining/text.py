"""An explanation as plain text."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from aino.drawing.numbers import brief
from aino.explaining.telling import Equation, Heading, Item, Words

_WIDTH = 88


def write(items: list[Item]) -> str:
    """Return headings, sentences and equations as lines of text."""
    lines: list[str] = []
    depth = ""
    for item in items:
        if isinstance(item, Heading):
            if item.level == 1:
                lines += [item.text, "═" * len(item.text)]
            elif item.level == 2:
                title = f"{item.text}: {item.note}" if item.note else item.text
                lines += ["", title, "─" * len(title)]
                depth = "  "
            else:
                lines += ["", f"{item.text}    ({item.note})"]
                depth = "    "
        elif isinstance(item, Words):
            marks = {"why": "! ", "note": "* "}
            mark = marks.get(item.kind, "")
            hanging = depth + " " * len(mark)
            lines += textwrap.wrap(mark + item.text, _WIDTH, initial_indent=depth,
                                   subsequent_indent=hanging)  # fmt: skip
        else:
            lines += [depth + line for line in _equation(item)]
    return "\n".join(lines)


def _equation(item: Equation) -> list[str]:
    sides = [" · ".join([as_line(x.what, len(side) > 1) for x in side]) for side in item.sides]
    note = f"    ({item.note})" if item.note else ""
    line = " = ".join(sides)
    if len(line) + len(note) <= _WIDTH + 8:
        return [line + note]
    indent = " " * len(sides[0])
    lines = [f"{sides[0]} = {sides[1]}"] if len(sides) > 1 else [sides[0]]
    lines += [f"{indent} = {side}" for side in sides[2:]]
    lines[0] += note
    return lines


def as_line(what: Any, factor: bool = False) -> str:
    """Return a formula or an array on one line; as a factor, some numbers in brackets."""
    if isinstance(what, np.ndarray):
        text = nested(what.tolist())
        return f"({text})" if factor and wants_brackets(text) else text
    return what


def wants_brackets(number: str) -> bool:
    """Tell whether a number as a factor stands in brackets: a negative, or a complex one."""
    return number.startswith("-") or number.endswith("j")


def nested(numbers: Any) -> str:
    if isinstance(numbers, list):
        return "[" + ", ".join([nested(item) for item in numbers]) + "]"
    return brief(numbers)
