"""A program to be looked at: coloured, each line with the module and the formula it came from."""

from __future__ import annotations

import linecache
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from aino.compiler.backends.numpy.lines import Line as WrittenLine

_TOKENS = re.compile(
    r"(?P<comment>#.*)|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<keyword>\b(?:def|return|for|in|if|else|with|not|and|or|None|True|False)\b)"
    r"|(?P<function>\bnp(?:\.\w+)+)|(?P<gradient>\bd_\w+)"
    r"|(?P<number>\b\d[\d.]*(?:e[+-]?\d+)?)|(?P<name>\w+)|(?P<other>.)"
)
#: What a token is -> its colour on a terminal.
_ANSI = {"comment": "90", "string": "32", "keyword": "35", "function": "34", "gradient": "33",
         "number": "36"}  # fmt: skip


@dataclass(slots=True)
class ListedLine:
    """One line: ``code`` and ``formula``, what stands beside it.

    ``module``: what it belongs to, by its path and class. ``place``: the user's line, as
    ``train.py:12``, ``text``: what stands there.
    """

    code: str
    formula: str = ""
    section: str = ""
    module: str = ""
    place: str = ""
    text: str = ""


@dataclass(slots=True)
class Listing:
    """What ``show_source()`` returns: ``lines``, which ``print`` shows, and notebooks."""

    name: str
    lines: list[ListedLine] = field(default_factory=list)

    def __str__(self) -> str:
        return self._written(False)

    def __repr__(self) -> str:
        return str(self)

    def ansi(self) -> str:
        """Return it with the colours of a terminal."""
        return self._written(True)

    def html(self) -> str:
        """Return it as a page of HTML that stands by itself, readable in light and dark."""
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{escape(self.name)}</title><style>body{{margin:0;background:#fff}}"
            "@media (prefers-color-scheme:dark){body{background:#14171a}}</style></head><body>\n"
            f"{self._repr_html_()}\n</body></html>\n"
        )

    def modules(self) -> dict[str, list[int]]:
        """Return the modules in the order of their first lines, each with the numbers of these."""
        found: dict[str, list[int]] = {}
        for number, line in enumerate(self.lines, 1):
            if line.module:
                found.setdefault(line.module, []).append(number)
        return found

    def _written(self, coloured: bool) -> str:
        width = max([len(line.module) for line in self.lines], default=0)
        written = []
        for line in self.lines:
            beside = line.module.ljust(width)
            code = f"{line.code}    # {line.formula}" if line.formula else line.code
            if coloured:
                beside = f"\x1b[90m{beside}\x1b[0m"
                code = "".join([_coloured(match) for match in _TOKENS.finditer(code)])
            written.append(f"{beside}  {code}".rstrip())
        return "\n".join(written)

    def _repr_html_(self) -> str:
        # Listings may stand beside one another on a page: their places have names of their own.
        own = f"aino-{zlib.crc32(str(self).encode()):x}"
        places = {module: f"{own}-m{i}" for i, module in enumerate(self.modules())}
        rows = []
        for number, line in enumerate(self.lines, 1):
            code = "".join([_marked(match) for match in _TOKENS.finditer(line.code)])
            where = f"{line.place}: {line.text}" if line.text else line.place
            module = (
                f'<a href="#{places[line.module]}">{escape(line.module)}</a>' if line.module else ""
            )
            rows.append(
                f'<tr id="{own}-{number}"{_hover(where)}><td class="n">{number}</td>'
                f'<td class="m">{module}</td><td class="c">{code}</td>'
                f'<td class="f">{escape(line.formula)}</td></tr>'
            )
        legend = "".join([
            f'<li id="{places[module]}"><b>{escape(module)}</b>: {_linked(numbers, own)}</li>'
            for module, numbers in self.modules().items()
        ])  # fmt: skip
        return (
            f'<style>{_STYLE}</style><div class="aino-listing">'
            f"<ul>{legend}</ul><table><tbody>{''.join(rows)}</tbody></table></div>"
        )


def listing(text: str, lines: list[WrittenLine], owners: Mapping[int, Any]) -> Listing:
    """Return the listing of a program, of which ``lines`` are all but the first."""
    first = text.splitlines()[0]
    shown = Listing(first[4 : first.index("(")], [ListedLine(first)])
    paths = _paths(owners)
    said = ""
    for line in lines:
        note = line.note if line.call is not None else said
        fresh, said = ("" if note == said else note), note
        listed = ListedLine(f"    {line.text}", fresh)
        if line.call is not None:
            listed.section = line.call.section
            listed.module = paths.get(line.call.owner, "")
            file, _, number = line.call.line.rpartition(":")
            if file and number.isdigit():
                listed.place = f"{os.path.basename(file)}:{number}"
                listed.text = linecache.getline(file, int(number)).strip()
        shown.lines.append(listed)
    return shown


def _paths(owners: Mapping[int, Any]) -> dict[int, str]:
    """Return what modules and optimizers are called: their path in the model, and their class."""
    found: dict[int, str] = {}
    for owner in owners.values():
        for path, module in owner.named_modules() if hasattr(owner, "named_modules") else ():
            known = found.get(id(module), "")
            kind = type(module).__name__
            said = f"{path}: {kind}" if path else kind
            if path.count(".") + bool(path) >= known.count(".") + (": " in known):
                found[id(module)] = said
        found.setdefault(id(owner), type(owner).__name__)
    return found


def _coloured(match: re.Match) -> str:
    colour = _ANSI.get(match.lastgroup or "")
    return f"\x1b[{colour}m{match[0]}\x1b[0m" if colour else match[0]


def _marked(match: re.Match) -> str:
    kind = match.lastgroup
    text = escape(match[0])
    return f'<i class="{kind}">{text}</i>' if kind in _ANSI else text


def _hover(where: str) -> str:
    return f' title="{escape(where)}"' if where else ""


def _linked(numbers: list[int], own: str) -> str:
    """Return line numbers as links, those that follow one another as one."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = [f"{a}" if a == b else f"{a}-{b}" for a, b in runs]
    return ", ".join([f'<a href="#{own}-{a}">{t}</a>' for (a, _), t in zip(runs, texts)])


_LIGHT = (
    "--ink:#1c1e21;--pale:#5a6169;--line:#d5dae0;--paper:#fff;--chosen:#fdf3dc;--keyword:#7a3e7d;"
    "--function:#00598c;--gradient:#9a4d00;--number:#00664a;--string:#3d6b00"
)
_DARK = (
    "--ink:#e4e7eb;--pale:#a3abb4;--line:#3c444d;--paper:#14171a;--chosen:#33291c;"
    "--keyword:#d9a2dc;--function:#6cc0f0;--gradient:#f0a860;--number:#4fd0a4;--string:#a8d06a"
)
_STYLE = (
    f".aino-listing{{{_LIGHT};color:var(--ink);background:var(--paper);padding:1em;"
    "overflow-x:auto;font:14px/1.45 system-ui,Helvetica,Arial,sans-serif}"
    f"@media (prefers-color-scheme:dark){{.aino-listing{{{_DARK}}}}}"
    f'[data-jp-theme-light="false"] .aino-listing,[data-theme="dark"] .aino-listing{{{_DARK}}}'
    f'[data-jp-theme-light="true"] .aino-listing,[data-theme="light"] .aino-listing{{{_LIGHT}}}'
    ".aino-listing a{color:inherit;text-decoration:underline dotted}"
    ".aino-listing ul{list-style:none;margin:0 0 .8em;padding:0;display:flex;flex-wrap:wrap;"
    "gap:.2em 1.4em}"
    ".aino-listing table{border-collapse:collapse;background:none}"
    ".aino-listing td{border:0;padding:0 .9em 0 0;white-space:pre;text-align:left;"
    "vertical-align:top;background:none;color:inherit}"
    ".aino-listing .c{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "font-size:.93em;white-space:pre-wrap;max-width:52em;padding-left:2em;text-indent:-2em}"
    ".aino-listing .n{color:var(--pale);text-align:right;user-select:none}"
    ".aino-listing .m,.aino-listing .f{color:var(--pale)}"
    ".aino-listing i{font-style:normal}.aino-listing .comment{color:var(--pale)}"
    ".aino-listing :is(tr,li):target{background:var(--chosen)}"
    ".aino-listing tr:hover{background:color-mix(in srgb,var(--line) 40%,transparent)}"
) + "".join([
    f".aino-listing .{kind}{{color:var(--{kind})}}"
    for kind in ("keyword", "function", "gradient", "number", "string")
])  # fmt: skip
