"""Starts scripts as several processes, and reads what their checks say."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

from aino.distributed import run

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
#: Nobody hangs: what takes longer has failed.
LIMIT = 60


def launch(processes, script, *arguments, plain=False, limit=LIMIT):
    """Run a script of this folder; return the exit code and the output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    if not plain:
        # What ``python -m aino.distributed.run`` becomes.
        command, added = run.command(["-n", str(processes), *command[1:]])
        environment |= added
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=limit, cwd=ROOT
    )
    return done.returncode, done.stdout + done.stderr


@functools.cache
def failures(processes, script):
    """Return what went wrong, by the names of a script's checks: the traces of all ranks."""
    code, output = launch(processes, script, plain=processes == 0)
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    assert code == 0, f"exit code {code}:\n{output}"
    assert len(lines) == 1, output
    return json.loads(lines[0].removeprefix("RESULT "))
