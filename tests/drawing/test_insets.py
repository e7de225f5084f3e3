"""Beside its graph a page has pictures of neurons: of each dense network in a model, once."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import aino
from aino import nn
from aino.drawing import insets
from tests.drawing.test_pages import HOSTILE, shown, written  # noqa: F401
from tests.drawing.test_textbook import hints, texts


class Model(nn.Module):
    """A model with dense networks of all kinds inside, one of them called twice."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.head = nn.NeuralNetwork([4, 3, 2], activation_type="tanh")
        self.mlp = nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 2))
        self.one = nn.Layer(2, 2, "sigmoid")
        self.linear = nn.Linear(2, 1)

    def forward(self, x):
        return self.linear(self.one(self.mlp(self.mlp(self.head(self.norm(x))))))


def pictured(data):
    """Return the title of the picture of each group and module, by its name."""
    items = [*data["groups"][1:], *(node for node in data["nodes"] if node["kind"] == "module")]
    titles = [item.get("name") or item.get("title") or item["kind"] for item in items]
    return {
        title: data["pictures"][item["picture"]]["title"]
        for title, item in zip(titles, items)
        if "picture" in item
    }


HEAD, MLP, ONE = "NeuralNetwork 4-3-2", "Sequential 2-3-2", "Layer 2-2"


def test_dense_networks_inside_of_a_model_have_their_picture(shown):  # noqa: F811
    data = shown(aino.draw(Model(), aino.ones(1, 4)))
    assert [picture["title"] for picture in data["pictures"]] == [HEAD, MLP, ONE]
    assert pictured(data) == {
        "head": HEAD, "head.layers.0": HEAD, "head.layers.1": HEAD, "one": ONE,
        "mlp": MLP, "mlp.0": MLP, "mlp.1": MLP, "mlp.2": MLP, "mlp (call 2)": MLP,
        "mlp.0 (call 2)": MLP, "mlp.1 (call 2)": MLP, "mlp.2 (call 2)": MLP,
    }  # fmt: skip
    assert "picture" not in data["groups"][0]  # of everything there is none


def test_a_model_that_is_not_run_has_them_too(shown):  # noqa: F811
    data = shown(aino.draw(Model()))
    found = pictured(data)
    assert (found["head"], found["head.layers.1"], found["mlp.2"]) == (HEAD, HEAD, MLP)
    assert found["one"] == ONE
    assert not {"norm", "linear", "Model"} & found.keys()


def test_the_numbers_are_the_network_s(shown):  # noqa: F811
    model = Model()
    data = shown(aino.draw(model, aino.ones(1, 4)))
    said = hints(data["pictures"][0]["svg"])
    for layer in model.head.layers:
        for place, weight in np.ndenumerate(layer.weight.array):
            assert f"weight[{place[0]}, {place[1]}] = {float(weight):.4g}" in said


def test_a_network_by_itself_is_seen_as_it_was_drawn(tmp_path):
    network = aino.NeuralNetwork([2, 3, 2])
    path = tmp_path / "network.html"
    drawing = aino.draw(network, path, sample=[0.25, -1.5], features=["a", "b"], classes=["p", "q"])
    data = written(path)
    (picture,) = data["pictures"]
    assert picture == {"title": "NeuralNetwork", "svg": drawing._repr_svg_()}
    assert {"a", "b", "p", "q", "0.25", "−1.50"} <= set(texts(picture["svg"]))
    items = [*data["groups"], *(node for node in data["nodes"] if node["kind"] == "module")]
    assert {item["picture"] for item in items} == {0}


def test_blocks_of_a_convolutional_network(shown):  # noqa: F811
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    drawing = aino.draw(model, sample=aino.ones(1, 1, 4, 4))
    (picture,) = shown(drawing)["pictures"]
    assert picture["svg"] == drawing._repr_svg_()


def test_a_network_that_was_fitted_knows_its_names(shown):  # noqa: F811
    model = nn.Sequential(aino.NeuralNetwork([2, 3, 2]), nn.LayerNorm(2))
    model[0].fit([[0.0, 1.0], [1.0, 0.0]] * 4, ["yes", "no"] * 4, epochs=1, verbose=False)
    model[0].feature_names = ["height", "width"]
    (picture,) = shown(aino.draw(model, aino.ones(1, 2)))["pictures"]
    assert {"height", "width", "no", "yes"} <= set(texts(picture["svg"]))


def test_what_was_written_into_since_is_not_pictured(shown):  # noqa: F811
    model = Model()
    drawing = aino.draw(model, aino.ones(1, 4))
    with aino.no_grad():
        model.head.layers[1].bias.add_(1.0)
    head, mlp, one = shown(drawing)["pictures"]
    assert head == {"title": "NeuralNetwork 4-3-2", "svg": ""}
    assert mlp["svg"]
    assert one["svg"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(2, 2),
        lambda: nn.Sequential(nn.LazyLinear(2), nn.ReLU()),
        lambda: nn.LSTM(2, 2),
        lambda: nn.Sequential(*[nn.Linear(2, 2) for _ in range(13)]),
        lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)),
    ],
)
def test_what_is_no_dense_network_has_none(shown, make):  # noqa: F811
    model = nn.ModuleList([make(), nn.LayerNorm(2)])
    assert shown(aino.draw(model))["pictures"] == []


def test_large_networks_stay_small(shown, monkeypatch):  # noqa: F811
    wide = nn.Sequential(nn.LayerNorm(400), nn.NeuralNetwork([400, 300, 10]))
    (picture,) = shown(aino.draw(wide))["pictures"]
    assert len(picture["svg"]) < 60_000
    assert "<image" not in picture["svg"]
    monkeypatch.setattr(insets, "_ENOUGH", 1000)
    assert len(shown(aino.draw(Model()))["pictures"]) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_names_in_pictures_are_text(tmp_path, text):
    path = tmp_path / "network.html"
    aino.draw(aino.NeuralNetwork([1, 1]), path, features=[text], classes=[text])
    page = path.read_text()
    assert page.count("<script") == page.count("</script>") == 3
    root = ElementTree.fromstring(written(path)["pictures"][0]["svg"])
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {
        "svg",
        "title",
        "style",
        "defs",
        "marker",
        "path",
        "line",
        "circle",
        "text",
        "rect",
    }
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
