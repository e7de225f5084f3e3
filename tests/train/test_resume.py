"""A training that ended anywhere goes on from its checkpoint to the same bits."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import nn
from aino.train import Callback, Checkpoint, CSVLogger, EarlyStopping, Schedule, Trainer
from aino.utils.data import DataLoader, Dataset, TensorDataset

ROOT = Path(__file__).resolve().parents[2]


class Noisy(Dataset):
    """Points that NumPy's and Python's generators move a little each time they are looked at."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        moved = self.X[index] + np.random.normal() * 0.1 + random.random() * 0.1
        return moved.astype(np.float32), self.y[index]


class Ends(Callback):
    """Ends the training after a number of steps: by an error, or as the power does."""

    def __init__(self, after, how):
        self.after, self.how = after, how

    def on_step(self, loop):
        if loop.steps == self.after:
            if self.how == "error":
                raise InterruptedError
            os.kill(os.getpid(), signal.SIGKILL)


def data():
    generator = np.random.default_rng(3)
    y = generator.integers(0, 3, 70)
    X = generator.normal(size=(70, 4)).astype(np.float32) + y[:, None].astype(np.float32)
    return X, y


def loader(batches):
    X, y = data()
    pair = TensorDataset(aino.tensor(X), aino.tensor(y))
    if batches == "loader":
        return (DataLoader(pair, batch_size=10, shuffle=True),)
    if batches == "generator":
        generator = aino.Generator().manual_seed(5)
        return (DataLoader(pair, batch_size=10, shuffle=True, generator=generator),)
    if batches == "noisy":
        return (DataLoader(Noisy(X, y), batch_size=10, shuffle=True),)
    if batches == "workers":
        return (DataLoader(pair, batch_size=10, shuffle=True, num_workers=1),)
    return X, y


def training(folder, case, *others):
    """A trainer as a script makes it, and the arguments of its ``fit``."""
    batches, settings, scheduled, _ = CASES[case]
    aino.manual_seed(1)
    np.random.seed(2)
    random.seed(3)
    layers = [nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 3)]
    model = nn.Sequential(*layers)
    optimizer = aino.optim.AdamW(model.parameters(), lr=0.01)
    schedulers = {
        "step": lambda: aino.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=200),
        "epoch": lambda: aino.optim.lr_scheduler.ExponentialLR(optimizer, 0.9),
        "plateau": lambda: aino.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
    }
    callbacks = [
        Schedule(schedulers[scheduled]()), EarlyStopping("loss", patience=2, min_delta=0.02),
        CSVLogger(folder / "log.csv"), Checkpoint(folder, every_steps=3, keep=2), *others,
    ]  # fmt: skip
    trainer = Trainer(
        model, optimizer, "cross_entropy", ["accuracy", "f1_macro"], callbacks, **settings
    )
    given = loader(batches)
    plain = {"batch_size": 10} if len(given) == 2 else {}
    return trainer, given, {"validation": data(), "verbose": False, "epochs": 4, **plain}


#: Where batches come from, the settings of the trainer, the schedule, and after how many steps the
#: training ends: before the first checkpoint, between two epochs, in the midst of one.
CASES = {
    "arrays": ("arrays", {}, "step", 1),
    "compiled": ("arrays", {"compile": True}, "epoch", 11),
    "loader": ("loader", {"clip_norm": 0.5}, "plateau", 7),
    "generator": ("generator", {"compile": True}, "step", 12),
    "noisy": ("noisy", {"compile": False}, "epoch", 10),
    "workers": ("workers", {}, "epoch", 13),
    "gathered": ("loader", {"accumulate": 3}, "step", 5),
}  # fmt: skip
if not hasattr(os, "fork"):
    del CASES["workers"]


def outcome(trainer, folder):
    """Everything that a training leaves: weights, the optimizer's state, history and log."""
    state = trainer._loop(trainer.callbacks).state_dict()
    arrays = [tensor.numpy() for tensor in state["model"].values()]
    slots = state["optimizers"][0]["state"]
    arrays += [np.asarray(value) for slot in slots.values() for value in slot.values()]
    arrays += [state["random"]["aino"].numpy(), state["random"]["python"][1]]
    arrays += [trainer.callbacks[1].best or 0.0, *map(np.array, trainer.history.values())]
    return arrays, list(trainer.history), (folder / "log.csv").read_text()


