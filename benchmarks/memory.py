"""Peak memory of training: weights, gradients, moments and everything in between.

Each contender runs in a process of its own. A small network is trained first, so that libraries
are loaded and threads are started; then the high-water mark of the process is reset. (A compiled
step is traced twice, on copies of all it touches: that peak stands on a line of its own.)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, torch_style
from benchmarks.training import COMPILED, DEFAULT, EAGER

ROOT = Path(__file__).resolve().parent.parent
CLEAR_REFS = Path("/proc/self/clear_refs")
TRACING = "AINO compiled, tracing included"
NETWORKS = [
    Network((784, 256, 128, 10), 128, "Adam"),
    Network((1024, 1024, 1024, 1024, 10), 256, "Adam"),
]


def cases() -> list[Case]:
    if not CLEAR_REFS.exists():
        return []
    return [
        Case(
            "memory",
            network.name,
            lambda network=network: contenders(network),
            {EAGER: 1, DEFAULT: 1},
            calls_before_check=0,
            unit="training, at its peak",
            kind="bytes",
            rounds=3,
        )
        for network in NETWORKS
    ]


def contenders(network: Network) -> list[Contender]:
    found = [Peak(EAGER, network)]
    if peers.compiler() is not None:
        found.insert(0, Peak(COMPILED, network))
        found.append(Peak(TRACING, network))
    if peers.optional("torch") is not None:
        found.append(Peak(DEFAULT, network))
    return [*found]


class Peak(Contender):
    """Trains a network in a new process, and returns by how many bytes it grew."""

    def __init__(self, name: str, network: Network) -> None:
        super().__init__(name, lambda: None)
        self.network = network

    def warm(self) -> None:
        """A new process is never warm."""

    def timed(self, count: int) -> float:
        arguments = [self.name, repr(self.network)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", *arguments],
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


def grow(name: str, network: Network) -> int:
    """Return how far memory rises while a network is trained for ten steps."""
    library = __import__("torch" if name == DEFAULT else "aino")

    def train(network: Network, begin: int, steps: int) -> None:
        step = torch_style(library, network)
        if name in (COMPILED, TRACING):
            step = library.compile(step)
        for count in range(begin + steps):
            if count == begin:
                CLEAR_REFS.write_text("5")
            step()

    train(Network((64, 64, 10), 64, "Adam"), 0, 5)
    before = status("VmRSS")
    train(network, 3 if name == COMPILED else 0, 10)
    return status("VmHWM") - before


if __name__ == "__main__":
    print(grow(sys.argv[1], eval(sys.argv[2], {"Network": Network})))
