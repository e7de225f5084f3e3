"""The trainer: losses and weights, gathered and clipped gradients, steps of one's own, asking."""

import copy
import functools
import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler.guards.bytecode import UNDERSTOOD
from aino.errors import CompileWarning, ShapeError
from aino.train import Callback, Trainer
from aino.train.criterion import Criterion
from aino.train.step import make_step
from aino.utils.data import DataLoader, IterableDataset, TensorDataset

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype(np.float32)
CLASSES = RNG.integers(0, 3, 24)
NUMBERS = X @ RNG.normal(size=(4, 3)).astype(np.float32)
YES = (X[:, :1] > 0).astype(np.float32)
WEIGHTS = RNG.uniform(0.1, 3, 24).astype(np.float32)


def network(outputs=3, seed=0):
    aino.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, outputs))


def weights_of(model):
    return np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])


# Losses

Z = RNG.normal(size=(24, 3))
SOFTMAX = np.log(np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True))
SIGMOID = 1 / (1 + np.exp(-Z[:, :1]))


def huber(d):
    return np.where(abs(d) < 1, d * d / 2, abs(d) - 0.5)


#: The loss, the outputs, the targets, and the loss of each sample by NumPy alone.
LOSSES = {
    "mse": ("mse", Z, NUMBERS, ((Z - NUMBERS) ** 2).mean(axis=1)),
    "l1": ("l1", Z, NUMBERS, abs(Z - NUMBERS).mean(axis=1)),
    "huber": ("huber", Z, NUMBERS, huber(Z - NUMBERS).mean(axis=1)),
    "cross_entropy": ("cross_entropy", Z, CLASSES, -SOFTMAX[np.arange(24), CLASSES]),
    "bce": ("bce", Z[:, :1], YES, -(np.log(SIGMOID) * YES + np.log(1 - SIGMOID) * (1 - YES))[:, 0]),
    "column": ("mse", Z[:, :1], NUMBERS[:, 0], (Z[:, 0] - NUMBERS[:, 0]) ** 2),
    "integers": ("mse", Z[:, :1], CLASSES, (Z[:, 0] - CLASSES) ** 2),
    "booleans": ("l1", Z[:, :1], CLASSES > 1, abs(Z[:, 0] - (CLASSES > 1))),
    "function": (F.mse_loss, Z[:, :1], NUMBERS[:, 0], (Z[:, 0] - NUMBERS[:, 0]) ** 2),
    "module": (nn.L1Loss(), Z[:, :1], NUMBERS[:, 0], abs(Z[:, 0] - NUMBERS[:, 0])),
    "classes": (nn.CrossEntropyLoss(), Z, CLASSES, -SOFTMAX[np.arange(24), CLASSES]),
    "own": (
        lambda outputs, targets, sample_weight=None: (
            ((outputs - targets) ** 4).mean() if sample_weight is None else
            ((outputs - targets) ** 4 * sample_weight[:, None]).mean(1).sum() / sample_weight.sum()
        ),
        Z, NUMBERS, ((Z - NUMBERS) ** 4).mean(axis=1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, weighted):
    loss, outputs, targets, each = LOSSES[name]
    given = [aino.tensor(WEIGHTS)] if weighted else []
    found = Criterion(loss)(aino.tensor(outputs), aino.tensor(targets), *given)
    expected = np.average(each, weights=WEIGHTS if weighted else None)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_what_cross_entropy_leaves_out_has_no_weight():
    targets = CLASSES.copy()
    targets[::3] = -100
    kept = targets >= 0
    each = -SOFTMAX[np.arange(24), CLASSES]
    for loss in ("cross_entropy", nn.CrossEntropyLoss()):
        found = Criterion(loss)(aino.tensor(Z), aino.tensor(targets), aino.tensor(WEIGHTS))
        expected = np.average(each[kept], weights=WEIGHTS[kept])
        assert found.item() == pytest.approx(expected, rel=1e-5)


def test_weights_that_are_all_zero_give_zero():
    found = Criterion("mse")(aino.tensor(Z), aino.tensor(NUMBERS), aino.zeros(24))
    assert found.item() == 0.0


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "given", "error", "text"),
    [
        ("msee", Z, Z, (), ValueError, "did you mean 'mse'"),
        (nn.MSELoss, Z, Z, (), TypeError, r"MSELoss\(\)"),
        (7, Z, Z, (), TypeError, "not int"),
        (nn.MSELoss(reduction="none"), Z, Z, (), ValueError, "for each sample"),
        (nn.MSELoss(reduction="sum"), Z, Z, (), ValueError, "grows with the batch"),
        ("mse", Z, Z[:, :2], (), ValueError, r"\(24, 3\), the targets \(24, 2\)"),
        ("mse", Z, Z[:, 0], (), ValueError, "element by element"),
        (lambda a, b: (a - b) ** 2, Z, Z, (), ValueError, r"gives \(24, 3\)"),
        (lambda a, b: 3.0, Z, Z, (), ValueError, "gives float"),
        (lambda a, b: (a - b).sum(), Z, Z, (WEIGHTS,), ValueError, "takes no weights"),
        (nn.CrossEntropyLoss(aino.ones(3)), Z, CLASSES, (WEIGHTS,), ValueError, "of classes"),
        ("mse", Z, Z, (WEIGHTS[:5],), ValueError, "one weight for each sample"),
    ],
)
def test_wrong_losses_are_refused(loss, outputs, targets, given, error, text):
    with pytest.raises(error, match=text):
        Criterion(loss)(*map(aino.tensor, (outputs, targets, *given)))