def same(one, other):
    assert one[1:] == other[1:]
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b)


_WHOLE = {}


def whole(case, tmp_path_factory):
    """The training without an end in the middle."""
    if case not in _WHOLE:
        folder = tmp_path_factory.mktemp(case)
        trainer, given, settings = training(folder, case)
        trainer.fit(*given, **settings)
        _WHOLE[case] = outcome(trainer, folder)
    return _WHOLE[case]


@pytest.mark.parametrize("case", CASES)
def test_it_goes_on_to_the_same_bits(case, tmp_path, tmp_path_factory):
    after = CASES[case][-1]
    expected = whole(case, tmp_path_factory)
    trainer, given, settings = training(tmp_path, case, Ends(after, "error"))
    with pytest.raises(InterruptedError):
        trainer.fit(*given, **settings)
    trainer, given, settings = training(tmp_path, case)
    trainer.fit(*given, **settings, resume=True)
    same(outcome(trainer, tmp_path), expected)


class EndsBetween(Callback):
    """Ends the training after the last batch of the second epoch, before the epoch is saved."""

    def on_epoch_end(self, loop):
        if loop.epoch == 2:
            raise InterruptedError


@pytest.mark.parametrize("case", ["arrays", "gathered"])
def test_an_epoch_that_was_saved_after_its_last_batch_is_ended(case, tmp_path, tmp_path_factory):
    expected = whole(case, tmp_path_factory)
    trainer, given, settings = training(tmp_path, case, EndsBetween())
    trainer.callbacks[3].every_steps = 1
    with pytest.raises(InterruptedError):
        trainer.fit(*given, **settings)
    position = aino.load(tmp_path / "last.dit")["position"]
    assert (position["epoch"], position["batch"]) == (1, 7)
    trainer, given, settings = training(tmp_path, case)
    trainer.fit(*given, **settings, resume=True)
    same(outcome(trainer, tmp_path), expected)


def test_what_can_not_be_resumed_is_not_saved():
    class Saves(Callback):
        def on_step(self, loop):
            loop.state_dict()

    trainer, given, settings = training(Path("unused"), "arrays")
    trainer.callbacks = [Saves()]
    with pytest.raises(RuntimeError, match="resumable"):
        trainer.fit(*given, **settings)


KILLED = """
import sys
from pathlib import Path
from tests.train.test_resume import Ends, training
trainer, given, settings = training(Path(sys.argv[1]), "noisy", Ends(11, "kill"))
trainer.fit(*given, **settings)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes can't be killed here")
def test_a_killed_process_goes_on_to_the_same_bits(tmp_path, tmp_path_factory):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    position = aino.load(tmp_path / "last.dit")["position"]
    assert (position["epoch"], position["batch"]) == (1, 2)  # in the middle of the second epoch
    trainer, given, settings = training(tmp_path, "noisy")
    trainer.fit(*given, **settings, resume=True)
    same(outcome(trainer, tmp_path), whole("noisy", tmp_path_factory))


def test_a_training_that_was_over_stays_so(tmp_path):
    trainer, given, settings = training(tmp_path, "arrays")
    trainer.fit(*given, **settings)
    expected = outcome(trainer, tmp_path)
    trainer, given, settings = training(tmp_path, "arrays")
    trainer.fit(*given, **settings, resume=True)
    same(outcome(trainer, tmp_path), expected)


def test_a_training_goes_on_from_where_it_was_saved_between_two_fits(tmp_path):
    whole, given, settings = training(tmp_path / "a", "generator")
    part, _, _ = training(tmp_path / "b", "generator")
    again, others, _ = training(tmp_path / "c", "generator")
    for one in (whole, part, again):
        one.callbacks = one.callbacks[:1]  # early stopping begins anew in each fit
    whole.fit(*given, **settings | {"epochs": 2})
    whole.save(tmp_path / "a.dit")
    whole.fit(*given, **settings | {"epochs": 1})
    again.fit(*others, **settings | {"epochs": 3}, resume=tmp_path / "a.dit")
    assert again.history == whole.history
    assert again.steps == whole.steps == 21
    for one, other in zip(whole.model.parameters(), again.model.parameters()):
        assert aino.equal(one, other)
