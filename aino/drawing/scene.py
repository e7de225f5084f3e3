"""A picture whose places are known: circles, lines, texts and images, written as SVG or as DOT.

SVG is written directly, and needs no program. Graphviz makes PNG and PDF of the same places.
"""

from __future__ import annotations

import base64
import html
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from aino.drawing import style
from aino.drawing.dot import attributes, escaped

#: The colour of what stands on the page itself: SVG lightens it where the page is dark.
PAGE = "page"
#: Images have at most so many cells a side where Graphviz draws them.
_CELLS = 24


@dataclass(slots=True)
class Circle:
    x: float
    y: float
    radius: float
    fill: str
    stroke: str
    width: float = 1.2
    name: str = ""
    hint: str = ""


@dataclass(slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    rounded: float = 0.0
    hint: str = ""


@dataclass(slots=True)
class Line:
    """``ends`` names the circles that it joins, where it does."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    width: float = 1.0
    dashed: bool = False
    ends: tuple[str, str] | None = None
    hint: str = ""
    arrow: bool = False


@dataclass(slots=True)
class Text:
    """``anchor``: ``start``, ``middle`` or ``end``; (x, y) is the middle of its height."""

    x: float
    y: float
    text: str
    size: float = 12.0
    fill: str = PAGE
    anchor: str = "middle"
    bold: bool = False


@dataclass(slots=True)
class Image:
    """An array of colours (rows, columns, 3) in a rectangle."""

    x: float
    y: float
    width: float
    height: float
    pixels: np.ndarray
    stroke: str = "none"
    hint: str = ""


@dataclass(slots=True)
class Scene:
    """What is drawn, in points, downwards: lines lie below circles."""

    shapes: list = field(default_factory=list)

    def add(self, *shapes) -> None:
        self.shapes += shapes

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the left, upper, right and lower end of all shapes."""
        boxes = np.array([_box(shape) for shape in self.shapes] or [(0.0, 0.0, 1.0, 1.0)])
        left, top = boxes[:, :2].min(0) - 8
        right, bottom = boxes[:, 2:].max(0) + 8
        return float(left), float(top), float(right), float(bottom)


def width_of(text: str, size: float) -> float:
    """Return about how wide a text is."""
    return sum(0.32 if c in "ijl.,:;'|()[]ft " else 0.6 for c in text) * size


def _box(shape) -> tuple[float, float, float, float]:
    if isinstance(shape, Circle):
        r = shape.radius
        return shape.x - r, shape.y - r, shape.x + r, shape.y + r
    if isinstance(shape, Line):
        xs, ys = (shape.x1, shape.x2), (shape.y1, shape.y2)
        return min(xs), min(ys), max(xs), max(ys)
    if isinstance(shape, Text):
        width = width_of(shape.text, shape.size) * (1.06 if shape.bold else 1.0)
        left = shape.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor] * width
        return left, shape.y - shape.size * 0.6, left + width, shape.y + shape.size * 0.6
    return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height


# SVG

#: The page's own greys. Notebooks show a picture by itself, which knows what its reader prefers,
#: but not what the notebook is. So each is read on the other's ground, too: that of light pages at
#: 4.6 to 1, on dark ones at 4.1; that of dark pages at 5.4 to 1, on light ones at 3.5.
_STYLE = (
    f"text{{font-family:{style.FONT.replace(chr(34), '')};dominant-baseline:central}}"
    ".page{fill:#6e767f}.wire{stroke:#6e767f}"
    "@media(prefers-color-scheme:dark){.page{fill:#828b94}.wire{stroke:#828b94}}"
)


def to_svg(scene: Scene, title: str) -> str:
    """Return the picture as SVG, in one piece, readable on light pages and on dark ones."""
    left, top, right, bottom = scene.bounds()
    width, height = right - left, bottom - top
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}">',
        f"<title>{_safe(title)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="page" d="M0 0.8L8 4L0 7.2z"/></marker></defs>',
    ]
    return "\n".join([*lines, *map(_svg, scene.shapes), "</svg>", ""])


def _safe(text: str) -> str:
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return html.escape(printable)


