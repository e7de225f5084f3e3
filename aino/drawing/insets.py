"""Pictures of neurons that a page shows beside its graph: one of each dense network in a model."""

from __future__ import annotations

from typing import Any

from aino.autograd.memory import written_since
from aino.drawing.neurons import Network, as_neurons
from aino.drawing.scene import to_svg
from aino.drawing.textbook import Look, draw_network, take_names
from aino.nn.base.module import Module
from aino.nn.modules.linear import Linear

#: Larger matrices have no heat map, and when so many characters are drawn a page has enough.
_LARGEST, _ENOUGH = 10_000, 2_000_000


class Insets:
    """The pictures of a page, each module's once, and one of everything where that was drawn."""

    def __init__(self, title: str, drawn: int, svg: str | None = None) -> None:
        self.pictures: list[dict[str, Any]] = []
        self._drawn = drawn
        self._known: dict[int, dict[str, int]] = {}
        self._whole = {} if svg is None else self._added(title, svg)

    def of(self, subject: Any, around: dict[str, Any], whole: bool = False) -> dict[str, int]:
        """Return where the picture of a module is, by what a page says of the group around it.

        What is inside of a network that has a picture is seen there.
        """
        if whole:
            return self._whole
        if "picture" in around:
            return {"picture": around["picture"]}
        if not isinstance(subject, Module):
            return {}
        if id(subject) not in self._known:
            self._known[id(subject)] = self._drawn_of(subject)
        return self._known[id(subject)]

    def _drawn_of(self, module: Module) -> dict[str, int]:
        network = None if isinstance(module, Linear) else as_neurons(module)
        if network is None or sum(len(known["svg"]) for known in self.pictures) > _ENOUGH:
            return {}
        arrays = [array for layer in network.layers for array in (layer.weight, layer.bias)]
        if any([array is not None and written_since(array, self._drawn) for array in arrays]):
            return self._added(_title(network), "")
        largest = max(layer.weight.size for layer in network.layers)
        look = Look(heat=None if largest <= _LARGEST else False)
        take_names(look, module, network)
        return self._added(_title(network), to_svg(draw_network(network, look), _title(network)))

    def _added(self, title: str, svg: str) -> dict[str, int]:
        """Add a picture; one without a text is of weights that were written into since."""
        self.pictures.append({"title": title, "svg": svg})
        return {"picture": len(self.pictures) - 1}


def _title(network: Network) -> str:
    layers = network.layers
    sizes = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
    return f"{network.name} {'-'.join(map(str, sizes))}"
