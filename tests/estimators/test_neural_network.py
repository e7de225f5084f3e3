"""NeuralNetwork: it learns what a beginner gives it, or says what is wrong before it changes."""

import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import DitError
from aino.estimators import templates
from aino.train.batches import batch_size_for

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def quiet(sizes, X, y, **options):
    made = {k: options.pop(k) for k in ("activation_type", "output_activation") if k in options}
    seed = options.setdefault("seed", 0)
    return aino.NeuralNetwork(sizes, seed=seed, **made).fit(X, y, verbose=False, **options)


# The face


def test_structure():
    model = aino.NeuralNetwork([4, 16, 3], activation_type="relu", seed=1)
    assert model is not None
    assert aino.NeuralNetwork is nn.NeuralNetwork
    assert [len(layer) for layer in model.layers] == [16, 3]
    assert [layer.activation for layer in model.layers] == ["relu", "linear"]
    assert isinstance(model.layers[0][5], nn.Perceptron)
    assert list(model.state_dict()) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
    ]  # fmt: skip
    assert model(aino.zeros(7, 4)).shape == (7, 3)
    same = aino.NeuralNetwork([4, 16, 3], "relu", seed=1)
    assert aino.equal(same.layers[0].weight, model.layers[0].weight)
    other = aino.NeuralNetwork([4, 16, 3], "relu")
    assert not aino.equal(other.layers[0].weight, model.layers[0].weight)
    aino.manual_seed(3)
    first = aino.NeuralNetwork([4, 3])
    aino.manual_seed(3)
    assert aino.equal(first.layers[0].weight, aino.NeuralNetwork([4, 3]).layers[0].weight)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (([2, 3, 1], "sigmod"), ValueError, "did you mean 'sigmoid'"),
        (([2, 3, 1], "relu", "softmaks"), ValueError, "did you mean 'softmax'"),
        (([2],), ValueError, "sizes"),
        ((2, 3, 1), TypeError, r"sizes is a list of whole numbers, such as \[2, 3, 1\], not 2"),
        (("2-3-1",), TypeError, "sizes is a list"),
        (([2, 0, 1],), ValueError, "at least 1"),
        (([2, 1.5],), TypeError, "whole number"),
    ],
)
def test_networks_that_make_no_sense(args, error, message):
    with pytest.raises(error, match=message):
        aino.NeuralNetwork(*args)


# Learning


@pytest.mark.parametrize("seed", range(10))
def test_xor(seed):
    model = quiet([2, 3, 1], *XOR, activation_type="sigmoid", epochs=2000, n=0.5, seed=seed)
    outputs = model.predict(XOR[0])
    assert outputs.shape == (4,)
    assert np.abs(outputs - XOR[1]).max() < 0.3
    assert model.score(*XOR) == 1.0


def test_the_snippet_of_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid")
    model.fit(*XOR, epochs=100, n=0.1)
    expected = model.predict(XOR[0])
    model.save("aino.dit")
    loaded = aino.load("aino.dit")
    np.testing.assert_array_equal(loaded.predict(XOR[0]), expected)
    np.testing.assert_array_equal(nn.NeuralNetwork.load("aino.dit").predict(XOR[0]), expected)
    assert loaded.history == model.history
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("epoch 100/100: loss ")
    nn.Linear(2, 2).save("linear.dit")
    aino.save({"w": aino.ones(2)}, "state.dit")
    for name, held in (("linear.dit", "holds a Linear"), ("state.dit", "holds no model")):
        with pytest.raises(DitError, match=rf"{name}: {held}, not a NeuralNetwork"):
            nn.NeuralNetwork.load(name)


