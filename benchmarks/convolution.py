"""Convolutions alone and in networks, beside PyTorch's: forward, with gradients, and in training.

python -m benchmarks convolution --threads 1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.training import COMPILED, DEFAULT, EAGER, FASTEST, fastest_of

#: name -> the input's shape, the channels that come out, the kernel's size, padding, groups.
LAYERS: dict[str, tuple[tuple[int, ...], int, int, int, int]] = {
    "1->6 5x5, 64x28x28": ((64, 1, 28, 28), 6, 5, 0, 1),
    "6->16 5x5, 64x12x12": ((64, 6, 12, 12), 16, 5, 0, 1),
    "3->32 3x3, 32x32x32": ((32, 3, 32, 32), 32, 3, 1, 1),
    "32->64 3x3, 32x16x16": ((32, 32, 16, 16), 64, 3, 1, 1),
    "64->64 3x3, 32x8x8": ((32, 64, 8, 8), 64, 3, 1, 1),
    "1->16 3x3, 64x8x8": ((64, 1, 8, 8), 16, 3, 1, 1),
    "16->32 3x3, 64x8x8": ((64, 16, 8, 8), 32, 3, 1, 1),
    "64->64 3, 32x64": ((32, 64, 64), 64, 3, 1, 1),
    "64 channels apart 3x3, 32x16x16": ((32, 64, 16, 16), 64, 3, 1, 64),
}


def lenet(nn: Any) -> Any:
    layers = [
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ]  # fmt: skip
    return nn.Sequential(*layers)


def of_images(nn: Any) -> Any:
    layers: list[Any] = []
    for inside, outside in ((3, 32), (32, 64), (64, 64)):
        layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 10))


def of_digits(nn: Any) -> Any:
    layers = [
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10),
    ]  # fmt: skip
    return nn.Sequential(*layers)


#: name -> the network, the shape of its input, and how many times as long PyTorch's step should
#: take with two threads, and with one.
NETWORKS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], tuple[float, float]]] = {
    "LeNet": (lenet, (64, 1, 28, 28), (1.1, 1.6)),
    "CNN": (of_images, (32, 3, 32, 32), (1.0, 1.05)),
    "digits CNN": (of_digits, (64, 1, 8, 8), (1.1, 1.4)),
}


def cases() -> list[Case]:
    found = [
        Case(
            "convolution",
            f"{name}, {what}",
            lambda name=name, make=make: contenders(make, name),
            calls_before_check=1,
            unit="pass",
        )
        for name in LAYERS
        for what, make in (("forward", forward), ("forward and backward", there_and_back))
    ]
    for name, (_, (batch, *shape), wanted) in NETWORKS.items():
        found.append(
            Case(
                "convolution",
                f"{name} {'x'.join(map(str, shape))}, batch {batch}, Adam",
                lambda name=name: stepping(name),
                {FASTEST: wanted[peers.threads() == 1]},
                calls_before_check=5,
            )
        )
    return found


def drawn(library: Any, *shape: int, seed: int = 0, scale: float = 1.0) -> Any:
    rng = np.random.default_rng(seed)
    return library.from_numpy((rng.standard_normal(shape) * scale).astype(np.float32))


def layer_of(library: Any, name: str) -> tuple[Callable, list[Any], dict[str, int]]:
    """Return a convolution, its three operands and its settings."""
    shape, out, size, padding, groups = LAYERS[name]
    dims = len(shape) - 2
    x = drawn(library, *shape)
    weight = drawn(library, out, shape[1] // groups, *[size] * dims, seed=1, scale=0.1)
    function = getattr(library.nn.functional, f"conv{dims}d")
    return function, [x, weight, drawn(library, out, seed=2)], {
        "padding": padding, "groups": groups,
    }  # fmt: skip


def forward(library: Any, name: str, wrap: Callable) -> Callable[[], Any]:
    """Return a convolution without a graph."""
    function, (x, *parameters), settings = layer_of(library, name)
    run = wrap(lambda x: function(x, *parameters, **settings))

    def call() -> Any:
        with library.no_grad():
            return run(x)

    return call


def there_and_back(library: Any, name: str, wrap: Callable) -> Callable[[], Any]:
    """Return a convolution and the gradients of its three operands."""
    function, operands, settings = layer_of(library, name)
    g = drawn(library, *function(*operands, **settings).shape, seed=3)
    for x in operands:
        x.requires_grad_()

    def run(x: Any, g: Any) -> Any:
        for operand in operands:
            operand.grad = None
        y = function(*operands, **settings)
        y.backward(g)
        return y.detach()

    run = wrap(run)
    return lambda: run(operands[0], g)


def contenders(make: Callable, name: str) -> list[Contender]:
    """Return AINO's pass, compiled and eager, and PyTorch's."""
    import aino

    def plain(function: Callable) -> Callable:
        return function

    def show(y: Any) -> Any:
        return y.reshape(-1)[-1]

    found = []
    compile = peers.compiler()
    if compile is not None:
        found.append(Contender(COMPILED, make(aino, name, compile), show=show))
    found.append(Contender(EAGER, make(aino, name, plain), show=show))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, make(torch, name, plain), show=show))
    return found


def training_step(library: Any, name: str, **settings: Any) -> Callable[[], Any]:
    """Return a training step in the words that PyTorch and AINO share."""
    make, shape, _ = NETWORKS[name]
    model = make(library.nn)
    for number, parameter in enumerate(model.parameters()):
        count = max(1, int(np.prod(parameter.shape[1:])))
        values = drawn(library, *parameter.shape, seed=number, scale=(2.0 / count) ** 0.5)
        parameter.data.copy_(values if len(parameter.shape) > 1 else values * 0.0)
    x = drawn(library, *shape)
    y = library.from_numpy(np.random.default_rng(1).integers(0, 10, shape[0]))
    optimizer = library.optim.Adam(model.parameters(), lr=1e-4, **settings)
    loss_function = library.nn.CrossEntropyLoss()

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def stepping(name: str) -> list[Contender]:
    """Return AINO's step, compiled and eager, and PyTorch's with its fastest Adam."""
    import aino

    found = []
    compile = peers.compiler()
    if compile is not None:
        found.append(Contender(COMPILED, compile(training_step(aino, name))))
    found.append(Contender(EAGER, training_step(aino, name)))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, training_step(torch, name)))
        setting = fastest_of(lambda **settings: training_step(torch, name, **settings))
        found.append(Contender(FASTEST, training_step(torch, name, **setting)))
    return found
