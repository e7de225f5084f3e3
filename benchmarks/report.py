"""Tables, raw figures and a chart of what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.harness import AINO, Result

UNITS = {
    "seconds": ((1e6, "µs"), (1e3, "ms"), (1, "s")),
    "bytes": ((1e-3, "kB"), (1e-6, "MB"), (1e-9, "GB")),
}


def amount(value: float, kind: str = "seconds") -> str:
    """Return a time, or a size, in the unit that suits it."""
    for factor, unit in UNITS[kind]:
        if value * factor < 1000:
            break
    return f"{value * factor:.3g} {unit}"


def table(result: Result) -> str:
    """Return a result as lines of text: each contender's time, and its ratio to the first."""
    lines = [f"{result.family}: {result.name} (per {result.unit})"]
    width = max(len(name) for name in result.seconds)
    for position, name in enumerate(result.seconds):
        line = f"  {name:{width}}  {amount(result.median(name), result.kind):>8}"
        if position:
            low, middle, high = result.ratios(name)
            line += f"   × {middle:<6.3g} [{low:.3g} … {high:.3g}]   {result.verdict(name)}"
        lines.append(line.rstrip())
    lines += [f"  ! {note}" for note in result.notes]
    return "\n".join(lines)


def write_figures(results: list[Result], environment: dict, path: Path) -> None:
    """Write everything that was measured as JSON."""
    figures = {
        "environment": environment,
        "results": [
            {
                "family": result.family,
                "name": result.name,
                "unit": result.unit,
                "kind": result.kind,
                "medians": {name: result.median(name) for name in result.seconds},
                "ratios": {name: result.ratios(name) for name in result.seconds},
                "wanted": result.wanted,
                "notes": result.notes,
                "seconds": result.seconds,
            }
            for result in results
        ],
    }
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


# The chart: one bar for each peer and workload, as long as it takes in units of AINO's time.

WIDTH, LABELS, BAR, GAP, HEAD = 860, 330, 16, 5, 26
COLOURS = {"PyTorch": "#c8553d", "JAX": "#588b8b", "NumPy": "#8d99ae", "scikit": "#e09f3e"}


def chart(results: list[Result], title: str) -> str:
    """Return an SVG of how many times as long as AINO the others take."""
    compared = [result for result in results if len(result.seconds) > 1]
    longest = max(
        (result.ratios(name)[1] for result in compared for name in list(result.seconds)[1:]),
        default=1.0,
    )
    scale = (WIDTH - LABELS - 90) / max(longest, 1.0)
    parts: list[str] = []
    y = 44
    for result in compared:
        first, *others = result.seconds
        heading = f"{result.name}: {first} {amount(result.median(first), result.kind)}"
        parts.append(_text(10, y + 14, heading, bold=True))
        y += HEAD
        for name in others:
            low, middle, high = result.ratios(name)
            parts.append(_text(LABELS - 8, y + 12, name, anchor="end"))
            parts.append(
                f'<rect x="{LABELS}" y="{y}" width="{middle * scale:.1f}" height="{BAR}" '
                f'fill="{_colour(name)}"/>'
            )
            parts.append(
                f'<path d="M{LABELS + low * scale:.1f} {y + BAR / 2} '
                f'H{LABELS + high * scale:.1f}" stroke="#222" stroke-width="1.5"/>'
            )
            end = LABELS + max(middle, high) * scale + 6
            parts.append(_text(end, y + 12, f"× {middle:.3g}"))
            y += BAR + GAP
        y += 10
    line = LABELS + scale
    parts.append(
        f'<path d="M{line:.1f} 38 V{y - 8}" stroke="#222" stroke-dasharray="3 3" fill="none"/>'
    )
    parts.append(_text(line, 34, AINO, anchor="middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 6}" '
        f'viewBox="0 0 {WIDTH} {y + 6}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n'
        f"{_text(10, 20, title, bold=True)}\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _colour(name: str) -> str:
    return next((c for prefix, c in COLOURS.items() if name.startswith(prefix)), "#5b8e7d")


def _text(x: float, y: float, text: str, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'