@pytest.mark.parametrize("form", ["indices", "column", "floats", "one-hot", "lists", "tensors"])
def test_classes_in_every_form(flowers, form):
    X, labels = flowers
    y = {
        "indices": labels.astype(np.int16), "column": labels[:, None],
        "floats": labels.astype(float), "one-hot": np.eye(3)[labels], "lists": labels.tolist(),
        "tensors": aino.from_numpy(labels),
    }[form]  # fmt: skip
    X = {"lists": X.tolist(), "tensors": aino.from_numpy(X)}.get(form, X)
    model = quiet([4, 8, 3], X, y, epochs=40)
    assert model.score(X, y) > 0.95
    assert model.layers[-1].activation == "softmax"
    answer, shares = model.predict(X), model.predict_proba(X)
    assert isinstance(answer, aino.Tensor) == (form == "tensors")
    assert shares.shape == (150, 3)
    np.testing.assert_allclose(np.asarray(shares).sum(1), 1.0, rtol=1e-5)
    if form == "one-hot":
        assert answer.shape == (150, 3)
        assert model.score(X, labels) == model.score(X, y)
    else:
        assert answer.shape == (150,)
        assert (np.asarray(answer) == labels).mean() > 0.95


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", "float64"])
def test_real_dtypes(dtype):
    X, y = np.array(XOR[0], dtype), np.array(XOR[1], dtype)[:, None]
    model = quiet([2, 8, 1], X, y, epochs=300, n=0.5)
    assert model.predict(X).shape == ((4,) if dtype == "bool" else (4, 1))
    assert model.score(X, y) == 1.0


def test_numbers(wave):
    X, y = wave
    model = quiet([1, 24, 24, 1], X, y, epochs=300)
    assert model.layers[-1].activation == "linear"
    assert model.score(X, y) > 0.98
    assert model.predict(X).shape == (120, 1)
    assert quiet([1, 4, 1], X[:, 0], y[:, 0], epochs=2).predict(X[:, 0]).shape == (120,)
    with pytest.raises(ValueError, match="no probabilities"):
        model.predict_proba(X)


def test_several_yes_and_no():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > X[:, 2]])
    model = quiet([3, 8, 2], X, y, epochs=150)
    assert model.layers[-1].activation == "sigmoid"
    assert model.score(X, y) > 0.9
    assert model.predict_proba(X).shape == (100, 2)


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_data_of_any_scale(flowers, wave, factor, shift):
    X, labels = flowers
    assert quiet([4, 8, 3], (X + shift) * factor, labels, epochs=40).score(
        (X + shift) * factor, labels) > 0.95  # fmt: skip
    X, y = wave
    y = (y + shift) * factor
    model = quiet([1, 24, 24, 1], X, y, epochs=200)
    assert model.score(X, y) > 0.95
    assert model.history["loss"][-1] < 0.05 * y.var()


def test_constant_features_and_targets():
    X = np.ones((10, 2))
    X[:, 0] = np.arange(10)
    outputs = quiet([2, 4, 1], X, np.full(10, 5.5), epochs=300).predict(X)
    np.testing.assert_allclose(outputs, 5.5, atol=0.02)


def test_scaling_changes_nothing_that_the_network_says(flowers):
    X, labels = flowers
    X = X * 20.0 + 5.0
    model = aino.NeuralNetwork([4, 8, 3], seed=0)
    model.layers[0].bias.array[0] = 0.5
    before = model(aino.tensor(X, dtype=aino.float32)).detach().numpy()
    optimizer = aino.optim.SGD(model.parameters(), lr=0.0)
    model.fit(X, labels, epochs=1, optimizer=optimizer, verbose=False)
    model.layers[-1].activation = "linear"
    after = model(aino.tensor(X, dtype=aino.float32)).detach().numpy()
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def test_a_seed_makes_everything_repeatable(flowers):
    X, labels = flowers
    first = aino.NeuralNetwork([4, 8, 3]).fit(X, labels, epochs=3, seed=5, verbose=False)
    aino.rand(10)
    second = aino.NeuralNetwork([4, 8, 3]).fit(X, labels, epochs=3, seed=5, verbose=False)
    for a, b in zip(first.parameters(), second.parameters()):
        assert aino.equal(a, b)
    assert first.history == second.history
    third = aino.NeuralNetwork([4, 8, 3]).fit(X, labels, epochs=3, seed=6, verbose=False)
    assert third.history != first.history
    aino.manual_seed(1)
    a = aino.NeuralNetwork([4, 8, 3]).fit(X, labels, epochs=3, verbose=False)
    aino.manual_seed(1)
    b = aino.NeuralNetwork([4, 8, 3]).fit(X, labels, epochs=3, verbose=False)
    assert a.history == b.history


def test_a_seed_reaches_layers_that_draw(flowers):
    models = []
    for _ in range(2):
        model = aino.NeuralNetwork([4, 8, 3])
        model.layers.insert(1, nn.Dropout(0.3))
        models.append(model.fit(*flowers, epochs=3, seed=5, verbose=False))
        aino.rand(3)
    assert models[0].history == models[1].history


