"""A compiled step does what the eager step does, to the last bit, whatever happens in between."""

import numpy as np
import pytest

import aino
from aino.compiler.tracing.run import run_traced
from tests.optim.helpers import assert_same, values
from tests.optim.rows import ROWS

CASES = [(row, settings) for row in ROWS for settings in row.settings]
ADAM = next(row for row in ROWS if row.name == "Adam")


def problem(row, settings):
    """Return parameters, an optimizer and a step that fits a plane and a bump through points."""
    rng = np.random.default_rng(0)
    X, y = aino.tensor(rng.standard_normal((20, 3))), aino.tensor(rng.standard_normal((20, 2)))
    weights = [
        aino.tensor(rng.standard_normal(shape), requires_grad=True)
        for shape in (
            [(3, 4), (4,), (4, 2), (2,)] if () in row.shapes else [(3, 4), (1, 4), (4, 2), (1, 2)]
        )
    ]
    optimizer = row.make(weights, **settings)

    def step():
        optimizer.zero_grad()
        first, shift, second, offset = weights
        loss = ((aino.tanh(X @ first + shift) @ second + offset - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return weights, optimizer, step


def check(row, settings, event):
    (weights, optimizer, step), (others, twin, other) = (problem(row, settings) for _ in range(2))
    compiled = aino.compile(other)
    for t in range(14):
        event(t, weights, optimizer)
        event(t, others, twin)
        assert step().item() == compiled().item()
    assert_same(values(weights), values(others))
    for one, same in zip(weights, others):
        entries = twin.state.get(same, {})
        for name, tensor in optimizer.state.get(one, {}).items():
            np.testing.assert_array_equal(tensor.array, entries[name].array)


@pytest.mark.parametrize(
    ("row", "settings"), CASES, ids=[f"{row.name}-{settings}" for row, settings in CASES]
)
def test_a_live_learning_rate(row, settings):
    def decay(t, weights, optimizer):
        optimizer.param_groups[0]["lr"] *= 0.95

    check(row, settings, decay)


def reload(t, weights, optimizer):
    if t == 5:
        optimizer.load_state_dict(optimizer.state_dict())


def begin_from_a_state(t, weights, optimizer):
    if t == 0:
        saved = optimizer.state_dict()
        shapes = [weight.array.shape for weight in weights]
        saved["state"] = {
            i: {"step": 3, "exp_avg": np.full(shape, 0.1), "exp_avg_sq": np.ones(shape)}
            for i, shape in enumerate(shapes)
        }
        optimizer.load_state_dict(saved)


def move_betas(t, weights, optimizer):
    optimizer.param_groups[0]["betas"] = (0.9 - 0.01 * t, 0.99)


def switch_weight_decay_on(t, weights, optimizer):
    if t == 5:
        optimizer.param_groups[0]["weight_decay"] = 0.1


def freeze_for_a_while(t, weights, optimizer):
    if t in (4, 9):
        weights[1].requires_grad_(t == 9)


def forget_one_count(t, weights, optimizer):
    if t == 6:
        optimizer.state[weights[2]]["step"] = aino.tensor(0.0)


def forget_all(t, weights, optimizer):
    if t == 6:
        optimizer.state.clear()


def write_into_the_state(t, weights, optimizer):
    if t == 6:
        optimizer.state[weights[2]]["exp_avg"].zero_()


def add_a_group(t, weights, optimizer):
    if t == 4:
        optimizer.add_param_group({"params": [aino.zeros(3, requires_grad=True)]})


EVENTS = [reload, begin_from_a_state, move_betas, switch_weight_decay_on, freeze_for_a_while,
          forget_one_count, forget_all, write_into_the_state, add_a_group]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
def test_what_happens_between_the_steps(event):
    check(ADAM, {}, event)


def test_a_schedule_that_moves_betas_asks_for_no_new_program(monkeypatch):
    """They are read at each call, as the learning rate is, and a leaf may want a gradient too."""
    traced = []

    def counted(*arguments, **keywords):
        traced.append(1)
        return run_traced(*arguments, **keywords)

    monkeypatch.setattr("aino.compiler.programs.run_traced", counted)
    _, optimizer, step = problem(ADAM, {})
    scheduler = aino.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=40)
    compiled = aino.compile(step)
    for _ in range(20):
        compiled()
        scheduler.step()
    assert len(traced) <= 3
