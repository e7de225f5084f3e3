"""Starts scripts as several processes, and reads what their checks say."""

import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
#: Nobody hangs: what takes longer has failed.
LIMIT = 60


def launch(processes, script, *arguments, options=(), plain=False, limit=LIMIT):
    """Run a script of this folder; return the exit code, the output, and the seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    start = time.monotonic()
    command = [sys.executable]
    if not plain:
        command += ["-m", "aino.distributed.run", "-n", str(processes), *options]
    done = subprocess.run(
        [*command, str(HERE / script), *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=limit, cwd=ROOT,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, time.monotonic() - start


@functools.cache
def failures(processes, script):
    """Return what went wrong, by the names of a script's checks: the traces of all ranks."""
    code, output, _ = launch(processes, script, plain=processes == 0)
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    assert code == 0, f"exit code {code}:\n{output}"
    assert len(lines) == 1, output
    return json.loads(lines[0].removeprefix("RESULT "))
