"""Each callback does what it says, and refuses by name what it can't."""

import csv
import importlib.util
import io
import math
import sys

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import GradientError
from aino.optim import lr_scheduler
from aino.train import (
    Callback,
    Checkpoint,
    CSVLogger,
    EarlyStopping,
    GradientWatch,
    Schedule,
    TensorBoard,
    Trainer,
)
from aino.train.progress import Bar, Lines, Table
from aino.train.saved_state import _PARTS

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = X.sum(axis=1, keepdims=True)


def trainer(callbacks=(), **settings):
    aino.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)
    return Trainer(model, optimizer, "mse", callbacks=callbacks, **settings)


def fit(one, epochs=4, **settings):
    return one.fit(X, Y, **{"epochs": epochs, "batch_size": 4, "verbose": False} | settings)


class Dictates(Callback):
    """Writes numbers into the history, in the place of those that were measured."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def on_epoch_end(self, loop):
        loop.history[self.name][-1] = self.values[loop.epoch - 1]


class Weights(Callback):
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, loop):
        self.seen.append(loop.model.weight.detach().numpy().copy())


@pytest.mark.parametrize(
    ("values", "settings", "epochs", "best"),
    [
        ([5, 4, 3, 2, 1, 0], {"patience": 2}, 6, 6),
        ([5, 4, 4, 4, 4, 4], {"patience": 2}, 4, 2),
        ([5, 4, 6, 3, 6, 6], {"patience": 2}, 6, 4),
        ([5, 4.9, 4.8, 4.7, 4, 4], {"patience": 3, "min_delta": 0.5}, 4, 1),
        ([5, math.nan, math.nan, 1, 1, 1], {"patience": 3}, 6, 4),
        ([1, 2, 3, 2, 2, 9], {"patience": 2, "mode": "max"}, 5, 3),
        ([math.nan] * 6, {"patience": 2}, 2, None),
    ],
)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(values, settings, epochs, best, restore):
    weights = Weights()
    stopping = EarlyStopping("loss", restore_best=restore, **settings)
    one = trainer([Dictates("loss", values), stopping, weights])
    history = fit(one, 6)
    assert (history.epochs, stopping.best_epoch) == (epochs, best)
    kept = best if restore and best is not None else epochs
    np.testing.assert_array_equal(one.model.weight.detach().numpy(), weights.seen[kept - 1])


def test_early_stopping_begins_anew_in_each_fit():
    stopping = EarlyStopping("loss", patience=1)
    one = trainer([Dictates("loss", [1, 2, 3, 4, 5, 6]), stopping])
    assert fit(one).epochs == 2
    assert fit(one).epochs == 4


@pytest.mark.parametrize(
    "callback", [EarlyStopping, lambda name: Checkpoint("unused", monitor=name)]
)
@pytest.mark.parametrize(
    ("monitor", "validation", "text"),
    [
        ("val_loss", None, "no validation: give fit"),
        ("val_los", (X, Y), "did you mean 'val_loss'"),
        ("accurcy", None, "say mode="),
    ],
)
def test_a_number_that_will_not_be_measured_is_refused_before_anything_is_learned(
    callback, monitor, validation, text
):
    one = trainer([callback(monitor)])
    with pytest.raises(ValueError, match=text):
        fit(one, validation=validation)
    assert one.history == {}


@pytest.mark.parametrize(
    ("make", "every", "times"),
    [
        (lambda o: lr_scheduler.StepLR(o, 2, gamma=0.5), "epoch", 4),
        (lambda o: lr_scheduler.ExponentialLR(o, 0.9), "step", 12),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.5, total_steps=20), None, 12),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 4), None, 4),
    ],
)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_schedules_are_stepped_where_they_belong(make, every, times, accumulate):
    one = trainer(accumulate=accumulate)
    schedule = Schedule(make(one.optimizer), every)
    one.callbacks = [schedule]
    fit(one)
    alone = aino.optim.SGD([nn.Parameter(aino.ones(1))], lr=0.1)
    alone.has_stepped = True
    expected = make(alone)
    # Three batches an epoch, gathered in pairs, are two updates.
    for _ in range(times if accumulate == 1 or times == 4 else 8):
        expected.step()
    assert one.optimizer.param_groups[0]["lr"] == alone.param_groups[0]["lr"]


def test_a_plateau_lowers_the_rate():
    one = trainer()
    schedule = Schedule(lr_scheduler.ReduceLROnPlateau(one.optimizer, factor=0.5, patience=1))
    one.callbacks = [Dictates("val_loss", [3, 2, 2, 2, 1, 1, 1, 1]), schedule]
    fit(one, 6, validation=(X, Y))
    assert one.optimizer.param_groups[0]["lr"] == 0.05


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda o: Schedule(lr_scheduler.StepLR(o, 2), "batch"), ValueError, "epoch"),
        (lambda o: Schedule("cosine"), TypeError, "lr_scheduler, not str"),
        (lambda o: Schedule(lr_scheduler.ReduceLROnPlateau(o), "step"), ValueError, "every"),
        (lambda o: Schedule(lr_scheduler.StepLR(o, 2), monitor="loss"), ValueError, "no number"),
        (lambda o: EarlyStopping(patience=0), ValueError, "1 or more"),
        (lambda o: EarlyStopping(mode="low"), ValueError, "min"),
        (lambda o: Checkpoint("x", keep=-1), ValueError, "keep"),
        (lambda o: Checkpoint("x", every_steps=0), ValueError, "every_steps"),
    ],
)
def test_wrong_settings_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        make(trainer().optimizer)


def test_a_schedule_of_another_optimizer_is_refused():
    other = aino.optim.SGD([nn.Parameter(aino.ones(1))], lr=0.1)
    with pytest.raises(ValueError, match="another optimizer"):
        fit(trainer([Schedule(lr_scheduler.StepLR(other, 1))]))


def test_the_best_checkpoints_are_kept(tmp_path):
    checkpoint = Checkpoint(tmp_path, keep=2)
    weights = Weights()
    one = trainer([Dictates("loss", [5, 3, 4, 3.5, 6]), weights, checkpoint])
    fit(one, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch-0002.dit", "epoch-0004.dit", "last.dit",
    ]  # fmt: skip
    assert checkpoint.kept == [(2, 3.0), (4, 3.5)]
    assert checkpoint.best == tmp_path / "epoch-0002.dit"
    saved = aino.load(checkpoint.best)["model"]["weight"]
    np.testing.assert_array_equal(saved.numpy(), weights.seen[1])
    one.load(checkpoint.best)
    np.testing.assert_array_equal(one.model.weight.detach().numpy(), weights.seen[1])
    assert one.history["loss"] == [5, 3]


def test_checkpoints_of_another_training_are_not_overwritten(tmp_path):
    fit(trainer([Checkpoint(tmp_path)]))
    with pytest.raises(FileExistsError, match="resume=True"):
        fit(trainer([Checkpoint(tmp_path)]))
    fit(trainer([Checkpoint(tmp_path, overwrite=True)]))
    again = trainer([Checkpoint(tmp_path)])
    assert fit(again, 6, resume=True).epochs == 6
    assert fit(again, 1).epochs == 7  # its own it goes on with


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (lambda state: [], "no checkpoint of a training"),
        *[
            (
                lambda state, name=name: {k: v for k, v in state.items() if k != name},
                f"lacks {name}",
            )
            for name in _PARTS
        ],
        (lambda state: state | {"kinds": []}, "with no optimizer, and this one has SGD"),
        (lambda state: state | {"kinds": ["Adam"]}, "with Adam, and this one has SGD"),
        (lambda state: state | {"model": {"weight": aino.ones(2, 2)}}, "weight"),
        (lambda state: state | {"optimizers": [{"state": {}, "param_groups": []}]}, "group"),
    ],
)
def test_a_checkpoint_of_something_else_changes_nothing(tmp_path, broken, text):
    one = trainer()
    fit(one)
    one.save(tmp_path / "a.dit")
    aino.save(broken(aino.load(tmp_path / "a.dit")), tmp_path / "b.dit")
    before, history = one.model.weight.detach().numpy().copy(), dict(one.history)
    with pytest.raises((ValueError, KeyError), match=text):
        fit(one, 8, resume=tmp_path / "b.dit")
    np.testing.assert_array_equal(one.model.weight.detach().numpy(), before)
    assert one.history == history


def test_fewer_batches_than_before_are_refused(tmp_path):
    class Saves(Callback):
        def on_step(self, loop):
            loop.resumable = True
            if loop.steps == 5:
                aino.save(loop.state_dict(), tmp_path / "a.dit")

    fit(trainer([Saves()]))
    with pytest.raises(ValueError, match="after batch 2"):
        trainer().fit([], epochs=3, resume=tmp_path / "a.dit", verbose=False)


def test_csv_is_the_history(tmp_path):
    path = tmp_path / "logs" / "a.csv"
    one = trainer([CSVLogger(path)])
    for validation in (None, (X, Y)):  # a column comes later
        history = fit(one, 2, validation=validation)
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["epoch", "loss", "val_loss"]
    assert [int(row[0]) for row in rows[1:]] == [1, 2, 3, 4]
    for column, name in enumerate(rows[0][1:], 1):
        np.testing.assert_array_equal([float(row[column]) for row in rows[1:]], history[name])


@pytest.mark.parametrize("clip", [None, 1e-3])
def test_gradients_are_watched_before_they_are_clipped(clip):
    one = trainer([GradientWatch()], clip_norm=clip)
    history = one.fit(X, Y, epochs=1, batch_size=12, verbose=False)
    model = trainer().model
    nn.functional.mse_loss(model(aino.tensor(X)), aino.tensor(Y)).backward()
    norm = math.sqrt(sum((p.grad**2).sum().item() for p in model.parameters()))
    assert history["grad_norm"] == pytest.approx([norm], rel=1e-6)


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("compile", [True, False])
def test_a_gradient_that_is_no_number_is_named(clip, compile):
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    one = Trainer(model, "sgd", "mse", callbacks=[GradientWatch()], lr=0.01, clip_norm=clip,
                  compile=compile)  # fmt: skip
    bad = X.copy()
    bad[9] = np.nan
    with pytest.raises(GradientError, match=r"0\.weight \(nan\).* in step 3 \(epoch 1\)"):
        one.fit(bad, Y, epochs=2, batch_size=4, shuffle=False, verbose=False)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert one.fit(X, Y, epochs=1, verbose=False).epochs == 1


def test_gradients_whose_squares_leave_float64_are_finite():
    model = nn.Linear(1, 1, dtype=aino.float64)
    one = Trainer(model, "sgd", lambda outputs, targets: (outputs * 1e200).mean(), lr=1e-300,
                  callbacks=[GradientWatch()])  # fmt: skip
    ones = np.ones((4, 1))
    with np.errstate(over="ignore"):
        history = one.fit(ones, ones, epochs=1, verbose=False)
    assert history["grad_norm"] == [math.inf]  # their length is, which is said as it is


def test_what_callbacks_record_is_in_the_history():
    class Rate(Callback):
        def on_step(self, loop):
            loop.record("batches", loop.batch)

    assert fit(trainer([Rate()]), 2)["batches"] == [2.0, 2.0]


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None, reason="TensorBoard is not installed"
)
def test_tensorboard_has_the_numbers(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    one = trainer([TensorBoard(tmp_path, every_steps=2, histograms=True)])
    history = fit(one, 2, validation=(X, Y))
    found = EventAccumulator(str(tmp_path)).Reload()
    for tag, name in (("loss/training", "loss"), ("loss/validation", "val_loss")):
        values = [(event.step, event.value) for event in found.Scalars(tag)]
        assert values == [(i + 1, pytest.approx(v)) for i, v in enumerate(history[name])]
    assert [event.step for event in found.Scalars("loss/batch")] == [2, 4, 6]
    assert [event.value for event in found.Scalars("learning rate")] == pytest.approx([0.1, 0.1])
    assert "weight" in found.Tags()["histograms"]


def test_a_log_has_a_line_for_each_epoch(capsys):
    fit(trainer(), 3, verbose=True, validation=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert "val_loss" in lines[0]


def test_a_log_may_have_fewer_lines(capsys):
    fit(trainer([Lines(2)]), 6)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 3/6", "epoch 6/6"]


def test_a_terminal_has_a_bar_that_is_closed_after_an_error(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    class Raises(Callback):
        def on_epoch_end(self, loop):
            if loop.epoch == 2:
                raise KeyError("mine")

    monkeypatch.setattr("sys.stderr", Terminal())
    one = trainer([Raises()])
    with pytest.raises(KeyError, match="mine"):
        fit(one, 3, verbose=True)
    shown = sys.stderr.getvalue()
    assert "loss" in shown
    assert shown.endswith("\n")
    one.callbacks = [bar := Bar()]
    fit(one, 2)
    assert bar._bar is None


def test_a_notebook_has_a_table():
    class Handle:
        def update(self, html):
            self.html = html

    class Notebook(Table):
        def on_fit_start(self, loop):
            self._html, self._shown = str, Handle()

    table = Notebook()
    history = fit(trainer([table]), 3)
    html = table._shown.html
    assert html.count("<tr>") == 4
    assert f"<td>{history['loss'][-1]:.4g}</td>" in html
    assert 'value="3" max="3"' in html
