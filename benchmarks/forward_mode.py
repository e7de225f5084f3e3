"""Forward mode: the product of a network's Jacobian with a direction, beside its value alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, perceptron
from benchmarks.training import COMPILED, EAGER
from benchmarks.transforms import JAX, jax_network, jax_weights

FORWARD, DOUBLE, TORCH = "AINO, the value alone, compiled", "AINO, twice backward", "PyTorch, jvp"
POINTS = 100
NETWORK = Network((2, 40, 40, 1), POINTS, "Adam")


def cases() -> list[Case]:
    name = f"product with the Jacobian, 2-40-40-1 tanh, {POINTS} points"
    return [Case("forward mode", name, contenders, {FORWARD: 1 / 2.5, TORCH: 1})]


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return the points and the direction that each of them moves in."""
    rng = np.random.default_rng(0)
    x, t = (rng.normal(size=(POINTS, 2)).astype(np.float32) for _ in range(2))
    return x, t


def contenders() -> list[Contender]:
    import aino

    found = [
        Contender(COMPILED, *pushed(aino, aino.compile), show=_norm),
        Contender(EAGER, *pushed(aino), show=_norm),
        Contender(FORWARD, *alone(aino), show=lambda _: _norm(pushed(aino)[0]())),
        Contender(DOUBLE, *twice_back(aino), show=_norm),
    ]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(TORCH, *pushed(torch), show=_norm))
    jax = peers.jax()
    if jax is not None:
        found.append(Contender(JAX, *pushed_by_jax(jax), show=_norm))
    return found


def _norm(found: Any) -> float:
    return float((found**2).sum() ** 0.5)


def pushed(library: Any, wrapped: Callable = lambda function: function) -> tuple[Callable]:
    """Return the product in the words that PyTorch and AINO share."""
    model = perceptron(library, NETWORK, "Tanh").requires_grad_(False)
    x, t = (library.from_numpy(array) for array in data())
    product = wrapped(lambda x, t: library.func.jvp(model, (x,), (t,))[1])
    return (lambda: product(x, t),)


def alone(aino: Any) -> tuple[Callable]:
    """Return the network's value, which a product costs at least."""
    model = aino.compile(perceptron(aino, NETWORK, "Tanh").requires_grad_(False))
    x, _ = (aino.from_numpy(array) for array in data())
    return (lambda: model(x),)


def twice_back(aino: Any) -> tuple[Callable]:
    model = perceptron(aino, NETWORK, "Tanh").requires_grad_(False)
    x, t = (aino.from_numpy(array) for array in data())
    return (lambda: aino.autograd.functional.jvp(model, x, t)[1],)


def pushed_by_jax(jax: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    jnp = jax.numpy
    weights = jax_weights(jax, NETWORK)
    x, t = (jnp.asarray(array) for array in data())
    product = jax.jit(lambda x, t: jax.jvp(lambda x: jax_network(jnp, weights, x), (x,), (t,))[1])
    return lambda: product(x, t), lambda found: found.block_until_ready()
