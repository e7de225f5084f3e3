"""What ``import aino`` costs over ``import numpy``, and how large the wheel is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.harness import Case, Contender

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = (
    "import time, numpy; start = time.perf_counter(); import {0}; "
    "print(time.perf_counter() - start)"
)


def cases() -> list[Case]:
    return [
        Case(
            "importing",
            "import, after import numpy",
            contenders,
            calls_before_check=0,
            unit=f"import; the wheel has {wheel_size()}",
        )
    ]


def contenders() -> list[Contender]:
    names = ["aino", *[name for name in ("torch", "jax", "sklearn") if peers.optional(name)]]
    titles = {"aino": "AINO", "torch": "PyTorch", "jax": "JAX", "sklearn": "scikit-learn"}
    return [Imported(titles[name], name) for name in names]


class Imported(Contender):
    """Times an import in a new process, which says itself how long it took."""

    def __init__(self, title: str, module: str) -> None:
        super().__init__(title, lambda: None)
        self.module = module

    def warm(self) -> None:
        """A new process is never warm, but its bytecode is written."""
        self._once()

    def timed(self, count: int) -> float:
        return sum(self._once() for _ in range(count))

    def _once(self) -> float:
        # An installed package has its bytecode beside it; a checkout gets it at the first import.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(self.module)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env=environment,
        )
        return float(done.stdout)


def wheel_size() -> str:
    """Build the wheel where hatchling is installed, and return its size in words."""
    hatchling: Any = peers.optional("hatchling.builders.wheel")
    if hatchling is None:
        return "an unknown size (hatchling is not installed)"
    with tempfile.TemporaryDirectory() as folder:
        builder = hatchling.WheelBuilder(str(ROOT))
        (wheel,) = builder.build(directory=folder, versions=["standard"])
        return f"{Path(wheel).stat().st_size / 1000:.0f} kB"
