"""A training step of a multilayer perceptron, small to large, beside PyTorch, JAX and NumPy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks import peers
from benchmarks.by_hand import numpy_step
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, jax_step, torch_style

COMPILED = "AINO compiled"
EAGER = "AINO eager"
BY_HAND = "NumPy by hand"
DEFAULT = "PyTorch"
FASTEST = "PyTorch, fastest optimizer"
INDUCTOR = "PyTorch, torch.compile"
JAX = "JAX jit"
#: The same, without waiting for a step before the next one is handed over.
PIPELINED = "JAX jit, pipelined"

#: sizes, batch, and the ratios that the compiled and the eager step should reach.
WORKLOADS = [
    ((2, 3, 1), 4, {FASTEST: 7, JAX: 2}, {}),
    ((4, 16, 3), 32, {FASTEST: 7, JAX: 2}, {DEFAULT: 3.5}),
    ((64, 64, 64, 10), 64, {FASTEST: 3, JAX: 1.8}, {DEFAULT: 2.8}),
    ((784, 256, 128, 10), 128, {FASTEST: 1, JAX: 1}, {DEFAULT: 0.9}),
    ((1024, 1024, 1024, 1024, 10), 256, {FASTEST: 1, JAX: 1}, {}),
]


def cases() -> list[Case]:
    found = []
    for sizes, batch, wanted, eager in WORKLOADS:
        for optimizer in ("SGD", "Adam"):
            network = Network(sizes, batch, optimizer)
            if peers.compiler() is not None:
                wanted = {**wanted, BY_HAND: 1 / 1.15}
            else:
                wanted = eager if optimizer == "Adam" else {}
            found.append(
                Case("training", network.name, lambda n=network: contenders(n), dict(wanted))
            )
    return found


def contenders(network: Network) -> list[Contender]:
    """Return every way of doing the step that this machine has, AINO's best first."""
    import aino

    found = []
    compile = peers.compiler()
    if compile is not None:
        found.append(Contender(COMPILED, compile(torch_style(aino, network))))
    found.append(Contender(EAGER, torch_style(aino, network)))
    found.append(Contender(BY_HAND, numpy_step(network)))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, torch_style(torch, network)))
        setting = fastest_of(lambda **settings: torch_style(torch, network, **settings))
        found.append(Contender(FASTEST, torch_style(torch, network, **setting)))
        if peers.with_torch_compile:
            found.append(Contender(INDUCTOR, torch_style(torch, network, torch.compile, **setting)))
    jax = peers.jax()
    if jax is not None:
        waiting, wait = jax_step(jax, network)
        found.append(Contender(JAX, lambda: wait(waiting())[1]))
        found.append(Contender(PIPELINED, *jax_step(jax, network)))
    return found


def fastest_of(make: Callable[..., Callable[[], Any]]) -> dict[str, bool]:
    """Return the setting with which PyTorch's optimizer is fastest in a step."""
    times = {}
    for setting in ("fused", "foreach"):
        step = Contender(setting, make(**{setting: True}))
        until = time.perf_counter() + 0.2
        times[setting] = step.timed(3)
        while time.perf_counter() < until:
            times[setting] = min(times[setting], step.timed(3))
    return {min(times, key=lambda setting: times[setting]): True}
