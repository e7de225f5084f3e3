"""The textbook picture: its numbers are those of the network, and no program is needed for it."""

import base64
import re
import struct
import zlib

import numpy as np
import pytest

import aino
from aino import nn
from aino.drawing.scene import colour_of, colours_of, png
from aino.nn import functional as F


@pytest.fixture(autouse=True)
def without_graphviz(monkeypatch):
    monkeypatch.setenv("PATH", "")


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def circles(svg):
    """Return the fill of each neuron by its name."""
    return dict(re.findall(r'<circle id="(n\d+_\d+)".*? fill="(#\w+)"', svg))


def hints(svg):
    return re.findall(r"<title>([^<]*)</title>", svg)


def shown(value):
    return f"{value:.2f}".replace("-", "−")


def chain(module, x):
    """Return what each column computes, by the parameters alone."""
    columns = [x]
    for layer, function in module:
        columns.append(function(columns[-1] @ layer.weight.array.T + layer.bias.array))
    return columns


@pytest.mark.parametrize(
    "sample", [[0.5, -2.0, 1.0], [[0.5, -2.0, 1.0]], aino.tensor([0.5, -2.0, 1.0])]
)
def test_each_neuron_shows_what_it_computes(sample):
    model = nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2), nn.Sigmoid()
    )
    svg = aino.draw(model, sample=sample)._repr_svg_()
    columns = chain(
        [(model[0], lambda x: np.maximum(x, 0)), (model[3], lambda x: 1 / (1 + np.exp(-x)))],
        np.array([0.5, -2.0, 1.0], np.float32),
    )  # fmt: skip
    fills, said = circles(svg), texts(svg)
    for column, values in enumerate(columns):
        for index, value in enumerate(values.tolist()):
            assert shown(value) in said
            assert fills[f"n{column}_{index}"] == colour_of(value, np.abs(values).max())
    assert model.training
    assert all(module._hooks is None for module in model.modules())


def test_weights_are_told_where_the_mouse_is():
    layer = nn.Linear(30, 2)
    said = hints(aino.draw(layer)._repr_svg_())
    assert f"weight[1, 29] = {layer.weight[1, 29].item():.4g}" in said
    assert not any("weight[1, 12]" in text for text in said)  # left out, as its neuron is
    assert {"input 6", "input 27"} <= set(said)
    assert "input 7" not in said


def test_names_of_features_and_classes():
    model = nn.Linear(2, 2)
    said = texts(
        aino.draw(model, features=["height", "weight"], classes=["cat", "<dog>"])._repr_svg_()
    )
    assert {"height", "weight", "cat", "&lt;dog&gt;"} <= set(said)
    network = aino.NeuralNetwork([2, 3, 2], output_activation="softmax", seed=0)
    network.fit([[0.0, 1.0], [1.0, 0.0]], ["no", "yes"], epochs=1, verbose=False)
    assert {"no", "yes"} <= set(texts(aino.draw(network)._repr_svg_()))
    network.feature_names = ["length", "width"]
    assert {"length", "width"} <= set(texts(aino.draw(network)._repr_svg_()))


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_nothing_lies_outside_of_the_picture(rankdir):
    model = nn.Sequential(nn.Linear(25, 3), nn.Tanh(), nn.Linear(3, 2))
    drawing = aino.draw(model, rankdir=rankdir, features=[f"a long name {i}" for i in range(25)])
    svg = drawing._repr_svg_()
    left, top, width, height = map(float, re.search('viewBox="(.*?)"', svg)[1].split())
    for x, y in re.findall(r' (?:cx|x)="([-\d.]+)" (?:cy|y)="([-\d.]+)"', svg):
        assert left <= float(x) <= left + width
        assert top <= float(y) <= top + height


def pixels(svg):
    """Return the images in a picture as arrays of colours."""
    found = []
    for data in re.findall('base64,(.*?)"', svg):
        raw = base64.b64decode(data)
        columns, rows = struct.unpack(">II", raw[16:24])
        body = re.search(rb"IDAT(.*)....IEND", raw, re.S)[1]
        flat = np.frombuffer(zlib.decompressobj().decompress(body), np.uint8)
        found.append(flat.reshape(rows, 1 + 3 * columns)[:, 1:].reshape(rows, columns, 3))
    return found


def test_heat_maps_have_a_pixel_for_each_weight():
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3, bias=False))
    weights = [model[0].weight.array, model[0].bias.array[:, None], model[2].weight.array]
    found = pixels(aino.draw(model)._repr_svg_())
    assert len(found) == 3
    for image, array in zip(found, weights):
        np.testing.assert_array_equal(image, colours_of(array, np.abs(array).max()))
    assert pixels(aino.draw(model, heat=False)._repr_svg_()) == []
    assert len(pixels(aino.draw(nn.Linear(2, 2), heat=True)._repr_svg_())) == 2


def test_colours_of_numbers():
    assert colour_of(1.0, 1.0) == "#0072b2"
    assert colour_of(-2.0, 2.0) == "#d55e00"
    assert colour_of(0.0, 1.0) == "#fafafa"
    assert colour_of(float("nan"), 1.0) == "#808080"
    assert png(np.zeros((2, 3, 3), np.uint8)).startswith(b"\x89PNG\r\n\x1a\n")


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(12 * 9, 4)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def test_convolutional_networks_as_blocks():
    model, x = Convolutional(), aino.rand(1, 1, 8, 8)
    svg = aino.draw(model, sample=x)._repr_svg_()
    said = texts(svg)
    for text in ("1 × 8 × 8", "12 × 6 × 6", "Conv2d 3×3", "+ ReLU", "12 × 3 × 3", "MaxPool2d 2×2",
                 "features.2", "4", "head"):  # fmt: skip
        assert text in said, text
    assert svg.count("<line") == 3
    assert pixels(svg) == []


def test_feature_maps_show_their_numbers():
    model, x = Convolutional(), aino.rand(1, 1, 8, 8)
    found = pixels(aino.draw(model, sample=x, maps=True)._repr_svg_())
    assert len(found) == 1 + 8 + 8 + 1
    with aino.no_grad():
        maps = F.relu(F.conv2d(x, model.features[0].weight, model.features[0].bias)).array[0]
    np.testing.assert_array_equal(found[0], colours_of(x.array[0, 0], x.array.max()))
    for image, face in zip(found[1:9], maps):
        np.testing.assert_array_equal(image, colours_of(face, maps.max()))


@pytest.mark.parametrize(
    ("make", "keywords", "error", "says"),
    [
        (lambda: nn.Linear(3, 1), {"sample": [1.0]}, ValueError, "3 numbers; got 1"),
        (lambda: nn.Linear(3, 1), {"features": "abc"}, TypeError, "features is a list of names"),
        (lambda: nn.Linear(3, 1), {"classes": 3}, TypeError, "classes is a list of names"),
    ],
)
def test_mistakes(make, keywords, error, says):
    with pytest.raises(error, match=says):
        aino.draw(make(), **keywords)
