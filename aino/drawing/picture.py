"""Drawing: what ``aino.draw`` returns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from aino.drawing.graph import Graph
from aino.drawing.render import picture
from aino.errors import MissingExtraError

#: Dots per inch of a PNG.
_SHARPNESS = 144


class Drawing:
    """A drawing; a notebook shows its picture.

    ``source`` is its text in DOT, the language of Graphviz. ``graph`` holds what is drawn,
    ``whole`` the same before anything was folded; both are None for a drawing of neurons.
    """

    def __init__(self, source: str, graph: Graph | None = None, whole: Graph | None = None) -> None:
        self.source = source
        self.graph = graph
        self.whole = whole

    def render(self, path: Any) -> Path:
        """Write the picture to ``path``, as its suffix says, and return the path.

        ``.svg``, ``.png`` and ``.pdf`` are pictures, ``.dot`` and ``.gv`` the source. Raises
        ``ValueError`` for another suffix, ``MissingExtraError`` where there is no Graphviz.
        """
        target = Path(os.fspath(path))
        suffix = target.suffix.lower()
        if suffix in (".dot", ".gv"):
            target.write_text(self.source, encoding="utf-8")
        elif suffix in (".svg", ".png", ".pdf"):
            target.write_bytes(self._picture(suffix[1:]))
        else:
            given = f"{suffix!r}" if suffix else f"a path without a suffix, {str(target)!r}"
            raise ValueError(
                f"a drawing is written as .svg, .png or .pdf (or as its source: .dot, .gv), "
                f"not as {given}"
            )
        return target

    def _picture(self, format: str) -> bytes:
        source = self.source
        if format == "png":
            source = source.replace("{", f"{{\n  dpi={_SHARPNESS}", 1)
        return picture(source, format)

    def _repr_svg_(self) -> str:
        return self._picture("svg").decode("utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        except MissingExtraError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        return "<Drawing: render(path) makes a picture, source is its text>"
