"""Dense networks as layers of neurons: what a module has to be for that, and what it computes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.drawing.layers import parts_in_order
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy
from aino.nn.modules import activation, gating
from aino.nn.modules.dropout import Dropout
from aino.nn.modules.linear import Identity, Linear
from aino.nn.modules.perceptron import Layer, Perceptron
from aino.nn.modules.scaling import InputScaling, OutputScaling

#: More layers than these are drawn as modules.
_MOST_LAYERS = 12


class Dense(NamedTuple):
    """A layer of neurons: ``weight`` (out, in), ``bias`` (out,) or None.

    ``ends`` is the module whose output are the neurons' activations.
    """

    name: str
    weight: np.ndarray
    bias: np.ndarray | None
    activation: str
    ends: Any


class Network(NamedTuple):
    """What is drawn: the layers, what the network is called, and the scales of its data, if any."""

    name: str
    layers: list[Dense]
    inputs: InputScaling | None = None
    outputs: OutputScaling | None = None


def as_neurons(module: Module) -> Network | None:
    """Return a module as layers of neurons, None where it is something else, or very deep."""
    layers = _layers(module, "")
    if not layers or len(layers) > _MOST_LAYERS:
        return None
    sizes = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
    if min(sizes) < 1:
        return None
    scales = getattr(module, "input_scaling", None), getattr(module, "output_scaling", None)
    return Network(type(module).__name__, layers, *scales)


def activations(module: Module, network: Network, sample: Any) -> list[np.ndarray]:
    """Return what is at each column when the network is given one sample: inputs first.

    The network computes as it does in eval mode, and is left as it was. Raises ``ValueError``
    where the sample has another length than the network has inputs.
    """
    given = sample if isinstance(sample, Tensor) else Tensor(np.asarray(sample))
    values = given.detach().array.reshape(-1)
    width = network.layers[0].weight.shape[1]
    if values.size != width:
        raise ValueError(
            f"sample is one input of the network, {width} numbers; got {values.size} "
            f"(shape {tuple(given.array.shape)})"
        )
    first = network.layers[0].weight
    row = Tensor(values.astype(first.dtype)[None])
    seen: dict[int, np.ndarray] = {}
    wanted = {id(layer.ends) for layer in network.layers}
    handles = [
        inner.register_forward_hook(
            lambda inner, args, output: seen.__setitem__(id(inner), output.array.reshape(-1))
        )
        for inner in module.modules() if id(inner) in wanted
    ]  # fmt: skip
    training = {inner: inner.training for inner in module.modules()}
    try:
        for inner in training:
            inner.training = False
        with no_grad():
            module(row if not isinstance(module, Perceptron) else row[0])
    finally:
        for handle in handles:
            handle.remove()
        for inner, was in training.items():
            inner.training = was
            forget_empty_hooks(inner)
    return [values, *(seen[id(layer.ends)] for layer in network.layers)]


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
        return [Dense(path, weight, bias, named, module)]
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
            layers[-1] = layers[-1]._replace(activation=kind.__name__, ends=part)
            continue
        inner = _layers(part, f"{path}.{name}" if path else name)
        if inner is None:
            return None
        layers += inner
    return layers
