"""A module alone is drawn as neurons if it is small, else layer by layer."""

import re

import numpy as np
import pytest

import aino
from aino import nn
from tests.drawing.reading import read
from tests.drawing.transformer import Transformer


def neurons(source):
    return re.findall(r"^  (n\d+_\d+) \[", source, re.M)


def weights(source):
    return re.findall(r"^  (n\d+_\d+) -> (n\d+_\d+) \[(.*)\]", source, re.M)


def test_a_small_network_as_neurons():
    model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid", seed=0)
    source = aino.draw(model).source
    assert neurons(source) == ["n0_0", "n0_1", "n1_0", "n1_1", "n1_2", "n2_0"]
    assert len(weights(source)) == 9
    first = model.layers[0].weight
    assert f"<{first[2, 1].item():.2f}>".replace("-", "−") in source
    assert f"b {model.layers[0].bias[0].item():+.2f}".replace("-", "−") in source
    for text in ("2 inputs", "layers.0", "3 neurons", "sigmoid", "9 parameters", "x₂", "σ"):
        assert text in source, text


def test_lines_tell_the_weights():
    layer = nn.Linear(3, 1, bias=False)
    layer.weight.data = aino.tensor([[2.0, -1.0, 0.0]])
    (plus, minus, none) = [look for _, _, look in weights(aino.draw(layer).source)]
    widths = [float(re.search(r'penwidth="([\d.]+)"', look)[1]) for look in (plus, minus, none)]
    assert widths == [3.0, 1.75, 0.5]
    assert "solid" in plus
    assert "dashed" in minus
    assert re.search('color="(.*?)"', plus)[1] != re.search('color="(.*?)"', minus)[1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers(bad):
    layer = nn.Linear(2, 1)
    layer.weight.data = aino.tensor([[bad, 1.0]])
    assert 'penwidth="nan"' not in aino.draw(layer).source
    layer.weight.data = aino.zeros(1, 2)
    assert len(weights(aino.draw(layer).source)) == 2


@pytest.mark.parametrize(
    "module",
    [
        nn.Perceptron(3, "tanh"),
        nn.Layer(3, 2, "relu"),
        nn.Layer(3, 2)[1],
        nn.Linear(3, 2, bias=False),
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2), nn.Softmax(-1)),
        nn.Sequential(nn.Sequential(nn.Layer(3, 3)), nn.Identity(), nn.Layer(3, 1)),
        aino.NeuralNetwork([4, 16, 3]),
        nn.Sequential(nn.Linear(20, 20), nn.Linear(20, 20)),
        aino.NeuralNetwork([784, 10]),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_is_drawn_as_neurons(module):
    source = aino.draw(module).source
    assert 'layout="neato"' in source
    assert neurons(source)


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)),
        nn.Sequential(nn.Tanh(), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 4), nn.GLU()),
        nn.Sequential(),
        nn.Tanh(),
        nn.Sequential(*(nn.Linear(2, 2) for _ in range(13))),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_is_not(module):
    assert 'layout="neato"' not in aino.draw(module).source


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_directions(rankdir):
    source = aino.draw(nn.Linear(2, 1), rankdir=rankdir).source
    places = dict(re.findall(r'(n\d_\d) \[.*?pos="(.*?)!"', source))
    x, y = (np.array([float(v) for v in places[name].split(",")]) for name in ("n0_0", "n1_0"))
    along = {"LR": (1, 0), "RL": (-1, 0), "TB": (0, -1), "BT": (0, 1)}[rankdir]
    assert (y - x) @ along == pytest.approx(166 / 72, abs=0.01)


def test_large_networks_layer_by_layer():
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    found = read(aino.draw(model, depth=9))
    assert found.titles() == ["input", "0  Linear", "1  ReLU", "2  Linear"]
    assert found.vertex("0  Linear")[1:] == [
        "in_features=784, out_features=256", "weight (256, 784), bias (256,)", "200,960 parameters",
    ]  # fmt: skip
    assert found.pairs() == [
        ("0  Linear", "1  ReLU"), ("1  ReLU", "2  Linear"), ("input", "0  Linear")
    ]  # fmt: skip
    assert found.clusters == ["Sequential, 203,530 parameters"]
    assert "(…, 256)" in {tail: look for tail, _, look in found.edges}["0  Linear"]


def test_where_the_order_is_not_known_there_are_no_arrows():
    model = Transformer(layers=2)
    found = read(aino.draw(model))
    assert found.vertex("places") == ["places", "(16, 16) float32"]
    shown = [(tail, head) for tail, head, look in found.edges if "invis" not in look]
    assert [(tail.split()[0], head.split()[0]) for tail, head in shown] == [
        (f"blocks.{i}.mlp.{j}", f"blocks.{i}.mlp.{j + 1}") for i in range(2) for j in range(2)
    ]
    assert found.around("blocks.1.attention.query  Linear")[-2:] == [
        "blocks.1  Block, 3,280 parameters", "blocks.1.attention  Attention, 1,088 parameters"
    ]  # fmt: skip


def test_depth_and_repetitions_of_an_architecture():
    model = Transformer(layers=9)
    found = read(aino.draw(model, depth=1))
    assert [title.split()[0] for title in found.titles()] == [
        "places", "words", "blocks", "norm", "head"
    ]  # fmt: skip
    found = read(aino.draw(model, depth=2))
    assert found.vertex("Block × 9  blocks.0 … blocks.8")
    found = read(aino.draw(model))
    assert found.vertex("Block × 8  blocks.1 … blocks.8")[1] == "each like blocks.0"
    deep = nn.Sequential(*(nn.Linear(100, 100) for _ in range(30)))
    assert read(aino.draw(deep)).vertex("Linear × 30  0 … 29")


def test_the_same_picture_each_time():
    model = aino.NeuralNetwork([3, 5, 2], seed=1)
    assert aino.draw(model).source == aino.draw(model).source


@pytest.mark.parametrize(
    "make", [lambda: nn.LazyLinear(3), lambda: nn.LazyConv2d(3, 2), nn.LazyBatchNorm1d]
)
def test_lazy_modules_are_drawn_without_the_shapes_that_they_wait_for(make):
    for module in (make(), nn.Sequential(make(), nn.Tanh())):
        source = aino.draw(module).source
        assert type(make()).__name__ in source
        assert "weight (…), bias (…)" in source
        assert "(0,)" not in source
