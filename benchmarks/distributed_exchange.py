"""What an all_reduce takes on two ranks, from four bytes on, beside PyTorch with gloo.

python -m benchmarks distributed exchange
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.distributed_training import RANKS, started

#: Numbers of float32.
LENGTHS = (1, 250, 10_000, 100_000, 1_000_000, 10_000_000)
#: How many seconds each length takes.
SECONDS = 0.5
CONTENDERS = {"AINO": "aino", "PyTorch, gloo": "torch"}


def main(turns: int = 3) -> int:
    """Print the best of several turns for each length, and what moves a second."""
    best: dict[str, dict[int, float]] = {}
    for _ in range(turns):
        for name, library in CONTENDERS.items():
            told = started(library, RANKS, [str(Path(__file__).resolve()), library])
            for length, seconds in json.loads(told).items():
                known = best.setdefault(name, {})
                known[length] = min(seconds, known.get(length, seconds))
    print(f"{'all_reduce of float32, 2 ranks':32}" + "".join(f"{name:>26}" for name in best))
    for length in LENGTHS:
        cells = []
        for found in best.values():
            seconds = found[str(length)]
            cells.append(f"{1e6 * seconds:12.1f} µs {4e-6 * length / seconds:6.0f} MB/s")
        print(f"{4 * length:20,} bytes      " + "".join(f"{cell:>26}" for cell in cells))
    return 0


def worker(library: str) -> None:
    """Measure all lengths; the first rank prints the seconds."""
    if library == "aino":
        import aino as lib
    else:
        import torch as lib
    distributed = lib.distributed
    distributed.init_process_group("mpi" if library == "aino" else "gloo")
    found = {}
    for length in LENGTHS:
        x = lib.zeros(length)
        count = 10
        series: list[float] = []
        while sum(series) * count < SECONDS:
            distributed.barrier()
            start = time.perf_counter()
            for _ in range(count):
                distributed.all_reduce(x)
            series.append((time.perf_counter() - start) / count)
            # The ranks stop together: the slower decides.
            told = lib.tensor([series[-1]], dtype=lib.float64)
            distributed.all_reduce(told, distributed.ReduceOp.MAX)
            series[-1] = told.item()
        found[length] = median(series)
    if distributed.get_rank() == 0:
        print(json.dumps(found), flush=True)
    distributed.barrier()
    distributed.destroy_process_group()


if __name__ == "__main__":
    worker(sys.argv[1])
