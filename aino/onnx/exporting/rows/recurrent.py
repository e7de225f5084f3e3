"""Recurrent layers: whole sequences by one operator a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.nn.functional import recurrent
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.memory import is_zero
from aino.onnx.exporting.program import Value
from aino.onnx.exporting.table import DeclinedError, whole

#: The operator, and the order in which it has the gates that PyTorch has in the order 0, 1, 2 ...
_OPERATORS = {
    "lstm": ("LSTM", (0, 3, 1, 2)), "gru": ("GRU", (1, 0, 2)), "rnn_tanh": ("RNN", (0,)),
    "rnn_relu": ("RNN", (0,)),
}  # fmt: skip


@whole(recurrent.over_sequence)
def _over_sequence(
    graph: Graph, name: str, input: Any, states: Any, weights: Any, batch_first: bool,
    settings: Any, result: Any,
) -> list[str]:  # fmt: skip
    """Layers one after the other, those of both directions as one."""
    layers, dropout, train, both = settings
    if (dropout and train and layers > 1) or any(group[4:] != [None] for group in weights
                                                 if name == "lstm"):  # fmt: skip
        raise DeclinedError
    x = graph.transpose(input, [1, 0, 2]) if batch_first else graph.name(input)
    steps, batch = input.shape[:2] if not batch_first else input.shape[1::-1]
    directions = 2 if both else 1
    ends: list[list[str]] = [[] for _ in states]
    for layer in range(layers):
        places = range(layer * directions, (layer + 1) * directions)
        groups = [weights[place] for place in places]
        y, *last = _layer(graph, name, x, groups, [
            _states(graph, state, layer, layers, directions) for state in states
        ])  # fmt: skip
        hidden = groups[0][1].shape[1]
        if directions == 1:
            x = graph.node("Squeeze", [y, graph.constant([1], np.int64)])
        else:  # (steps, directions, batch, hidden): those of a position beside one another
            turned = graph.transpose(y, [0, 2, 1, 3])
            shape = (steps, batch, directions, hidden)
            x = graph.reshape(turned, shape, (steps, batch, directions * hidden))
        for found, end in zip(ends, last):
            found.append(end)
    if batch_first:
        x = graph.transpose(x, [1, 0, 2])
    joined = [e[0] if len(e) == 1 else graph.node("Concat", e, axis=0) for e in ends]
    return [x, *joined]


def _states(graph: Graph, state: Value, layer: int, layers: int, directions: int) -> str | None:
    """Return the first states of one layer; nothing where they are zeros."""
    if is_zero(state):
        return None
    if layers == 1:
        return graph.name(state)
    return graph.slice(state, 0, layer * directions, (layer + 1) * directions)


def _layer(graph: Graph, name: str, x: str, groups: list, states: list) -> list[str]:
    operator, order = _OPERATORS[name]
    hidden = groups[0][1].shape[1]
    inputs: list[Any] = [x]
    inputs += [_stacked(graph, [group[i] for group in groups], order) for i in (0, 1)]
    bias = None
    if groups[0][2] is not None:
        bias = _stacked(graph, [(group[2], group[3]) for group in groups], order)
    inputs += [bias, None, *states]
    kinds = {"rnn_tanh": "Tanh", "rnn_relu": "Relu"}
    activations = [kinds[name]] * len(groups) if name in kinds else None
    return graph.node(
        operator, inputs, count=3 if name == "lstm" else 2, hidden_size=hidden,
        direction="bidirectional" if len(groups) == 2 else None, activations=activations,
        linear_before_reset=1 if name == "gru" else None,
    )  # fmt: skip


def _stacked(graph: Graph, parts: list, order: tuple[int, ...]) -> str:
    """Return weights with their gates in ONNX's order, one after the other for each direction."""
    label, arrays = "", []
    for part in parts:
        pair = part if isinstance(part, tuple) else (part,)
        rows = []
        for value in pair:
            name = graph.name(value)
            array = graph.initializers.get(name)
            if array is None:
                raise DeclinedError
            label = label or name
            gates = np.split(array, len(order))
            rows.append(np.concatenate([gates[place] for place in order]))
        arrays.append(np.concatenate(rows))
    return graph.constant(np.stack(arrays), arrays[0].dtype, f"{label}.onnx")
