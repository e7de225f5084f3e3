"""What fit may be told beside the data."""

import itertools
import threading
import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.estimators import templates
from aino.estimators.fitting import split
from aino.estimators.targets import Samples
from aino.train import Callback
from aino.train.named import OPTIMIZERS

rng = np.random.default_rng(1)
X = rng.normal(size=(80, 4))
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
TWO = (CLASSES > 0).astype(int)
NUMBERS = X[:, 0] - X[:, 1] * X[:, 2]


def fitted(y, sizes=None, hidden=8, epochs=10, **options):
    made = {"hidden": hidden} if sizes is None else {"sizes": sizes}
    model = aino.NeuralNetwork(random_state=0, **made)
    return model.fit(X, y, epochs=epochs, verbose=False, **options)


def same(a, b):
    return all(np.array_equal(p.array, q.array) for p, q in zip(a.parameters(), b.parameters()))


# Sizes and seeds


@pytest.mark.parametrize(
    ("made", "y", "sizes"),
    [
        ({}, NUMBERS, [4, 32, 1]),
        ({"hidden": 5}, CLASSES, [4, 5, 3]),
        ({"hidden": [5, 6]}, CLASSES > 0, [4, 5, 6, 1]),
        ({"hidden": []}, np.c_[NUMBERS, NUMBERS], [4, 2]),
        ({"output_activation": "softmax"}, CLASSES > 0, [4, 32, 2]),
    ],
)
def test_sizes_come_from_the_data(made, y, sizes, tmp_path):
    model = aino.NeuralNetwork(seed=1, **made)
    for asked in (model.predict, model, model.outputs):
        with pytest.raises(ValueError, match="sizes from the data"):
            asked(aino.zeros(2, 4))
    model.save(tmp_path / "new.dit")
    for network in (model, aino.load(tmp_path / "new.dit")):
        network.fit(X, y, epochs=2, seed=3, verbose=False)
        assert network.sizes == sizes
        network.save(tmp_path / "old.dit")
        again = aino.load(tmp_path / "old.dit")
        np.testing.assert_array_equal(again.outputs(X), network.outputs(X))
        assert same(network, model)


def test_sizes_are_given_once():
    with pytest.raises(ValueError, match="leave hidden out"):
        aino.NeuralNetwork([4, 3, 1], hidden=[3])
    for wrong in ("8", [0], [2.5]):
        with pytest.raises((TypeError, ValueError)):
            aino.NeuralNetwork(hidden=wrong)


def test_a_random_state_fixes_everything():
    for state in (0, 7):
        first, second = [
            aino.NeuralNetwork(hidden=[5], random_state=state).fit(
                X, NUMBERS, epochs=3, batch_size=16, verbose=False
            )
            for _ in range(2)
        ]
        assert first.history == second.history
    generator = aino.NeuralNetwork(hidden=[5], random_state=np.random.default_rng(3))
    assert generator.seed == generator.random_state
    with pytest.raises(ValueError, match="one is enough"):
        aino.NeuralNetwork([4, 1], seed=1).fit(X, NUMBERS, seed=1, random_state=2)


# Weights of samples and classes


@pytest.mark.parametrize("y", [NUMBERS, CLASSES, CLASSES > 0, np.eye(3)[CLASSES]])
def test_a_sample_that_counts_twice_is_one_that_is_there_twice(y):
    weights = rng.integers(1, 3, 80).astype(float)
    rows = np.repeat(np.arange(80), weights.astype(int))
    options = {"epochs": 5, "batch_size": 200, "verbose": False, "n": 0.05, "weight_decay": 0}
    models = []
    for inputs, targets, given in ((X, y, weights), (X[rows], y[rows], None)):
        model = aino.NeuralNetwork(hidden=[6], seed=0)
        model.fit(X, y, epochs=1, n=1e-14, verbose=False)  # the same scales for both
        models.append(model.fit(inputs, targets, sample_weight=given, **options))
    for a, b in zip(*[model.parameters() for model in models]):
        np.testing.assert_allclose(a.array, b.array, atol=2e-5)
    assert models[0].score(X, y, weights) == pytest.approx(models[0].score(X[rows], y[rows]))


