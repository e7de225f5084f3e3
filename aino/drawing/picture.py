"""Drawing: what ``aino.draw`` returns."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from aino.autograd.node import tick
from aino.drawing.contents import contents
from aino.drawing.graph import Graph
from aino.drawing.html import frame, page
from aino.drawing.render import picture
from aino.errors import MissingExtraError, RenderError

#: As what a drawing is written: a page, pictures, and the source.
SUFFIXES = (".html", ".svg", ".png", ".pdf", ".dot", ".gv")
#: Dots per inch of a PNG.
_SHARPNESS = 144


class Drawing:
    """A drawing; a notebook shows its picture.

    ``source`` is its text in DOT, the language of Graphviz. ``graph`` holds what is drawn, None
    for a drawing of neurons; ``whole`` the same before anything was folded, which is what the
    page shows. Made by ``aino.draw``, whose ``title``, ``rankdir`` and ``depth`` the page takes;
    ``svg`` is the picture itself, where no program is needed to make it.
    """

    def __init__(
        self,
        source: str,
        graph: Graph | None = None,
        whole: Graph | None = None,
        *,
        title: str = "graph",
        rankdir: str = "TB",
        depth: int | None = None,
        svg: str | None = None,
    ) -> None:
        self.source = source
        self._svg = svg
        self.graph = graph
        self.whole = whole
        self._page: dict[str, Any] = {
            "title": title,
            "rankdir": rankdir,
            "depth": depth,
            "drawn": tick(),
        }

    def render(self, path: Any) -> Path:
        """Write the picture to ``path``, as its suffix says, and return the path.

        ``.html`` is a page to look around in, which needs nothing but a browser: modules fold and
        unfold, each box tells its numbers, its gradient and the line that computed it. ``.svg``,
        ``.png`` and ``.pdf`` are pictures, ``.dot`` and ``.gv`` the source. Raises ``ValueError``
        for another suffix, ``FileNotFoundError`` where there is no such folder,
        ``MissingExtraError`` for a picture where there is no Graphviz.
        """
        target = Path(os.fspath(path))
        suffix = target.suffix.lower()
        if not target.parent.is_dir():
            folder = str(target.parent)
            raise FileNotFoundError(errno.ENOENT, "there is no such folder, make it first", folder)
        if suffix in (".dot", ".gv"):
            target.write_text(self.source, encoding="utf-8")
        elif suffix == ".html":
            target.write_text(page(self._contents()), encoding="utf-8")
        elif suffix in (".svg", ".png", ".pdf"):
            target.write_bytes(self._picture(suffix[1:]))
        else:
            given = f"{suffix!r}" if suffix else f"a path without a suffix, {str(target)!r}"
            raise ValueError(
                f"a drawing is written as .svg, .png or .pdf, as a page: .html (or as its "
                f"source: .dot, .gv), not as {given}"
            )
        return target

    def _picture(self, format: str) -> bytes:
        if format == "svg" and self._svg is not None:
            return self._svg.encode("utf-8")
        source = self.source
        if format == "png":
            source = source.replace("{", f"{{\n  dpi={_SHARPNESS}", 1)
        return picture(source, format)

    def _contents(self) -> dict[str, Any]:
        """Return what the page says; arrays that were written over since have no numbers there."""
        if self.whole is None:
            raise RenderError("this drawing was made of its source alone, which makes no page")
        return contents(self.whole, **self._page, svg=self._svg)

    def _repr_svg_(self) -> str:
        return self._picture("svg").decode("utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        except MissingExtraError as error:
            bundle = {"text/plain": f"{self!r}\n{error}"}
            return bundle if self.whole is None else {"text/html": frame(self._contents())} | bundle

    def __repr__(self) -> str:
        return "<Drawing: render(path) makes a picture, source is its text>"
