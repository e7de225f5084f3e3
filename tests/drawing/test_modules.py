"""A module with inputs is run, and what it recorded is drawn in boxes."""

import numpy as np
import pytest

import aino
from aino import nn
from tests.drawing.reading import read
from tests.drawing.transformer import Transformer


@pytest.fixture(scope="module")
def transformer():
    return Transformer(layers=4)


@pytest.fixture(scope="module")
def tokens():
    return aino.arange(12).reshape(2, 6)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.scale = nn.Parameter(aino.tensor(2.0))

    def forward(self, x, *, shift=0.0):
        return self.scale * self.layer(x) + shift


def test_modules_are_boxes_around_what_they_did():
    model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid", seed=0)
    found = read(aino.draw(model, aino.tensor([[0.0, 1.0]])))
    assert found.clusters == [
        "NeuralNetwork, 13 parameters",
        "layers.0  Layer, 9 parameters",
        "layers.1  Layer, 4 parameters",
    ]
    inside = ["NeuralNetwork, 13 parameters", "layers.0  Layer, 9 parameters"]
    assert found.around("layers.0.weight") == inside
    assert found.around("sigmoid  v₂ = 1 / (1 + e^(-v₁))") == inside
    assert found.around("input") == []
    assert found.vertex("input") == ["input", "(1, 2) float32", "[0, 1]"]
    assert [found.labels[name][-1] for name, look in found.looks.items() if "periph" in look] == [
        f"[{model(aino.tensor([[0.0, 1.0]])).item():.4g}]"
    ]


def test_gradients_of_parameters_are_shown():
    model = nn.Linear(2, 1)
    x = aino.tensor([[1.0, 2.0]])
    model(x).sum().backward()
    assert read(aino.draw(model, x)).vertex("weight")[-1] == "grad [1, 2]"
    class_of_input = read(aino.draw(model, x, gradients=True)).vertex("input")
    assert class_of_input[-1].startswith("grad [")


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 9, None])
def test_depth_folds_boxes(transformer, tokens, depth):
    found = read(aino.draw(transformer, tokens, depth=depth))
    assert "tokens" in found.titles()
    titles = [found.labels[name][0] for name, look in found.looks.items() if "component" in look]
    if depth == 0:
        assert titles == ["Transformer"]
        assert found.vertex("Transformer")[-1].startswith("(2, 6, 50) float32, norm ")
        assert found.pairs() == [("tokens", "Transformer")]
    if depth == 1:
        blocks = [f"blocks.{i}  Block" for i in range(4)]
        assert titles == ["words  Embedding", *blocks, "norm  LayerNorm", "head  Linear"]
        assert found.clusters == [f"Transformer, {parameters(transformer):,} parameters"]
        assert found.vertex("blocks.2  Block")[1] == "3,280 parameters"
        assert found.vertex("blocks.2  Block")[2].startswith("(2, 6, 16) float32, norm ")
        assert ("blocks.0  Block", "blocks.1  Block") in found.pairs()
        assert len(found.labels) == 11
    if depth == 2:
        assert "blocks.3.attention  Attention" in titles
        assert "blocks.3.mlp  Sequential" in titles
        assert [title for title in found.clusters if "Block" in title] == [
            f"blocks.{i}  Block, 3,280 parameters" for i in range(4)
        ]
    if depth is None:  # there is no room for all blocks
        assert "Block × 3  blocks.1 … blocks.3" in titles
        assert "blocks.0.mlp.0  Linear" in titles
        assert len(found.labels) <= 48
    if depth == 9:
        assert titles == []
        assert "blocks.3.attention.query.weight" in found.titles()


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_a_folded_transformer_fits_a_page(transformer, tokens):
    svg = picture_size(aino.draw(transformer, tokens, depth=1))
    assert svg[0] < 595
    assert svg[1] < 842


def picture_size(drawing):
    pytest.importorskip("pygraphviz")
    head = drawing._repr_svg_().partition("<svg")[2]
    return [float(head.split(f'{side}="')[1].split("pt")[0]) for side in ("width", "height")]


def test_a_shared_module_is_a_box_for_each_call():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(self.layer(x))

    found = read(aino.draw(Twice(), aino.ones(1, 2)))
    assert found.clusters[1:] == [
        "layer  Linear, 6 parameters", "layer (call 2)  Linear, 6 parameters"
    ]  # fmt: skip
    # Its parameters stand outside both.
    assert found.around("layer.weight") == found.clusters[:1]