def test_weights_of_classes():
    labels = np.array(["no", "yes", "most"])[CLASSES]
    counts = {label: (labels == label).sum() for label in np.unique(labels)}
    by_hand = np.array([80 / (3 * counts[label]) for label in labels])
    models = [
        fitted(labels, class_weight="balanced"),
        fitted(labels, sample_weight=by_hand),
        fitted(labels, class_weight={label: 80 / (3 * count) for label, count in counts.items()}),
    ]
    assert same(models[0], models[1])
    assert same(models[0], models[2])
    assert not same(models[0], fitted(labels))


WRONG = [
    ({"sample_weight": np.ones(3)}, ValueError, "sample_weight has shape"),
    ({"sample_weight": -np.ones(80)}, ValueError, "below 0"),
    ({"sample_weight": np.zeros(80)}, ValueError, "no sample counts"),
    ({"sample_weight": np.ones(80), "loss": nn.NLLLoss()}, ValueError, "knows no weights"),
    ({"class_weight": "balance"}, TypeError, "'balanced'"),
    ({"class_weight": {7: 2.0}}, ValueError, "7.*none of the classes"),
    ({"class_weight": {0: -1}}, ValueError, "from 0 up"),
    ({"weight_decay": -1}, ValueError, "from 0 up"),
    ({"weight_decay": 0.1, "optimizer": "rprop"}, TypeError, "weight_decay"),
    ({"early_stopping": 0}, ValueError, "at least 1"),
    ({"early_stopping": True, "validation_fraction": 1.5}, ValueError, "between 0 and 1"),
    ({"early_stopping": True, "validation_fraction": 0.999}, ValueError, "leaves none"),
    ({"callbacks": [Callback]}, TypeError, r"give Callback\("),
    ({"callbacks": [print]}, TypeError, "objects of aino.train.Callback"),
    ({"optimizer": lambda p, **k: aino.optim.SGD(p)}, None, ""),
]


@pytest.mark.parametrize(("options", "error", "message"), WRONG)
def test_wrong_options_change_nothing(options, error, message):
    model = aino.NeuralNetwork([4, 5, 3], seed=0)
    if error is None:
        model.fit(X, CLASSES, epochs=1, verbose=False, **options)
        return
    before, random = model.layers[0].weight.array.copy(), aino.get_rng_state()
    with pytest.raises(error, match=message):
        model.fit(X, CLASSES, verbose=False, **options)
    assert model.kind is None
    assert model.input_scaling is None
    np.testing.assert_array_equal(model.layers[0].weight.array, before)
    assert aino.equal(random, aino.get_rng_state())


# Early stopping, decay, callbacks


@pytest.mark.parametrize("own", [True, False])
def test_early_stopping_gives_the_best_weights(own):
    noise = rng.normal(size=80)
    held = {} if own else {"validation_data": (X[:20], noise[:20])}
    model = fitted(noise, hidden=[30], epochs=200, n=0.3, early_stopping=5, **held)
    losses = model.history["val_loss"]
    assert 5 < len(losses) < 200
    assert int(np.argmin(losses)) == len(losses) - 6
    if not own:
        error = ((model.predict(X[:20]) - noise[:20]) ** 2).mean()
        assert error == pytest.approx(min(losses), rel=1e-4)


def test_what_is_held_out_has_its_share_of_each_class():
    from aino.estimators.data import as_inputs
    from aino.estimators.targets import as_targets

    y = np.array(["a"] * 60 + ["b"] * 20)
    samples = Samples(as_inputs("X", X), as_targets("y", y, 80), np.arange(80.0))
    kept, held = split(samples, 0.2)
    assert np.bincount(held.targets.indices()).tolist() == [12, 4]
    assert sorted([*kept.weights, *held.weights]) == list(range(80))