def test_a_seed_does_not_undo_what_was_learned(flowers):
    X, labels = flowers
    model = quiet([4, 8, 3], X, labels, epochs=30)
    score = model.score(X, labels)
    model.fit(X, labels, epochs=1, n=1e-6, seed=3, verbose=False)
    assert model.score(X, labels) == score
    assert len(model.history["loss"]) == 31
    model = aino.NeuralNetwork([2, 1], seed=0)
    model.load_state_dict({"layers.0.weight": np.ones((1, 2)), "layers.0.bias": np.zeros(1)})
    model.fit(*XOR, epochs=1, n=1e-9, seed=4, verbose=False)
    sums = np.array(XOR[0]).sum(1)
    np.testing.assert_allclose(model.predict(XOR[0]), 1 / (1 + np.exp(-sums)), rtol=1e-5)


def test_fit_goes_on_in_the_right_mode_and_forgets_its_gradients():
    model = aino.NeuralNetwork([2, 3, 1])
    model.layers.insert(1, nn.Dropout(0.5))
    model.eval()
    model.fit(*XOR, epochs=3, verbose=False)
    assert not model.training
    assert not model.layers[1].training
    assert all(p.grad is None for p in model.parameters())
    model.train()
    np.testing.assert_array_equal(model.predict(XOR[0]), model.predict(XOR[0]))
    assert model.layers[1].training
    assert model.predict(XOR[0]).dtype == np.float32


def test_frozen_layers_stay_as_they_are(flowers):
    model = aino.NeuralNetwork([4, 8, 3], seed=0)
    model.layers[0].requires_grad_(False)
    before = model.layers[0].weight.array.copy()
    model.fit(*flowers, epochs=5, verbose=False)
    np.testing.assert_array_equal(model.layers[0].weight.array, before)
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="frozen"):
        model.fit(*flowers, epochs=5, verbose=False)


def test_networks_in_float64(flowers):
    model = aino.NeuralNetwork([4, 8, 3], seed=0).double()
    model.fit(*flowers, epochs=20, verbose=False)
    assert model.layers[0].weight.dtype == aino.float64
    assert model.predict_proba(flowers[0]).dtype == np.float64
    assert model.score(*flowers) > 0.95


# Choices


@pytest.mark.parametrize("loss", ["cross_entropy", "bce", "mse", "l1", "huber", "smooth_l1"])
def test_losses_for_classes(flowers, loss):
    model = quiet([4, 8, 3], *flowers, loss=loss, epochs=60)
    assert model.score(*flowers) > 0.9
    assert model.layers[-1].activation == ("sigmoid" if loss == "bce" else "softmax")


@pytest.mark.parametrize("loss", ["mse", "l1", "mae", "huber", "smooth_l1"])
def test_losses_for_numbers(wave, loss):
    assert quiet([1, 24, 24, 1], *wave, loss=loss, epochs=200).score(*wave) > 0.9


@pytest.mark.parametrize("activation", ["linear", "softmax", "log_softmax", "sigmoid", "tanh"])
def test_output_activations_for_classes(flowers, activation):
    model = quiet([4, 8, 3], *flowers, output_activation=activation, epochs=60)
    assert model.layers[-1].activation == activation
    assert model.score(*flowers) > 0.9
    if activation == "tanh":
        with pytest.raises(ValueError, match="no probabilities"):
            model.predict_proba(flowers[0])
    else:
        shares = model.predict_proba(flowers[0])
        assert shares.shape == (150, 3)
        assert 0.0 <= shares.min() <= shares.max() <= 1.0


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "tanh", "hardsigmoid", "relu"])
def test_output_activations_for_yes_and_no(activation):
    X = np.linspace(-1, 1, 40)[:, None]
    y = (X[:, 0] > 0).astype(int)
    model = quiet([1, 8, 1], X, y, output_activation=activation, epochs=100)
    assert model.score(X, y) > 0.9


def test_a_loss_may_be_a_function(wave, flowers):
    def cubic(output, target):
        return ((output - target).abs() ** 3).mean()

    assert quiet([1, 24, 24, 1], *wave, loss=cubic, epochs=200).score(*wave) > 0.9
    model = quiet([4, 8, 3], *flowers, loss=nn.NLLLoss(), output_activation="log_softmax")
    assert model.score(*flowers) > 0.9


