"""Files of AINO 1 and 2 (DIT.md, history and line 10)."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import dit
from aino.dit import legacy, registry
from aino.dit.reader import open_archive
from aino.dit.source import Source
from aino.errors import DitError
from tests.dit import fakes, forge

OLD = Path(__file__).parent.parent / "data" / "legacy"
FILES = sorted(path.name.removesuffix(".dit") for path in OLD.glob("*.dit"))

ACTIVATIONS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}
#: The first version took 2.718 for e.
TOLERANCE = {"v1-sigmoid": 1e-3, "v1-tanh": 1e-3, "v1-relu": 1e-12}


def read(path):
    with Source(path) as source:
        return legacy.read(source, open_archive(source))


@pytest.fixture
def network(monkeypatch):
    """Stands for `NeuralNetwork` where that is not imported, and predicts with NumPy."""
    monkeypatch.setattr(registry, "_classes", registry.registered_classes())

    class NeuralNetwork(fakes.Fake):
        def __init__(self, sizes, activation_type="sigmoid", output_activation=None):
            self.arguments = sizes, activation_type, output_activation
            self.layers = fakes.Chain(*itertools.starmap(fakes.Line, itertools.pairwise(sizes)))

    registry._classes["NeuralNetwork"] = NeuralNetwork


def test_the_old_files_are_here():
    assert FILES == [
        "v1-relu", "v1-sigmoid", "v1-tanh", "v2-relu-tanh", "v2-sigmoid-relu", "v2-tanh-sigmoid",
    ]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_old_weights_predict_what_their_authors_got(name):
    old = read(OLD / f"{name}.dit")
    expected = np.load(OLD / f"{name}.expected.npz")
    x = expected["X"]
    last = len(old.sizes) - 2
    for index in range(last + 1):
        weight, bias = (old.state[f"layers.{index}.{part}"] for part in ("weight", "bias"))
        assert weight.shape == (old.sizes[index + 1], old.sizes[index])
        assert weight.dtype is bias.dtype is np.dtype("float64" if name[1] == "1" else "float32")
        act = old.output_activation if index == last else old.activation
        x = ACTIVATIONS[act](x @ weight.T + bias)
    assert x.shape == expected["prediction"].shape
    assert np.allclose(x, expected["prediction"], rtol=0, atol=TOLERANCE.get(name, 2e-6))
    assert old.version == int(name[1])


@pytest.mark.parametrize("name", FILES)
def test_old_files_load_as_networks(network, name):
    path = OLD / f"{name}.dit"
    old, model = read(path), dit.load(path)
    sizes, activation, output = model.arguments
    assert sizes == old.sizes
    assert activation == old.activation
    assert output == (activation if name[1] == "1" else old.output_activation)
    for key, tensor in model.state_dict().items():
        assert np.array_equal(tensor.array, old.state[key])
        assert tensor.array.dtype is old.state[key].dtype
    assert shape_report(dit.verify(path)) == (int(name[1]), "model", 2 * (len(sizes) - 1))


def shape_report(report):
    return report.version, report.kind, report.tensors


def v1(**changes):
    arrays = {
        "config": np.array([2, 3, 1]),
        "activation": np.array("tanh"),
        "layer_0_w": np.arange(6.0).reshape(3, 2),
        "layer_0_b": np.arange(3.0),
        "layer_1_w": np.ones((1, 3)),
        "layer_1_b": np.ones(1),
    } | changes
    return {name: array for name, array in arrays.items() if array is not None}


def v2(**changes):
    arrays = {
        "config": np.array([2, 3, 1]),
        "activation": np.array("relu"),
        "output_activation": np.array("sigmoid"),
        "is_multi_head": np.array(False),
        "layer_0_w": np.arange(6, dtype=np.float32).reshape(2, 3),
        "layer_0_b": np.ones((1, 3), np.float32),
        "layer_1_w": np.ones((3, 1), np.float32),
        "layer_1_b": np.ones((1, 1), np.float32),
    } | changes
    return {name: array for name, array in arrays.items() if array is not None}


@pytest.mark.parametrize("name", FILES)
def test_old_files_predict_what_their_authors_got(tmp_path, name):
    expected = np.load(OLD / f"{name}.expected.npz")
    model = aino.load(OLD / f"{name}.dit")
    assert type(model) is aino.NeuralNetwork
    for path in (None, tmp_path / "new.dit"):
        if path is not None:
            model.save(path)
            model = aino.NeuralNetwork.load(path)
        prediction = model(aino.from_numpy(expected["X"])).detach().numpy()
        assert prediction.dtype is np.dtype("float64" if name[1] == "1" else "float32")
        tolerance = TOLERANCE.get(name, 2e-6)
        assert np.allclose(prediction, expected["prediction"], rtol=0, atol=tolerance)


def test_softmax_is_loaded_as_softmax_with_a_warning(network, tmp_path):
    path = forge.old_file(tmp_path / "s.dit", **v2(output_activation=np.array("softmax")))
    with pytest.warns(UserWarning, match=r"s\.dit: AINO 2 computed .*'softmax' as ReLU") as caught:
        model = dit.load(path)
    assert len(caught) == 1
    assert model.arguments[2] == "softmax"


@pytest.mark.parametrize("name", FILES)
def test_other_old_files_load_without_a_warning(network, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dit.load(OLD / f"{name}.dit")


def test_several_heads_are_not_supported(network, tmp_path):
    arrays = v2(is_multi_head=np.array(True), head_0_w=np.ones(3), layer_1_w=None)
    path = forge.old_file(tmp_path / "m.dit", **arrays)
    for function in (dit.load, dit.verify, dit.describe):
        with pytest.raises(DitError, match=r"several heads .* not supported"):
            function(path)


@pytest.mark.parametrize(
    "convert",
    [np.asfortranarray, lambda a: a.astype(a.dtype.newbyteorder(">")), lambda a: a.astype("f2")],
)
def test_other_layouts_are_converted(network, tmp_path, convert):
    plain = read(forge.old_file(tmp_path / "a.dit", **v2()))
    floats = {name: convert(a) for name, a in v2().items() if a.dtype.kind == "f"}
    other = read(forge.old_file(tmp_path / "b.dit", **v2(**floats)))
    for key, array in plain.state.items():
        assert np.array_equal(other.state[key], array)
        assert other.state[key].dtype.isnative
        assert other.state[key].flags.c_contiguous
    sizes = forge.old_file(tmp_path / "c.dit", **v2(config=np.array([2, 3, 1], ">u2")))
    assert read(sizes).sizes == [2, 3, 1]


CHANGES = {
    "missing": ({"layer_1_w": None, "layer_1_b": None}, "missing layer_1_b; missing layer_1_w"),
    "unexpected": ({"layer_2_w": np.ones(1), "more": np.ones(1)}, "unexpected layer_2_w; .*more"),
    "both": ({"layer_1_w": None, "x": np.ones(1)}, "missing layer_1_w; unexpected x"),
    "misshapen": ({"layer_0_w": np.ones((3, 3))}, r"'layer_0_w.npy': has the shape \(3, 3\)"),
    "bias": ({"layer_0_b": np.ones((3, 1))}, r"'layer_0_b.npy': has the shape \(3, 1\)"),
    "integers": ({"layer_0_w": np.ones((3, 2), int)}, "holds int64, which is not expected"),
    "complex": ({"layer_0_w": np.ones((3, 2), complex)}, "holds complex128"),
    "objects": ({"layer_0_b": np.array([1.0, 2, 3], object)}, "holds objects"),
    "long double": ({"layer_0_b": np.ones(3, np.longdouble)}, "holds dtype"),
    "one size": ({"config": np.array([2])}, "are not the sizes"),
    "no size": ({"config": np.array([], int)}, "are not the sizes"),
    "size 0": ({"config": np.array([2, 0, 1])}, "are not the sizes"),
    "size -1": ({"config": np.array([2, -3, 1])}, "are not the sizes"),
    "sizes of floats": ({"config": np.array([2.0, 3, 1])}, "holds float64"),
    "sizes in two rows": ({"config": np.array([[2, 3, 1]])}, "has the shape"),
    "huge sizes": ({"config": np.array([2**62, 2**62])}, "unexpected layer_1_b"),
    "activation of numbers": ({"activation": np.array(1)}, "holds int64"),
    "activations": ({"activation": np.array(["relu", "tanh"])}, "has the shape"),
    "activation of code": ({"activation": np.array("exit()")}, "not the name of an activation"),
    "no activation": ({"activation": np.array("")}, "holds text|not the name of an activation"),
    "long activation": ({"activation": np.array("a" * 500)}, "holds text"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_old_files_that_make_no_sense_are_refused(network, tmp_path, what):
    changes, match = CHANGES[what]
    path = forge.old_file(tmp_path / "o.dit", **v1(**changes))
    for function in (dit.load, dit.verify, dit.describe):
        with pytest.raises(DitError, match=match) as caught:
            function(path)
        assert str(caught.value).startswith(f"{path}: ")


def test_an_activation_that_the_network_does_not_know_is_refused(network, tmp_path, monkeypatch):
    class Strict(fakes.Fake):
        def __init__(self, sizes, activation_type, output_activation):
            raise ValueError("unknown activation 'sin'")

    registry._classes["NeuralNetwork"] = Strict
    path = forge.old_file(tmp_path / "o.dit", **v1(activation=np.array("sin")))
    with pytest.raises(DitError, match="no network can be made of it: unknown activation 'sin'"):
        dit.load(path)


def test_a_compressed_old_file_is_refused(tmp_path):
    path = forge.old_file(tmp_path / "o.dit", compress=True, **v1())
    with pytest.raises(DitError, match="deflated"):
        dit.load(path)


def test_an_old_file_is_saved_in_the_new_version(network, tmp_path):
    model = dit.load(OLD / "v1-relu.dit")
    registry._names[type(model)] = "NeuralNetwork"
    dit.save(model, tmp_path / "n.dit")
    back = dit.load(tmp_path / "n.dit")
    assert dit.verify(tmp_path / "n.dit").version == 3
    for key, tensor in model.state_dict().items():
        assert np.array_equal(back.state_dict()[key].array, tensor.array)
