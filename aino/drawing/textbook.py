"""The textbook picture of a dense network: neurons in columns, a line for each weight.

With a sample, each neuron shows what it computes; wide layers show their first and their last
neurons; matrices stand below as heat maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.drawing import style
from aino.drawing.graph import counted
from aino.drawing.neurons import Dense, Network
from aino.drawing.numbers import brief, shorten
from aino.drawing.scene import (
    Circle,
    Image,
    Line,
    Rect,
    Scene,
    Text,
    colour_of,
    colours_of,
    ink_on,
    largest_of,
    width_of,
)
from aino.nn.modules.scaling import OutputScaling

#: The widest layer that is drawn in full; of wider ones, so many neurons at each end.
_WIDEST, _FIRST, _LAST = 20, 7, 3
#: Up to this many weights show their numbers, and up to this width neurons their biases.
_NUMBERED, _ROOMY = 20, 8
#: The longest side of a heat map.
_MAP = 110.0

_SYMBOLS = {
    "sigmoid": "σ", "tanh": "tanh", "relu": "ReLU", "linear": "Σ", "identity": "Σ",
    "softmax": "eˣ/Σ", "gelu": "GELU", "silu": "SiLU", "swish": "SiLU", "elu": "ELU",
    "selu": "SELU", "celu": "CELU", "relu6": "ReLU6", "mish": "Mish", "leakyrelu": "LReLU",
    "leaky_relu": "LReLU", "softplus": "ln⁺",
}  # fmt: skip


class Look:
    """What is shown: the direction, numbers on the lines, names, values, heat maps.

    ``values``: what is at each column for one sample. ``heat`` None draws heat maps where the
    lines have no numbers.
    """

    def __init__(
        self, rankdir: str = "LR", numbers: bool = True, features: Sequence[str] | None = None,
        classes: Sequence[str] | None = None, values: list[np.ndarray] | None = None,
        heat: bool | None = None,
    ) -> None:  # fmt: skip
        self.rankdir = rankdir
        self.numbers = numbers
        self.features = features
        self.classes = classes
        self.values = values
        self.heat = heat


def take_names(look: Look, module: Any, network: Network) -> None:
    """Let the inputs and outputs of a network that was fitted have the names that it knows."""
    if look.features is None:
        look.features = getattr(module, "feature_names", None)
    if look.classes is None and hasattr(module, "classes_"):
        names = [str(name) for name in module.classes_]
        look.classes = names if len(names) == len(network.layers[-1].weight) else None


def draw_network(network: Network, look: Look) -> Scene:
    """Return the picture; lines are blue for positive weights, orange and dashed for negative."""
    page = _Page(network, look)
    page.draw()
    return page.scene


class _Page:
    """Where everything stands, in points: columns along the flow, rows across it."""

    def __init__(self, network: Network, look: Look) -> None:
        self.network = network
        self.look = look
        self.scene = Scene()
        layers = network.layers
        self.sizes = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
        self.shown = [_shown(size) for size in self.sizes]
        tallest = max(len(shown) for shown in self.shown)
        self.roomy = tallest <= _ROOMY
        count = sum(layer.weight.size for layer in layers)
        self.numbered = look.numbers and count <= _NUMBERED
        self.heat = not self.numbered and look.numbers if look.heat is None else look.heat
        #: Many lines are thin ones.
        self.ink = 1.0 if self.roomy else 0.55
        self.step = 72.0 if self.roomy else 36.0
        self.radius = 23.0 if self.roomy else 14.0
        self.stride = 166.0 if self.roomy else 150.0 + 3.0 * tallest
        self.across = (tallest - 1) / 2 * self.step + self.radius

    def draw(self) -> None:
        for number, layer in enumerate(self.network.layers):
            self.weights(number, layer)
        for column in range(len(self.sizes)):
            for place, index in enumerate(self.shown[column]):
                if index is None:
                    self.dots(column, place)
                else:
                    self.neuron(column, place, index)
            self.caption(column)
        if self.heat:
            for number, layer in enumerate(self.network.layers):
                self.matrix(number, layer)

    # Places

    def point(self, column: float, row: float) -> tuple[float, float]:
        """Return a place: ``column`` counts layers, ``row`` is a distance from the middle."""
        along = column * self.stride
        return {"LR": (along, row), "RL": (-along, row), "TB": (row, along), "BT": (row, -along)}[
            self.look.rankdir
        ]

    def row(self, column: int, place: int) -> float:
        return (place - (len(self.shown[column]) - 1) / 2) * self.step

    @property
    def flat(self) -> bool:
        """Whether columns stand upright."""
        return self.look.rankdir in ("LR", "RL")

    # Neurons

    def neuron(self, column: int, place: int, index: int) -> None:
        layer = self.network.layers[column - 1] if column else None
        x, y = self.point(column, self.row(column, place))
        vertex = style.VERTEX["operation" if layer else "input"]
        fill, stroke, width = vertex["fillcolor"], vertex["color"], 1.2
        if column == len(self.sizes) - 1:
            fill, stroke, width = style.OUTPUT_FILL, style.OUTPUT["color"], 1.8
        values = self.look.values
        ink, lines = style.INK, self.lines(column, index, layer)
        hint = _hint(column, index, layer)
        if values is not None:
            value, largest = float(values[column][index]), largest_of(values[column])
            fill, ink = colour_of(value, largest), ink_on(value, largest)
            lines = [(_signed(f"{value:.2f}" if abs(value) < 100 else brief(value)), 0.0)]
            hint += f", value {brief(value)}"
        self.scene.add(Circle(x, y, self.radius, fill, stroke, width, f"n{column}_{index}", hint))
        large = 12.0 if self.roomy else 8.5
        for position, (text, smaller) in enumerate(lines):
            size = large - smaller
            lower = (position - (len(lines) - 1) / 2) * 11.0
            self.scene.add(Text(x, y + lower, text, size, ink))
        self.beside(column, index, x, y)

    def lines(self, column: int, index: int, layer: Dense | None) -> list[tuple[str, float]]:
        """Return what stands in a neuron, each line with how much smaller it is."""
        if layer is None:
            lines = [(f"x{_subscript(index + 1)}", 0.0)]
            scaling = self.network.inputs
            if self.roomy and scaling is not None:
                mean, scale = float(scaling.mean.array[index]), float(scaling.scale.array[index])
                lines += [(f"{'−+'[mean < 0]} {abs(mean):.3g}", 4.0), (f"÷ {scale:.3g}", 4.0)]
            return lines
        if not self.roomy:
            return []
        lines = [(_SYMBOLS.get(layer.activation.lower(), layer.activation[:6]), 0.0)]
        if layer.bias is not None:
            lines.append((_signed(f"b {layer.bias[index]:+.2f}"), 4.0))
        return lines

    def beside(self, column: int, index: int, x: float, y: float) -> None:
        """Write the name of a feature before its neuron, that of a class behind."""
        first, last = column == 0, column == len(self.sizes) - 1
        names = self.look.features if first else self.look.classes if last else None
        if names is None or index >= len(names):
            return
        text = shorten(str(names[index]), 24)
        away = self.radius + 6
        if self.flat:
            ahead = (self.look.rankdir == "LR") != first
            anchor = "start" if ahead else "end"
            self.scene.add(Text(x + (away if ahead else -away), y, text, 12.0, anchor=anchor))
        else:
            below = (self.look.rankdir == "TB") != first
            self.scene.add(Text(x, y + (away + 7) * (1 if below else -1), text, 10.0))

    def dots(self, column: int, place: int) -> None:
        """Draw three points in the place of the neurons that are left out."""
        row = self.row(column, place)
        for offset in (-7.0, 0.0, 7.0):
            x, y = self.point(column, row + offset)
            self.scene.add(Circle(x, y, 1.8, style.GREY, style.GREY, 0.5))

    # Captions

    def caption(self, column: int) -> None:
        scaling = self.network.inputs
        if column == 0:
            texts = [counted(self.sizes[0], "input")]
            texts += ["centred, scaled"] * (scaling is not None)
        else:
            layer = self.network.layers[column - 1]
            count = layer.weight.size + (0 if layer.bias is None else layer.bias.size)
            texts = [self.title(column, layer), counted(self.sizes[column], "neuron"),
                     layer.activation, counted(count, "parameter")]  # fmt: skip
            back = self.network.outputs if column == len(self.sizes) - 1 else None
            if back is not None:
                texts[2] += _scaled_back(back)
        for number, text in enumerate(texts):
            size, bold = (11.0, True) if number == 0 else (10.0, False)
            if self.flat:
                x, y = self.point(column, self.across + 24 + 13 * number)
                self.scene.add(Text(x, y, text, size, bold=bold))
            else:
                x, y = self.point(column, self.across + 20)
                lower = (number - (len(texts) - 1) / 2) * 13
                self.scene.add(Text(x, y + lower, text, size, anchor="start", bold=bold))

    def title(self, column: int, layer: Dense) -> str:
        """Return what a layer is called: its name in the module, or its number among layers."""
        if not layer.name:
            return self.network.name
        return f"layer {column}" if layer.name.replace(".", "").isdigit() else layer.name

    # Weights

    def weights(self, number: int, layer: Dense) -> None:
        largest = largest_of(layer.weight)
        before, after = self.shown[number], self.shown[number + 1]
        for head_place, head in enumerate(after):
            for tail_place, tail in enumerate(before):
                if head is None or tail is None:
                    continue
                weight = float(layer.weight[head, tail])
                share = min(abs(weight) / largest, 1.0) if np.isfinite(weight) else 1.0
                start = self.point(number, self.row(number, tail_place))
                end = self.point(number + 1, self.row(number + 1, head_place))
                self.scene.add(
                    Line(
                        *start, *end, style.POSITIVE if weight >= 0 else style.NEGATIVE,
                        (0.5 + 2.5 * share) * self.ink, not weight >= 0,
                        (f"n{number}_{tail}", f"n{number + 1}_{head}"),
                        f"weight[{head}, {tail}] = {brief(weight)}",
                    )
                )  # fmt: skip
        if self.numbered:
            self.numbers(number, layer.weight)

    def numbers(self, column: int, weight: np.ndarray) -> None:
        """Write each weight on its line, as far as possible from other numbers and lines."""
        ends = {
            (head, tail): (self.row(column, tail), self.row(column + 1, head))
            for head, tail in np.ndindex(weight.shape)
        }
        taken: list[tuple[float, float]] = []
        for (head, tail), (start, end) in ends.items():
            others = [pair for pair in ends.values() if pair != (start, end)]
            best = -100.0, 0.5, start
            for part in np.linspace(0.24, 0.76, 14).tolist():
                row = start + (end - start) * part
                near = [abs(row - y) + abs(part - x) * self.stride / 2 for x, y in taken]
                near += [abs(row - a - (b - a) * part) for a, b in others]
                best = max(best, (min([22.0, *near]) - 15.0 * abs(part - 0.5), part, row))
            _, part, row = best
            taken.append((part, row))
            x, y = self.point(column + part, row)
            text = _signed(f"{weight[head, tail]:.2f}")
            self.scene.add(_plate(x, y, text), Text(x, y, text, 9.0, style.INK))

    # Heat maps

    def matrix(self, number: int, layer: Dense) -> None:
        """Draw a matrix below the lines that it stands for, its bias to the right."""
        rows, columns = layer.weight.shape
        cell = min(_MAP / rows, _MAP / columns, 14.0)
        width, height = max(cell * columns, 8.0), max(cell * rows, 8.0)
        largest = largest_of(layer.weight)
        lower = self.across + 92
        if self.flat:
            x, y = self.point(number + 0.5, lower)
        else:
            x, y = self.point(number + 0.5, lower + 50)
            y -= height / 2
        bias = layer.bias
        left = x - (width + (0 if bias is None else 5 + max(cell, 4.0))) / 2
        mark = _subscript(number + 1)
        name = f"W{mark} ({rows} × {columns})"
        self.scene.add(Text(x, y, name, 10.0))
        top = y + 10
        hint = f"{name}: from {brief(-largest)} to {brief(largest)}"
        pixels = colours_of(layer.weight, largest)
        self.scene.add(Image(left, top, width, height, pixels, style.BOX_LINE, hint))
        if bias is not None:
            strip = colours_of(bias[:, None], largest_of(bias))
            self.scene.add(
                Image(left + width + 5, top, max(cell, 4.0), height, strip, style.BOX_LINE,
                      f"b{mark}: up to {brief(largest_of(bias))}")
            )  # fmt: skip
        self.scene.add(Text(x, top + height + 9, f"±{brief(largest)}", 9.0))


def _shown(size: int) -> list[int | None]:
    """Return the neurons of a layer that are drawn, None for those that are left out."""
    if size <= _WIDEST:
        return list(range(size))
    return [*range(_FIRST), None, *range(size - _LAST, size)]


def _plate(x: float, y: float, text: str):
    from_middle = width_of(text, 9.0) / 2 + 2
    return Rect(x - from_middle, y - 6, 2 * from_middle, 12, style.PAPER, "none", 3.0)


def _hint(column: int, index: int, layer: Dense | None) -> str:
    if layer is None:
        return f"input {index}"
    bias = "" if layer.bias is None else f", bias {brief(float(layer.bias[index]))}"
    return f"{layer.name or 'neuron'}[{index}], {layer.activation}{bias}"


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _scaled_back(scaling: OutputScaling) -> str:
    """Return what is done to the outputs: with numbers where there is one output."""
    if scaling.features > 1:
        return ", scaled back"
    mean, scale = scaling.mean.array.item(), scaling.scale.array.item()
    return f" · {scale:.3g} {'+−'[mean < 0]} {abs(mean):.3g}"


def _subscript(number: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))
