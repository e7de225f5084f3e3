"""An explanation as LaTeX, and as Markdown with LaTeX between dollars."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from aino.drawing.numbers import brief
from aino.explaining.notation import latex_of
from aino.explaining.telling import Equation, Heading, Item, Words
from aino.explaining.text import wants_brackets

_SPECIAL = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
            "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
            "\\": r"\textbackslash{}"}  # fmt: skip
_SECTIONS = {1: "section*", 2: "subsection*", 3: "paragraph"}


def write_latex(items: list[Item]) -> str:
    """Return a piece of a LaTeX document, which needs ``amsmath``; letters are ASCII."""
    written: list[str] = []
    for group in grouped(items):
        if isinstance(group, Heading):
            note = f" ({_sentence(group.note)})" if group.note else ""
            written.append(f"\\{_SECTIONS[group.level]}{{{_sentence(group.text)}{note}}}")
        elif isinstance(group, Words):
            mark = {"why": r"\emph{%s}"}.get(group.kind, "%s")
            written.append(mark % _sentence(group.text) + r"\par")
        else:
            written.append(_aligned(group, "align*"))
    return "\n".join(written) + "\n"


def write_markdown(items: list[Item]) -> str:
    """Return Markdown whose equations stand between dollars."""
    written: list[str] = []
    for group in grouped(items):
        if isinstance(group, Heading):
            note = f" *({group.note})*" if group.note else ""
            written.append(f"{'#' * (group.level + 1)} {_escaped(group.text)}{note}")
        elif isinstance(group, Words):
            quote = {"why": "> **{}**", "note": "> {}"}.get(group.kind, "{}")
            written.append(quote.format(_escaped(group.text)))
        else:
            written.append("$$\n" + _aligned(group, "aligned") + "\n$$")
    return "\n\n".join(written) + "\n"


def grouped(items: list[Item]) -> list[Any]:
    """Return the items, equations that follow one another as one list."""
    groups: list[Any] = []
    for item in items:
        if isinstance(item, Equation):
            if groups and isinstance(groups[-1], list):
                groups[-1].append(item)
            else:
                groups.append([item])
        else:
            groups.append(item)
    return groups


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|$])", r"\\\1", text)


def _sentence(text: str) -> str:
    """Return a sentence: what LaTeX has no letters for stands as mathematics."""
    parts = re.split(r"([^\x00-\x7f][^\s,.:;]*|\S*[^\x00-\x7f]\S*)", text)
    return "".join([
        f"${latex_of(part)}$" if not part.isascii() else "".join([_SPECIAL.get(c, c) for c in part])
        for part in parts
    ])  # fmt: skip


def _aligned(equations: list[Equation], environment: str) -> str:
    lines = []
    for equation in equations:
        sides = [
            r" \cdot ".join([latex(x.what, len(side) > 1) for x in side]) for side in equation.sides
        ]
        line = sides[0] + " &= " + " = ".join(sides[1:]) if len(sides) > 1 else sides[0]
        lines.append(line + (rf" && \text{{({equation.note})}}" if equation.note else ""))
    body = " \\\\\n".join(lines)
    return f"\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}"


def latex(what: Any, factor: bool = False) -> str:
    """Return a formula or an array in LaTeX."""
    if not isinstance(what, np.ndarray):
        match = re.fullmatch(r"(part \d+ of) (.*)|(\S+, norm \S+)|(\(of shape .*\))", what)
        if match is not None:
            words = match[1] or match[3] or match[4]
            behind = latex_of(match[2]) if match[2] else ""
            words = words.replace("×", " by ")
            return rf"\text{{{words} }}{behind}"
        return latex_of(what)
    if what.ndim == 0:
        text = _number(what.item())
        return rf"\left({text}\right)" if factor and wants_brackets(text) else text
    if what.size == 0:
        return r"[\,]"
    if what.ndim > 2:
        return r"\left[" + ",\\ ".join([latex(part) for part in what]) + r"\right]"
    rows = [what] if what.ndim == 1 else list(what)
    body = r" \\ ".join([" & ".join([_number(x) for x in row.tolist()]) for row in rows])
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"


def _number(value: Any) -> str:
    text = brief(value)
    match = re.fullmatch(r"(-?[\d.]+)e([+-]\d+)", text)
    if match is not None:
        return rf"{match[1]} \cdot 10^{{{int(match[2])}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}.get(text, text)
