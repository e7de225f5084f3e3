"""Small networks as in a textbook: neurons in columns, a line for each weight.

The places are computed here, and Graphviz only draws: it would order neurons as it likes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aino.drawing import style
from aino.drawing.dot import attributes, text_line
from aino.drawing.graph import counted
from aino.drawing.layers import parts_in_order
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy
from aino.nn.modules import activation, gating
from aino.nn.modules.dropout import Dropout
from aino.nn.modules.linear import Identity, Linear
from aino.nn.modules.perceptron import Layer, Perceptron
from aino.nn.modules.scaling import InputScaling, OutputScaling

#: The widest layer, and the most weights, that are drawn as neurons and lines.
_WIDEST, _MOST = 20, 400
#: Up to this many weights show their numbers, and up to this width neurons their biases.
_NUMBERED, _ROOMY = 20, 8

_SYMBOLS = {
    "sigmoid": "σ", "tanh": "tanh", "relu": "ReLU", "linear": "Σ", "identity": "Σ",
    "softmax": "eˣ/Σ", "gelu": "GELU", "silu": "SiLU", "swish": "SiLU", "elu": "ELU",
    "selu": "SELU", "celu": "CELU", "relu6": "ReLU6", "mish": "Mish", "leakyrelu": "LReLU",
    "leaky_relu": "LReLU", "softplus": "ln⁺",
}  # fmt: skip


class Dense(NamedTuple):
    """A layer of neurons: ``weight`` (out, in), ``bias`` (out,) or None."""

    name: str
    weight: np.ndarray
    bias: np.ndarray | None
    activation: str


class Network(NamedTuple):
    """What is drawn: the layers, what the network is called, and the scales of its data, if any."""

    name: str
    layers: list[Dense]
    inputs: InputScaling | None = None
    outputs: OutputScaling | None = None


def as_neurons(module: Module) -> Network | None:
    """Return a module as layers of neurons, None where it is something else or too large."""
    layers = _layers(module, "")
    if not layers:
        return None
    sizes = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
    weights = sum(layer.weight.size for layer in layers)
    if not 0 < min(sizes) <= max(sizes) <= _WIDEST or weights > _MOST:
        return None
    scales = getattr(module, "input_scaling", None), getattr(module, "output_scaling", None)
    return Network(type(module).__name__, layers, *scales)


def _layers(module: Module, path: str) -> list[Dense] | None:
    if isinstance(module, Layer) and module.norm is not None:
        return None
    if isinstance(module, (Perceptron, Layer, Linear)):
        if is_lazy(module.weight):
            return None
        weight = module.weight.array
        bias = None if module.bias is None else module.bias.array
        if isinstance(module, Perceptron):
            weight, bias = weight[None], None if bias is None else bias[None]
        named = "linear" if isinstance(module, Linear) else module.activation
        return [Dense(path, weight, bias, named)]
    parts = parts_in_order(module)
    if parts is None:
        return None
    layers: list[Dense] = []
    for name, part in parts:
        kind = type(part)
        if isinstance(part, (Dropout, Identity, InputScaling, OutputScaling)):
            continue
        if kind.__module__ in (activation.__name__, gating.__name__) and layers:
            if layers[-1].activation != "linear" or kind is gating.GLU:
                return None
            layers[-1] = layers[-1]._replace(activation=kind.__name__)
            continue
        inner = _layers(part, f"{path}.{name}" if path else name)
        if inner is None:
            return None
        layers += inner
    return layers


def draw_neurons(network: Network, rankdir: str, numbers: bool) -> str:
    """Return the drawing's text; lines are blue for positive weights, dashed for negative."""
    return _Page(network, rankdir, numbers).text()


