"""What the page explains: one perceptron with its numbers, one sample forwards and backwards."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import make
from aino.nn import functional as F
from aino.nn.modules.activation_names import ACTIVATIONS
from aino.playground.data import LARGEST, is_number
from aino.playground.session import Session, finite, is_whole, rounded

_SLOPES = {
    "tanh": "1 − a²", "sigmoid": "a (1 − a)", "relu": "1 where z > 0, else 0",
    "linear": "1", "gelu": "the slope of gelu",
}  # fmt: skip


def perceptron(session: Session, layer: Any, unit: Any, point: Any) -> dict[str, Any]:
    """Return one perceptron's weights, and what it makes of a point.

    Arguments:
        session: the network.
        layer, unit: which perceptron, counted from 0.
        point: x and y.
    """
    layers = session.network.layers
    if not is_whole(layer) or not 0 <= layer < len(layers):
        raise ValueError(f"there is no layer {layer!r}")
    own: Any = layers[layer]
    if not is_whole(unit) or not 0 <= unit < len(own):
        raise ValueError(f"layer {layer + 1} has no unit {unit!r}")
    with no_grad():
        value = session.scaled(_point(point))
        for before in layers[:layer]:
            value = before(value)
        given = value.array[0]
        total = F.linear(value, own.weight, own.bias).array[0, unit]
        output = own(value).array[0, unit]
    return {
        "inputs": rounded(given), "weights": rounded(own.weight.array[unit]),
        "bias": rounded(own.bias.array[unit]), "sum": finite(float(total)),
        "output": finite(float(output)), "activation": own.activation,
    }  # fmt: skip


def walk(session: Session, point: Any, target: Any) -> dict[str, Any]:
    """Return one sample's way through the network and its gradient's way back, step by step.

    The gradients are the engine's, of a copy of the network, so that nothing is left behind.

    Arguments:
        session: the network.
        point: x and y.
        target: the number of its class.
    """
    if not is_whole(target) or not 0 <= target < len(session.data.labels):
        raise ValueError(f"there is no class {target!r}")
    layers: Any = copy.deepcopy(session.network.layers)
    value = session.scaled(_point(point)).requires_grad_()
    sums, values = [], [value]
    for layer in layers:
        total = F.linear(value, layer.weight, layer.bias)
        value = ACTIVATIONS[layer.activation](total)
        for tensor in (total, value):
            tensor.retain_grad()
        sums.append(total)
        values.append(value)
    goal = (
        make(np.array([target])) if session.several else make(np.full((1, 1), target, np.float32))
    )
    loss = session.loss_of(sums[-1], goal)
    loss.backward()

    steps = [_step("x", 0, "value", "the point, as the first layer is given it", values[0].array)]
    last = len(layers) - 1
    for place, layer in enumerate(layers):
        number = place + 1
        before = "x" if place == 0 else f"a{place}"
        steps.append(_step(f"z{number} = W{number} {before} + b{number}", number, "value",
                           "the weighted sums", sums[place].array))  # fmt: skip
        steps.append(_step(f"a{number} = {layer.activation}(z{number})", number, "value",
                           "what the units give" if place < last else "the probabilities",
                           values[number].array))  # fmt: skip
    steps.append(_step(f"L = −log p, p = {_probability(session, values[-1].array, target):.4g}",
                       last + 1, "loss", "the loss of this point", loss.array))  # fmt: skip
    for place in reversed(range(len(layers))):
        number, layer = place + 1, layers[place]
        before = "x" if place == 0 else f"a{place}"
        if place == last:
            text = f"∂L/∂z{number} = a{number} − y"
            told = "sigmoid or softmax and the logarithm together: what it said minus what is right"
        else:
            text = f"∂L/∂z{number} = ∂L/∂a{number} · {layer.activation}′(z{number})"
            told = f"times the slope of the activation: {_SLOPES[layer.activation]}"
        steps.append(_step(text, number, "gradient", told, _gradient(sums[place])))
        text = f"∂L/∂W{number} = ∂L/∂z{number} · {before}ᵀ"
        told = "how the loss changes with each weight"
        steps.append(_step(text, number, "weights", told, layer.weight.grad.array))
        text, told = f"∂L/∂b{number} = ∂L/∂z{number}", "how it changes with each shift"
        steps.append(_step(text, number, "gradient", told, layer.bias.grad.array))
        if place:
            steps.append(_step(f"∂L/∂a{place} = W{number}ᵀ · ∂L/∂z{number}", place, "gradient",
                               "back through the weights", _gradient(values[place])))  # fmt: skip
    return {"steps": steps, "loss": finite(loss.array.item())}


def _step(formula: str, layer: int, kind: str, told: str, array: np.ndarray) -> dict[str, Any]:
    values = array if kind == "weights" else np.atleast_2d(array)[0]
    return {"formula": formula, "layer": layer, "kind": kind, "told": told,
            "values": rounded(values)}  # fmt: skip


def _gradient(tensor: Any) -> np.ndarray:
    return tensor.grad.array


def _probability(session: Session, outputs: np.ndarray, target: int) -> float:
    if session.several:
        return float(outputs[0, target])
    return float(outputs[0, 0] if target else 1 - outputs[0, 0])


def _point(point: Any) -> np.ndarray:
    if not isinstance(point, list) or len(point) != 2 or not all(map(is_number, point)):
        raise ValueError("a point is two numbers")
    if max(map(abs, point)) > 4 * LARGEST:
        raise ValueError(f"the numbers of a point are {4 * LARGEST:g} at most")
    return np.array([point], np.float64)