def test_probabilities_as_targets():
    y = np.array([[0.1, 0.9], [0.7, 0.3]])
    model = quiet([1, 4, 2], [[0.0], [1.0]], y, loss="cross_entropy", epochs=500)
    np.testing.assert_allclose(model.predict([[0.0], [1.0]]), y, atol=0.05)
    model = quiet([1, 4, 2], [[0.0], [1.0]], y, loss="bce", epochs=500)
    np.testing.assert_allclose(model.predict([[0.0], [1.0]]), y, atol=0.05)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "AdamW", "rmsprop", "adagrad"])
def test_optimizers_by_name(flowers, optimizer):
    rate = 0.5 if optimizer == "sgd" else 0.02
    assert quiet([4, 8, 3], *flowers, optimizer=optimizer, n=rate, epochs=60).score(*flowers) > 0.9


def test_optimizers_of_ones_own(flowers):
    assert quiet([4, 8, 3], *flowers, optimizer=aino.optim.Adam, lr=0.02).score(*flowers) > 0.9
    model = aino.NeuralNetwork([4, 8, 3], seed=0)
    optimizer = aino.optim.Adam(model.parameters(), lr=0.02)
    model.fit(*flowers, optimizer=optimizer, verbose=False)
    assert model.score(*flowers) > 0.9
    assert optimizer.param_groups[0]["lr"] == 0.02


def test_batches(flowers):
    assert [batch_size_for(n) for n in (1, 4, 32, 33, 150, 5000, 10**6)] == [
        1, 4, 32, 32, 32, 50, 256,
    ]  # fmt: skip
    for size in (1, 7, 150, 10**9):
        model = quiet([4, 8, 3], *flowers, batch_size=size, epochs=5 if size < 100 else 100)
        assert model.score(*flowers) > 0.9
    ordered = [quiet([4, 8, 3], *flowers, epochs=3, shuffle=False, seed=0) for _ in range(2)]
    assert ordered[0].history == ordered[1].history


def test_validation(flowers):
    X, labels = flowers
    data = (X[100:], labels[100:])
    model = quiet([4, 8, 3], X[:100], labels[:100], epochs=30, validation_data=data)
    assert set(model.history) == {"loss", "val_loss", "val_score"}
    assert len(model.history["val_loss"]) == 30
    assert model.history["val_score"][-1] == model.score(*data) > 0.9
    plain = quiet([4, 8, 3], X[:100], labels[:100], epochs=30)
    assert plain.history["loss"] == model.history["loss"]
    for loss in ("mse", "bce"):
        model = quiet([4, 8, 3], X[:100], labels[:100], epochs=3, validation_data=data, loss=loss)
        assert np.isfinite(model.history["val_loss"]).all()


def test_scores_of_numbers():
    model = aino.NeuralNetwork([1, 1], seed=0)
    model.load_state_dict({"layers.0.weight": np.array([[2.0]]), "layers.0.bias": np.zeros(1)})
    X = np.array([0.0, 1.0, 2.5])
    assert model.score(X, 2 * X) == pytest.approx(1.0)
    assert model.score(X, 2 * X + 10.0) < 0
    assert model.predict(aino.tensor([[1.0]])).tolist() == [[2.0]]


# What is shown


def test_silence(capsys):
    quiet([2, 3, 1], *XOR, epochs=20)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


# The program behind the loop


@pytest.mark.parametrize("form", ["classes", "numbers", "yes and no"])
def test_compiled_is_what_was_computed_step_by_step(form, flowers, wave, monkeypatch):
    X, y = wave if form == "numbers" else flowers
    sizes = [X.shape[1], 8, {"classes": 3}.get(form, 1)]
    y = (y > 1).astype(int) if form == "yes and no" else y
    models = []
    for worth in (1, 10**9):
        monkeypatch.setattr("aino.train.paying.WORTH_COMPILING", worth)
        templates.forget()
        models.append(quiet(sizes, X, y, epochs=6))
    for a, b in zip(*[model.parameters() for model in models]):
        np.testing.assert_array_equal(a.array, b.array)
    assert models[0].history == models[1].history


