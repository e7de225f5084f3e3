"""How pictures look: paper, ink and colours, light and dark; and how they are made and written.

Matplotlib's own settings are read, never changed: what a picture is given beyond them is given to
its artists one by one. Figures are made without pyplot, so that none stays open.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from aino.errors import MissingExtraError

#: The suffixes of files that a picture is written to, and what says nothing of the day.
_UNDATED = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
#: Dots per inch of a PNG.
_SHARPNESS = 160
#: Markers of classes, so that colour never says a thing alone.
MARKERS = "osD^vPX*"


@dataclass(frozen=True)
class Style:
    """The colours of a picture.

    Hues are those of Okabe and Ito, "Color universal design", 2008, lighter on dark paper.
    """

    paper: Any
    ink: Any
    pale: Any
    line: Any
    #: Of classes and curves, in their order.
    colours: tuple[str, ...]
    #: Of numbers from nothing to much, and of numbers around zero: from below to above.
    much: tuple[str, ...]
    below: tuple[str, ...]
    #: What is warned of, and what is written on much.
    warning: str
    on_much: str

    def colour(self, place: int) -> str:
        """Return the colour of a class or a curve."""
        return self.colours[place % len(self.colours)]

    def sequential(self) -> Any:
        """Return the colours from nothing, which is the paper, to much."""
        return _colours("aino.much", (self.paper, *self.much))

    def diverging(self) -> Any:
        """Return the colours from far below zero, which is the paper, to far above."""
        return _colours("aino.around", (*self.below, self.paper, *self.much))

    def towards(self, place: int) -> Any:
        """Return the colours from the paper to a pale tone of a class's colour."""
        return _colours("aino.class", (self.paper, _mixed(self.colour(place), self.paper, 0.5)))


LIGHT = Style(
    paper="#ffffff", ink="#1c1e21", pale="#5b6168", line="#c9ced4",
    colours=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6a00"),
    much=("#9ecae8", "#0072b2", "#06304f"), below=("#5c2600", "#d55e00", "#f5bf94"),
    warning="#b3330a", on_much="#ffffff",
)  # fmt: skip
DARK = Style(
    paper="#16181b", ink="#e8eaed", pale="#a4abb3", line="#474d54",
    colours=("#56b4e9", "#ff8b4a", "#3ecfa0", "#e6a1c8", "#f2c14e", "#8fb8ff", "#d8d28a"),
    much=("#1f5c85", "#56b4e9", "#d6efff"), below=("#ffe3d1", "#ff8b4a", "#7d3d14"),
    warning="#ff9a73", on_much="#10222f",
)  # fmt: skip
_STYLES = {"light": LIGHT, "dark": DARK}


def matplotlib(module: str = "") -> Any:
    """Return Matplotlib, or a module of it; ``MissingExtraError`` where it is not installed."""
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError(
            "pictures of data are drawn by Matplotlib, which is not installed: "
            "pip install 'aino[plot]'"
        ) from None
    return import_module(f"matplotlib.{module}") if module else matplotlib


class Panels:
    """The panels of a picture: of a new figure, or the axes that were given.

    Arguments:
        count: how many panels there are.
        ax: where to draw: axes of Matplotlib, or a sequence of as many as there are panels; a new
            figure for None.
        style: "light", "dark", or None: the colours of ``ax``, or those that Matplotlib is set to.
        path: a file that the picture will be written to.
        columns: how many panels stand side by side.
        size: width and height of a panel in inches.
        projection: "3d" for panels of three dimensions.
    """

    def __init__(
        self,
        count: int = 1,
        *,
        ax: Any = None,
        style: str | None = None,
        path: Any = None,
        columns: int = 3,
        size: tuple[float, float] = (4.8, 3.6),
        projection: str | None = None,
    ) -> None:
        mpl = matplotlib()
        self.path = _checked_path(path)
        if style is not None and style not in _STYLES:
            raise ValueError(f"style is 'light', 'dark' or None, not {style!r}")
        if ax is None:
            self.style = _STYLES[style] if style else _of_settings(mpl.rcParams)
            columns = min(columns, count)
            rows = math.ceil(count / columns)
            self.figure = matplotlib("figure").Figure(
                figsize=(size[0] * columns, size[1] * rows),
                layout="constrained",
                facecolor=self.style.paper if style else mpl.rcParams["figure.facecolor"],
            )
            self.figure.get_layout_engine().set(w_pad=0.09, h_pad=0.09)
            shown = {"projection": projection} if projection else {}
            grid = self.figure.subplots(rows, columns, squeeze=False, subplot_kw=shown)
            self.axes = list(grid.flat)[:count]
            for spare in list(grid.flat)[count:]:
                spare.remove()
        else:
            self.axes = _given(ax, count, projection)
            self.figure = self.axes[0].figure
            self.style = _STYLES[style] if style else _of_axes(self.axes[0])
        for axes in self.axes:
            if style or ax is None:
                axes.set_facecolor(self.style.paper)

    def dress(self, axes: Any, title: str = "", x: str = "", y: str = "", grid: str = "") -> None:
        """Give a panel its title, its labels and its few lines.

        Arguments:
            axes: the panel.
            title, x, y: what stands above, below and beside it.
            grid: along which axes it has lines: "x", "y", "both", or none.
        """
        style = self.style
        axes.set_title(title, loc="left", color=style.ink, fontsize="medium")
        axes.set_xlabel(x, color=style.pale, fontsize="small")
        axes.set_ylabel(y, color=style.pale, fontsize="small")
        axes.tick_params(which="both", colors=style.pale, labelsize="small", width=0.6, length=3)
        if hasattr(axes, "zaxis"):
            axes.tick_params(axis="z", colors=style.pale, labelsize="small")
            return
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(color=style.line, linewidth=0.8)
        axes.grid(False)
        if grid:
            axes.grid(True, axis=grid, color=style.line, linewidth=0.6, alpha=0.5)
        axes.set_axisbelow(True)

    def legend(self, axes: Any, **where: Any) -> Any:
        """Give a panel a legend without a frame; return it."""
        ink = self.style.ink
        return axes.legend(frameon=False, labelcolor=ink, fontsize="small", **where)

    def scale(self, artist: Any, axes: Any, label: str = "", **settings: Any) -> Any:
        """Put a scale of colours beside panels; return it."""
        bar = self.figure.colorbar(artist, ax=axes, pad=0.02, **settings)
        bar.set_label(label, color=self.style.pale, fontsize="small")
        bar.ax.tick_params(colors=self.style.pale, labelsize="small", width=0.6, length=3)
        bar.outline.set_visible(False)
        return bar

    def finish(self) -> Any:
        """Write the picture, if it has a path, and return the figure."""
        if self.path is not None:
            self.path.write_bytes(written(self.figure, self.path.suffix.lower()))
        figure = self.figure
        if not hasattr(figure, "_repr_png_"):
            # A notebook that has not loaded pyplot shows it, too.
            figure._repr_png_ = partial(written, figure, ".png")
        return figure


