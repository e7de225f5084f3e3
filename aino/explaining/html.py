"""An explanation as HTML that stands by itself, readable in light and dark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from aino.drawing.numbers import brief
from aino.explaining.folding import Block, folded
from aino.explaining.style import PAGE, STYLE
from aino.explaining.telling import Equation, Heading, Item, Words
from aino.explaining.text import wants_brackets


def write(items: list[Item], modules: Mapping[tuple[str, ...], str] | None = None) -> str:
    """Return headings, sentences and equations as one ``div`` with its style.

    ``modules``: the classes of the modules by which steps are folded.
    """
    written = [f"<style>{STYLE}</style>", '<div class="aino-page aino-explanation">']
    blocks: list[Block] = []
    opened = 0
    lines = written
    for item in items:
        if isinstance(item, Heading):
            if opened:
                lines.append("</section>")
            opened = 1
            if item.level == 3:
                blocks.append(Block(item.module, lines := []))
            elif blocks:
                written += folded(blocks, modules or {})
                blocks, lines = [], written
            note = f" <small>{escape(item.note)}</small>" if item.note else ""
            kind = {1: "title", 2: "chapter", 3: "step"}[item.level]
            lines.append(f'<section class="aino-{kind}">')
            lines.append(f"<h{item.level + 1}>{_math(item.text)}{note}</h{item.level + 1}>")
        elif isinstance(item, Words):
            lines.append(f'<p class="aino-{item.kind}">{_math(item.text)}</p>')
        else:
            lines.append(_equation(item))
    lines.append("</section>" * opened)
    return "\n".join([*written, *folded(blocks, modules or {}), "</div>"])


def page(body: str, title: str) -> str:
    """Return a whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PAGE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _equation(item: Equation) -> str:
    sides = [
        '<span class="aino-dot"> · </span>'.join(
            [_factor(x.what, x.role, len(side) > 1) for x in side]
        )
        for side in item.sides
    ]
    equals = ' <span class="aino-equals">=</span> '
    note = f'<span class="aino-beside">{escape(item.note)}</span>' if item.note else ""
    return f'<div class="aino-equation"><span>{equals.join(sides)}</span>{note}</div>'


def _factor(what: Any, role: str, one_of_several: bool) -> str:
    inner = matrix(what, one_of_several) if isinstance(what, np.ndarray) else _math(what)
    return f'<span class="aino-{role or "side"}">{inner}</span>'


def _math(text: str) -> str:
    """Return mathematical text; derivatives as fractions."""
    parts = re.split(r"(∂[^\s/()]+/∂[^\s()=,:]+)", text)
    for i in range(1, len(parts), 2):
        above, below = parts[i].split("/", 1)
        closing = re.search(r"[²³ᵀ.]+$", below)
        behind = closing[0] if closing else ""
        below = below.removesuffix(behind)
        parts[i] = (
            f'<span class="aino-fraction" role="math" aria-label="{escape(parts[i])}">'
            f"<span>{escape(above)}</span><span>{escape(below)}</span></span>{behind}"
        )
    parts[::2] = [escape(part) for part in parts[::2]]
    return "".join(parts)


def matrix(array: np.ndarray, factor: bool = False) -> str:
    """Return an array in brackets; as a factor, a negative number stands in them, too."""
    if array.ndim == 0:
        text = brief(array.item())
        return f"({escape(text)})" if factor and wants_brackets(text) else escape(text)
    if array.ndim > 2:
        return "[" + ", ".join([matrix(part) for part in array]) + "]"
    rows = [array] if array.ndim == 1 else list(array)
    cells = "".join([
        "<tr>" + "".join([f"<td>{escape(brief(x))}</td>" for x in row.tolist()]) + "</tr>"
        for row in rows
    ])  # fmt: skip
    return f'<table class="aino-matrix"><tbody>{cells}</tbody></table>'