def test_what_has_no_program_is_computed_as_it_is(flowers, monkeypatch):
    class Peek(nn.Module):
        def forward(self, x):
            float(x.sum())
            return x

    monkeypatch.setattr("aino.train.paying.WORTH_COMPILING", 1)
    model = aino.NeuralNetwork([4, 8, 3], seed=0)
    model.layers.insert(1, Peek())
    with pytest.warns(RuntimeWarning, match="uncompiled"):
        model.fit(*flowers, epochs=60, verbose=False)
    assert model.score(*flowers) > 0.9


def test_hooks_keep_fit_uncompiled(flowers, monkeypatch):
    monkeypatch.setattr("aino.train.paying.WORTH_COMPILING", 1)
    model, calls = aino.NeuralNetwork([4, 8, 3], seed=0), []
    model.layers[0].register_forward_hook(lambda *_: calls.append(1))
    model.fit(*flowers, epochs=20, batch_size=len(flowers[0]), verbose=False)
    assert len(calls) == 20


def test_a_fit_that_validates_stays_compiled(flowers):
    X, y = flowers
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = {"epochs": 80, "batch_size": 32, "validation_data": (X[:50], y[:50])}
        model = quiet([4, 8, 3], X, y, **options)
    assert {len(losses) for losses in model.history.values()} == {80}
    assert len(model.history) > 1


# Layers that differ, dropout, batch normalisation


def test_each_hidden_layer_has_what_is_listed_for_it():
    model = aino.NeuralNetwork(
        [4, 6, 5, 3], ["relu", "tanh"], seed=0, dropout=[0.2, 0.0], batch_norm=[False, True]
    )
    assert [layer.activation for layer in model.layers] == ["relu", "tanh", "linear"]
    assert [layer.dropout for layer in model.layers] == [0.2, 0.0, 0.0]
    assert [layer.norm is not None for layer in model.layers] == [False, True, False]
    assert model.activation_type == ["relu", "tanh"]
    for wrong in (
        {"activation_type": ["relu"]}, {"dropout": [0.1]}, {"batch_norm": [True] * 3},
        {"dropout": 1.5}, {"dropout": "a"}, {"activation_type": ["relu", "rleu"]},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            aino.NeuralNetwork([4, 6, 5, 3], **wrong)


def test_a_layer_normalises_and_drops():
    aino.manual_seed(0)
    layer, x = nn.Layer(3, 4, "tanh", dropout=0.5, batch_norm=True), aino.randn(64, 3)
    text = (
        "Layer(\n  in_features=3, out_features=4, activation='tanh', dropout=0.5\n  (norm): Batch"
    )
    assert repr(layer).startswith(text)
    y = layer(x).detach().numpy()
    assert 0.3 < (y == 0.0).mean() < 0.7
    sums = (x @ layer.weight.mT + layer.bias).detach().numpy()
    z = (sums - sums.mean(0)) / np.sqrt(sums.var(0) + 1e-5)
    np.testing.assert_allclose(y[y != 0.0], 2.0 * np.tanh(z)[y != 0.0], rtol=1e-4, atol=1e-5)
    layer.eval()
    assert not (layer(x) == 0.0).any()
    with pytest.raises(ValueError, match="call the layer"):
        layer[0](x)
    assert layer[0].weight.shape == (3,)


@pytest.mark.parametrize("options", [{"dropout": 0.2}, {"batch_norm": True},
                                     {"dropout": 0.1, "batch_norm": True}])  # fmt: skip
def test_networks_with_dropout_and_normalisation_learn(flowers, options, tmp_path):
    X, y = flowers
    model = aino.NeuralNetwork([4, 16, 16, 3], ["relu", "tanh"], seed=0, **options)
    model.fit(X, y, epochs=40, verbose=False, seed=1)
    assert model.score(X, y) > 0.9
    model.save(tmp_path / "model.dit")
    again = aino.load(tmp_path / "model.dit")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.dropout == model.dropout
    assert again.batch_norm == model.batch_norm


def test_no_sample_is_left_alone_to_be_normalised(flowers):
    X, y = flowers
    model = aino.NeuralNetwork([4, 8, 3], seed=0, batch_norm=True)
    model.fit(X[:65], y[:65], epochs=2, batch_size=32, verbose=False)
    with pytest.raises(ValueError, match="two samples"):
        model.fit(X[:1], y[:1], epochs=1, verbose=False)
