"""Tables: as text for a terminal, as HTML for a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np


class Report:
    """What prints as a text of paragraphs and tables, and shows itself so in a notebook."""

    def parts(self) -> list[str | Table]:
        """Return what the report says, from above to below: texts and tables."""
        raise AssertionError("a report says what it is made of")

    def __str__(self) -> str:
        return "\n".join([str(part) for part in self.parts()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        written = [
            part.html() if isinstance(part, Table) else f"<div>{html.escape(part)}</div>"
            for part in self.parts()
        ]
        return f'<div style="font-size: 90%">{"".join(written)}</div>'


class Table:
    """Rows under a head; numbers stand to the right."""

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.head = list(head)
        self.rows = [list(row) for row in rows]

    def _columns(self) -> list[tuple[bool, list[str]]]:
        columns = []
        for place, title in enumerate(self.head):
            values = [row[place] for row in self.rows]
            right = all([isinstance(value, (int, float, np.number)) or value is None
                         for value in values]) and bool(values)  # fmt: skip
            columns.append((right, [title, *[_written(value) for value in values]]))
        return columns

    def __str__(self) -> str:
        columns = []
        for right, texts in self._columns():
            width = max(map(len, texts))
            columns.append([text.rjust(width) if right else text.ljust(width) for text in texts])
        lines = ["  ".join(line).rstrip() for line in zip(*columns)]
        return "\n".join(lines if any(self.head) else lines[1:])

    def html(self) -> str:
        """Return the table as HTML that is readable on light and on dark ground."""
        columns = self._columns()
        lines = []
        for place in range(not any(self.head), len(self.rows) + 1):
            tag = "td" if place else "th"
            cells = [
                f'<{tag} style="text-align: {"right" if right else "left"}">'
                f"{html.escape(texts[place])}</{tag}>"
                for right, texts in columns
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return f"<table>{''.join(lines)}</table>"


def _written(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names in a line: the first of them where they are many."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
