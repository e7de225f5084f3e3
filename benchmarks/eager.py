"""Chains of elementwise operations on small tensors, forward and backward, without compiling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender

LENGTH = 20
SHAPES = ((4, 4), (32, 16))
Shape = tuple[int, int]


def chain(library: Any, operation: Callable, shape: Shape) -> Callable[[], Any]:
    """Return a function that applies an operation again and again, and goes back."""
    rng = np.random.default_rng(0)
    x = library.from_numpy(rng.standard_normal(shape).astype(np.float32)).requires_grad_()
    w = library.from_numpy(1 + 0.1 * rng.standard_normal(shape).astype(np.float32))

    def run() -> Any:
        x.grad = None
        y = x
        for _ in range(LENGTH):
            y = operation(library, y, w)
        y.sum().backward()
        return y.detach()[0, 0]

    return run


def numpy_chain(shape: Shape, forward: Callable, backward: Callable) -> Callable[[], Any]:
    """Return the NumPy calls alone that such a chain cannot do without."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    w = 1 + 0.1 * rng.standard_normal(shape).astype(np.float32)

    def run() -> Any:
        values = [x]
        for _ in range(LENGTH):
            values.append(forward(values[-1], w))
        total = np.add.reduce(values[-1], axis=None)
        g = np.empty_like(x)
        g.fill(1.0)
        for position in range(LENGTH, 0, -1):
            g = backward(g, values[position - 1], values[position], w)
        x_grad = g.copy() if g is values[0] else g
        assert x_grad.shape == x.shape
        assert total is not None
        return values[-1][0, 0]

    return run


#: name -> the operation in PyTorch's words, and NumPy's calls forward and back.
OPERATIONS: dict[str, tuple[Callable, Callable, Callable]] = {
    "y + w": (lambda lib, y, w: y + w, lambda y, w: y + w, lambda g, x, y, w: g),
    "y * w": (lambda lib, y, w: y * w, lambda y, w: y * w, lambda g, x, y, w: g * w),
    "y * 1.01": (
        lambda lib, y, w: y * 1.01,
        lambda y, w: np.multiply(y, CONSTANT),
        lambda g, x, y, w: np.multiply(g, CONSTANT),
    ),
    "y - w / 8": (
        lambda lib, y, w: y - w / 8,
        lambda y, w: y - np.divide(w, EIGHT),
        lambda g, x, y, w: g,
    ),
    "tanh": (
        lambda lib, y, w: lib.tanh(y),
        lambda y, w: np.tanh(y),
        lambda g, x, y, w: g * (1 - y * y),
    ),
    "relu": (
        lambda lib, y, w: lib.relu(y),
        lambda y, w: np.maximum(y, 0),
        lambda g, x, y, w: g * (y > 0),
    ),
    "sigmoid": (
        lambda lib, y, w: lib.sigmoid(y),
        lambda y, w: 1 / (1 + np.exp(-y)),
        lambda g, x, y, w: g * y * (1 - y),
    ),
    "exp(-y)": (
        lambda lib, y, w: lib.exp(-y),
        lambda y, w: np.exp(-y),
        lambda g, x, y, w: -(g * y),
    ),
}
CONSTANT = np.array(1.01, np.float32)
EIGHT = np.array(8.0, np.float32)
#: Operations in one link of a chain, where it is not one.
LINKS = {"y - w / 8": 2, "exp(-y)": 2}


def in_place(library: Any, y: Any, w: Any) -> Any:
    return y.mul_(w) if y.grad_fn is not None else y * w


def cases() -> list[Case]:
    found = []
    for shape in SHAPES:
        size = "x".join(map(str, shape))
        for name, (operation, *numpy_calls) in OPERATIONS.items():
            found.append(
                Case(
                    "eager",
                    f"{name}, {LENGTH} times on {size}",
                    lambda o=operation, s=shape, n=numpy_calls: contenders(o, s, *n),
                    {"PyTorch": 2},
                    calls_before_check=1,
                    work=LENGTH * LINKS.get(name, 1),
                    unit="operation, forward and backward",
                )
            )
        found.append(
            Case(
                "eager",
                f"y *= w, {LENGTH} times on {size}",
                lambda s=shape: contenders(in_place, s),
                {"PyTorch": 1},
                calls_before_check=1,
                work=LENGTH,
                unit="operation, forward and backward",
            )
        )
    return found


def contenders(operation: Callable, shape: Shape, *numpy_calls: Callable) -> list[Contender]:
    import aino

    run = chain(aino, operation, shape)
    native = getattr(aino.backends, "native", None)  # another checkout may not have it
    if native is None or not native.is_available():
        found = [Contender("AINO eager", run)]
    else:
        found = [
            Contender(name, lambda enabled=enabled: (native.set_flags(enabled), run())[1])
            for name, enabled in (("AINO eager, in C", True), ("AINO eager", False))
        ]
    torch = peers.torch()
    if torch is not None:
        found.append(Contender("PyTorch", chain(torch, operation, shape)))
    if numpy_calls:
        found.append(Contender("NumPy's calls alone", numpy_chain(shape, *numpy_calls)))
    return found
