"""A dropped optimizer and its model go at once: by reference counting, without a collection."""

from __future__ import annotations

import gc
import weakref

import pytest

import aino
from aino import nn, optim
from aino.optim import lr_scheduler
from tests.optim.rows import REFUSED

OPTIMIZERS = [
    name
    for name, kind in vars(optim).items()
    if isinstance(kind, type)
    and issubclass(kind, optim.Optimizer)
    and kind is not optim.Optimizer
    and name not in REFUSED
]


@pytest.fixture
def no_collections():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def after_three_steps(name):
    bias = name != "Muon"  # it steps matrices alone
    model = nn.Sequential(nn.Linear(3, 4, bias=bias), nn.Tanh(), nn.Linear(4, 1, bias=bias))
    optimizer = getattr(optim, name)(model.parameters(), lr=0.01)
    schedule = lr_scheduler.SequentialLR(
        optimizer,
        [lr_scheduler.ConstantLR(optimizer), lr_scheduler.ExponentialLR(optimizer, 0.9)],
        [2],
    )

    def closure():
        optimizer.zero_grad()
        loss = (model(aino.ones(2, 3)) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
        schedule.step()
    return model, optimizer, schedule


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_stays(name, no_collections):
    left = [weakref.ref(thing) for thing in after_three_steps(name)]
    assert [reference() for reference in left] == [None, None, None]


def test_a_state_outlives_its_optimizer(no_collections):
    model, optimizer, _ = after_three_steps("Adam")
    state = optimizer.state[model[0].weight]
    moment = state["exp_avg"].clone()
    del optimizer, _
    assert state["step"].item() == 3.0
    assert state["exp_avg"].tolist() == moment.tolist()
    state["exp_avg"] = moment * 2.0
    assert dict(state)["step"].item() == 3.0
