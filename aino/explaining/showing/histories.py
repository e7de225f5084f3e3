"""A history in a notebook: the last epochs as a table, all of them as curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from aino.drawing.numbers import brief, shorten
from aino.explaining.showing.parts import odd, or_text, shown, svg, table, writing

#: So many of the last epochs stand in the table, of so many columns; so many panels have curves.
_EPOCHS, _COLUMNS, _PANELS = 5, 10, 6
#: A curve has at most about so many points.
_POINTS = 160
_WIDTH, _HEIGHT, _LEFT, _TOP, _UNDER = 240.0, 120.0, 66.0, 20.0, 18.0
#: How a number of the training and that of the validation are drawn: colour, and dashes.
_LINES = (("var(--aino-incoming)", ""), ("var(--aino-local)", ' stroke-dasharray="5 3"'))

CURVES = (
    ".aino-shown .aino-curves{display:flex;flex-wrap:wrap;gap:.6em 1.2em;margin-top:.5em}"
    ".aino-shown .aino-curves path{fill:none;stroke-width:1.6;stroke-linejoin:round}"
)


@or_text
def html_of(history: Mapping[str, list[float]]) -> str | None:
    """Return the numbers of every epoch as HTML, a panel for each and that of its validation."""
    return shown(told(history), CURVES)


def told(history: Mapping[str, list[float]]) -> str:
    """Return the same without its style, for what has a history."""
    epochs = max(map(len, history.values()), default=0)
    said = "<p><b>History</b> · "
    if not epochs:
        return f"{said}no epochs yet</p>"
    said += f"{epochs:,} epoch{'s' if epochs > 1 else ''}</p>"
    names = list(dict.fromkeys([name.removeprefix("val_") for name in history]))
    panels = [_panel(history, name, epochs) for name in names[:_PANELS]]
    more = len(names) - len(panels)
    left_out = f"<p>… and {more} more, which history.plot() draws</p>" if more > 0 else ""
    curves = f'<div class="aino-curves">{"".join(panels)}</div>'
    return f"{said}{_table(history, epochs)}{curves}{left_out}"


def _table(history: Mapping[str, list[float]], epochs: int) -> str:
    names = list(history)[:_COLUMNS]
    dots = ["…"] if len(history) > len(names) else []
    heads = ["epoch", *[shorten(name, 40) for name in names], *dots]
    rows: list[tuple[str, list[str]]] = []
    if epochs > _EPOCHS:
        rows.append(("…", ["…" for _ in heads[1:]]))
    for epoch in range(max(0, epochs - _EPOCHS), epochs):
        columns = [history[name] for name in names]
        cells = [_cell(column[epoch]) if epoch < len(column) else "–" for column in columns]
        rows.append((f"{epoch + 1:,}", cells + dots))
    return table(heads, rows)


def _cell(number: float) -> str:
    text = brief(float(number))
    return escape(text) if math.isfinite(number) else odd(text)


def _panel(history: Mapping[str, list[float]], name: str, epochs: int) -> str:
    """Return the curve of a number, and that of the validation beside it."""
    curves = [
        (kind, [float(x) for x in history[column]])
        for kind, column in enumerate((name, f"val_{name}"))
        if column in history
    ]
    known = [x for _, values in curves for x in values if math.isfinite(x)]
    title = said = name if name in history else f"val_{name}"
    body = [writing(_LEFT, 12, shorten(said, 24))]
    if known:
        low, high = min(known), max(known)
        lines = [_curve(values, epochs, low, high, *_LINES[kind]) for kind, values in curves]
        title = f"{said} over {epochs:,} epochs, from {brief(low)} to {brief(high)}"
        body += [*_frame(epochs, low, high), *lines]
    count = sum([len(values) for _, values in curves]) - len(known)
    if count:
        title += f"; {count:,} not finite, or not measured"
    if len(curves) == 2:
        title += "; the dashed line is the validation"
        body.append(writing(_LEFT + _WIDTH, 12, "- - validation", "end"))
    if not known:
        body.append(writing(_LEFT, _TOP + _HEIGHT / 2, "no finite numbers"))
    return svg(_LEFT + _WIDTH + 6, _TOP + _HEIGHT + _UNDER, title, "".join(body))


def _frame(epochs: int, low: float, high: float) -> list[str]:
    bottom, right = _TOP + _HEIGHT, _LEFT + _WIDTH
    ends = [writing(_LEFT - 6, bottom, brief(low), "end")]
    if high > low:
        ends.append(writing(_LEFT - 6, _TOP + 10, brief(high), "end"))
    return [
        f'<path d="M{_LEFT:g} {_TOP:g}V{bottom:g}H{right:g}" '
        'style="stroke:var(--aino-line);stroke-width:1"/>',
        *ends,
        writing(_LEFT, bottom + 14, "epoch 1"),
        *([writing(right, bottom + 14, f"{epochs:,}", "end")] if epochs > 1 else []),
    ]


def _curve(
    values: list[float], epochs: int, low: float, high: float, colour: str, dashes: str
) -> str:
    step = -(-len(values) // _POINTS)
    picked = sorted({*range(0, len(values), step), len(values) - 1}) if values else []
    # Halves first: the span of two large numbers may be more than a float holds.
    span = high / 2 - low / 2
    written, pen, points = [], "M", []
    for place in picked:
        number = values[place]
        if not math.isfinite(number):
            pen = "M"
            continue
        x = _LEFT + 3 + (_WIDTH - 6) * (place / (epochs - 1) if epochs > 1 else 0.5)
        share = (number / 2 - low / 2) / span if span else 0.5
        y = _TOP + _HEIGHT - 5 - (_HEIGHT - 10) * share
        written.append(f"{pen}{x:.1f} {y:.1f}")
        points.append((pen, x, y))
        pen = "L"
    following = [pen for pen, _, _ in points[1:]] + ["M"]
    # What has no neighbour on either side is no line, but a point.
    alone = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" style="fill:{colour}"/>'
        for (pen, x, y), after in zip(points, following)
        if pen == after == "M"
    ]
    return f'<path d="{"".join(written)}" style="stroke:{colour}"{dashes}/>{"".join(alone)}'
