"""A chain of ten elementwise operations on ten million numbers: memory decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender

SIZE = 10_000_000


def chain(library: Any, x: Any) -> Any:
    """Ten operations, in the words that NumPy, PyTorch, JAX and AINO share."""
    y = x * 0.5 + 0.25
    y = library.tanh(y)
    y = y * y - x
    y = library.exp(-y)
    return (y + 1.0) * 0.125 - y


def cases() -> list[Case]:
    wanted = {"PyTorch": 1.0}
    return [
        Case(
            "elementwise",
            f"ten operations on {SIZE // 1_000_000} million numbers",
            contenders,
            wanted,
            calls_before_check=1,
            unit="chain",
        )
    ]


def contenders() -> list[Contender]:
    import aino

    values = np.random.default_rng(0).standard_normal(SIZE).astype(np.float32)

    def run(library: Any, x: Any) -> Callable[[], Any]:
        return lambda: chain(library, x)[0]

    x = aino.from_numpy(values)
    found = [Contender("AINO eager", run(aino, x)), Contender("NumPy", run(np, values))]
    compile = peers.compiler()
    if compile is not None:
        compiled = compile(lambda x: chain(aino, x))
        found.insert(0, Contender("AINO compiled", lambda: compiled(x)[0]))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender("PyTorch", run(torch, torch.from_numpy(values))))
    jax = peers.jax()
    if jax is not None:
        jitted, y = jax.jit(lambda x: chain(jax.numpy, x)), jax.numpy.asarray(values)
        found.append(Contender("JAX jit", lambda: jitted(y).block_until_ready()[0]))
    return found
