"""Peak memory of training: weights, gradients, moments and everything in between.

Each contender runs in a process of its own. A small network is trained first, so that libraries
are loaded and threads are started; then the high-water mark of the process is reset. (A compiled
step is traced twice, on copies of all it touches: that peak stands on a line of its own.)
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import convolution, gpt, normalization, peers, sequences
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, torch_style
from benchmarks.training import COMPILED, DEFAULT, EAGER

ROOT = Path(__file__).resolve().parent.parent
CLEAR_REFS = Path("/proc/self/clear_refs")
TRACING = "AINO compiled, tracing included"
SMALL = Network((64, 64, 10), 64, "Adam")
NETWORKS = [
    Network((784, 256, 128, 10), 128, "Adam"),
    Network((1024, 1024, 1024, 1024, 10), 256, "Adam"),
]
#: name -> what returns its step in the words of a library.
STEPS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    **{
        network.name: lambda library, network=network: torch_style(library, network)
        for network in NETWORKS
    },
    **{
        f"{name}, Adam": lambda library, name=name: convolution.training_step(library, name)
        for name in convolution.NETWORKS
    },
    **{
        f"{layer.lower()}, Adam": lambda library, layer=layer: sequences.training_step(
            library, layer
        )
        for layer in sequences.WANTED
    },
    "gpt, AdamW": gpt.step_of,
    "batch norm, forward and backward": lambda library: normalization.there_and_back(
        library, next(iter(normalization.LAYERS))
    ),
}


def cases() -> list[Case]:
    if not CLEAR_REFS.exists():
        return []
    return [
        Case(
            "memory",
            name,
            lambda name=name: contenders(name),
            {EAGER: 1, DEFAULT: 1},
            calls_before_check=0,
            unit="training, at its peak",
            kind="bytes",
            rounds=3,
        )
        for name in STEPS
    ]


def contenders(name: str) -> list[Contender]:
    found = [Peak(EAGER, name)]
    if peers.compiler() is not None:
        found.insert(0, Peak(COMPILED, name))
        found.append(Peak(TRACING, name))
    if peers.optional("torch") is not None:
        found.append(Peak(DEFAULT, name))
    return [*found]


class Peak(Contender):
    """Trains in a new process, and returns by how many bytes it grew."""

    def __init__(self, name: str, trained: str) -> None:
        super().__init__(name, lambda: None)
        self.trained = trained

    def warm(self) -> None:
        """A new process is never warm."""

    def timed(self, count: int) -> float:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", self.name, self.trained],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        return float(done.stdout) * count


def status(field: str) -> int:
    """Return a number of bytes from the kernel's account of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def grow(name: str, trained: str) -> int:
    """Return how far memory rises while something is trained for ten steps."""
    library = __import__("torch" if name == DEFAULT else "aino")

    def train(make: Callable[[Any], Callable[[], Any]], begin: int, steps: int) -> None:
        step = make(library)
        if name in (COMPILED, TRACING):
            step = library.compile(step)
        for count in range(begin + steps):
            if count == begin:
                CLEAR_REFS.write_text("5")
            step()

    train(lambda library: torch_style(library, SMALL), 0, 5)
    before = status("VmRSS")
    train(STEPS[trained], 3 if name == COMPILED else 0, 10)
    return status("VmHWM") - before


if __name__ == "__main__":
    print(grow(sys.argv[1], sys.argv[2]))
