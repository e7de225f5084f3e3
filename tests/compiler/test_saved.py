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
    name = predict._compiled.name
    code = f"from saved import {name} as f\nprint(f(np.ones((200, 3), np.float32)).sum())"
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


DRAWS = {
    "uniform": lambda: aino.rand(3),
    "normal": lambda: aino.randn(3, dtype=aino.float64),
    "complex": lambda: aino.randn(3, dtype=aino.complex64).abs(),
    "half": lambda: aino.rand(3, dtype=aino.float16),
    "half normal": lambda: aino.randn(3, dtype=aino.float16),
    "integers": lambda: aino.randint(0, 100, (3,)),
    "whole floats": lambda: aino.randint(0, 100, (3,), dtype=aino.float32),
    "permutation": lambda: aino.randperm(3),
    "poisson": lambda: aino.poisson(aino.full((3,), 4.0)),
    "exponential": lambda: aino.empty(3).exponential_(),
    "dropout": lambda: nn.functional.dropout(aino.ones(3), 0.5),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_go_on_where_the_generator_stands(tmp_path, name):
    aino.manual_seed(3)
    step, x = aino.compile(lambda x: (x * DRAWS[name]()).sum()), aino.ones(3)
    for _ in range(4):
        step(x)
    step.save_source(tmp_path / "saved.py")
    code = f"from saved import {step.name} as f\nf(np.ones(3, np.float32))\n"
    step(x)
    found = run(tmp_path, code + "print(f(np.ones(3, np.float32)))")
    np.testing.assert_allclose(found, step(x).item(), rtol=1e-3 if "half" in name else 1e-6)


def written_view():
    memory = aino.zeros(4)
    view = memory[1:3]

    def step(x):
        memory.add_(1)
        return (view * x).sum()

    return step, aino.ones(2)


def infinite():
    constant = aino.tensor([complex(float("inf"), -2.0), complex(1.0, float("nan"))])
    return lambda x: (constant[:1].real * x).sum() + constant[1].real, aino.ones(2)


def classes():
    labels = aino.tensor([0, 2, 1])
    return lambda x: nn.functional.cross_entropy(x, labels) + x[labels].sum(), aino.ones(3, 3)


def checked():
    table = aino.arange(6.0).reshape(3, 2)
    index = aino.tensor([2, 0])
    return lambda x: (nn.functional.embedding(index, table) * x).sum(), aino.ones(2, 2)


def special():
    return lambda x: (x / 9).erfinv().sum() + (x / 2).digamma().sum() + x.erfc().sum(), aino.ones(2)


@pytest.mark.parametrize("make", [written_view, infinite, classes, checked, special])
def test_other_programs(tmp_path, make):
    step, x = make()
    step = aino.compile(step)
    for _ in range(4):
        step(x)
    step.save_source(tmp_path / "saved.py", tmp_path / "saved.npz" if make is classes else None)
    code = f"from saved import {step.name} as f\nx = np.ones({tuple(x.shape)}, np.float32)\n"
    expected = [step(x).item() for _ in range(2)][-1]
    found = run(tmp_path, code + "f(x)\nprint(f(x))")
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_numbers_that_a_program_relies_on_are_compared(tmp_path):
    weight = aino.ones(2, requires_grad=True)
    optimizer = aino.optim.RAdam([weight], lr=0.1)  # which goes another way from its sixth step on

    def step():
        optimizer.zero_grad()
        (weight * weight).sum().backward()
        optimizer.step()
        return weight.detach().sum()

    step = aino.compile(step)
    for _ in range(3):
        step()
    step.save_source(tmp_path / "saved.py")
    code = (
        "from saved import step\nstep()\nstep()\n"
        "try: step()\nexcept RuntimeError as error: print(len(str(error)))"
    )
    assert run(tmp_path, code) > 40


def test_explaining_changes_nothing():
    memory = aino.zeros(4)
    view = memory[1:3]

    def step(x):
        memory.add_(aino.rand(4))
        return view * x

    finals = []
    for explained in (False, True):
        aino.manual_seed(0)
        memory.zero_()
        compiled = aino.compile(step)
        for _ in range(4):
            compiled(aino.ones(2))
        if explained:
            compiled.explain()
        finals.append(compiled(aino.ones(2)).tolist())
    assert finals[0] == finals[1]
