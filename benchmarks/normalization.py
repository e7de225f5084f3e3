"""Normalisation forward and backward in training, beside PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.training import COMPILED, DEFAULT, EAGER

#: name -> the layer's arguments, the input's shape, and how many times as long PyTorch should
#: take with two threads, and with one.
LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], tuple[float, float]]] = {
    "batch_norm 32x64x32x32": (lambda nn: nn.BatchNorm2d(64), (32, 64, 32, 32), (1.0, 1.8)),
    "layer_norm 1024x128": (lambda nn: nn.LayerNorm(128), (1024, 128), (1.0, 1.0)),
}


def cases() -> list[Case]:
    return [
        Case(
            "normalization",
            f"{name}, forward and backward",
            lambda name=name: contenders(name),
            {DEFAULT: wanted[peers.threads() == 1]},
            calls_before_check=1,
            unit="pass",
        )
        for name, (_, _, wanted) in LAYERS.items()
    ]


def there_and_back(library: Any, name: str, wrap: Any = None) -> Callable[[], Any]:
    """Return a pass in the words that PyTorch and AINO share; ``wrap`` compiles it."""
    make, shape, _ = LAYERS[name]
    rng = np.random.default_rng(0)
    layer = make(library.nn)
    x, g = (library.from_numpy(rng.standard_normal(shape).astype(np.float32)) for _ in range(2))
    x.requires_grad_()

    def run() -> Any:
        x.grad = None
        for parameter in layer.parameters():
            parameter.grad = None
        layer(x).backward(g)
        return x.grad[0, 0].reshape(-1)[0]

    return run if wrap is None else wrap(run)


def contenders(name: str) -> list[Contender]:
    """Return AINO's pass, compiled and eager, and PyTorch's."""
    import aino

    found = []
    compile = peers.compiler()
    if compile is not None:
        found.append(Contender(COMPILED, there_and_back(aino, name, compile)))
    found.append(Contender(EAGER, there_and_back(aino, name)))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, there_and_back(torch, name)))
    return found