def _paint(kind: str, colour: str) -> str:
    if colour == PAGE:
        return ' class="page"' if kind == "fill" else ' class="wire"'
    return f' {kind}="{colour}"'


def _closed(tag: str, attributes: str, hint: str) -> str:
    if not hint:
        return f"<{tag}{attributes}/>"
    return f"<{tag}{attributes}><title>{_safe(hint)}</title></{tag}>"


def _svg(shape) -> str:
    if isinstance(shape, Circle):
        placed = f' cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:.1f}"'
        look = f"{_paint('fill', shape.fill)}{_paint('stroke', shape.stroke)}"
        named = f' id="{shape.name}"' if shape.name else ""
        return _closed("circle", f'{named}{placed}{look} stroke-width="{shape.width}"', shape.hint)
    if isinstance(shape, Line):
        ends = f' x1="{shape.x1:.1f}" y1="{shape.y1:.1f}" x2="{shape.x2:.1f}" y2="{shape.y2:.1f}"'
        look = f'{_paint("stroke", shape.stroke)} stroke-width="{shape.width:.2f}"'
        look += ' stroke-dasharray="5 3"' if shape.dashed else ""
        look += ' marker-end="url(#tip)"' if shape.arrow else ""
        return _closed("line", ends + look, shape.hint)
    if isinstance(shape, Text):
        bold = ' font-weight="bold"' if shape.bold else ""
        look = f'{_paint("fill", shape.fill)} font-size="{shape.size:g}"{bold}'
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        return f'<text x="{shape.x:.1f}" y="{shape.y:.1f}"{look}{anchor}>{_safe(shape.text)}</text>'
    placed = (
        f' x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" '
        f'height="{shape.height:.1f}"'
    )
    if isinstance(shape, Rect):
        look = f"{_paint('fill', shape.fill)}{_paint('stroke', shape.stroke)}"
        look += f' rx="{shape.rounded:g}"' if shape.rounded else ""
        return _closed("rect", placed + look, shape.hint)
    data = base64.b64encode(png(shape.pixels)).decode()
    image = _closed(
        "image", f'{placed} preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{data}"', shape.hint,
    )  # fmt: skip
    frame = "" if shape.stroke == "none" else f'<rect{placed} fill="none" stroke="{shape.stroke}"/>'
    return image + frame


