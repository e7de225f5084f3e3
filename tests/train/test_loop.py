"""The loop learns as one written by hand does, and leaves everything in order whatever happens."""

import math
import signal

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.compiled import Compiled
from aino.train import Callback, History, Loop, Trainer
from aino.train.batches import ArrayBatches
from aino.train.step import make_step
from aino.utils.data import DataLoader, TensorDataset

F = nn.functional


def flowers(samples=90):
    """Three clouds of points: inputs (n, 4), classes (n,)."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, samples)
    X = generator.normal(size=(samples, 4)).astype(np.float32) + y[:, None].astype(np.float32)
    return X, y


def network(seed=0):
    aino.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 3))


def by_hand(batches, epochs):
    """The weights and mean losses of the loop that everybody writes."""
    model = network()
    optimizer = aino.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(epochs):
        total = samples = 0
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
            samples += len(inputs)
        losses.append(total / samples)
    return [p.numpy().copy() for p in map(aino.Tensor.detach, model.parameters())], losses


def weights(model):
    return [parameter.detach().numpy().copy() for parameter in model.parameters()]


@pytest.mark.parametrize("compiling", [None, True, False])
@pytest.mark.parametrize("given", ["arrays", "tensors", "lists", "loader", "batches"])
def test_it_learns_what_a_loop_by_hand_does(given, compiling):
    X, y = flowers()
    loader = DataLoader(TensorDataset(aino.tensor(X), aino.tensor(y)), batch_size=20)
    # A loader draws a seed for its workers, the network draws its dropout.
    expected, losses = by_hand(loader if given == "loader" else list(loader), epochs=3)
    model = network()
    trainer = Trainer(model, "adam", "cross_entropy", lr=0.01, compile=compiling)
    data = {
        "arrays": (X, y), "tensors": (aino.tensor(X), aino.tensor(y)),
        "lists": (X.tolist(), y.tolist()),
        "loader": (loader,),
        "batches": ([(X[i : i + 20], y[i : i + 20]) for i in range(0, 90, 20)],),
    }[given]  # fmt: skip
    settings = {"batch_size": 20, "shuffle": False} if len(data) == 2 else {}
    history = trainer.fit(*data, epochs=3, verbose=False, **settings)
    assert history["loss"] == losses
    for own, other in zip(weights(model), expected, strict=True):
        np.testing.assert_array_equal(own, other)


class Recorder(Callback):
    def __init__(self, failing=None):
        self.events, self.failing = [], failing

    def note(self, event, loop):
        self.events.append((event, loop.epoch, loop.batch))
        if event == self.failing:
            raise KeyError(event)


for event in ("fit_start", "epoch_start", "gradients", "step", "epoch_end", "fit_end"):
    setattr(
        Recorder, f"on_{event}", lambda self, loop, event=event: Recorder.note(self, event, loop)
    )


def test_callbacks_are_told_of_everything_in_order():
    X, y = flowers(40)
    recorder = Recorder()
    trainer = Trainer(network(), "sgd", "cross_entropy", callbacks=[recorder], lr=0.01)
    trainer.fit(X, y, epochs=2, batch_size=20, verbose=False)
    epoch = [("epoch_start", 0), ("gradients", 0), ("step", 1), ("gradients", 1), ("step", 2)]
    assert recorder.events == [
        ("fit_start", 0, 0),
        *[(event, 0, batch) for event, batch in epoch], ("epoch_end", 1, 0),
        *[(event, 1, batch) for event, batch in epoch], ("epoch_end", 2, 0),
        ("fit_end", 2, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("event", ["fit_start", "epoch_start", "gradients", "step", "epoch_end",
                                   "fit_end"])  # fmt: skip
def test_a_callback_that_raises_leaves_everything_in_order(event):
    X, y = flowers(40)
    model = network()
    model[2].eval()
    other = Recorder()
    trainer = Trainer(model, "adam", "cross_entropy", callbacks=[Recorder(event), other])
    with pytest.raises(KeyError, match=event):
        trainer.fit(X, y, epochs=2, batch_size=20, verbose=False)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert [module.training for module in model.modules()] == [True, True, True, False, True]
    if event != "fit_start":  # who was not told of the start is not told of the end
        assert other.events[-1][0] == "fit_end"
    done = trainer.history.epochs
    trainer.callbacks = []
    history = trainer.fit(X, y, epochs=3, batch_size=20, verbose=False)
    assert history.epochs == done + 3
    assert all(map(math.isfinite, history["loss"]))


class Fails:
    """Raises after a while, where a model, a loader or a metric stands."""

    def __init__(self, after):
        self.left = after

    def __call__(self, *ignored):
        self.left -= 1
        if self.left < 0:
            raise OSError("no more")


@pytest.mark.parametrize("compiling", [True, False])
@pytest.mark.parametrize("place", ["loader", "metric", "validation", "step"])
def test_whatever_raises_leaves_everything_in_order(place, compiling):
    X, y = flowers(40)
    fails = Fails(7)

    class Loader(list):
        def __iter__(self):
            for batch in super().__iter__():
                fails()
                yield batch

    class Metric(aino.train.metrics.Accuracy):
        def update(self, *batch):
            fails()
            super().update(*batch)

    def step(model, batch):
        fails()
        return F.cross_entropy(model(batch[0]), batch[1])

    batches = [(aino.tensor(X[i : i + 10]), aino.tensor(y[i : i + 10])) for i in (0, 10, 20, 30)]
    kind = Loader if place == "loader" else list
    model, recorder = network(), Recorder()
    goal = {"step": step} if place == "step" else {"loss": "cross_entropy"}
    trainer = Trainer(model, "adam", callbacks=recorder, compile=compiling, **goal,
                      metrics=[Metric()] if place == "metric" else [])  # fmt: skip
    held_out = (Loader if place == "validation" else list)(batches[:2])
    with pytest.raises(OSError, match="no more"):
        trainer.fit(kind(batches), epochs=9, validation=held_out, verbose=False)
    assert recorder.events[-1][0] == "fit_end"
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(module.training for module in model.modules())
    fails.left = 10**6
    done = trainer.history.epochs
    assert trainer.fit(kind(batches), epochs=2, verbose=False).epochs == done + 2


def test_a_history_has_one_number_an_epoch_for_every_name():
    history = History()
    history.add({"loss": 1})
    history.add({"loss": 2, "val_loss": 3})
    history.add({"val_loss": 4})
    assert history.epochs == 3
    np.testing.assert_array_equal(history["loss"], [1.0, 2.0, math.nan])
    np.testing.assert_array_equal(history["val_loss"], [math.nan, 3.0, 4.0])
    assert history.last() == {"val_loss": 4.0}


def test_a_loop_of_ones_own():
    X, y = flowers(60)
    model = network()
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)
    loop = Loop(model, optimizer, measure=lambda: {"twice": 2.0})
    step = make_step(lambda a, b: F.cross_entropy(model(a), b), optimizer, clip_norm=1.0)
    history = loop.run(step, ArrayBatches((X, y), 20, shuffle=True), epochs=4)
    assert (history.epochs, loop.epoch, loop.steps, history["twice"]) == (4, 4, 12, [2.0] * 4)


def test_learning_that_comes_to_nothing_says_so_and_ends():
    X, y = flowers(40)
    trainer = Trainer(nn.Linear(4, 1), "sgd", "mse", lr=1e30)
    with pytest.warns(RuntimeWarning, match=r"loss is \S+ after epoch \d.*weight"):
        history = trainer.fit(X * 1e3, y * 1e3, epochs=9, batch_size=10, verbose=False)
    assert history.epochs < 9


class Presses(Callback):
    """Presses Ctrl-C in the second step, once or twice."""

    def __init__(self, times):
        self.times = times
        self.heard = False

    def on_step(self, loop):
        if loop.steps == 2:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
            self.heard = True

    def on_epoch_end(self, loop):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("times", "size", "heard", "batch"), [(1, 10, True, 2), (2, 10, False, 2), (0, 40, False, 0)]
)
def test_ctrl_c_waits_for_the_end_of_a_step(times, size, heard, batch):
    X, y = flowers(40)
    presses, recorder = Presses(times), Recorder()
    trainer = Trainer(network(), "adam", "cross_entropy", callbacks=[presses, recorder])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, y, epochs=2, batch_size=size, verbose=False)
    assert presses.heard is heard
    assert recorder.events[-1] == ("fit_end", 0 if times else 1, batch)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert all(parameter.grad is None for parameter in trainer.model.parameters())
    trainer.callbacks = []
    assert math.isfinite(trainer.fit(X, y, epochs=1, verbose=False)["loss"][-1])


class Listener(Callback):
    """Wants to be told of each step, so that each is made by itself."""

    def on_step(self, loop):
        """Be told."""


@pytest.mark.parametrize("samples", [1600, 1610, 40])
def test_batches_that_are_learned_from_together_teach_the_same(samples, monkeypatch):
    """In groups where nobody listens: the same order, the same bits, the same history."""
    groups = []
    many = Compiled.many
    monkeypatch.setattr(
        Compiled, "many", lambda self, batches: groups.append(len(batches)) or many(self, batches)
    )
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(samples, 3)), rng.integers(0, 2, samples)
    found = []
    for callbacks in ([], [Listener()]):
        model = aino.NeuralNetwork([3, 4, 1], seed=0)
        options = {"epochs": 5, "batch_size": 16, "seed": 0, "verbose": False}
        model.fit(X, y, callbacks=callbacks, **options)
        found.append((model.history["loss"], [p.array.tobytes() for p in model.parameters()]))
    assert found[0] == found[1]
    assert max(groups, default=0) == (16 if samples > 1000 else 0)
