"""Transforms: an ensemble's step, the gradient of each sample, the Hessians of many points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, perceptron
from benchmarks.training import COMPILED, EAGER

LOOP, BATCHED = "AINO, a loop of compiled steps", "AINO, one gradient of the batch"
VMAP, JAX = "PyTorch, vmap", "JAX, jit(vmap)"
MEMBERS, POINTS, SAMPLES = 100, 32, 128
ENSEMBLE = Network((4, 16, 3), 32, "Adam")
LARGE = Network((784, 256, 128, 10), SAMPLES, "Adam")
HESSIANS = Network((2, 12, 1), 1, "Adam")


def cases() -> list[Case]:
    return [
        Case("transforms", f"ensemble of {MEMBERS}, 4-16-3, batch 32, Adam", ensemble,
             {LOOP: 10, VMAP: 3, JAX: 1.3}, tolerance=1e-2),
        Case("transforms", f"gradients of {SAMPLES} samples, 784-256-128-10", per_sample,
             {BATCHED: 1 / 3, VMAP: 1}, calls_before_check=1),
        Case("transforms", f"{POINTS} Hessians, 2-12-1 tanh", hessians,
             {LOOP: 10, JAX: 1}, calls_before_check=1),
    ]  # fmt: skip


def data(network: Network, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, network.sizes[0])).astype(np.float32)
    return x, rng.normal(size=(rows, network.sizes[-1])).astype(np.float32)


# An ensemble


def ensemble() -> list[Contender]:
    import aino

    step = ensemble_step(aino)
    found = [
        Contender(COMPILED, aino.compile(step)),
        Contender(EAGER, ensemble_step(aino)),
        Contender(LOOP, ensemble_loop(aino)),
    ]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(VMAP, ensemble_step(torch, fused=True)))
    jax = peers.jax()
    if jax is not None:
        found.append(Contender(JAX, *ensemble_jax(jax)))
    return found


def ensemble_step(library: Any, **settings: Any) -> Callable[[], Any]:
    """Return a step of all members at once, in the words that PyTorch and AINO share."""
    models = [perceptron(library, ENSEMBLE, "Tanh") for _ in range(MEMBERS)]
    params, _ = library.func.stack_module_state(models)
    x, target = (library.from_numpy(array) for array in data(ENSEMBLE, ENSEMBLE.batch))
    optimizer = library.optim.Adam(list(params.values()), lr=ENSEMBLE.lr, **settings)
    mse_loss, functional_call = library.nn.functional.mse_loss, library.func.functional_call
    losses = library.func.vmap(lambda p: mse_loss(functional_call(models[0], p, (x,)), target))

    def step() -> Any:
        optimizer.zero_grad()
        loss = losses(params).sum()
        loss.backward()
        optimizer.step()
        return loss.detach() / MEMBERS

    return step


def ensemble_loop(aino: Any) -> Callable[[], Any]:
    """Return the same as a loop over compiled steps."""
    steps = []
    for _ in range(MEMBERS):
        model = perceptron(aino, ENSEMBLE, "Tanh")
        optimizer = aino.optim.Adam(model.parameters(), lr=ENSEMBLE.lr)
        steps.append(_member(aino, model, optimizer))

    def step() -> Any:
        return sum([one() for one in steps]) / MEMBERS

    return step


def _member(aino: Any, model: Any, optimizer: Any) -> Callable[[], Any]:
    x, target = (aino.from_numpy(array) for array in data(ENSEMBLE, ENSEMBLE.batch))

    @aino.compile
    def step() -> Any:
        optimizer.zero_grad()
        loss = aino.nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def jax_weights(jax: Any, network: Network, members: int = 0) -> list:
    import aino

    weights = []
    for layer in perceptron(aino, network, "Tanh"):
        for p in layer.parameters():
            array = jax.numpy.asarray(p.detach().numpy())
            weights.append(jax.numpy.stack([array] * members) if members else array)
    return list(zip(weights[::2], weights[1::2]))


def jax_network(jnp: Any, weights: Any, x: Any) -> Any:
    for weight, bias in weights[:-1]:
        x = jnp.tanh(x @ weight.T + bias)
    weight, bias = weights[-1]
    return x @ weight.T + bias


def ensemble_jax(jax: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    jnp = jax.numpy
    x, target = (jnp.asarray(array) for array in data(ENSEMBLE, ENSEMBLE.batch))
    weights = jax_weights(jax, ENSEMBLE, MEMBERS)

    def loss_of(weights):
        return ((jax_network(jnp, weights, x) - target) ** 2).mean()

    def update(weights, m, v, t):
        loss, g = jax.value_and_grad(loss_of)(weights)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = ENSEMBLE.lr / (1 - 0.9**t)
        scale = jnp.sqrt(1 - 0.999**t)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) / scale + 1e-8), weights, m, v
        )
        return loss, weights, m, v

    step_of_all = jax.jit(jax.vmap(update, (0, 0, 0, None)))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = [weights, zeros, zeros, 0]

    def step() -> Any:
        state[3] += 1
        loss, *state[:3] = step_of_all(*state[:3], float(state[3]))
        return loss.mean()

    return step, lambda loss: loss.block_until_ready()


# The gradient of each sample


def per_sample() -> list[Contender]:
    import aino

    found = [
        Contender(COMPILED, aino.compile(per_sample_gradients(aino)), show=_size_of),
        Contender(EAGER, per_sample_gradients(aino), show=_size_of),
        Contender(BATCHED, aino.compile(batch_gradient(aino)), show=_nothing),
    ]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(VMAP, per_sample_gradients(torch), show=_size_of))
    return found


def _size_of(gradients: Any) -> float:
    return float(sum([(g**2).sum().item() for g in gradients.values()]) ** 0.5)


def _nothing(_: Any) -> float:
    return float("nan")


def _loss_of(library: Any, model: Any) -> Callable:
    def loss(params: Any, x: Any, target: Any) -> Any:
        y = library.func.functional_call(model, params, (x,))
        return ((y - target) ** 2).mean()

    return loss


def per_sample_gradients(library: Any) -> Callable[[], Any]:
    model = perceptron(library, LARGE, "ReLU")
    params = {name: p.detach() for name, p in model.named_parameters()}
    x, target = (library.from_numpy(array) for array in data(LARGE, SAMPLES))
    gradients = library.func.vmap(library.func.grad(_loss_of(library, model)), (None, 0, 0))
    return lambda: gradients(params, x, target)


def batch_gradient(library: Any) -> Callable[[], Any]:
    model = perceptron(library, LARGE, "ReLU")
    params = {name: p.detach() for name, p in model.named_parameters()}
    x, target = (library.from_numpy(array) for array in data(LARGE, SAMPLES))
    gradient = library.func.grad(_loss_of(library, model))
    return lambda: gradient(params, x, target)


# Hessians


def hessians() -> list[Contender]:
    import aino

    found = [
        Contender(COMPILED, aino.compile(all_hessians(aino)), show=_norm),
        Contender(EAGER, all_hessians(aino), show=_norm),
        Contender(LOOP, loop_of_hessians(aino), show=_norm),
    ]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(VMAP, all_hessians(torch), show=_norm))
    jax = peers.jax()
    if jax is not None:
        found.append(Contender(JAX, *hessians_jax(jax), show=_norm))
    return found


def _norm(found: Any) -> float:
    return float((found**2).sum() ** 0.5)


def _energy(library: Any) -> Callable:
    model = perceptron(library, HESSIANS, "Tanh")
    params = {name: p.detach() for name, p in model.named_parameters()}

    def loss(weight: Any, x: Any) -> Any:
        given = {**params, "2.weight": weight}
        return library.func.functional_call(model, given, (x,)).square().sum()

    return loss, params["2.weight"]


def all_hessians(library: Any) -> Callable[[], Any]:
    loss, weight = _energy(library)
    x = library.from_numpy(data(HESSIANS, POINTS)[0])
    hessian = library.func.vmap(library.func.hessian(loss), (None, 0))
    return lambda: hessian(weight, x)


def loop_of_hessians(aino: Any) -> Callable[[], Any]:
    loss, weight = _energy(aino)
    points = [aino.from_numpy(row) for row in data(HESSIANS, POINTS)[0]]
    hessian = aino.func.hessian(loss)
    return lambda: aino.stack([hessian(weight, point) for point in points])


def hessians_jax(jax: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    jnp = jax.numpy
    weights = jax_weights(jax, HESSIANS)
    x = jnp.asarray(data(HESSIANS, POINTS)[0])

    def loss(weight, point):
        given = [*weights[:-1], (weight, weights[-1][1])]
        return (jax_network(jnp, given, point) ** 2).sum()

    hessian = jax.jit(jax.vmap(jax.hessian(loss), (None, 0)))
    return lambda: hessian(weights[-1][0], x), lambda found: found.block_until_ready()
