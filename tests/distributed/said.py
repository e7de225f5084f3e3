"""Launches of ``training.py``, each once, and what its rows say."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def launch(ranks, arguments, folder):
    """Run a script on several ranks, in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "aino.distributed.run", "-n", str(ranks), *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )  # fmt: skip


@functools.cache
def said(ranks, only=()):
    """Return what each rank says of each row, and the end of what was printed.

    ``only``: parts of the names of the rows; all of them for none.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = ROOT / "tests" / "distributed" / "training.py"
        done = launch(ranks, [str(script), folder, *only], folder)
        files = [Path(folder) / f"rank{rank}" for rank in range(ranks)]
        lines = [path.read_text().splitlines() if path.exists() else [] for path in files]
    return [dict(map(json.loads, one)) for one in lines], (done.stdout + done.stderr)[-2000:]


def check_row(name, ranks, only=()):
    """Raise what a row says on any of the ranks."""
    found, printed = said(ranks, only)
    for rank, one in enumerate(found):
        assert one.get(name, f"was not begun:\n{printed}") == "", f"on rank {rank}"
