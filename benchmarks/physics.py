"""A physics-informed step: the heat equation's residual, with second derivatives of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, jax_update, perceptron
from benchmarks.training import COMPILED, DEFAULT, EAGER, FASTEST, JAX, fastest_of

NETWORK = Network((2, 64, 64, 1), 128, "Adam")
DIFFUSIVITY = 0.1


def cases() -> list[Case]:
    wanted = {FASTEST: 4.5, JAX: 3} if peers.compiler() is not None else {}
    name = "heat equation, 2-64-64-1 tanh, 128 points, Adam"
    return [Case("physics", name, contenders, wanted, tolerance=1e-2)]


def contenders() -> list[Contender]:
    import aino

    found = [Contender(EAGER, torch_style(aino))]
    compile = peers.compiler()
    if compile is not None:
        found.insert(0, Contender(COMPILED, compile(torch_style(aino))))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, torch_style(torch)))
        setting = fastest_of(lambda **settings: torch_style(torch, **settings))
        found.append(Contender(FASTEST, torch_style(torch, **setting)))
    jax = peers.jax()
    if jax is not None:
        found.append(Contender(JAX, *jax_style(jax)))
    return found


def torch_style(library: Any, **settings: Any) -> Callable[[], Any]:
    """Return the step in the words that PyTorch and AINO share: u_t = k · u_xx."""
    model = perceptron(library, NETWORK, "Tanh")
    points = library.from_numpy(NETWORK.data()[0]).requires_grad_()
    optimizer = library.optim.Adam(model.parameters(), lr=NETWORK.lr, **settings)
    grad = library.autograd.grad

    def step() -> Any:
        optimizer.zero_grad()
        u = model(points)
        (first,) = grad(u.sum(), points, create_graph=True)
        (second,) = grad(first[:, 0].sum(), points, create_graph=True)
        loss = ((first[:, 1] - DIFFUSIVITY * second[:, 0]) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def jax_style(jax: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Return the step as JAX's users write it: a function of one point, differentiated, mapped."""
    jnp = jax.numpy

    def network(weights, point):
        h = point
        for weight, bias in weights[:-1]:
            h = jnp.tanh(weight @ h + bias)
        weight, bias = weights[-1]
        return (weight @ h + bias)[0]

    def residual(weights, point):
        slope = jax.grad(network, argnums=1)
        u_t = slope(weights, point)[1]
        u_xx = jax.grad(lambda p: slope(weights, p)[0])(point)[0]
        return u_t - DIFFUSIVITY * u_xx

    def loss_of(weights, points):
        return (jax.vmap(residual, (None, 0))(weights, points) ** 2).mean()

    return jax_update(jax, NETWORK, loss_of, (jnp.asarray(NETWORK.data()[0]),))
