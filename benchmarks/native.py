"""Compiled programs walked in C (aino-native) beside the same in Python, PyTorch and JAX."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

from benchmarks import (
    convolution,
    elementwise,
    gpt,
    inference,
    normalization,
    peers,
    physics,
    sequences,
    training,
)
from benchmarks.harness import Case, Contender
from benchmarks.training import COMPILED, FASTEST, JAX

NATIVE = "AINO compiled, in C"

#: Part of a workload's name -> how many times as long others should take.
WANTED = {
    "2-3-1,": {COMPILED: 3.5, FASTEST: 30, JAX: 6},
    "4-16-3, batch": {COMPILED: 3.5, FASTEST: 30, JAX: 6},
    "64-64-64-10": {COMPILED: 1.5, FASTEST: 6, JAX: 2.8},
    "784-256-128-10, batch 128, Adam": {COMPILED: 1.15, FASTEST: 2.2, JAX: 1.15},
    "1024-1024-1024-1024-10, batch 256, Adam": {COMPILED: 1.1, FASTEST: 1.7, JAX: 1.0},
    "heat equation": {COMPILED: 1.3, FASTEST: 6, JAX: 1.6},
    "one row through": {"AINO compiled, no_grad": 2, "PyTorch, no_grad": 12, JAX: 5},
    "ten operations": {COMPILED: 1.5, "PyTorch": 12, JAX: 1.2},
}
#: The same for larger networks, which have what they are wanted to reach beside PyTorch, too.
LARGER = {
    "LeNet": {COMPILED: 1.1},
    "CNN 3x": {},
    "digits CNN": {},
    "lstm 32": {COMPILED: 1.1},
    "gru 32": {},
    "gpt": {COMPILED: 1.1},
    "batch_norm": {},
}  # fmt: skip
_ROOMS = (
    training, physics, inference, elementwise, convolution, sequences, gpt, normalization,
)  # fmt: skip


def cases() -> list[Case]:
    if peers.optional("aino_native") is None or peers.compiler() is None:
        return []
    return [
        replace(
            case,
            family="native",
            wanted={**(case.wanted if part in LARGER else {}), **wanted},
            build=lambda c=case: contenders(c),
        )
        for part, wanted in (*WANTED.items(), *LARGER.items())
        for room in _ROOMS
        for case in room.cases()
        if part in case.name
    ]


def contenders(case: Case) -> list[Contender]:
    """Return a workload's compiled step in C, in Python, and those of others."""
    with _walked_by("native"):
        first, *_ = case.build()
    with _walked_by("numpy"):
        others = case.build()
    return [replace(first, name=NATIVE), *others]


@contextmanager
def _walked_by(backend: str):
    before, peers.backend = peers.backend, backend
    try:
        yield
    finally:
        peers.backend = before
