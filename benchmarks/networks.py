"""The multilayer perceptrons of the benchmarks: data, weights, and one step in each library.

Every step does the same: linear layers with ReLU between them, a loss, its gradients, an update.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Network:
    """Sizes of the layers, rows in a batch, and the optimizer: "SGD" or "Adam"."""

    sizes: tuple[int, ...]
    batch: int
    optimizer: str

    @property
    def name(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        return f"{sizes}, batch {self.batch}, {self.optimizer}"

    @property
    def lr(self) -> float:
        return 1e-2 if self.optimizer == "SGD" else 1e-3

    @property
    def classifies(self) -> bool:
        return self.sizes[-1] > 1

    def weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return float32 weights (out, in) and biases (out,), the same ones at every call."""
        rng = np.random.default_rng(0)
        return [
            (
                (rng.standard_normal((out, into)) * (2 / into) ** 0.5).astype(np.float32),
                np.ones(out, np.float32),
            )
            for into, out in zip(self.sizes, self.sizes[1:])
        ]

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs, and class indices or numbers to reproduce.

        Rows are repeated, each with another target, so that none is learned by heart: a step is
        made a hundred thousand times, and where probabilities or gradients have vanished all
        libraries compute with denormal numbers, which take a processor ten times as long. For
        the same reason biases begin at 1: few units are dead.
        """
        rng = np.random.default_rng(1)
        X = rng.standard_normal((self.batch, self.sizes[0])).astype(np.float32)
        times = max(2, self.sizes[-1])
        X = X[np.arange(self.batch) // times]
        if self.classifies:
            return X, np.arange(self.batch) % self.sizes[-1]
        return X, rng.standard_normal((self.batch, 1)).astype(np.float32)


def perceptron(library: Any, network: Network, activation: str = "ReLU") -> Any:
    """Return the network as a model of PyTorch's or AINO's, which share the words for it."""
    layers: list[Any] = []
    for weight, bias in network.weights():
        layer = library.nn.Linear(weight.shape[1], weight.shape[0])
        with library.no_grad():
            layer.weight.copy_(library.from_numpy(weight))
            layer.bias.copy_(library.from_numpy(bias))
        layers += [layer, getattr(library.nn, activation)()]
    return library.nn.Sequential(*layers[:-1])


def torch_style(
    library: Any, network: Network, wrap: Callable[[Any], Any] | None = None, **settings: Any
) -> Callable[[], Any]:
    """Return a training step in the words that PyTorch and AINO share.

    ``wrap`` is what is done to the model before it is called.
    """
    model = perceptron(library, network)
    run = model if wrap is None else wrap(model)
    X, y = map(library.from_numpy, network.data())
    loss_function = library.nn.CrossEntropyLoss() if network.classifies else library.nn.MSELoss()
    optimizer_class = getattr(library.optim, network.optimizer)
    optimizer = optimizer_class(model.parameters(), lr=network.lr, **settings)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_function(run(X), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def jax_step(jax: Any, network: Network) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Return a jitted training step, and how to wait for it."""
    jnp = jax.numpy

    def loss_of(weights, X, y):
        h = X
        for weight, bias in weights[:-1]:
            h = jax.nn.relu(h @ weight.T + bias)
        weight, bias = weights[-1]
        h = h @ weight.T + bias
        if network.classifies:
            return -jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1).mean()
        return ((h - y) ** 2).mean()

    return jax_update(jax, network, loss_of, tuple(map(jnp.asarray, network.data())))


def jax_update(
    jax: Any, network: Network, loss_of: Callable, batch: tuple
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Return a jitted step that lowers a loss, its weights and moments donated, and a wait."""
    jnp = jax.numpy
    lr, adam = network.lr, network.optimizer == "Adam"

    def update(weights, m, v, t, batch):
        loss, g = jax.value_and_grad(loss_of)(weights, *batch)
        tree = jax.tree.map
        if not adam:
            return tree(lambda p, g: p - lr * g, weights, g), m, v, t, loss
        t = t + 1
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = 1 - 0.9**t, 1 - 0.999**t
        weights = tree(lambda p, m, v: p - lr * (m / a) / (jnp.sqrt(v / b) + 1e-8), weights, m, v)
        return weights, m, v, t, loss

    compiled = jax.jit(update, donate_argnums=(0, 1, 2, 3))
    weights = jax.tree.map(jnp.asarray, network.weights())
    moments = [jax.tree.map(jnp.zeros_like, weights) if adam else None for _ in range(2)]
    state = [weights, *moments, jnp.zeros(())]

    def step() -> Any:
        *state[:], loss = compiled(*state, batch)
        return loss

    return step, lambda loss: jax.block_until_ready((state, loss))
