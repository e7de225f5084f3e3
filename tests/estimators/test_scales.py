"""After fit the network is the one that was learned, whatever offset and scale the data have."""

import copy
import pickle

import numpy as np
import pytest

import aino
from aino import nn

#: Offset and scale of columns: as far apart as float64 holds them.
COLUMNS = [(0, 1), (5, 1e-9), (1013, 1e-4), (1.7e9, 0.5), (0, 1e-300), (1e300, 1e290)]
NUMBERS = [(0, 1), (1e9, 1), (1e6, 1), (5, 1e-9), (0, 1e-100)]
LOSSES = {
    "mse": lambda e: (e**2).mean(),
    "l1": lambda e: np.abs(e).mean(),
    "huber": lambda e: np.where(np.abs(e) < 1, e**2 / 2, np.abs(e) - 0.5).mean(),
}

BASE = np.random.default_rng(0).normal(size=(90, 3))
WANTED = np.sin(BASE[:, 0]) + 0.5 * BASE[:, 1]


def learned(X, y, sizes=(3, 8, 1), epochs=15, **options):
    """A network after some epochs, and the loss of one more epoch that changes nothing."""
    model = aino.NeuralNetwork(list(sizes), seed=0)
    options |= {"verbose": False, "batch_size": len(X)}
    model.fit(X, y, epochs=epochs, seed=0, **options)
    model.fit(X, y, epochs=1, n=1e-14, **options)
    return model, model.history["loss"][-1]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("number", NUMBERS)
def test_the_loss_of_history_is_that_of_predict(column, number):
    X = column[0] + column[1] * BASE
    y = number[0] + number[1] * WANTED
    model, loss = learned(X, y)
    answer = model.predict(X)
    assert loss == pytest.approx(LOSSES["mse"](answer - y), rel=1e-4)
    assert model.score(X, y) > 0.6
    np.testing.assert_array_equal(model(aino.from_numpy(X)).detach().numpy()[:, 0], answer)


@pytest.mark.parametrize("loss", [*LOSSES, "own"])
@pytest.mark.parametrize("number", [(0, 1), (1e9, 1), (5, 1e-9)])
def test_losses_are_those_of_the_numbers_as_they_are(loss, number):
    y = number[0] + number[1] * WANTED
    given = (lambda outputs, targets: ((outputs - targets) ** 2).mean()) if loss == "own" else loss
    model, said = learned(BASE, y, loss=given)
    wanted = LOSSES["mse" if loss == "own" else loss](model.predict(BASE) - y)
    assert said == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("way", ["dit", "copy", "pickle", "state", "compiled", "source"])
def test_scales_go_where_the_network_goes(way, tmp_path):
    X, y = 5 + 1e-9 * BASE, 1e9 + WANTED
    model, _ = learned(X, y)
    wanted = model.predict(X)
    if way == "dit":
        model.save(tmp_path / "m.dit")
        other = aino.load(tmp_path / "m.dit")
    elif way == "copy":
        other = copy.deepcopy(model)
    elif way == "pickle":
        other = pickle.loads(pickle.dumps(model))
    elif way == "state":
        other = aino.NeuralNetwork([3, 8, 1], seed=5)
        other.load_state_dict(model.state_dict())
        np.testing.assert_array_equal(other.predict(X)[:, 0], wanted)
        bare = {key: value for key, value in model.state_dict().items() if "scaling" not in key}
        other.load_state_dict(bare)
        assert other.input_scaling is None
        with pytest.raises(ValueError, match="surprise"):
            other.load_state_dict(model.state_dict() | {"surprise": np.zeros(1)})
        assert other.input_scaling is None
        return
    else:
        ask = aino.compile(model)
        for _ in range(3):
            given = ask(aino.from_numpy(X)).detach().numpy()[:, 0]
        np.testing.assert_array_equal(given, wanted)
        if way == "source":
            ask.save_source(tmp_path / "predict.py")
            space = {"__name__": "predict", "__file__": str(tmp_path / "predict.py")}
            exec((tmp_path / "predict.py").read_text(), space)  # it runs with NumPy alone
            said = np.asarray(space["predict"](X))[:, 0]
            np.testing.assert_allclose(said - 1e9, wanted - 1e9, rtol=1e-5, atol=1e-6)
        return
    np.testing.assert_array_equal(other.predict(X), wanted)
    other.fit(X, y, epochs=1, verbose=False)
    assert other.score(X, y) > 0.6


def test_another_dtype_leaves_the_scales_as_they_are():
    X, y = 5 + 1e-9 * BASE, 1e9 + WANTED
    model, _ = learned(X, y)
    score = model.score(X, y)
    model.double()
    assert model.score(X, y) == pytest.approx(score, abs=1e-4)
    nn.Sequential(model).float().half()
    assert model.dtype == aino.float16
    assert model.input_scaling.mean.dtype == aino.float64
    assert model.score(X, y) == pytest.approx(score, abs=0.01)


