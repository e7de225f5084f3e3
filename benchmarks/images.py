"""A training step of a convolutional network: LeNet, a larger one for colours, a small one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.training import COMPILED, DEFAULT, EAGER, FASTEST, fastest_of

LEARNING_RATE = 1e-3


def lenet(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def coloured(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(64 * 64, 10),
    )  # fmt: skip


def digits(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


#: name, network, the images' shape, and PyTorch's time over AINO's wanted with two threads and one.
NETWORKS: list[tuple[str, Callable, tuple[int, ...], tuple[float, float]]] = [
    ("LeNet, 28x28, batch 64", lenet, (64, 1, 28, 28), (1.1, 1.6)),
    ("CNN 32-64-64, 3x32x32, batch 32", coloured, (32, 3, 32, 32), (1.0, 1.05)),
    ("digits CNN 16-32, 8x8, batch 64", digits, (64, 1, 8, 8), (1.1, 1.4)),
]


def cases() -> list[Case]:
    one = peers.threads() == 1
    return [
        Case(
            "images", f"{name}, Adam", lambda make=make, shape=shape: contenders(make, shape),
            {FASTEST: wanted[one]}, calls_before_check=5,
        )
        for name, make, shape, wanted in NETWORKS
    ]  # fmt: skip


def contenders(make: Callable, shape: tuple[int, ...]) -> list[Contender]:
    import aino

    found = [
        Contender(COMPILED, aino.compile(training_step(aino, make, shape))),
        Contender(EAGER, training_step(aino, make, shape)),
    ]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, training_step(torch, make, shape)))
        setting = fastest_of(lambda **settings: training_step(torch, make, shape, **settings))
        found.append(Contender(FASTEST, training_step(torch, make, shape, **setting)))
    return found


def training_step(
    library: Any, make: Callable, shape: tuple[int, ...], **settings: Any
) -> Callable[[], Any]:
    """Return a step in the words that PyTorch and AINO share, from the same weights."""
    rng = np.random.default_rng(0)
    model = make(library.nn)
    with library.no_grad():
        for parameter in model.parameters():
            size = tuple(parameter.shape)
            spread = 1.0 / np.sqrt(np.prod(size[1:])) if len(size) > 1 else 0.1
            values = rng.uniform(-spread, spread, size).astype(np.float32)
            parameter.copy_(library.from_numpy(values))
    images = library.from_numpy(rng.normal(size=shape).astype(np.float32))
    labels = library.from_numpy(rng.integers(0, 10, shape[0]))
    optimizer = library.optim.Adam(model.parameters(), lr=LEARNING_RATE, **settings)
    cross_entropy = library.nn.functional.cross_entropy

    def step() -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