def test_weights_decay_as_the_data_are_noisy():
    noisy = NUMBERS + 2 * rng.normal(size=80)
    sizes = [
        np.abs(fitted(noisy, hidden=[30], epochs=60, weight_decay=decay).layers[0].weight.array)
        for decay in (0, None, 0.5)
    ]
    means = [size.mean() for size in sizes]
    assert means[0] > means[1] > means[2]
    clean = fitted(np.sin(2 * X[:, 0]), hidden=[30], epochs=120)
    assert clean.score(X, np.sin(2 * X[:, 0])) > 0.95


class Watch(Callback):
    def __init__(self):
        self.seen = []

    def on_step(self, loop):
        self.seen.append(loop.steps)

    def on_epoch_end(self, loop):
        # At every moment the network is the one that learns: it can be asked.
        error = ((loop.model.predict(X) - NUMBERS) ** 2).mean()
        self.seen.append(error)
        assert loop.model.history["loss"][-1] == loop.history["loss"][-1]
        if loop.epoch == 3:
            loop.stop("enough")


def test_callbacks_see_the_network_that_learns():
    watch = Watch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted(NUMBERS, epochs=9, batch_size=40, callbacks=watch,
                       validation_data=(X, NUMBERS))  # fmt: skip
    assert len(model.history["loss"]) == 3
    assert watch.seen[:2] == [1, 2]
    assert watch.seen[-1] == pytest.approx(model.history["val_loss"][-1], rel=1e-4)


def test_a_callback_that_raises_leaves_a_network_that_goes_on():
    class Fails(Callback):
        def on_epoch_end(self, loop):
            if loop.epoch == 2:
                raise KeyError("mine")

    model = aino.NeuralNetwork(hidden=[5], seed=0)
    with pytest.raises(KeyError, match="mine"):
        model.fit(X, NUMBERS, verbose=False, callbacks=[Fails()])
    assert len(model.history["loss"]) == 2
    assert np.isfinite(model.predict(X)).all()
    model.fit(X, NUMBERS, epochs=30, verbose=False)
    assert model.score(X, NUMBERS) > 0.5


# Going on


def test_partial_fit_goes_on_and_knows_all_classes():
    labels = np.array(["a", "b", "c"])[CLASSES]
    model = aino.NeuralNetwork(hidden=[8], seed=0)
    for turn in range(60):
        chosen = np.arange(turn, turn + 20) % 80
        model.partial_fit(X[chosen], labels[chosen], ["c", "b", "a"], n=0.2)
    assert model.score(X, labels) > 0.75
    assert model.classes_.tolist() == ["a", "b", "c"]
    optimizer = model._partial
    model.partial_fit(X, labels)
    assert model._partial is optimizer
    model.fit(X, labels, epochs=1, verbose=False)
    assert model._partial is None
    with pytest.raises(ValueError, match="none of the classes"):
        model.partial_fit(X, np.full(80, "d"))
    with pytest.raises(ValueError, match="3 classes"):
        aino.NeuralNetwork([4, 2]).partial_fit(X, labels, ["a", "b", "c"])


def test_warm_start_false_begins_anew():
    model = fitted(NUMBERS)
    kept = model.predict(X)
    model.fit(X, NUMBERS, epochs=10, verbose=False)
    assert len(model.history["loss"]) == 20
    model.fit(X, NUMBERS, epochs=10, verbose=False, warm_start=False)
    assert len(model.history["loss"]) == 10
    np.testing.assert_array_equal(model.predict(X), kept)
    given = fitted(NUMBERS, [4, 8, 1])
    given.fit(50 + X, CLASSES > 1, epochs=1, verbose=False, warm_start=False)
    assert given.kind == "binary"
    assert given.input_scaling.mean.array[0] > 40
    with pytest.raises(ValueError, match="none of the classes"):
        given.fit(X, NUMBERS, verbose=False)
    with pytest.raises(ValueError, match="begins anew"):
        fitted(TWO, [4, 8, 1]).fit(X, NUMBERS, verbose=False)


# Steps that outlive a fit


@pytest.mark.parametrize("optimizer", [None, *OPTIMIZERS])
def test_a_borrowed_step_learns_what_a_new_one_learns(optimizer):
    rate = None if optimizer is None else 0.01
    options = {"optimizer": optimizer, "batch_size": 30, "epochs": 90}
    templates.forget()
    first = fitted(CLASSES, n=rate, **options)
    fitted(CLASSES[::-1], n=0.02, **options)  # another network in the same step
    again = fitted(CLASSES, n=rate, **options)
    assert same(first, again)
    assert first.history == again.history


