"""Training on several ranks: the rows of ``training.py``, each launch once for all of them."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.distributed.ranks import ROWS
from tests.distributed.training import FILES

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed"
)
ROOT = Path(__file__).resolve().parents[2]
#: How many ranks there are, and the rows that are tried on them: all, or the quick ones.
LAUNCHES = {
    2: (),
    3: ("mlp, eager", "gradients_add_up", "may_be_found", "sharded Adam, eager", "moments: u",
        "moments: one", "join", "goes_on_with", "other shapes", "shared_out"),
}  # fmt: skip


def launch(ranks, arguments, folder, **options):
    """Run a script on several ranks."""
    return subprocess.run(
        [sys.executable, "-m", "aino.distributed.run", "-n", str(ranks), *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}, **options,
    )  # fmt: skip


@functools.cache
def said(ranks):
    """Return what each rank says of each row, and the end of what was printed."""
    with tempfile.TemporaryDirectory() as folder:
        script = ROOT / "tests" / "distributed" / "training.py"
        done = launch(ranks, [str(script), folder, *LAUNCHES[ranks]], folder)
        files = [Path(folder) / f"rank{rank}" for rank in range(ranks)]
        lines = [path.read_text().splitlines() if path.exists() else [] for path in files]
    return [dict(map(json.loads, one)) for one in lines], (done.stdout + done.stderr)[-2000:]


def chosen():
    """Return the rows with the number of ranks on which each is tried."""
    return [
        pytest.param(ranks, name, id=f"{name} on {ranks}")
        for ranks, parts in LAUNCHES.items() for name in ROWS
        if not parts or any(part in name for part in parts)
    ]  # fmt: skip


@pytest.mark.parametrize(("ranks", "name"), chosen())
def test_row(ranks, name):
    found, printed = said(ranks)
    for rank, one in enumerate(found):
        assert one.get(name, f"was not begun:\n{printed}") == "", f"on rank {rank}"


def test_all_files_have_rows():
    assert len(ROWS) > 60
    assert len(FILES) == 6


KILL = """
import os, signal
from aino.utils.data import DistributedSampler as _sampler
_set = _sampler.set_epoch
def _kill(self, epoch):
    _set(self, epoch)
    if epoch == 2 and self.rank == self.num_replicas - 1:
        os.kill(os.getpid(), signal.SIGKILL)
_sampler.set_epoch = _kill
"""


def test_the_script_of_the_docs_is_killed_and_goes_on_with_other_ranks(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "several-machines.md").read_text("utf-8")
    [script] = [
        block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        if "training.dit" in block
    ]  # fmt: skip
    assert "epoch < 8" in script
    script = script.replace("epoch < 8", "epoch < 4")
    (tmp_path / "train.py").write_text(script, "utf-8")
    (tmp_path / "killed.py").write_text(KILL + script, "utf-8")
    done = launch(2, [str(tmp_path / "killed.py")], tmp_path)
    assert done.returncode != 0
    printed = {"two": done.stdout}
    shutil.copytree(tmp_path, tmp_path / "three")
    printed["three"] = launch(3, ["train.py"], tmp_path / "three").stdout
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path("train.py")  # one process, which is this
    printed["one"] = said.getvalue()
    losses = {
        name: [float(loss) for loss in re.findall(r"epoch \d+: loss ([\d.]+)", text)]
        for name, text in printed.items()
    }
    # The rank that is killed does not wait for the first to have saved its last epoch.
    assert len(losses["one"]) == len(losses["three"]) in (2, 3)
    assert len(losses["two"]) in (1, 2)
    # The batches of all ranks together are the same: so are the losses, but for rounding.
    assert losses["three"] == pytest.approx(losses["one"], abs=2e-3)
    assert losses["one"][-1] < losses["two"][0]
