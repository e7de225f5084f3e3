"""Colours and shapes: told apart by both, also without colour vision and on a dark page.

The hues are those of Okabe and Ito, "Color universal design", 2008. Text stands on light fills;
what stands on the page itself is of a grey that is read on white and on black.
"""

from __future__ import annotations

FONT = "Helvetica,Arial,sans-serif"
#: Text, on every fill.
INK = "#1c1e21"
#: Formulas and shapes.
PALE_INK = "#4d5358"
#: Gradients.
GRADIENT = "#a3360a"
#: What stands on the page itself of gradients, read on white and on black.
GRADIENT_PALE = "#d0622a"
#: Lines and letters on the page itself.
GREY = "#717a83"
BOX_FILL = "#8a94a014"
BOX_LINE = "#8a94a0"

#: kind -> attributes of its vertices.
VERTEX: dict[str, dict[str, str]] = {
    "input": {"shape": "box", "style": "rounded,filled", "fillcolor": "#d3ebf9",
              "color": "#0072b2"},
    "parameter": {"shape": "note", "style": "filled", "fillcolor": "#fdebc4",
                  "color": "#b3740a"},
    "constant": {"shape": "box", "style": "filled,dashed", "fillcolor": "#f1f1f1",
                 "color": "#74777a"},
    "operation": {"shape": "box", "style": "filled", "fillcolor": "#ffffff",
                  "color": "#5b6168", "margin": "0.015"},
    "module": {"shape": "component", "style": "filled", "fillcolor": "#f3dcea",
               "color": "#9c4a78", "margin": "0.11,0.05"},
    "gradient": {"shape": "box", "style": "filled", "fillcolor": "#ffffff", "color": "#c2571f",
                 "margin": "0.015"},
    "more": {"shape": "plain"},
}  # fmt: skip
OUTPUT = {"color": "#00754f", "peripheries": "2", "penwidth": "1.3"}
#: kind -> what its name and formula stand on; what it computed stands on white.
HEADER = {"operation": "#e4e7eb", "module": "#f3dcea", "gradient": "#fbe4d5"}
PAPER = "#ffffff"
OUTPUT_HEADER = "#c5eadb"
OUTPUT_FILL = "#e0f4ec"

#: The sign of a weight.
POSITIVE, NEGATIVE = "#0072b2", "#d55e00"

#: Where something went wrong.
FAILED, FAILED_FILL = "#c8102e", "#c8102e10"
MARKS = {
    "failed": "failed here", "nan": "the first nan", "inf": "the first infinity",
    "passed": "does nothing now",
}  # fmt: skip
#: A module that handed on what it was given.
PASSED = {"style": "dashed,filled", "fillcolor": "#f7f0f4", "color": "#b08aa0",
          "shape": "box"}  # fmt: skip

#: Gradients from the smallest to the largest: lines on the page itself.
_SMALL, _LARGE = (0xD9, 0xB4, 0x9A), (0xC2, 0x3B, 0x07)


def ramp(share: float) -> str:
    """Return the colour of a gradient, from pale (0) to strong (1).

    >>> ramp(0.0), ramp(1.0)
    ('#d9b49a', '#c23b07')
    """
    mixed = [round(low + (high - low) * share) for low, high in zip(_SMALL, _LARGE)]
    return "#" + "".join(f"{part:02x}" for part in mixed)
