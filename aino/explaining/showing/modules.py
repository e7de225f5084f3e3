"""A module in a notebook: the tree of what is inside, which folds, with parameters counted."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from aino.drawing.draw import draw
from aino.drawing.neurons import as_neurons
from aino.drawing.numbers import shorten
from aino.explaining.showing.histories import CURVES, told
from aino.explaining.showing.parts import or_text, shown
from aino.explaining.table import count_text, size_text
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy

#: So many modules are shown in all, of one module so many of those directly inside (beyond
#: that its first and its last), and none that lie deeper.
_MOST, _SIDE_BY_SIDE, _FIRST, _LAST, _DEEPEST = 160, 24, 8, 2, 16
#: A tree of up to so many modules is shown unfolded.
_UNFOLDED = 12
#: Networks of up to so many neurons and connections are drawn.
_NEURONS, _CONNECTIONS = 12, 40

_OWN = (
    ".aino-tree details>div{margin-left:.42em;border-left:1px solid var(--aino-line);"
    "padding-left:1em}.aino-tree summary{cursor:pointer;font-weight:400}"
    ".aino-tree .aino-line{padding:.1em 0}.aino-tree details{margin:0 0 0 .9em}"
    ".aino-tree details>div>.aino-line{margin-left:.9em}.aino-learned{margin-top:.8em}"
    ".aino-tree b{font-weight:600}.aino-tree i{font-style:normal;color:var(--aino-pale)}"
    ".aino-tree .aino-count{color:var(--aino-product);font-variant-numeric:tabular-nums}"
    ".aino-tree .page{fill:var(--aino-pale)}.aino-tree .wire{stroke:var(--aino-pale)}"
    ".aino-tree svg text{dominant-baseline:central;font-family:Helvetica,Arial,sans-serif}"
)


@or_text
def html_of(module: Module) -> str | None:
    """Return a module as a tree.

    A small network of dense layers has its picture above it, and one that has learned by ``fit``
    its losses below.
    """
    tree = _Tree(module)
    written = f'<div class="aino-tree">{tree.facts()}{_picture(module)}{tree.written}</div>'
    history = vars(module).get("history") if "history" in module.records else None
    if not history:
        return shown(written, _OWN)
    return shown(f'{written}<div class="aino-learned">{told(history)}</div>', _OWN + CURVES)


class _Tree:
    """Writes a tree, of which it shows so much and no more: what lies higher comes first."""

    def __init__(self, module: Module) -> None:
        self.module = module
        #: Where each module that is shown unfolds, and what of it: the rest is counted.
        self.paths: dict[int, str] = {id(module): ""}
        self.inside: dict[int, list[tuple[str, Any]]] = {}
        count = self._plan()
        self.open = count <= _UNFOLDED
        self.written = self.write(module, "")

    def _plan(self) -> int:
        """Find out which modules are shown with what is inside; return how many are shown."""
        count, level = 1, [self.module]
        for _ in range(_DEEPEST):
            below = []
            for module in level:
                inside = module._inside()
                lines = len(_ends(inside))
                if count + lines > _MOST:
                    continue
                count += lines
                self.inside[id(module)] = inside
                for name, child in _ends(inside):
                    if id(child) not in self.paths:
                        path = self.paths[id(module)]
                        self.paths[id(child)] = f"{path}.{name}" if path else name
                        below.append(child)
            level = below
        return count

    def facts(self) -> str:
        """Return what is said of the whole: what it has to learn, what it takes, its mode."""
        parameters = list(self.module.parameters())
        known = [p for p in parameters if not is_lazy(p)]
        total = sum([p.array.size for p in known])
        frozen = sum([p.array.size for p in known if not p.requires_grad])
        said = [f"{total:,} parameters" if total != 1 else "1 parameter"]
        if frozen:
            said.append(f"{frozen:,} frozen")
        if total:
            said.append(size_text(sum([p.array.nbytes for p in known])))
        if len(known) < len(parameters):
            said.append("some shapes come with the first call")
        said.append("training" if self.module.training else "evaluation")
        return f"<p>{' · '.join(said)}</p>"

    def write(self, module: Module, path: str) -> str:
        """Return a module and what is inside, under the last part of its path."""
        line = self._line(module, path)
        first = self.paths[id(module)]
        if first != path:
            return f'<div class="aino-line">{line} <i>(as {escape(first or "the whole")})</i></div>'
        inside = module._inside()
        if not inside:
            return f'<div class="aino-line">{line}</div>'
        if id(module) not in self.inside:
            return f'<div class="aino-line">{line} <i>… {len(inside):,} inside</i></div>'
        shown = _ends(inside)
        written = [self.write(child, f"{path}.{name}" if path else name) for name, child in shown]
        if len(shown) < len(inside):
            written.insert(_FIRST, self._more(len(inside) - len(shown)))
        return (
            f"<details{' open' if self.open or not path else ''}><summary>{line}</summary><div>"
            f"{''.join(written)}</div></details>"
        )

    @staticmethod
    def _more(count: int) -> str:
        return f'<div class="aino-line"><i>… {count:,} more</i></div>'

    def _line(self, module: Module, path: str) -> str:
        name = f"<b>{escape(shorten(path.rpartition('.')[2], 60))}</b> " if path else ""
        settings = shorten(" ".join(module.extra_repr().split()), 100)
        settings = f"<i>({escape(settings)})</i>" if settings else ""
        kind = escape(type(module).__name__)
        return f"{name}{kind}{settings}{self._count(module)}"

    @staticmethod
    def _count(module: Module) -> str:
        count = sum([p.array.size for p in module.parameters() if not is_lazy(p)])
        if not count:
            return ""
        return f' <span class="aino-count" title="parameters">{count_text(count)}</span>'


def _ends(inside: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the modules that are shown of those inside: all, or the first and the last."""
    if len(inside) <= _SIDE_BY_SIDE:
        return inside
    return [*inside[:_FIRST], *inside[-_LAST:]]


def _picture(module: Module) -> str:
    """Return the picture of a small network of dense layers, nothing for other modules."""
    network = as_neurons(module)
    if network is None:
        return ""
    sizes = [network.layers[0].weight.shape[1]]
    sizes += [layer.weight.shape[0] for layer in network.layers]
    connections = sum([layer.weight.size for layer in network.layers])
    if sum(sizes) > _NEURONS or connections > _CONNECTIONS:
        return ""
    svg = draw(module, heat=False)._repr_svg_()
    # Its own style would be that of the whole page, and know nothing of the notebook's colours.
    svg = re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL)
    return f'<div class="aino-scroll">{svg}</div>'
