"""Saved programs run in a process that has NumPy and nothing else."""

import subprocess
import sys

import numpy as np
import pytest

import aino
from aino import nn


def run(path, code):
    """Run ``code`` beside the saved program, without AINO; return what it printed as a number."""
    head = f"import sys, numpy as np\nsys.modules['aino'] = None\nsys.path[0] = {str(path)!r}\n"
    done = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("weights", [None, "weights.npz"])
def test_a_predictor_with_long_chains(tmp_path, weights):
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4000), nn.Softplus(), nn.SiLU())
    predict, x = aino.compile(model), aino.ones(200, 3)
    for _ in range(3):
        expected = predict(x)
    predict.save_source(tmp_path / "saved.py", None if weights is None else tmp_path / weights)
    code = f"from saved import {predict.name} as f\nprint(f(np.ones((200, 3), np.float32)).sum())"
    np.testing.assert_allclose(run(tmp_path, code), expected.sum().item(), rtol=1e-5)


@pytest.mark.parametrize("method", ["SGD", "Adam"])
def test_a_training_step(tmp_path, method):
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = getattr(aino.optim, method)(model.parameters(), lr=0.1)

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = aino.ones(4, 3), aino.ones(4, 2)
    for _ in range(3):
        step(x, y)
    step.save_source(tmp_path / "saved.py", tmp_path / "saved.npz")
    code = (
        "from saved import step\nx, y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)\n"
        "for _ in range(20): loss = step(x, y)\nprint(float(loss))"
    )
    for _ in range(20):
        loss = step(x, y)
    np.testing.assert_allclose(run(tmp_path, code), loss.item(), rtol=1e-4)
