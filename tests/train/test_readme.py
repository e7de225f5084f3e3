"""The README's training script, killed in the midst of an epoch and run again, ends as it would."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

KILL = """
import os, signal
from aino.train import CSVLogger
CSVLogger.on_step = lambda self, loop: loop.steps == 60 and os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes can't be killed here")
def test_the_script_of_the_readme_survives_being_killed(tmp_path):
    pytest.importorskip("tensorboard")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    [script] = [block for block in blocks if "resume=True" in block]
    script = script.replace("epochs=40", "epochs=4")
    ends = {}
    for folder, codes in (("whole", [script]), ("killed", [KILL + script, script])):
        (tmp_path / folder).mkdir()
        for code in codes:
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=tmp_path / folder, capture_output=True,
                text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            )  # fmt: skip
            assert done.returncode == (-signal.SIGKILL if code != script else 0), done.stderr
        ends[folder] = (tmp_path / folder / "run/history.csv").read_text(), done.stdout[-100:]
    assert ends["killed"] == ends["whole"]