def test_inputs_of_all_kinds():
    class Many(nn.Module):
        def forward(self, pair, options, count, *rest):
            return pair[0] * pair[1] + options["bias"] * count + rest[0]

    given = aino.ones(2)
    found = read(
        aino.draw(
            Many(), (given, np.ones(2, np.float32)), {"bias": aino.ones(2)}, 3, aino.ones(2),
            names={"x": given},
        )
    )  # fmt: skip
    assert {"x", "pair[1]", "options['bias']", "rest[0]"} <= set(found.titles())


def test_integer_inputs_have_dashed_arrows(transformer, tokens):
    found = read(aino.draw(transformer, tokens))
    assert found.vertex("tokens")[1] == "(2, 6) int64"
    (look,) = [attributes for tail, _, attributes in found.edges if tail == "tokens"]
    assert "dashed" in look


def test_a_frozen_parameter_is_drawn_as_one():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    found = read(aino.draw(model, aino.ones(1, 2)))
    assert found.vertex("0.weight")[1] == "frozen"
    assert "note" in found.look("0.weight")


def test_buffers_carry_their_names():
    class Shift(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("by", aino.tensor([1.0, 2.0]))

        def forward(self, x):
            return x * self.by

    assert "by" in read(aino.draw(Shift(), aino.ones(2))).titles()


def test_several_outputs_of_a_module():
    class Pair(nn.Module):
        def forward(self, x):
            return {"mean": x.mean(), "more": [x.sum(), None, "text"]}

    source = aino.draw(Pair(), aino.ones(3)).source
    assert "mean" in source
    assert "more[0]" in source
    assert source.count("peripheries") == 2


def test_a_module_that_returns_its_input():
    found = read(aino.draw(nn.Identity(), aino.ones(2)))
    assert found.titles() == ["input", "Identity"]
    assert found.vertex("Identity")[-1] == "does nothing now"


def test_the_inputs_may_have_a_history_of_their_own():
    x = aino.ones(2, requires_grad=True)
    h = x * 2.0
    found = read(aino.draw(nn.Tanh(), h))
    assert found.titles() == ["input", "tanh  v₁ = tanh input"]
    assert h.grad_fn is not None


def test_a_module_that_writes_its_input_in_place():
    class Doubled(nn.Module):
        def forward(self, x):
            return x.mul_(2.0)

    x = aino.ones(2)
    found = read(aino.draw(Doubled(), x))
    assert x.tolist() == [2.0, 2.0]
    assert found.titles()[-1] == "mul  v₁ = x · 2"


def test_drawing_leaves_the_model_as_it_was():
    model = nn.Sequential(Scaled(), nn.Dropout(0.5))
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append("hook"))
    x = aino.ones(3, 2)
    aino.manual_seed(3)
    expected = aino.rand(2).tolist()
    aino.manual_seed(3)
    with aino.no_grad():
        aino.draw(model, x)
    assert aino.rand(2).tolist() == expected
    assert calls == ["hook"]
    assert not x.requires_grad
    assert all(p.grad is None for p in model.parameters())
    assert [module._hooks is None for module in model.modules()] == [True, False, True, True]
    model(x)
    assert calls == ["hook", "hook"]


def test_what_was_computed_before_an_error_is_drawn():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 1))
    with pytest.warns(UserWarning, match="Sequential raised ShapeError: linear"):
        drawing = aino.draw(model, aino.ones(1, 2))
    found = read(drawing)
    failed = found.vertex("ShapeError")
    assert failed[1].startswith("linear: the input has shape (1, 2)")
    assert "failed here" in failed
    assert any(line.startswith("test_modules.py:") for line in failed)
    assert found.around("ShapeError")[-1] == "1  Linear, 4 parameters"
    assert ("linear  v₁ = input weightᵀ + bias", "ShapeError") in found.pairs()
    assert [box.mark for box in drawing.whole.vertices[-1].box.chain()] == ["failed", "failed"]
    assert all(module._hooks is None for module in model.modules())


def test_the_first_numbers_that_are_none_are_marked():
    x = aino.tensor([1.0, 0.0], requires_grad=True)
    drawing = aino.draw((aino.log(x - 1.0) * 2.0).sum())
    assert [v.mark for v in drawing.graph.vertices] == ["", "", "nan", "", ""]


