"""The text about a file of any kind, and the command that prints it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aino
from aino.errors import FormatError
from aino.formats import describe
from tests.formats import forge
from tests.formats import pickles as p

ROOT = Path(__file__).resolve().parents[2]


def lines_of(path):
    return describe(path).replace(str(path), "PATH").splitlines()


def test_a_dit(tmp_path):
    aino.save({"w": aino.ones(2)}, tmp_path / "a.dit")
    assert describe(tmp_path / "a.dit") == aino.dit.describe(tmp_path / "a.dit")


def test_safetensors(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "a.safetensors"
    header = {
        "__metadata__": {"by": "me\x1b[2J"},
        "half": forge.entry("BF16", (2,), (0, 4)),
        "tiny": forge.entry("F8_E4M3", (3,), (4, 7)),
    }
    path.write_bytes(forge.safetensors(header, bytes(7)))
    assert lines_of(path) == [
        f"PATH: a safetensors file, {path.stat().st_size} bytes",
        "metadata",
        "  by: me?[2J",
        "tensors: 2, of 5 values in 7 bytes",
        "  half  bfloat16  (2,)  4 bytes",
        "  tiny  F8_E4M3   (3,)  3 bytes",
    ]


def test_a_folder(tmp_path):
    pytest.importorskip("safetensors")
    state = {f"w{n}": np.ones(2, np.float32) for n in range(3)}
    aino.formats.safetensors.save_sharded(state, tmp_path, 16)
    assert describe(tmp_path).splitlines()[1:] == [
        "  model-00001-of-00002.safetensors: 2 tensors",
        "  model-00002-of-00002.safetensors: 1 tensors",
    ]


@pytest.mark.parametrize("old", [False, True])
def test_pytorchs(tmp_path, old):
    path = tmp_path / "a.pt"
    value = p.dct(model=p.dct(w=p.tensor()), epoch=p.number(3), betas=p.tup(p.number(0.5)))
    numbers = np.arange(4, dtype=np.float32)
    path.write_bytes(p.old(value, [("0", numbers)]) if old else p.archive(value))
    expected = [
        f"PATH: a checkpoint of PyTorch, {path.stat().st_size} bytes",
        "content",
        "  epoch: 3",
        "  betas: (0.5,)",
        "tensors: 1, of 4 values in 16 bytes",
        "  model.w  float32  (4,)  16 bytes",
    ]
    assert lines_of(path) == expected
    with path.open("rb") as file:
        assert describe(file).splitlines()[1:] == expected[1:]


def test_the_command(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(p.archive(p.tensor()))

    def run(file):
        command = [sys.executable, "-m", "aino", "info", str(file)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert run(path).stdout.startswith(f"{path}: a checkpoint of PyTorch")
    path.write_bytes(p.archive(p.name("os.system") + b")R"))
    done = run(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"aino: {path}: holds what 'os.system'")
    with pytest.raises(FormatError):
        describe(tmp_path / "missing.pt")
