"""A whole training state goes into one file, and training goes on from it with the same numbers."""

import numpy as np
import pytest

import aino
from aino import dit, nn
from aino.optim.lr_scheduler import CosineAnnealingLR
from aino.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn
from tests.dit.test_real_modules import check


@dit.register("tests.Mixed")
class Mixed(nn.Module):
    """A convolution with batch normalisation, an LSTM and attention over what they make."""

    def __init__(self, width=4):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(3, width, 3, padding=1), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.25)
        )
        self.lstm = nn.LSTM(width, width, num_layers=2, batch_first=True, dropout=0.25)
        self.attention = nn.MultiheadAttention(width, 2, dropout=0.25, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        steps, _ = self.lstm(self.stem(x).mT)
        attended, _ = self.attention(steps, steps, steps, need_weights=False)
        return self.head(self.norm(steps + attended).mean(1))


AVERAGES = {"mean": {}, "running mean": {"multi_avg_fn": get_ema_multi_avg_fn(0.9)}}


class Run:
    """Everything that a training has: what is saved of it, and how a step is made."""

    def __init__(self, optimizer, average, compiled):
        self.model = Mixed()
        self.averaged = AveragedModel(self.model, use_buffers=True, **AVERAGES[average])
        self.optimizers = self._optimizers(optimizer)
        self.cosines = [CosineAnnealingLR(each, 20) for each in self.optimizers]
        self.flats = [SWALR(each, swa_lr=0.005, anneal_epochs=3) for each in self.optimizers]
        self.epoch = 0
        self.step = aino.compile(self._step) if compiled else self._step

    def _optimizers(self, name):
        parameters = list(self.model.parameters())
        if name == "AdamW":
            return [aino.optim.AdamW(parameters, 0.02, amsgrad=True)]
        if name == "Adafactor":
            return [aino.optim.Adafactor(parameters, 0.02)]
        matrices = [p for p in parameters if p.ndim == 2]
        others = [p for p in parameters if p.ndim != 2]
        return [aino.optim.Muon(matrices, 0.02), aino.optim.AdamW(others, 0.02)]

    def _step(self, x, y):
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def train(self, epochs):
        """Train on data that are drawn; the losses, and all numbers of model and average."""
        losses = []
        for _ in range(epochs):
            loss = self.step(aino.randn(6, 3, 5), aino.randint(0, 2, (6,)))
            losses.append(loss.item())
            self.averaged.update_parameters(self.model)
            for schedule in self.flats if self.epoch >= 4 else self.cosines:
                schedule.step()
            self.epoch += 1
        states = {**self.model.state_dict(), **self.averaged.state_dict(prefix="average.")}
        return losses, {key: value.numpy().copy() for key, value in states.items()}

    def state(self):
        return {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "schedules": [each.state_dict() for each in self.cosines + self.flats],
            "random": aino.get_rng_state(),
            "epoch": self.epoch,
        }

    def resume(self, state):
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        for own, saved in zip(self.optimizers, state["optimizers"], strict=True):
            own.load_state_dict(saved)
        for own, saved in zip(self.cosines + self.flats, state["schedules"], strict=True):
            own.load_state_dict(saved)
        aino.set_rng_state(state["random"])
        self.epoch = state["epoch"]


@pytest.mark.parametrize(
    ("optimizer", "average", "compiled", "mmap"),
    [
        ("AdamW", "mean", False, True),
        ("AdamW", "running mean", True, False),
        ("Muon and AdamW", "running mean", False, True),
        ("Adafactor", "running mean", False, False),
        ("Adafactor", "mean", True, True),
    ],
)
def test_training_goes_on_as_if_it_had_not_been_interrupted(
    tmp_path, optimizer, average, compiled, mmap
):
    aino.manual_seed(1)
    run = Run(optimizer, average, compiled)
    run.train(6)
    dit.save(run.state(), tmp_path / "c.dit")
    losses, numbers = run.train(4)

    aino.manual_seed(2)
    again = Run(optimizer, average, compiled)
    again.train(1)
    again.resume(dit.load(tmp_path / "c.dit", mmap=mmap))
    found, others = again.train(4)
    assert found == losses
    assert list(others) == list(numbers)
    for key, value in numbers.items():
        np.testing.assert_array_equal(others[key], value, err_msg=key)
    rates = [group["lr"] for each in again.optimizers for group in each.param_groups]
    assert rates == [group["lr"] for each in run.optimizers for group in each.param_groups]
    assert rates[0] == pytest.approx(0.005)


def test_the_model_and_its_average_come_back_as_models(tmp_path):
    run = Run("AdamW", "mean", compiled=False)
    run.train(3)
    check(run.model, tmp_path / "m.dit")
    check(run.averaged, tmp_path / "m.dit")
    dit.save([run.model, run.averaged], tmp_path / "m.dit")
    model, averaged = dit.load(tmp_path / "m.dit")
    x = aino.randn(2, 3, 5)
    assert aino.equal(model.eval()(x), run.model.eval()(x))
    assert aino.equal(averaged.eval()(x), run.averaged.eval()(x))
    averaged.update_parameters(model)
    run.averaged.update_parameters(run.model)
    assert aino.equal(averaged(x), run.averaged(x))