def test_modules_that_do_nothing_are_drawn_as_passed():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 1)
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            h = self.drop(self.first(x))
            return self.second(h) + h.sum()

    found = read(aino.draw(Net().eval(), inputs=aino.ones(1, 2), depth=1))
    assert found.vertex("drop") == ["drop", "Dropout", "p=0.5", "does nothing now"]
    assert ("first  Linear", "drop") in found.pairs()
    assert [head.split()[0] for tail, head in found.pairs() if tail == "drop"] == [
        "second", "sum"
    ]  # fmt: skip
    assert "does nothing now" not in aino.draw(Net(), aino.ones(1, 2)).source


def test_inputs_by_keyword():
    model, x = nn.Linear(2, 1), aino.ones(1, 2)
    sources = [
        aino.draw(model, x).source, aino.draw(model, inputs=x).source,
        aino.draw(model, inputs=(x,)).source, aino.draw(model, inputs={"input": x}).source,
    ]  # fmt: skip
    assert len(set(sources)) == 1
    assert "shift" in aino.draw(Scaled(), inputs={"x": x, "shift": aino.ones(2)}).source


def test_modules_stand_in_the_order_in_which_they_ran():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.second, self.first = nn.Linear(2, 1), nn.Linear(2, 2)

        def forward(self, x):
            return self.second(self.first(x))

    found = read(aino.draw(Net(), aino.ones(1, 2)))
    assert [title.split()[0] for title in found.clusters[1:]] == ["first", "second"]


def test_lines_of_the_program_are_known():
    drawing = aino.draw(Scaled(), aino.ones(1, 2))
    lines = [vertex.line for vertex in drawing.whole.vertices if vertex.kind == "operation"]
    assert [line.partition("  ")[2] for line in lines] == [
        "return self.scale * self.layer(x) + shift"
    ] * 3


def test_hooks_of_the_user_stand_inside_the_box():
    model = nn.Sequential(nn.Tanh())
    model[0].register_forward_pre_hook(lambda module, args: (args[0] * 3.0,))
    model[0].register_forward_hook(lambda module, args, output: output + 1.0)
    found = read(aino.draw(model, aino.ones(2)))
    box = ["Sequential", "0  Tanh"]
    assert found.around("mul  v₁ = input · 3") == box
    assert found.around("add  v₃ = v₂ + 1") == box


def test_a_perceptron_of_a_layer():
    layer = nn.Layer(2, 3, "tanh")
    found = read(aino.draw(layer[1], aino.ones(2)))
    assert "getitem  weight = layer.weight[1]" in found.titles()
    assert "layer.weight" in found.titles()


def test_the_same_picture_of_the_same_model(transformer, tokens):
    assert aino.draw(transformer, tokens).source == aino.draw(transformer, tokens).source


class Network(nn.Module):
    """Layers one after another, the first output of each where it has several."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
            x = x[0] if isinstance(x, tuple) else x
        return x


#: Networks of every kind, and an input.
NETWORKS = {
    "convolutions": (
        lambda: Network(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2, return_indices=True),
            nn.Dropout2d(0.5), nn.ConvTranspose2d(2, 3, 2), nn.GroupNorm(1, 3),
            nn.InstanceNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2),
        ),
        lambda: aino.randn(2, 1, 6, 6),
    ),
    "LSTM": (
        lambda: Network(nn.Embedding(5, 3), nn.LSTM(3, 4, 2), nn.GRU(4, 2, bidirectional=True)),
        lambda: aino.randint(0, 5, (3, 2)),
    ),
    "attention": (
        lambda: Network(nn.TransformerEncoderLayer(4, 2, 6), nn.TransformerEncoderLayer(4, 1, 6)),
        lambda: aino.randn(3, 2, 4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("depth", [1, 2, None])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_every_kind_are_drawn(name, depth):
    make, draw = NETWORKS[name]
    model = make()
    source = aino.draw(model, draw(), depth=depth).source
    for i, layer in enumerate(model.layers):
        if depth != 1:
            assert f"layers.{i}" in source
            assert type(layer).__name__ in source
    if depth is None:
        # An operation of several outputs has no shape itself.
        assert "() float32" not in source
        aino.draw(model(draw()).sum())
