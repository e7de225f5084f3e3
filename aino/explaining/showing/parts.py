"""What tables and pictures in notebooks have in common: their style, and when there are none."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from aino.explaining.style import COLOURS
from aino.tracing import is_tracing

_OWN = (
    ".aino-shown{padding:.6em .9em;font-size:13.5px;max-width:none;width:fit-content;"
    "box-sizing:border-box}"
    ".aino-shown p{margin:0 0 .3em;color:var(--aino-pale)}.aino-shown p b{color:var(--aino-ink)}"
    ".aino-shown p:last-child{margin-bottom:0}"
    ".aino-side{display:flex;flex-wrap:wrap;align-items:flex-start;gap:.6em 1.6em}"
    ".aino-shown .aino-scroll{overflow-x:auto;max-width:100%}"
    ".aino-shown table{border-collapse:collapse;border:0;margin:.1em 0;background:none;"
    "color:inherit;font-size:1em;font-variant-numeric:tabular-nums}"
    ".aino-shown caption{caption-side:top;text-align:left;padding:0 .5em .1em;"
    "color:var(--aino-pale)}"
    ".aino-shown tr,.aino-shown tbody tr:nth-child(odd),.aino-shown tbody tr:hover{background:none}"
    ".aino-shown th,.aino-shown td{border:0;padding:.12em .5em;text-align:right;background:none;"
    "color:inherit;white-space:nowrap}"
    ".aino-shown th{font-weight:400;color:var(--aino-pale)}"
    ".aino-shown thead th{border-bottom:1px solid var(--aino-line)}"
    ".aino-shown tbody th{border-right:1px solid var(--aino-line)}"
    ".aino-shown .aino-odd{color:var(--aino-local);font-weight:600}"
    ".aino-shown dl{display:grid;grid-template-columns:max-content auto;gap:.1em .9em;"
    "margin:.2em 0}"
    ".aino-shown dl>dt{margin:0;color:var(--aino-pale);font-weight:400}"
    ".aino-shown dl>dd{margin:0;font-variant-numeric:tabular-nums}"
    ".aino-shown svg{display:block;max-width:100%;height:auto}"
    ".aino-shown figure{margin:0}"
    ".aino-shown figcaption{color:var(--aino-pale);font-size:.9em;max-width:22em}"
)


def shown(body: str, style: str = "") -> str:
    """Return what a notebook shows: one ``div``, with its style."""
    return f'<div class="aino-page aino-shown"><style>{COLOURS}{_OWN}{style}</style>{body}</div>'


def or_text(write: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    """Return a function for a notebook that returns None where the text has to do.

    That is so in a trace, where there are no numbers; for a class of the user's that has a
    ``__repr__`` of its own, which is what they want to see; and for what is broken: who asks to see
    it wants to see what there is, and the text says more than a traceback of ours.
    """

    @functools.wraps(write)
    def html_of(thing: Any) -> str | None:
        if is_tracing() or not _is_ours(type(thing).__repr__):
            return None
        try:
            return write(thing)
        except Exception:
            return None

    return html_of


def _is_ours(function: Any) -> bool:
    if function is dict.__repr__:
        return True
    return (getattr(function, "__module__", None) or "").partition(".")[0] == "aino"


def places(length: int, most: int = 8, first: int = 5, last: int = 2) -> list[int | None]:
    """Return the places that are shown of so many, None where some are left out.

    >>> places(3), places(100)
    ([0, 1, 2], [0, 1, 2, 3, 4, None, 98, 99])
    """
    if length <= most:
        return list(range(length))
    return [*range(first), None, *range(length - last, length)]


def table(
    heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], caption: str = ""
) -> str:
    """Return a table of cells that are HTML; the head and the name of each row are text.

    Arguments:
        heads: what stands above the columns, and first above the names; none for no head.
        rows: the name of each row, and its cells; where all names are empty, there are none.
        caption: what the table is called.
    """
    named = any([name for name, _ in rows])
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    above = ""
    if heads:
        corner = ([f'<th scope="col">{escape(heads[0])}</th>' if heads[0] else "<td></td>"]
                  if named else [])  # fmt: skip
        cells = [f'<th scope="col">{escape(head)}</th>' for head in heads[1:]]
        above = f"<thead><tr>{''.join(corner + cells)}</tr></thead>"
    lines = []
    for name, row in rows:
        head = f'<th scope="row">{escape(name)}</th>' if named else ""
        lines.append(f"<tr>{head}{''.join([f'<td>{cell}</td>' for cell in row])}</tr>")
    whole = f"<table>{said}{above}<tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="aino-scroll">{whole}</div>'


def pairs(named: Sequence[tuple[str, str]]) -> str:
    """Return names with what is said of each; both are text, but for what begins with ``<``."""
    said = [
        f"<dt>{escape(name)}</dt><dd>{value if value.startswith('<') else escape(value)}</dd>"
        for name, value in named
    ]
    return f"<dl>{''.join(said)}</dl>"


def odd(text: str) -> str:
    """Return text that is marked as what deserves a look, as HTML."""
    return f'<span class="aino-odd">{escape(text)}</span>'


def svg(width: float, height: float, title: str, body: str) -> str:
    """Return a picture with a title, which is what is read out, and shown beside the pointer."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:g}" '
        f'height="{height:g}" viewBox="0 0 {width:g} {height:g}"><title>{escape(title)}</title>'
        f"{body}</svg>"
    )


def writing(x: float, y: float, text: str, anchor: str = "start") -> str:
    """Return a small pale text in a picture."""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="11" '
        f'style="fill:var(--aino-pale)">{escape(text)}</text>'
    )
