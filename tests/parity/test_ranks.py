"""Training on three ranks, and the script of the docs on two, on one and on three."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import runpy
import shutil

import pytest

from tests.distributed.ranks import ROWS
from tests.distributed.said import ROOT, check_row, launch
from tests.distributed.training import FILES

pytest.importorskip("torch", reason="it takes long, and runs with the rest of parity")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None or not FILES, reason="mpi4py is not installed"
)
#: What more ranks may do otherwise than two.
ON_THREE = (
    "mlp, eager", "gradients_add_up", "may_be_found", "sharded Adam, eager", "moments: u",
    "moments: one", "join", "goes_on_with", "other shapes", "shared_out",
)  # fmt: skip


@pytest.mark.parametrize("name", [n for n in ROWS if any(part in n for part in ON_THREE)])
def test_row(name):
    check_row(name, 3, ON_THREE)


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
