"""Averages of weights: what they are, what is copied, what is refused."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)


class Counting(nn.Module):
    """A model with a parameter, a floating-point buffer and a whole one."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(aino.zeros(2, dtype=aino.float64))
        self.register_buffer("mean", aino.zeros(2, dtype=aino.float64))
        self.register_buffer("count", aino.tensor(0))

    def forward(self, x):
        return x * self.weight


def running(values, decay):
    average = values[0]
    for value in values[1:]:
        average = decay * average + (1 - decay) * value
    return average


WAYS = {
    "default": ({}, np.mean),
    "swa": ({"avg_fn": get_swa_avg_fn()}, np.mean),
    "swa, many": ({"multi_avg_fn": get_swa_multi_avg_fn()}, np.mean),
    "ema": ({"avg_fn": get_ema_avg_fn(0.7)}, lambda values: running(values, 0.7)),
    "ema, many": ({"multi_avg_fn": get_ema_multi_avg_fn(0.7)}, lambda values: running(values, 0.7)),
    "the last": ({"avg_fn": lambda average, current, count: current}, lambda values: values[-1]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averages(way, use_buffers):
    settings, expected = WAYS[way]
    model = Counting()
    averaged = AveragedModel(model, use_buffers=use_buffers, **settings)
    values = [4.0, 1.0, 5.0, 8.0]
    for value in values:
        model.weight.data.fill_(value)
        model.mean.fill_(10 * value)
        model.count += 2
        averaged.update_parameters(model)
    wanted = expected(values)
    np.testing.assert_allclose(averaged.module.weight.detach(), wanted)
    np.testing.assert_allclose(averaged.module.mean, 10 * (wanted if use_buffers else 8.0))
    assert averaged.n_averaged == 4
    if not use_buffers:
        assert averaged.module.count == 8
    assert model.weight.tolist() == [8.0, 8.0]
    assert averaged(aino.ones(2)).tolist() == averaged.module.weight.tolist()


def test_it_is_a_module():
    averaged = AveragedModel(Counting())
    assert list(averaged.state_dict()) == [
        "n_averaged", "module.weight", "module.mean", "module.count",
    ]  # fmt: skip
    other = AveragedModel(Counting())
    averaged.module.weight.data.fill_(3.0)
    other.load_state_dict(averaged.state_dict())
    assert other.module.weight.tolist() == [3.0, 3.0]


def test_what_is_refused():
    with pytest.raises(AssertionError, match="Only one"):
        AveragedModel(Counting(), avg_fn=max, multi_avg_fn=max)
    for make in (get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"decay value 1\.5"):
            make(1.5)
    averaged = AveragedModel(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="other shapes"):
        averaged.update_parameters(nn.Linear(2, 3))
    assert averaged.n_averaged == 0
    optimizer = aino.optim.SGD([aino.zeros(1, requires_grad=True)])
    with pytest.raises(ValueError, match="'cos' or 'linear'"):
        SWALR(optimizer, 0.1, anneal_strategy="none")
    with pytest.raises(ValueError, match="anneal_epochs"):
        SWALR(optimizer, 0.1, anneal_epochs=-1)
    assert "swa_lr" not in optimizer.param_groups[0]


def test_updating_statistics_leaves_a_model_without_any_alone():
    update_bn(iter([]), nn.Linear(2, 2))
