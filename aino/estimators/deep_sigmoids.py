"""Initial weights of deep stacks of sigmoids, through which nothing would come otherwise.

A sigmoid is σ(z) = (1 + tanh(z/2)) / 2: it lets a quarter of a slope pass, and its outputs lie
around 1/2. Four of them leave a 256th of the gradient. With t = 2σ - 1 a layer of tanh neurons,
tanh(W t + b), is one of sigmoids with weights 4 W and biases 2 b - 2 W 1; so drawn, the stack is
at first what one of tanh would be.

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
networks", 2010.
"""

from __future__ import annotations

import math
from typing import Any

from aino.nn.modules.perceptron import Layer

#: From so many hidden layers of sigmoids on a stack is deep.
DEEP = 2


def widen(layers: Any) -> None:
    """Let the weights that were just drawn for a deep stack of sigmoids be those of tanh."""
    hidden = [type(layer) is Layer and layer.activation == "sigmoid" for layer in layers[:-1]]
    if sum(hidden) < DEEP or not all(hidden):
        return
    for place, layer in enumerate(layers):
        weight, bias = layer.weight.array, layer.bias.array
        # Uniform weights of variance 1 / n, which keep the variance of what comes in.
        weight *= math.sqrt(3.0)
        if place < len(layers) - 1:
            weight *= 2.0
            bias *= 2.0
        if place > 0:
            bias -= weight.sum(axis=1)
            weight *= 2.0
