"""The text about a file shows what is in it, and obeys nothing that is in it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aino.dit as dit
from aino.autograd.tensor import Tensor
from aino.dit import registry
from aino.errors import DitError
from tests.dit import fakes

ROOT = Path(__file__).resolve().parents[2]
OLD = Path(__file__).parent.parent / "data" / "legacy"


def lines_of(value, path, **options):
    """The lines of the text, the first one without the path."""
    dit.save(value, path, **options)
    first, *lines = dit.describe(path).splitlines()
    assert first.startswith(f"{path}: ")
    return first.removeprefix(f"{path}: "), lines


def test_a_model(tmp_path, monkeypatch):
    model = fakes.Chain(fakes.Line(3, 2, bias=False), fakes.Net(2, tied=True)).eval()
    getattr(model, "1").drop.rate = 0.1
    path = tmp_path / "m.dit"
    first, lines = lines_of(model, path, metadata={"author": "Väinö", "note": "a\nb"})
    assert first.startswith("a model in .dit version 3, written by AINO 3.")
    assert first.endswith(f"{path.stat().st_size:,} bytes")
    assert lines == [
        "metadata",
        "  author: Väinö",
        "  note: a?b",
        "architecture",
        "  test.Chain(), in evaluation mode",
        "    0: test.Line(inputs=3, outputs=2, bias=False, scale=1.0)",
        "    1: test.Net(width=2, tied=True)",
        "      drop: test.Drop(rate=0.5), changed: rate",
        "tensors: 4, of 14 values in 56 bytes",
        "  0.weight        float32  (2, 3)  24 bytes",
        "  1.first.weight  float32  (2, 2)  16 bytes",
        "  1.first.bias    float32  (2,)    8 bytes",
        "  1.last.bias     float32  (2,)    8 bytes",
    ]
    for name in [name for name in registry._classes if name.startswith("test.")]:
        monkeypatch.delitem(registry._classes, name)
    assert dit.describe(path).splitlines()[1:] == lines


def test_a_checkpoint(tmp_path):
    value = {
        "net": fakes.Drop(),
        "optimizer": {"state": {0: {"step": 3.0}}, "betas": (0.9, 0.99), "tensors": [np.ones(2)]},
        "best": float("inf"),
        "empty": [{}, [], ()],
        "rng": Tensor(np.zeros(7, np.uint8)),
    }
    first, lines = lines_of(value, tmp_path / "c.dit")
    assert first.startswith("a checkpoint in .dit version 3")
    assert lines == [
        "content",
        "  net: model 0",
        "  optimizer:",
        "    state:",
        "      0:",
        "        step: 3.0",
        "    betas:",
        "      0: 0.9",
        "      1: 0.99",
        "    tensors:",
        "      0: array optimizer.tensors.0",
        "  best: inf",
        "  empty:",
        "    0: {}",
        "    1: []",
        "    2: ()",
        "  rng: tensor rng",
        "model 0",
        "  test.Drop(rate=0.5), in training mode",
        "tensors: 2, of 9 values in 23 bytes",
        "  optimizer.tensors.0  float64  (2,)  16 bytes",
        "  rng                  uint8    (7,)  7 bytes",
    ]


@pytest.mark.parametrize("value", [None, 3, "text", [], np.ones(1), 1j, {3: {}}])
def test_any_state(tmp_path, value):
    first, lines = lines_of(value, tmp_path / "s.dit")
    assert first.startswith("a state")
    assert lines[0] == "content"
    assert lines[-1 - isinstance(value, np.ndarray)].startswith("tensors: ")


def test_what_could_move_a_cursor_is_not_shown(tmp_path):
    evil = "\x1b[2J\x1b]0;owned\x07\u202e\r\n"
    value = {evil: evil, "x" * 1000: ["y" * 1000], 3: {(evil,): np.ones(1)}}
    text = "\n".join(lines_of(value, tmp_path / "e.dit", metadata={evil: evil})[1])
    assert all(mark.isprintable() or mark == "\n" for mark in text)
    assert max(map(len, text.splitlines())) < 200


def test_a_network_of_an_old_version():
    path = OLD / "v2-relu-tanh.dit"
    assert dit.describe(path).splitlines() == [
        f"{path}: a model in .dit version 2, 2,335 bytes",
        "architecture",
        "  NeuralNetwork(sizes=[4, 7, 3], activation_type='relu', output_activation='tanh')",
        "tensors: 4, of 59 values in 236 bytes",
        "  layers.0.weight  float32  (7, 4)  112 bytes",
        "  layers.0.bias    float32  (7,)    28 bytes",
        "  layers.1.weight  float32  (3, 7)  84 bytes",
        "  layers.1.bias    float32  (3,)    12 bytes",
    ]


@pytest.mark.parametrize("command", ["info", "verify"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_command_line_is_silent_when_its_reader_goes(small, command, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)  # as `head` does once it has seen enough
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    with open(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "aino", command, str(small)],
            stdout=pipe, stderr=subprocess.PIPE, env=environment, check=False,
        )  # fmt: skip
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_damaged_file_has_no_text(small):
    small.write_bytes(small.read_bytes()[:-1])
    with pytest.raises(DitError, match="truncated"):
        dit.describe(small)
