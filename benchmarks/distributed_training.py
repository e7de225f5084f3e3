"""A training step in one process and on two ranks, with their speed-up, beside PyTorch with gloo.

Every contender runs in processes of its own, one after the other, in several turns of which the
best counts; all make the same Adam step on the same whole batch, each rank on its half.

python -m benchmarks distributed          the two networks, a minute
python -m benchmarks distributed 784      the one with 784 in its name
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.networks import Network, perceptron

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = [
    (Network((784, 256, 128, 10), 256, "Adam"), 200),
    (Network((1024, 1024, 1024, 1024, 10), 512, "Adam"), 12),
]
RANKS = 2
#: What is measured: library, ranks, and how. One process takes all cores for itself, where two
#: ranks take half of them each; on one thread it shows what a second core brings to a rank.
CONTENDERS = {
    "AINO, one process": ("aino", 1, "compiled"),
    "AINO, one process, one thread": ("aino", 1, "compiled alone"),
    "AINO, 2 ranks": ("aino", RANKS, "compiled"),
    "AINO, 2 ranks, eager": ("aino", RANKS, "eager"),
    "AINO, 2 ranks, sharded optimizer": ("aino", RANKS, "compiled sharded"),
    "PyTorch, one process": ("torch", 1, ""),
    "PyTorch, one process, one thread": ("torch", 1, "alone"),
    "PyTorch, 2 ranks, gloo": ("torch", RANKS, ""),
    "PyTorch, 2 ranks, gloo, sharded optimizer": ("torch", RANKS, "sharded"),
}


def main(names: list[str], turns: int = 3) -> int:
    """Print what a step takes in each way, its speed-up, and what the optimizer remembers."""
    for network, steps in NETWORKS:
        if names and not any(name in network.name for name in names):
            continue
        best: dict[str, dict[str, Any]] = {}
        for _ in range(turns):
            for name, (library, ranks, how) in CONTENDERS.items():
                try:
                    found = _run(library, ranks, how, network, steps)
                except (OSError, subprocess.SubprocessError) as error:
                    print(f"{name}: {str(error)[-300:]}")
                    continue
                if found is not None and found["ms"] < best.get(name, {"ms": 1e9})["ms"]:
                    best[name] = found
        print(f"\n{network.name}")
        print(f"{'':44}{'ms a step':>10}{'speed-up':>10}{'optimizer, MB a rank':>22}")
        for name, found in best.items():
            alone = best.get(f"{name.partition(',')[0]}, one process", found)
            print(
                f"{name:44}{found['ms']:10.2f}{alone['ms'] / found['ms']:10.2f}"
                f"{found['state'] / 1e6:22.2f}"
            )
    return 0


def _run(library: str, ranks: int, how: str, network: Network, steps: int) -> dict | None:
    """Run one contender, and return what its first rank says."""
    request = json.dumps(
        [library, how, list(network.sizes), network.batch, network.optimizer, steps]
    )
    return json.loads(started(library, ranks, [str(Path(__file__).resolve()), request]))


def started(library: str, ranks: int, worker: list[str]) -> str:
    """Run a script on several ranks; return the last line that the first rank prints."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment.pop(name, None)
    if library == "aino":
        launcher = ["-m", "aino.distributed.run", "-n", str(ranks)] if ranks > 1 else []
        done = subprocess.run(
            [sys.executable, *launcher, *worker], env=environment, check=True, timeout=100,
            capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.splitlines()[-1]
    threads = str(max(1, len(os.sched_getaffinity(0)) // ranks))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = [
        subprocess.Popen(
            [sys.executable, *worker], stdout=subprocess.PIPE, text=True,
            env=environment | {
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(ranks),
                "RANK": str(rank), "OMP_NUM_THREADS": threads,
            },
        )
        for rank in range(ranks)
    ]  # fmt: skip
    said = [process.communicate(timeout=100)[0] for process in processes]
    return said[0].splitlines()[-1]


def worker(request: str) -> None:
    """Make the steps of one rank; the first prints what they took."""
    library, how, sizes, batch, optimizer, steps = json.loads(request)
    network = Network(tuple(sizes), batch, optimizer)
    if library == "aino":
        import aino as lib
        from aino.optim import ZeroRedundancyOptimizer
    else:
        import torch as lib
        from torch.distributed.optim import ZeroRedundancyOptimizer
    if "alone" in how:
        lib.set_num_threads(1)
    distributed = lib.distributed
    several = "WORLD_SIZE" not in os.environ or os.environ["WORLD_SIZE"] != "1"
    distributed.init_process_group("mpi" if library == "aino" else "gloo")
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    model = perceptron(lib, network)
    if ranks > 1 and several:
        model = lib.nn.parallel.DistributedDataParallel(model)
    inputs, targets = network.data()
    part = slice(rank * batch // ranks, (rank + 1) * batch // ranks)
    x, y = lib.from_numpy(inputs[part].copy()), lib.from_numpy(targets[part].copy())
    if "sharded" in how:
        updates = ZeroRedundancyOptimizer(model.parameters(), lib.optim.Adam, lr=network.lr)
    else:
        updates = lib.optim.Adam(model.parameters(), lr=network.lr)

    def step() -> None:
        updates.zero_grad()
        lib.nn.functional.cross_entropy(model(x), y).backward()
        updates.step()

    run = lib.compile(step, fullgraph=True) if "compiled" in how else step
    for _ in range(max(4, steps // 10)):
        run()
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    distributed.barrier()
    held = getattr(updates, "optim", updates).state
    numbers = sum(v.numel() for entries in held.values() for v in entries.values() if v.ndim)
    if rank == 0:
        print(json.dumps({"ms": median(times) * 1e3, "state": numbers * 4}))
    distributed.destroy_process_group()


if __name__ == "__main__":
    worker(sys.argv[1])
