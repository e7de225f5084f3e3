"""Prediction for one row, where what surrounds the arithmetic is nearly everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, perceptron

ROW = Network((4, 16, 3), 1, "SGD")
BATCH = Network((784, 256, 128, 10), 256, "SGD")


def cases() -> list[Case]:
    wanted = {"PyTorch, no_grad": 5} if peers.compiler() is not None else {}
    return [
        Case("inference", "one row through 4-16-3", lambda: contenders(ROW), wanted, unit="call"),
        Case(
            "inference",
            "256 rows through 784-256-128-10",
            lambda: contenders(BATCH),
            unit="call",
        ),
    ]


def contenders(network: Network) -> list[Contender]:
    import aino

    model = perceptron(aino, network)
    x = aino.from_numpy(network.data()[0])
    found = [Contender("AINO eager, no_grad", without_graph(aino, model, x))]
    compile = peers.compiler()
    if compile is not None:
        predict = without_graph(aino, compile(perceptron(aino, network)), x)
        found.insert(0, Contender("AINO compiled, no_grad", predict))
    found.append(Contender("NumPy by hand", by_hand(network)))
    torch = peers.torch()
    if torch is not None:
        row = torch.from_numpy(network.data()[0])
        run = without_graph(torch, perceptron(torch, network), row)
        found.append(Contender("PyTorch, no_grad", run))
    jax = peers.jax()
    if jax is not None:
        found.append(Contender("JAX jit", jax_style(jax, network)))
    for contender in found:
        contender.show = lambda output: output[0, 0]
    return found


def without_graph(library: Any, model: Any, x: Any) -> Callable[[], Any]:
    def run() -> Any:
        with library.no_grad():
            return model(x)

    return run


def by_hand(network: Network) -> Callable[[], Any]:
    weights = [(weight.T, bias) for weight, bias in network.weights()]
    X = network.data()[0]

    def run() -> Any:
        h = X
        for weight, bias in weights[:-1]:
            h = h @ weight
            h += bias
            np.maximum(h, 0, out=h)
        weight, bias = weights[-1]
        h = h @ weight
        h += bias
        return h

    return run


def jax_style(jax: Any, network: Network) -> Callable[[], Any]:
    weights = jax.tree.map(jax.numpy.asarray, network.weights())
    X = jax.numpy.asarray(network.data()[0])

    @jax.jit
    def predict(weights, h):
        for weight, bias in weights[:-1]:
            h = jax.nn.relu(h @ weight.T + bias)
        weight, bias = weights[-1]
        return h @ weight.T + bias

    return lambda: predict(weights, X).block_until_ready()
