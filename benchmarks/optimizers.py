"""The optimizer's step alone, on parameters whose gradients stand still."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender

SHAPES = {
    "6 parameters, 163 numbers": [(16, 4), (16,), (3, 16), (3,), (4, 4), (16,)],
    "8 parameters, 9,098 numbers": [
        (64, 64),
        (64,),
        (64, 64),
        (64,),
        (10, 64),
        (10,),
        (8, 8),
        (2,),
    ],
    "6 parameters, 235,146 numbers": [(256, 784), (256,), (128, 256), (128,), (10, 128), (10,)],
    "8 parameters, 3.2 million numbers": [*[(1024, 1024), (1024,)] * 3, (10, 1024), (10,)],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "SGD": {},
    "SGD with momentum": {"momentum": 0.9},
    "Adam": {},
    "AdamW": {},
    "RMSprop": {},
}


def cases() -> list[Case]:
    return [
        Case(
            "optimizers",
            f"{name}, {title}",
            lambda name=name, shapes=shapes: contenders(name, shapes),
            {"PyTorch": 1},
        )
        for title, shapes in SHAPES.items()
        for name in SETTINGS
    ]


def contenders(name: str, shapes: list[tuple[int, ...]]) -> list[Contender]:
    import aino

    found = [Contender("AINO", stepper(aino, name, shapes))]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender("PyTorch", stepper(torch, name, shapes)))
        found.append(Contender("PyTorch, foreach", stepper(torch, name, shapes, foreach=True)))
        if not name.startswith("RMS"):
            found.append(Contender("PyTorch, fused", stepper(torch, name, shapes, fused=True)))
    return found


def stepper(library: Any, name: str, shapes: list[tuple[int, ...]], **settings: Any):
    """Return a function that steps, and returns a number that all libraries should agree on."""
    rng = np.random.default_rng(0)
    parameters = []
    for shape in shapes:
        values, gradient = rng.standard_normal((2, *shape)).astype(np.float32)
        parameter = library.from_numpy(values).requires_grad_()
        parameter.grad = library.from_numpy(gradient)
        parameters.append(parameter)
    optimizer_class = getattr(library.optim, name.partition(" ")[0])
    optimizer = optimizer_class(parameters, lr=1e-4, **SETTINGS[name], **settings)
    first = parameters[0].detach()

    def step() -> Any:
        optimizer.step()
        return first[0, 0]

    return step