def png(pixels: np.ndarray) -> bytes:
    """Return colours (rows, columns, 3), or 4 with how opaque they are, as a PNG file."""
    rows, columns, channels = pixels.shape
    scanned = np.zeros((rows, 1 + channels * columns), np.uint8)
    scanned[:, 1:] = pixels.reshape(rows, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", columns, rows, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    body = zlib.compress(scanned.tobytes(), 9)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# DOT


def to_dot(scene: Scene) -> str:
    """Return the same picture for Graphviz, which is told all places."""
    lines = [
        "digraph aino {",
        "  graph" + attributes(layout="neato", bgcolor="transparent", pad="0.1", splines="line",
                               outputorder="edgesfirst"),
        "  node" + attributes(fontname=style.FONT, margin="0", fixedsize="true", label=""),
        "  edge" + attributes(arrowhead="none"),
    ]  # fmt: skip
    for number, shape in enumerate(scene.shapes):
        lines += _dot(shape, number)
    return "\n".join([*lines, "}", ""])


def _pos(x: float, y: float) -> str:
    return f"{x / 72:.3f},{-y / 72:.3f}!"


def _inch(length: float) -> str:
    return f"{length / 72:.3f}"


def _dot(shape, number: int) -> list[str]:
    name = f"s{number}"
    if isinstance(shape, Circle):
        size = _inch(2 * shape.radius)
        look = attributes(
            shape="circle", pos=_pos(shape.x, shape.y), width=size, height=size, style="filled",
            fillcolor=shape.fill, color=_plain(shape.stroke), penwidth=f"{shape.width}",
        )  # fmt: skip
        return [f"  {shape.name or name}{look}"]
    if isinstance(shape, Line):
        return _dot_line(shape, name)
    if isinstance(shape, Text):
        left, _, right, _ = _box(shape)
        text = escaped(shape.text)
        look = attributes(
            label=f"<{f'<B>{text}</B>' if shape.bold else text}>", shape="plaintext",
            pos=_pos((left + right) / 2, shape.y), fixedsize="false", width="0", height="0",
            fontsize=f"{shape.size:g}", fontcolor=_plain(shape.fill),
        )  # fmt: skip
        return [f"  {name}{look}"]
    if isinstance(shape, Image):
        first = (number + 1) * 10_000
        return [line for i, cell in enumerate(_cells(shape)) for line in _dot(cell, first + i)]
    look = attributes(
        shape="box", pos=_pos(shape.x + shape.width / 2, shape.y + shape.height / 2),
        width=_inch(shape.width), height=_inch(shape.height),
        style="rounded,filled" if shape.rounded else "filled", fillcolor=_plain(shape.fill),
        color=_plain(shape.stroke if shape.stroke != "none" else shape.fill),
        penwidth="0" if shape.stroke == "none" else "1",
    )  # fmt: skip
    return [f"  {name}{look}"]


def _dot_line(shape: Line, name: str) -> list[str]:
    look = attributes(
        color=_plain(shape.stroke), penwidth=f"{shape.width:.2f}",
        style="dashed" if shape.dashed else "solid",
        **({"arrowhead": "normal", "arrowsize": "0.6"} if shape.arrow else {}),
    )  # fmt: skip
    if shape.ends is not None:
        return [f"  {shape.ends[0]} -> {shape.ends[1]}{look}"]
    points = []
    for end, x, y in (("a", shape.x1, shape.y1), ("b", shape.x2, shape.y2)):
        at = attributes(shape="point", style="invis", width="0", height="0", pos=_pos(x, y))
        points.append(f"  {name}{end}{at}")
    return [*points, f"  {name}a -> {name}b{look}"]


def _plain(colour: str) -> str:
    return {PAGE: style.GREY, "none": "transparent"}.get(colour, colour)


def _cells(image: Image) -> list[Rect]:
    """Return an image as rectangles, the nearest pixels of a coarser grid."""
    rows, columns = (min(n, _CELLS) for n in image.pixels.shape[:2])
    tall, wide = image.height / rows, image.width / columns
    cells = []
    for i in range(rows):
        for j in range(columns):
            y = int((i + 0.5) * image.pixels.shape[0] / rows)
            x = int((j + 0.5) * image.pixels.shape[1] / columns)
            colour = "#" + bytes(image.pixels[y, x].tolist()).hex()
            cells.append(Rect(image.x + j * wide, image.y + i * tall, wide, tall, colour))
    return cells


# Colours of numbers

_NEGATIVE, _NOTHING = np.array((213, 94, 0)), np.array((250, 250, 250))
_POSITIVE = np.array((0, 114, 178))


def colours_of(array: np.ndarray, largest: float) -> np.ndarray:
    """Return a colour for each number: blue above nothing, orange below, grey for what is none."""
    share = np.asarray(array, np.float64) / (largest or 1.0)
    known = np.isfinite(share)
    share = np.clip(np.where(known, share, 0.0), -1.0, 1.0)[..., None]
    full = np.where(share < 0, _NEGATIVE, _POSITIVE)
    mixed = _NOTHING + (full - _NOTHING) * np.abs(share)
    return np.where(known[..., None], mixed, 128).round().astype(np.uint8)


def colour_of(number: float, largest: float) -> str:
    """Return the colour of one number, ``#0072b2``."""
    return "#" + bytes(colours_of(np.array(number), largest).tolist()).hex()


def ink_on(number: float, largest: float) -> str:
    """Return a colour that is read on the colour of a number."""
    return style.INK if abs(number) < 0.72 * (largest or 1.0) else style.PAPER


def largest_of(array: np.ndarray) -> float:
    """Return the largest magnitude among numbers, 1 where there is none."""
    sizes = np.abs(array[np.isfinite(array)])
    return float(np.max(sizes, initial=0.0)) or 1.0