@pytest.mark.parametrize("optimizer", [None, "adamw"])
def test_no_fit_leaves_its_settings_to_the_next_one(optimizer):
    settings = [
        {"weight_decay": decay, "n": rate}
        for decay, rate in ((None, None), (0.0, None), (0.3, None), (0.1, 0.02), (None, 0.02))
    ]
    options = {"optimizer": optimizer, "batch_size": 30, "epochs": 60}
    alone = []
    for setting in settings:
        templates.forget()
        alone.append(fitted(CLASSES, **setting, **options))
    for turn in (settings, settings[::-1]):
        templates.forget()
        for setting in turn:
            found = fitted(CLASSES, **setting, **options)
            assert same(found, alone[settings.index(setting)]), setting


@pytest.mark.parametrize(("epochs", "most_traces"), [(30, 0), (90, 1), (300, 2)])
def test_a_short_fit_traces_at_most_once_and_the_shortest_never(epochs, most_traces):
    """So in a search of many none takes much longer than the others, and all together gain."""
    templates.forget()
    options = {"optimizer": "adam", "batch_size": len(X), "epochs": epochs, "n": 0.01}
    traces = [0]
    for _ in range(900 // epochs):
        fitted(CLASSES, **options)
        (template,) = templates._templates.values()
        traces.append(sum(template.step.traces.values()))
    assert max(after - before for before, after in itertools.pairwise(traces)) == most_traces
    assert traces[-1] == min(most_traces, 1) * 2


def test_a_borrowed_step_is_nobodys_else():
    wanted = [fitted(CLASSES, epochs=30, n=0.01 * (1 + turn)) for turn in range(4)]
    found = [None] * 4

    def learn(turn):
        found[turn] = fitted(CLASSES, epochs=30, n=0.01 * (1 + turn))

    threads = [threading.Thread(target=learn, args=(turn,)) for turn in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(same(a, b) for a, b in zip(wanted, found))


def test_dropout_in_several_threads_is_what_each_would_draw_alone():
    def learned(seed):
        model = aino.NeuralNetwork([4, 8, 3], dropout=0.3, random_state=seed)
        return model.fit(X, CLASSES, epochs=40, verbose=False)

    wanted = [learned(seed) for seed in range(4)]
    found = [None] * 4

    def learn(seed):
        found[seed] = learned(seed)

    threads = [threading.Thread(target=learn, args=(seed,)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(same(a, b) for a, b in zip(wanted, found))


def test_memory_stays_the_networks_own():
    model = aino.NeuralNetwork([4, 8, 3], seed=0)
    array = model.layers[0].weight.array
    neuron = model.layers[0][2].weight.numpy() if hasattr(model, "numpy") else array[2]
    model.fit(X, CLASSES, epochs=3, verbose=False)
    assert model.layers[0].weight.array is array
    assert np.shares_memory(neuron, array)
    kept = array.copy()
    fitted(CLASSES, [4, 8, 3])
    np.testing.assert_array_equal(array, kept)


# Deep stacks


@pytest.mark.parametrize("depth", [2, 4, 8])
@pytest.mark.parametrize("y", [np.sin(X[:, 0]), CLASSES])
def test_deep_stacks_of_sigmoids_learn(depth, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs = 3 if y is CLASSES else 1
        model = aino.NeuralNetwork([4, *[12] * depth, outputs], "sigmoid", seed=0)
        model.fit(X, y, epochs=60, seed=0, verbose=False)
    assert model.score(X, y) > 0.7


def test_a_deep_network_that_learns_nothing_says_so():
    model = aino.NeuralNetwork([4, 8, 8, 8, 1], "sigmoid", seed=0)
    for layer in model.layers:
        layer.weight.array *= 1e-3
    with pytest.warns(RuntimeWarning, match="the same of all samples"):
        model.fit(X, NUMBERS, epochs=20, n=0.01, verbose=False)
