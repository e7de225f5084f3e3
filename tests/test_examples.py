"""Every example runs from beginning to end, in a process and a folder of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DRAWINGS = {
    "rocket": ["rocket.svg"],
    "draw_graph": [
        "graph.svg",
        "formula.svg",
        "backward.svg",
        "network.svg",
        "computation.svg",
        "folded.svg",
        "activations.svg",
        "convolutions.svg",
    ],
    "demo": ["demo/network.svg", "demo/graph.svg"],
}
NEEDS = {
    "autoencoder": "sklearn", "demo": "pygraphviz", "digits_cnn": "sklearn",
    "draw_graph": "pygraphviz", "fine_tune_published": "safetensors", "rocket": "matplotlib",
}  # fmt: skip
#: What is drawn if matplotlib is there.
PICTURES = {
    "autoencoder": ["autoencoder.svg"], "burgers": ["burgers.svg"], "gan": ["gan.svg"],
    "time_series_lstm": ["time_series_lstm.svg"],
}  # fmt: skip


@pytest.mark.examples
@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_example(name, tmp_path):
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent), "MPLBACKEND": "Agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    pictures = PICTURES.get(name, []) if importlib.util.find_spec("matplotlib") else []
    for drawing in DRAWINGS.get(name, []) + pictures:
        assert "<svg" in (tmp_path / drawing).read_text(encoding="utf-8")
