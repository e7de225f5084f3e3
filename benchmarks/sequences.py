"""A training step of a recurrent network over 50 steps, beside PyTorch's with its fastest Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.training import COMPILED, DEFAULT, EAGER, FASTEST, fastest_of

STEPS, BATCH, FEATURES, HIDDEN = 50, 32, 32, 128

#: layer -> how many times as long PyTorch should take with two threads, and with one.
WANTED = {"LSTM": (0.8, 1.0), "GRU": (1.4, 1.6)}
FUSED = "AINO nn.LSTM"


def cases() -> list[Case]:
    size = f"{FEATURES}->{HIDDEN}, {STEPS} steps, batch {BATCH}, Adam"
    return [
        Case(
            "sequences",
            f"{layer.lower()} {size}",
            lambda layer=layer: contenders(layer),
            {FASTEST: wanted[peers.threads() == 1]},
            calls_before_check=5,
        )
        for layer, wanted in WANTED.items()
    ] + [
        Case(
            "sequences",
            f"lstm by hand {size}",
            by_hand,
            {FUSED: 1 / 1.5},
            calls_before_check=5,
        )
    ]


def composed(library: Any, body: Any, x: Any) -> Any:
    """Return the last state of an LSTM that is written with products, sigmoid and tanh."""
    h = c = library.zeros(BATCH, HIDDEN)
    biases = body.bias_ih_l0 + body.bias_hh_l0
    for k in range(STEPS):
        gates = x[k] @ body.weight_ih_l0.T + h @ body.weight_hh_l0.T + biases
        i, f, g, o = gates.chunk(4, 1)
        c = library.sigmoid(f) * c + library.sigmoid(i) * library.tanh(g)
        h = library.sigmoid(o) * library.tanh(c)
    return h


def training_step(
    library: Any, layer: str, run: Callable[..., Any] | None = None, **settings: Any
) -> Callable[[], Any]:
    """Return a training step in the words that PyTorch and AINO share.

    ``run(library, body, x)`` is what gives the last state, None for the layer itself.
    """
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return library.from_numpy(rng.uniform(-1.0, 1.0, shape).astype(np.float32))

    x, target = drawn(STEPS, BATCH, FEATURES), drawn(BATCH, 1)
    body, head = getattr(library.nn, layer)(FEATURES, HIDDEN), library.nn.Linear(HIDDEN, 1)
    parameters = [*body.parameters(), *head.parameters()]
    for parameter in parameters:
        parameter.data.copy_(drawn(*parameter.shape) * HIDDEN**-0.5)
    optimizer = library.optim.Adam(parameters, lr=1e-3, **settings)
    loss_function = library.nn.MSELoss()

    def step() -> Any:
        optimizer.zero_grad()
        last = body(x)[0][-1] if run is None else run(library, body, x)
        loss = loss_function(head(last), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def contenders(layer: str) -> list[Contender]:
    """Return AINO's step, compiled and eager, and PyTorch's."""
    import aino

    found = []
    compile = peers.compiler()
    if compile is not None:
        found.append(Contender(COMPILED, compile(training_step(aino, layer))))
    found.append(Contender(EAGER, training_step(aino, layer)))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, training_step(torch, layer)))
        setting = fastest_of(lambda **settings: training_step(torch, layer, **settings))
        found.append(Contender(FASTEST, training_step(torch, layer, **setting)))
    return found


def by_hand() -> list[Contender]:
    """Return the step of a composed LSTM, compiled, and that of the fused one."""
    import aino

    compile = peers.compiler()
    if compile is None:
        return [Contender(EAGER, training_step(aino, "LSTM", composed))]
    return [
        Contender(COMPILED, compile(training_step(aino, "LSTM", composed))),
        Contender(FUSED, compile(training_step(aino, "LSTM"))),
    ]
