"""``python -m aino.distributed.run -n 2 script.py``: a script as several processes."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aino.distributed import mpi


def _launcher() -> str:
    """The mpiexec beside the interpreter, else the one on the path."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None or not mpi.is_installed():
        raise SystemExit(f"aino.distributed.run needs mpi4py and mpiexec: {mpi.EXTRA}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Start the script, wait for it, and return its exit code."""
    parser = argparse.ArgumentParser("python -m aino.distributed.run")
    parser.add_argument("-n", "--nproc-per-node", "--nproc_per_node", type=int, default=1)
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    environment = {"OMP_NUM_THREADS": str(max(1, (cores or 1) // given.nproc_per_node))}
    command = [_launcher(), "-n", str(given.nproc_per_node)]
    command += [sys.executable, given.script, *given.arguments]
    return subprocess.call(command, env={**environment, **os.environ})


if __name__ == "__main__":
    sys.exit(main())
