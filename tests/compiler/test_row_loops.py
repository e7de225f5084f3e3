"""Loops over rows: what goes over arrays of many axes runs some rows at a time, on two threads."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.passes import rows
from aino.compiler.pipeline import checks
from aino.nn import functional as F


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let the smallest stretches be loops, of blocks of few rows."""
    monkeypatch.setattr(rows, "WORTH_ROWS", 0)
    monkeypatch.setattr(rows, "ROW_BLOCK", 64)
    monkeypatch.setattr(checks, "after_each_pass", True)


def pooled(x, y):
    return F.max_pool2d(x.relu(), 2).exp() * 2.0


def of_parts(x, y):
    z = x.clone()
    z[:, ::2] = y[:, ::2] * 2.0
    z[:, 1::2] *= y[:, ::2]
    return z


def turned(x, y):
    return (x.transpose(1, 3) * y.transpose(1, 3)).transpose(1, 3) + x


def with_a_row(x, y):
    return (x - y[:1]) * y[0] + x[..., :1]


def from_rows_before(x, y):
    z = x.clone()
    z[1:] = z[:-1] * y[1:]  # as it was: all rows are read before one is written
    return z * 2.0


def as_other_numbers(x, y):
    return (x > y).to(aino.int32) * 3 + (x == y)


def row_of_a_result(x, y):
    z = x * y
    return z - z[:1]


def in_two_shapes(x, y):
    z = x * y
    return z.reshape(z.shape[0] * 2, -1, *z.shape[2:]) + 1.0


CASES = [pooled, of_parts, turned, with_a_row, from_rows_before, as_other_numbers,
         row_of_a_result, in_two_shapes]  # fmt: skip
LOOPED = {"pooled", "of_parts", "turned", "with_a_row", "as_other_numbers"}


@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("passes", ["all", "without fusion"])
def test_loops_give_what_the_calls_give(function, passes):
    chosen = (
        None if passes == "all" else [n for n in aino.compiler.pipeline.PASSES if n != "fusion"]
    )
    compiled = aino.compile(function, **({} if chosen is None else {"passes": chosen}))
    draw = np.random.default_rng(0)
    x, y = (aino.tensor(draw.integers(-3, 3, (6, 4, 8, 10)) / 2) for _ in range(2))
    for _ in range(3):
        result = compiled(x, y)
    np.testing.assert_array_equal(result.numpy(), function(x, y).numpy())
    if passes != "all" and function.__name__ in LOOPED:
        assert "def rows" in compiled.code


def step_of():
    aino.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.Tanh(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 3),
    )  # fmt: skip
    optimizer = aino.optim.Adam(net.parameters())
    x, y = aino.randn(5, 2, 12, 12), aino.tensor([0, 1, 2, 0, 1])

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_a_step_of_a_convolutional_network_is_the_same_to_the_last_bit():
    compiled, eager = aino.compile(step_of()), step_of()
    assert [compiled().item() for _ in range(5)] == [eager().item() for _ in range(5)]
    assert compiled.code.count("def rows") >= 3