def test_a_network_with_scales_is_called_with_other_weights():
    model, _ = learned(1e6 + BASE, WANTED, epochs=2)
    x = aino.from_numpy(1e6 + BASE[:4])
    own = {name: p.detach() * 1.0 for name, p in model.named_parameters()}  # tensors, no parameters
    assert aino.func.functional_call(model, own, (x,)).tolist() == model(x).tolist()
    others = {name: p * 0.0 for name, p in own.items()}
    assert aino.func.functional_call(model, others, (x,)).tolist() != model(x).tolist()


def test_the_dtype_of_numbers_is_that_of_y():
    for dtype in (np.float32, np.float64, np.int64):
        y = (100 * WANTED).astype(dtype) + dtype(7)
        model = aino.NeuralNetwork([3, 4, 1], seed=0).fit(BASE, y, epochs=1, verbose=False)
        assert model.predict(BASE).dtype == (np.float32 if dtype is np.float32 else np.float64)


def test_weights_that_were_given_say_what_they_said():
    model = aino.NeuralNetwork([3, 6, 1], seed=0)
    model.layers[0].bias.array[0] = 0.5
    before = model.predict(BASE)
    model.fit(7 + 1e-3 * BASE, 50 * WANTED, epochs=1, n=1e-14, verbose=False)
    np.testing.assert_allclose(model.predict(BASE), before[:, 0], rtol=1e-2, atol=1e-3)


def test_shared_layers_learn_what_they_say():
    model = aino.NeuralNetwork([4, 4, 4, 1], seed=0)
    model.layers[1] = model.layers[0]
    X, y = 20 + 3 * np.c_[BASE, BASE[:, 0] * BASE[:, 1]], 1e6 + WANTED
    model.fit(X, y, epochs=30, batch_size=90, verbose=False)
    model.fit(X, y, epochs=1, n=1e-14, batch_size=90, verbose=False)
    assert model.history["loss"][-1] == pytest.approx(LOSSES["mse"](model.predict(X) - y), rel=1e-4)
    assert model.score(X, y) > 0.5


@pytest.mark.parametrize("frozen", [0, -1])
def test_what_cannot_be_held_is_refused_by_name(frozen):
    model = aino.NeuralNetwork([3, 4, 1], seed=0)
    model.layers[0].bias.array[0] = 0.5  # weights of the user's, which stay what they are
    model.layers[frozen].requires_grad_(False)
    X, y = (5 + 1e-9 * BASE, WANTED) if frozen == 0 else (BASE, 1e9 + WANTED)
    with pytest.raises(ValueError, match=f"column 0 of {'X' if frozen == 0 else 'y'} is .* ± "):
        model.fit(X, y, epochs=1, verbose=False)
    assert model.kind is None
    bounded = aino.NeuralNetwork([3, 4, 1], output_activation="relu", seed=0)
    with pytest.raises(ValueError, match="'relu' leaves no room"):
        bounded.fit(BASE, 1e9 + WANTED, epochs=1, verbose=False)
    with pytest.raises(ValueError, match="larger than any float64"):
        aino.NeuralNetwork([3, 4, 1]).fit(BASE, 1e200 * WANTED, epochs=1, verbose=False)


def test_an_optimizer_of_another_network_is_refused():
    model, other = aino.NeuralNetwork([3, 4, 1], seed=0), aino.NeuralNetwork([3, 4, 1], seed=0)
    foreign = aino.optim.SGD(other.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="holds no parameter that this network learns"):
        model.fit(BASE, WANTED, optimizer=foreign, verbose=False)
    assert model.history == {}


def test_scales_are_shown(tmp_path):
    model, _ = learned(5 + BASE, 1e9 + WANTED)
    model.save(tmp_path / "m.dit")
    from aino.dit.info import describe

    assert "input_scaling: InputScaling(features=3, mean=[4.8" in describe(tmp_path / "m.dit")
    assert "output_scaling: OutputScaling" in describe(tmp_path / "m.dit")
    assert "centred, scaled" in aino.draw(model).source
    assert "1e+09" in aino.draw(model).source
    assert "input_scaling" in aino.draw(model, depth=2).source
    assert "mean=[4.886, 5.017, 5.06]" in repr(model)


def test_columns_that_do_not_vary_stay_quiet():
    X = np.c_[BASE, np.full(90, 0.1), np.zeros(90)]
    model = aino.NeuralNetwork([5, 4, 1], seed=0).fit(X, np.full(90, 5.5), epochs=5, verbose=False)
    assert model.input_scaling.scale.array[3:].tolist() == [1.0, 1.0]
    far = X.copy()
    far[:, 3] += 1e-9
    np.testing.assert_allclose(model.predict(far), model.predict(X), rtol=1e-6)
