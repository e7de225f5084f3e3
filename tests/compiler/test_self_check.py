"""A program is compared with its function now and then: what no reader of code sees is found."""

import ctypes
import warnings

import pytest

import aino
from aino import nn
from aino.compiler import self_check
from aino.errors import CompileWarning

CELL = ctypes.c_double(1.0)


def hidden():
    """Return a number by a way that cannot be read: it lies in memory of C."""
    return ctypes.cast(ctypes.addressof(CELL), ctypes.POINTER(ctypes.c_double))[0]


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Compare after every eight calls, whatever the clock says."""
    monkeypatch.setattr(self_check, "FIRST", 8)
    monkeypatch.setattr(self_check, "clock", lambda: 0.0)
    CELL.value = 1.0


def test_what_changes_unseen_is_found_and_said_since_when():
    step = aino.compile(lambda x: x * hidden())

    def run():
        for call in range(60):
            CELL.value = 1.0 if call < 30 else 5.0
            yield step(aino.ones(1)).item()

    with pytest.warns(CompileWarning, match=r"stale since call \d+ .*from 1.0 to 5.0"):
        found = list(run())
    assert found[:30] == [1.0] * 30
    assert set(found[40:]) == {5.0}


def test_what_is_wrong_again_goes_on_uncompiled_and_right():
    step = aino.compile(lambda x: x * hidden())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for call in range(120):
            CELL.value = float(call // 30)
            last = step(aino.ones(1)).item()
    texts = [str(warning.message) for warning in caught]
    assert sum("no longer does what" in text for text in texts) == self_check.DROPPED
    assert any("goes on uncompiled" in text for text in texts)
    assert last == 3.0


def test_a_step_that_is_right_keeps_its_program_and_its_numbers():
    finals = []
    for make in (lambda function: function, aino.compile):
        aino.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        optimizer = aino.optim.Adam(model.parameters(), 0.01)
        schedule = aino.optim.lr_scheduler.StepLR(optimizer, 5)
        x = aino.ones(6, 3)

        def step(x, scale, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (model(x) * scale).square().sum()
            loss.backward()
            optimizer.step()
            return loss

        step, kept, programs = make(step), [], set()
        for call in range(60):
            kept.append(step(x, 0.1 * call))
            kept.append(model[0].weight.grad)
            schedule.step()
            programs |= {id(p) for p in getattr(step, "_dispatches", [])}
        finals.append([item.tolist() for item in kept])
        assert len(programs) <= 1
    assert finals[0] == finals[1]


def test_gradients_that_add_up_are_compared_as_well():
    finals = []
    for make in (lambda function: function, aino.compile):
        weight = aino.ones(3, requires_grad=True)
        step = make(lambda x, weight=weight: (x * weight).square().sum().backward())
        for _ in range(40):
            step(aino.ones(3))
        finals.append(weight.grad.tolist())
    assert finals[0] == finals[1]


def test_checks_are_seldom(monkeypatch):
    times = iter(range(10**6))
    monkeypatch.setattr(self_check, "clock", lambda: float(next(times)))
    step = aino.compile(lambda x: x * 2)
    for _ in range(200):
        step(aino.ones(1))
    (kept,) = step._specializations.values()
    # A call takes one tick here and a trace one, too: the next check is fifty calls away.
    assert kept.check.compared_at
    assert kept.check.calls - kept.check.compared_at <= self_check.SELDOM + 2