def written(figure: Any, suffix: str) -> bytes:
    """Return a picture as the content of a file, which is the same on every day."""
    mpl = matplotlib()
    content = io.BytesIO()
    root = getattr(figure, "figure", figure)
    # Names inside an SVG are drawn by chance otherwise; what was set before is set again after.
    with mpl.rc_context({"svg.hashsalt": "aino"}):
        root.savefig(content, format=suffix[1:], dpi=_SHARPNESS, metadata=_UNDATED[suffix])
    return content.getvalue()


def _checked_path(path: Any) -> Path | None:
    if path is None:
        return None
    target = Path(os.fspath(path))
    if target.suffix.lower() not in _UNDATED:
        given = f"{target.suffix!r}" if target.suffix else f"{str(target)!r}, without a suffix"
        raise ValueError(f"a picture is written as .svg, .pdf or .png, not as {given}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r} to write {target.name}")
    return target


def _given(ax: Any, count: int, projection: str | None) -> list[Any]:
    """Return the axes that a picture is drawn in; raise where they are too few or no axes."""
    given = (
        list(getattr(ax, "flat", ax)) if isinstance(ax, Sequence) or hasattr(ax, "flat") else [ax]
    )
    for one in given:
        if not hasattr(one, "get_subplotspec") or not hasattr(one, "imshow"):
            raise TypeError(
                f"ax is axes of Matplotlib, or a sequence of them, not {type(one).__name__}"
            )
        if (projection == "3d") != hasattr(one, "zaxis"):
            wanted = "of three dimensions" if projection else "of two dimensions"
            raise ValueError(f"this picture wants axes {wanted}: projection={projection!r}")
    if len(given) != count:
        panels = "1 panel" if count == 1 else f"{count} panels"
        raise ValueError(
            f"this picture has {panels}, and ax is {len(given)}: give as many axes, such as "
            f"figure.subplots(1, {count}), or leave ax out"
        )
    return given


def _of_settings(settings: Any) -> Style:
    """Return the style for what Matplotlib is set to."""
    face = settings["axes.facecolor"]
    style = LIGHT if _is_light(face) else DARK
    paper = style.paper if matplotlib("colors").to_rgba(face)[3] == 0 else face
    return replace(style, paper=paper, ink=settings["axes.labelcolor"])


def _of_axes(axes: Any) -> Style:
    """Return the style that goes with axes that somebody has made."""
    face = axes.get_facecolor()
    style = LIGHT if _is_light(face) else DARK
    paper = style.paper if face[3] == 0 else face
    return replace(style, paper=paper, ink=axes.xaxis.label.get_color())


def _is_light(colour: Any) -> bool:
    """Tell whether dark ink is read on a colour; what is transparent lies on white paper."""
    red, green, blue, alpha = matplotlib("colors").to_rgba(colour)
    return 1 - alpha + alpha * (0.299 * red + 0.587 * green + 0.114 * blue) > 0.5


def _mixed(colour: Any, other: Any, share: float) -> tuple[float, ...]:
    to_rgb = matplotlib("colors").to_rgb
    return tuple(share * a + (1 - share) * b for a, b in zip(to_rgb(colour), to_rgb(other)))


def _colours(name: str, steps: tuple) -> Any:
    return matplotlib("colors").LinearSegmentedColormap.from_list(name, steps)