class _Page:
    """Where everything stands, in inches: columns along the flow, rows across it."""

    def __init__(self, network: Network, rankdir: str, numbers: bool) -> None:
        self.network = network
        self.rankdir = rankdir
        layers = network.layers
        self.sizes = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
        self.roomy = max(self.sizes) <= _ROOMY
        self.numbered = numbers and sum(layer.weight.size for layer in layers) <= _NUMBERED
        #: Many lines are thin ones.
        self.ink = 1.0 if self.roomy else 0.6
        self.step = 1.0 if self.roomy else 0.46
        self.radius = 0.31 if self.roomy else 0.17
        self.stride = 2.3 if self.roomy else 2.0 + 0.05 * max(self.sizes)
        self.across = (max(self.sizes) - 1) / 2 * self.step + self.radius

    def place(self, column: float, row: float) -> str:
        """Return a position: ``column`` counts layers, ``row`` is a distance from the middle."""
        along = column * self.stride
        x, y = {
            "LR": (along, -row), "RL": (-along, -row), "TB": (row, -along), "BT": (row, along)
        }[self.rankdir]  # fmt: skip
        return f"{x:.3f},{y:.3f}!"

    def row(self, column: int, index: int) -> float:
        return (index - (self.sizes[column] - 1) / 2) * self.step

    def text(self) -> str:
        font = {"fontname": style.FONT}
        lines = [
            "digraph aino {",
            "  graph" + attributes(layout="neato", bgcolor="transparent", pad="0.1",
                                   splines="line", outputorder="edgesfirst"),
            "  node" + attributes(**font, fontsize="12", fontcolor=style.INK, shape="circle",
                                  style="filled", fixedsize="true", margin="0",
                                  width=f"{2 * self.radius}", height=f"{2 * self.radius}"),
            "  edge" + attributes(arrowhead="none"),
        ]  # fmt: skip
        for column, size in enumerate(self.sizes):
            lines += [self.neuron(column, index) for index in range(size)]
            lines.append(self.caption(column))
        for number, layer in enumerate(self.network.layers):
            lines += self.weights(number, layer)
        return "\n".join([*lines, "}", ""])

    def neuron(self, column: int, index: int) -> str:
        layer = self.network.layers[column - 1] if column else None
        look = style.VERTEX["operation" if layer else "input"]
        fill, color, pen = look["fillcolor"], look["color"], "1.2"
        if column == len(self.sizes) - 1:
            fill, color, pen = style.OUTPUT_FILL, style.OUTPUT["color"], "1.6"
        label = ""
        if layer is None:
            label = f"x{_subscript(index + 1)}"
            scaling = self.network.inputs
            if self.roomy and scaling is not None:
                mean, scale = float(scaling.mean.array[index]), float(scaling.scale.array[index])
                lines = f"{'−+'[mean < 0]} {abs(mean):.3g}", f"÷ {scale:.3g}"
                label = f"<{text_line(label)}{''.join('<BR/>' + _small(line) for line in lines)}>"
        elif self.roomy:
            symbol = _SYMBOLS.get(layer.activation.lower(), layer.activation[:6])
            label = f"<{text_line(symbol)}>"
            if layer.bias is not None:
                small = _small(f"b {layer.bias[index]:+.2f}".replace("-", "−"))
                label = f"<{text_line(symbol)}<BR/>{small}>"
        return f"  n{column}_{index}" + attributes(
            label=label, pos=self.place(column, self.row(column, index)),
            fillcolor=fill, color=color, penwidth=pen,
        )  # fmt: skip

    def caption(self, column: int) -> str:
        if column == 0:
            texts = [counted(self.sizes[0], "input")]
            texts += ["centred, scaled"] * (self.network.inputs is not None)
        else:
            layer = self.network.layers[column - 1]
            count = layer.weight.size + (0 if layer.bias is None else layer.bias.size)
            texts = [layer.name or self.network.name, counted(self.sizes[column], "neuron"),
                     layer.activation, counted(count, "parameter")]  # fmt: skip
            scaling = self.network.outputs if column == len(self.sizes) - 1 else None
            if scaling is not None:
                texts[2] += _scaled_back(scaling)
        lines = [text_line(texts[0], "B"), *(text_line(text) for text in texts[1:])]
        # As many lines everywhere, so that the first ones stand at one height.
        lines += ["&#160;"] * (4 - len(lines))
        below = self.across + 0.2 + 0.07 * len(lines)
        return f"  c{column}" + attributes(
            label=f"<{'<BR/>'.join(lines)}>", pos=self.place(column, below),
            shape="plain", style="", fixedsize="false", fontsize="10", fontcolor=style.GREY,
        )  # fmt: skip

    def weights(self, number: int, layer: Dense) -> list[str]:
        sizes = np.abs(layer.weight[np.isfinite(layer.weight)])
        largest = float(np.max(sizes, initial=0.0)) or 1.0
        lines = []
        for (head, tail), weight in np.ndenumerate(layer.weight):
            share = abs(float(weight)) / largest if np.isfinite(weight) else 1.0
            lines.append(
                f"  n{number}_{tail} -> n{number + 1}_{head}" + attributes(
                    color=style.POSITIVE if weight >= 0 else style.NEGATIVE,
                    style="solid" if weight >= 0 else "dashed",
                    penwidth=f"{(0.5 + 2.5 * share) * self.ink:.2f}",
                )
            )  # fmt: skip
        if self.numbered:
            lines += self.numbers(number, layer.weight)
        return lines

    def numbers(self, column: int, weight: np.ndarray) -> list[str]:
        """Write each weight on its line, as far as possible from other numbers and lines."""
        ends = {
            (head, tail): (self.row(column, tail), self.row(column + 1, head))
            for head, tail in np.ndindex(weight.shape)
        }
        taken: list[tuple[float, float]] = []
        lines = []
        for (head, tail), (start, end) in ends.items():
            others = [pair for pair in ends.values() if pair != (start, end)]
            best = -1.0, 0.5, start
            for part in np.linspace(0.24, 0.76, 14).tolist():
                row = start + (end - start) * part
                near = [abs(row - y) + abs(part - x) * self.stride / 2 for x, y in taken]
                near += [abs(row - a - (b - a) * part) for a, b in others]
                best = max(best, (min([0.3, *near]) - 0.2 * abs(part - 0.5), part, row))
            _, part, row = best
            taken.append((part, row))
            text = f"{weight[head, tail]:.2f}".replace("-", "−")
            lines.append(
                f"  w{column}_{tail}_{head}" + attributes(
                    label=text, pos=self.place(column + part, row), shape="box",
                    style="rounded,filled", fillcolor=style.PAPER, penwidth="0", fontsize="9",
                    width=f"{0.06 + 0.08 * len(text):.2f}", height="0.17",
                )
            )  # fmt: skip
        return lines


def _small(text: str) -> str:
    return f'<FONT POINT-SIZE="8" COLOR="{style.PALE_INK}">{text_line(text)}</FONT>'


def _scaled_back(scaling: OutputScaling) -> str:
    """Return what is done to the outputs: with numbers where there is one output."""
    if scaling.features > 1:
        return ", scaled back"
    mean, scale = scaling.mean.array.item(), scaling.scale.array.item()
    return f" · {scale:.3g} {'+−'[mean < 0]} {abs(mean):.3g}"


def _subscript(number: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))
