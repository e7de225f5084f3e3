"""Wrong input of NeuralNetwork is named before anything changes."""

import numpy as np
import pytest

import aino
from tests.estimators.test_neural_network import quiet

X4, Y4 = np.zeros((4, 2)), np.array([0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("X", "y", "options", "error", "message"),
    [
        (np.zeros((4, 3)), Y4, {}, ValueError, r"\(4, 3\); a network of 2 inputs"),
        (np.zeros(4), Y4, {}, ValueError, "2 inputs"),
        ([[0.0, np.nan]] * 4, Y4, {}, ValueError, r"X\[0, 1\] is nan"),
        ([[0.0, np.inf]] * 4, Y4, {}, ValueError, r"X\[0, 1\] is inf"),
        ([[0.0, 1.0], [1.0]], Y4, {}, ValueError, "different lengths"),
        ([["a", "b"]] * 4, Y4, {}, TypeError, "real numbers, not text"),
        (X4 + 1j, Y4, {}, TypeError, "real numbers"),
        ([[None, 1.0]] * 4, Y4, {}, TypeError, "no numbers"),
        (np.zeros((0, 2)), np.zeros(0), {}, ValueError, "no samples"),
        (X4, Y4[:3], {}, ValueError, "4 samples in X, but 3 in y"),
        (X4, np.zeros((4, 2)), {}, ValueError, "1 outputs"),
        (X4, np.zeros((4, 1, 1)), {}, ValueError, "one or two dimensions"),
        (X4, [0.0, 1.0, np.nan, 0.0], {}, ValueError, r"y\[2\] is nan"),
        (X4, ["a", "b", "c", "b"], {}, ValueError, "give it 3 outputs"),
        (X4, ["a", None, "c", "b"], {}, TypeError, r"y\[1\] is None"),
        (X4, ["a", "a", "a", "a"], {}, ValueError, "single class, 'a'"),
        (X4, Y4, {"epochs": -1}, ValueError, "epochs has to be at least 1"),
        (X4, Y4, {"epochs": 0}, ValueError, "epochs"),
        (X4, Y4, {"epochs": 2.5}, TypeError, "whole number"),
        (X4, Y4, {"epochs": True}, ValueError, "epochs"),
        (X4, Y4, {"n": -0.1}, ValueError, "above 0"),
        (X4, Y4, {"n": float("nan")}, ValueError, "above 0"),
        (X4, Y4, {"n": [1]}, TypeError, "learning rate"),
        (X4, Y4, {"n": 0.1, "lr": 0.2}, ValueError, "one is enough"),
        (X4, Y4, {"batch_size": 0}, ValueError, "batch_size"),
        (X4, Y4, {"loss": "cross_entrpy"}, ValueError, "did you mean 'cross_entropy'"),
        (X4, Y4, {"loss": "cross_entropy"}, ValueError, "one output"),
        (X4, Y4, {"loss": 3}, TypeError, "a name or a function"),
        (X4, 2 * Y4, {"loss": "bce"}, ValueError, "between 0 and 1"),
        (X4, Y4, {"optimizer": "adm"}, ValueError, "did you mean 'adam'"),
        (X4, Y4, {"optimizer": 3}, TypeError, "a name, a class"),
        (X4, Y4, {"validation_data": X4}, ValueError, "pair"),
        (X4, Y4, {"validation_data": (X4, Y4[:2])}, ValueError, "y_validation"),
        (X4, Y4, {"validation_data": (X4[:, :1], Y4)}, ValueError, "X_validation"),
    ],
)
def test_wrong_input_changes_nothing(X, y, options, error, message):
    model = aino.NeuralNetwork([2, 3, 1], seed=0)
    before = {key: value.numpy().copy() for key, value in model.state_dict().items()}
    random = aino.get_rng_state()
    with pytest.raises(error, match=message):
        model.fit(X, y, **{"seed": 9, "verbose": False} | options)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])
    assert model.history == {}
    assert model.kind is None
    assert model.layers[-1].activation == "linear"
    assert aino.equal(random, aino.get_rng_state())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 3], r"y\[3\] is 3, out of range"),
        ([0, -1, 2, 1], r"y\[1\] is -1, out of range"),
        ([0.0, 0.5, 1.0, 1.0], r"y\[1\] is 0.5"),
        ([0.0, np.nan, 1.0, 1.0], r"y\[1\] is nan"),
        (np.zeros((4, 4)), "or class indices"),
    ],
)
def test_wrong_classes(y, message):
    with pytest.raises(ValueError, match=message):
        aino.NeuralNetwork([2, 3]).fit(X4, y, verbose=False)


def test_an_optimizer_with_a_rate_needs_no_other():
    model = aino.NeuralNetwork([2, 1])
    with pytest.raises(ValueError, match="already"):
        model.fit(X4, Y4, n=0.1, optimizer=aino.optim.SGD(model.parameters(), lr=0.1))


def test_learning_that_comes_to_nothing_stops_and_says_so(wave):
    model = aino.NeuralNetwork([1, 8, 1], "relu", seed=0)
    with pytest.warns(RuntimeWarning, match="smaller learning rate"):
        model.fit(*wave, epochs=500, n=1e20, optimizer="sgd", verbose=False)
    assert len(model.history["loss"]) < 500


def test_an_interrupted_fit_leaves_a_network_of_raw_data(flowers):
    X, labels = flowers
    X = X + 100.0
    model = quiet([4, 8, 3], X, labels, epochs=60)
    score = model.score(X, labels)

    def interrupted(output, target):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, labels, loss=interrupted, verbose=False)
    assert model.score(X, labels) == score > 0.95