# Steps


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize(
    ("size", "clip", "weighted"),
    [
        (8, {}, False),
        (5, {}, True),
        (5, {"clip_norm": 0.1}, False),
        (5, {"clip_value": 0.01}, True),
    ],
)
def test_gathered_gradients_are_those_of_one_batch(size, clip, weighted, compile):
    weight = WEIGHTS if weighted else None
    models = []
    for settings, batch in (({"accumulate": 24 // size + (24 % size > 0)}, size), ({}, 24)):
        model = network()
        one = Trainer(model, "sgd", "cross_entropy", lr=0.5, compile=compile, **clip, **settings)
        history = one.fit(X, CLASSES, epochs=4, batch_size=batch, shuffle=False, verbose=False,
                          sample_weight=weight)  # fmt: skip
        models.append((weights_of(model), history["loss"]))
    for gathered, whole in zip(*models):
        np.testing.assert_allclose(gathered, whole, rtol=2e-5, atol=2e-6)


def test_batches_left_over_at_the_end_of_an_epoch_are_used():
    steps = []

    class Steps(Callback):
        def on_step(self, loop):
            steps.append((loop.batch, loop.steps))

    one = Trainer(network(), "sgd", "cross_entropy", callbacks=Steps(), accumulate=2)
    one.fit(X, CLASSES, epochs=2, batch_size=5, verbose=False)
    assert steps == [(2, 1), (4, 2), (5, 3), (2, 4), (4, 5), (5, 6)]


@pytest.mark.parametrize("settings", [{"clip_norm": 0.05}, {"clip_value": 0.01}])
def test_gradients_are_clipped(settings):
    model, other = network(), network()
    one = Trainer(model, "sgd", "cross_entropy", lr=1.0, **settings)
    one.fit(X, CLASSES, epochs=1, batch_size=24, verbose=False)
    F.cross_entropy(other(aino.tensor(X)), aino.tensor(CLASSES)).backward()
    gradient = np.concatenate([p.grad.numpy().ravel() for p in other.parameters()])
    clipped = (
        gradient * 0.05 / np.linalg.norm(gradient) if "clip_norm" in settings
        else gradient.clip(-0.01, 0.01)
    )  # fmt: skip
    np.testing.assert_allclose(weights_of(other) - weights_of(model), clipped, atol=1e-6)


def own_step(model, batch):
    inputs, targets = batch
    return F.cross_entropy(model(inputs), targets)


def with_outputs(model, batch):
    outputs = model(batch[0])
    return F.cross_entropy(outputs, batch[1]), outputs


def with_numbers(model, batch):
    outputs = model(batch[0])
    loss = F.cross_entropy(outputs, batch[1])
    return {"loss": loss, "size": (outputs**2).mean()}


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("step", [own_step, with_outputs, with_numbers])
def test_a_step_of_ones_own(step, compile):
    metrics = ["accuracy"] if step is with_outputs else []
    histories = []
    for settings in ({"step": step, "metrics": metrics}, {"loss": "cross_entropy"}):
        one = Trainer(network(), "sgd", lr=0.1, compile=compile, **settings)
        one.fit(X, CLASSES, epochs=3, batch_size=8, shuffle=False, verbose=False,
                validation=(X, CLASSES))  # fmt: skip
        histories.append(one.history)
    own, expected = histories
    assert own["loss"] == expected["loss"]
    assert own["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-12)
    if step is with_numbers:
        assert own["size"][0] != own["val_size"][0] > 0
    if step is with_outputs:
        assert own["val_accuracy"][-1] > 0.3


def test_batches_of_any_form_go_into_a_step_of_ones_own():
    batches = [{"x": aino.tensor(X[i : i + 8]), "y": aino.tensor(CLASSES[i : i + 8])}
               for i in (0, 8, 16)]  # fmt: skip

    def step(model, batch):
        return F.cross_entropy(model(batch["x"]), batch["y"])

    one = Trainer(network(), "sgd", lr=0.1, compile=True, step=step)
    other = Trainer(network(), "sgd", "cross_entropy", lr=0.1)
    one.fit(batches, epochs=3, verbose=False)
    other.fit(X, CLASSES, epochs=3, batch_size=8, shuffle=False, verbose=False)
    assert one.history["loss"] == other.history["loss"]


def test_several_optimizers_belong_to_a_step_that_updates():
    model, other = network(), network()
    first = aino.optim.SGD(model[0].parameters(), lr=0.1)
    second = aino.optim.SGD(model[2].parameters(), lr=0.1)

    def step(model, batch):
        for optimizer in (first, second):
            optimizer.zero_grad()
        loss = own_step(model, batch)
        loss.backward()
        for optimizer in (first, second):
            optimizer.step()
        return loss

    one = Trainer(model, [first, second], "cross_entropy", step=step, compile=True)
    two = Trainer(other, "sgd", "cross_entropy", lr=0.1)
    for trainer in (one, two):
        trainer.fit(X, CLASSES, epochs=4, batch_size=8, shuffle=False, verbose=False,
                    validation=(X, CLASSES))  # fmt: skip
    assert one.history == two.history


@pytest.mark.parametrize("compile", [None, True])
def test_lbfgs_belongs_to_a_step_of_ones_own(compile):
    model = network()
    optimizer = aino.optim.LBFGS(model.parameters(), max_iter=4)

    def step(model, batch):
        def closure():
            optimizer.zero_grad()
            loss = own_step(model, batch)
            loss.backward()
            return loss

        return optimizer.step(closure)

    one = Trainer(model, [optimizer], step=step, compile=compile)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompileWarning)
        history = one.fit(X, CLASSES, epochs=5, batch_size=24, verbose=False)
    assert history["loss"][-1] < 0.8 * history["loss"][0]


# Compiled by itself


class Program:
    """Stands for a compiled function, and counts its calls."""

    def __init__(self, function, name):
        self.function, self.calls = function, 0
        PROGRAMS.append(self)

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)


PROGRAMS = []


@pytest.mark.parametrize(
    ("sizes", "planned", "expected"),
    [
        ([8] * 50, 1000, 49),  # the first makes the state of the optimizer
        ([8] * 50, 50, 0),  # too few
        ([8] * 300, None, 101),  # nobody knew
        ([8, 8, 8, 4] * 10, 1000, 29),  # the last batch comes too seldom
        ([8, 8, 8, 4] * 250, 1000, 749 + 51),
    ],
)
def test_a_step_is_compiled_where_that_pays(sizes, planned, expected, monkeypatch):
    monkeypatch.setattr("aino.train.paying.compile", Program)
    one = Trainer(network(), "sgd", "cross_entropy")
    step = make_step(one._loss_of, one.optimizer, planned=planned)
    batches = {size: (aino.tensor(X[:size]), aino.tensor(CLASSES[:size])) for size in (4, 8)}
    for size in sizes:
        step(*batches[size])
    assert PROGRAMS[-1].calls == expected


class Bookkeeping(Callback):
    def on_step(self, loop):
        loop.model.seen = loop.steps

    def on_epoch_end(self, loop):
        loop.model.epoch = loop.epoch
        loop.model.note = aino.ones(2)


@pytest.mark.skipif(not UNDERSTOOD, reason="nothing is compiled in this Python")
def test_it_stays_compiled_whatever_callbacks_and_validation_do(monkeypatch):
    compiled = []

    def compile(function, name):
        compiled.append(aino.compile(function, name=name))
        return compiled[-1]

    monkeypatch.setattr("aino.train.paying.compile", compile)
    one = Trainer(network(), "adam", "cross_entropy", ["accuracy"], Bookkeeping(), clip_norm=1.0)
    one.fit(X, CLASSES, epochs=80, batch_size=8, validation=(X, CLASSES), verbose=False)
    made = {program.name: program._calls_made() for program in compiled}
    assert made == {
        "training_step": 240 - 3,
        "evaluation": 240 - 3,
    }  # as it is once, and traced twice
    assert [program.said for program in compiled] == [[], []]


class Peeks(nn.Module):
    """A module that reads a number of its input, which no program can."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 3)

    def forward(self, x):
        return self.inner(x) if x.sum().item() > 1e9 else self.inner(x) * 1.0


def test_what_can_not_be_compiled_says_so_and_goes_on():
    one = Trainer(Peeks(), "sgd", "cross_entropy", lr=0.1, compile=True)
    with pytest.warns(CompileWarning, match=r"training_step goes on uncompiled.*in forward"):
        history = one.fit(X, CLASSES, epochs=5, batch_size=8, verbose=False)
    assert history["loss"][-1] < history["loss"][0]


# Data


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluation(weighted):
    one = Trainer(network(), "sgd", "cross_entropy", ["accuracy", "confusion_matrix"])
    one.model[1].eval()
    modes = [module.training for module in one.model.modules()]
    weight = WEIGHTS if weighted else None
    found = one.evaluate(X, CLASSES, batch_size=7, sample_weight=weight)
    outputs = one.predict(X, batch_size=5)
    each = F.cross_entropy(aino.tensor(outputs), aino.tensor(CLASSES), reduction="none").numpy()
    assert found["loss"] == pytest.approx(np.average(each, weights=weight), rel=1e-5)
    right = outputs.argmax(axis=1) == CLASSES
    assert found["accuracy"] == pytest.approx(np.average(right, weights=weight))
    assert np.shape(found["confusion_matrix"]) == (3, 3)
    assert modes == [module.training for module in one.model.modules()]


def test_predictions_come_as_samples_do():
    one = Trainer(network(), "sgd", "cross_entropy")
    expected = one.model(aino.tensor(X)).detach().numpy()
    loader = DataLoader(TensorDataset(aino.tensor(X), aino.tensor(CLASSES)), batch_size=7)
    for data, kind in ((X, np.ndarray), (X.tolist(), np.ndarray), (X.astype(float), np.ndarray),
                       (aino.tensor(X), aino.Tensor), (loader, aino.Tensor)):  # fmt: skip
        found = one.predict(data)
        assert type(found) is kind
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_validation_may_be_a_list(kind):
    history = quick().fit(X, NUMBERS, epochs=1, validation=kind([X, NUMBERS]), verbose=False)
    assert list(history) == ["loss", "val_loss"]


def test_a_share_is_held_out():
    one = Trainer(network(), "sgd", "cross_entropy", ["accuracy"])
    history = one.fit(X, CLASSES, epochs=2, validation=0.25, verbose=False)
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(round(value * 6, 9) == round(value * 6) for value in history["val_accuracy"])


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(X[i], CLASSES[i]) for i in range(24)])


def test_a_stream_whose_length_nobody_knows():
    one = Trainer(network(), "sgd", "cross_entropy", lr=0.1)
    other = Trainer(network(), "sgd", "cross_entropy", lr=0.1)
    one.fit(DataLoader(Stream(), batch_size=8), epochs=3, verbose=False)
    other.fit(X, CLASSES, epochs=3, batch_size=8, shuffle=False, verbose=False)
    assert one.history == other.history


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 3)

    def forward(self, left, right):
        return self.inner(left) + self.inner(right)


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_a_model_of_several_inputs(form):
    parts = [aino.tensor(X[:, :2]), aino.tensor(X[:, 2:])]
    inputs = tuple(parts) if form == "tuple" else dict(zip(("left", "right"), parts))
    one = Trainer(Sum(), "adam", "cross_entropy", compile=True)
    history = one.fit([(inputs, aino.tensor(CLASSES))], epochs=5, verbose=False)
    assert history["loss"][-1] < history["loss"][0]
    assert one.predict([(inputs,)]).shape == (24, 3)


def test_the_search_for_a_learning_rate_changes_nothing():
    one = Trainer(network(), "adam", "cross_entropy")
    one.fit(X, CLASSES, epochs=2, verbose=False)
    before, drawn = weights_of(one.model), aino.get_rng_state()
    state = copy.deepcopy(one.optimizer.state_dict())
    found = one.find_lr(X, CLASSES, steps=40, batch_size=8)
    np.testing.assert_array_equal(weights_of(one.model), before)
    assert aino.equal(aino.get_rng_state(), drawn)
    after = one.optimizer.state_dict()
    assert after["param_groups"] == state["param_groups"]
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], state["state"][0]["exp_avg"])
    assert len(found.rates) == len(found.losses) > 5
    assert 1e-6 <= found.suggestion <= 10


def quick(model=None, optimizer="sgd", loss="mse", **settings):
    return Trainer(network() if model is None else model, optimizer, loss, **settings)


def scheduler():
    return aino.optim.lr_scheduler.StepLR(aino.optim.SGD(network().parameters()), 1)


FROZEN = network().requires_grad_(False)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: quick(model=3), TypeError, "nn.Module, not int"),
        (lambda: quick(loss=None), ValueError, "give a loss"),
        (lambda: Trainer(network(), "mse"), TypeError, "a loss comes after it"),
        (lambda: Trainer(network(), nn.MSELoss()), TypeError, "MSELoss is no optimizer"),
        (lambda: quick(optimizer=aino.optim.LBFGS), ValueError, "closure"),
        (lambda: quick(callbacks=[scheduler()]), TypeError, r"Schedule\(StepLR"),
        (lambda: type("Own", (Callback,), {"on_epoch_ends": 1}), TypeError, "'on_epoch_end'"),
        (lambda: quick().fit(TensorDataset(aino.tensor(X))), TypeError, "DataLoader\\(dataset"),
        (lambda: quick().fit(X, NUMBERS, validation=X), ValueError, r"validation=\(X, y\)"),
        (lambda: quick(optimizer="addam"), ValueError, "did you mean 'adam'"),
        (lambda: quick(optimizer=3), TypeError, "not int"),
        (lambda: quick(optimizer=aino.optim.SGD(network().parameters())), ValueError, "none of"),
        (lambda: quick(optimizer=aino.optim.SGD(FROZEN.parameters()), lr=1), ValueError, "lr out"),
        (lambda: quick(model=FROZEN), ValueError, "nothing to learn"),
        (lambda: quick(metrics=["acuracy"]), ValueError, "did you mean 'accuracy'"),
        (lambda: quick(callbacks=[Callback]), TypeError, r"give Callback\(...\)"),
        (lambda: quick(callbacks=[print]), TypeError, "Callback"),
        (lambda: quick(clip_norm=0), ValueError, "above 0"),
        (lambda: quick(accumulate=0), ValueError, "at least 1"),
        (lambda: quick(step=3), TypeError, "function"),
        (lambda: quick(optimizer=["sgd"], loss=None, step=own_step, clip_norm=1), ValueError, "cl"),
        (lambda: quick(optimizer=["sgd"]), ValueError, "step of your own"),
        (lambda: quick().fit(X), ValueError, "fit\\(X, y\\)"),
        (lambda: quick().fit(X, NUMBERS, epochs=0), ValueError, "epochs"),
        (lambda: quick().fit(X, NUMBERS, epochs=1.5), TypeError, "epochs"),
        (lambda: quick().fit(X, NUMBERS, batch_size=0), ValueError, "batch_size"),
        (lambda: quick().fit(X, NUMBERS[:5]), ShapeError, "24 samples"),
        (lambda: quick().fit(X[:0], NUMBERS[:0]), ShapeError, "no samples"),
        (lambda: quick().fit(X, ["a"] * 24), TypeError, "numbers"),
        (lambda: quick().fit([(X, NUMBERS)], NUMBERS), ValueError, "targets goes with"),
        (lambda: quick().fit([(X, NUMBERS)], batch_size=3), ValueError, "batch_size goes with"),
        (lambda: quick().fit(iter([(X, NUMBERS)])), TypeError, "only once"),
        (lambda: quick().fit({"X": X}), TypeError, "not dict"),
        (lambda: quick().fit([(X,)]), ValueError, "1 part"),
        (lambda: quick().fit([]), ValueError, "no batches"),
        (lambda: quick().fit(X, NUMBERS, validation=0.001), ValueError, "0 of 24"),
        (lambda: quick().fit([(X, NUMBERS)], validation=0.2), ValueError, "another"),
        (lambda: quick().fit(X, NUMBERS, validation=1), TypeError, "share"),
        (lambda: quick().fit(X, NUMBERS, resume=True), ValueError, "Checkpoint"),
        (lambda: quick().predict([]), ValueError, "no batches"),
        (lambda: quick().find_lr(X, NUMBERS, lowest=1, highest=0.1), ValueError, "lowest"),
        (lambda: quick().find_lr(X, NUMBERS, steps=3), ValueError, "10 at least"),
        (lambda: quick().history.plot(), ValueError, "empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_the_users_terms(make, error, text):
    with pytest.raises(error, match=text):
        functools.partial(make)()
