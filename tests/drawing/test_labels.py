"""Labels: what the user calls a tensor, wherever it is."""

import copy
import gc
import pickle
import weakref

import pytest

import aino
from aino import nn
from aino.autograd.labels import labelled
from tests.drawing.reading import read


def inner(x, w):
    """Compute with labels; the tensors in between are gone afterwards."""
    product = x * w
    product.label = "product"
    return product.sum()


def titles(drawing):
    return {line for lines in read(drawing).labels.values() for line in lines}


def test_labels_of_leaves_constants_and_results():
    pixels, w = aino.tensor([1.0, 2.0]), aino.tensor([0.5, -1.0], requires_grad=True)
    pixels.label, w.label = "image", "weight"
    y = inner(pixels, w)
    found = read(aino.draw(y))
    assert found.vertex("image")[0] == "image"
    assert found.vertex("weight")[0] == "weight"
    assert "mul  product = image · weight" in found.titles()
    assert not {"pixels", "w"} & titles(aino.draw(y))


def test_names_come_before_labels_and_labels_before_the_rest():
    model = nn.Linear(2, 1)
    model.weight.label = "W"
    x = aino.ones(1, 2)
    x.label = "samples"
    assert {"W", "samples", "bias"} <= titles(aino.draw(model, x))
    assert "weight" not in titles(aino.draw(model, x))
    found = titles(aino.draw(model, x, names={"given": model.weight}))
    assert "given" in found
    assert "W" not in found


def test_labels_that_a_module_sets_while_it_runs():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def forward(self, x):
            self.hidden = self.linear(x)
            self.hidden.label = "kept"
            gone = self.hidden.tanh()
            gone.label = "gone"
            return gone.sum()

    said = titles(aino.draw(Net(), aino.ones(1, 2)))
    assert {"linear  kept = x weightᵀ + bias", "tanh  gone = tanh kept"} <= said


def test_a_label_is_read_changed_and_taken_away():
    x = aino.tensor(1.0, requires_grad=True)
    assert x.label is None
    x.label = "first"
    y = x * 2.0
    y.label = "second"
    assert (x.label, y.label) == ("first", "second")
    x.label = y.label = None
    assert (x.label, y.label) == (None, None)
    assert "first" not in titles(aino.draw(y.exp()))
    assert "second" not in titles(aino.draw(y.exp()))
    with pytest.raises(TypeError, match="a label is a string"):
        x.label = 3
    assert x.label is None


def test_a_write_in_place_leaves_the_label():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2.0
    h.label = "hidden"
    h.add_(1.0)
    assert h.label == "hidden"
    assert "add  hidden = v₁ + 1" in read(aino.draw(h.sum())).titles()


def test_copies_and_pickles_keep_it_and_others_have_none():
    for x in (aino.tensor([1.0]), nn.Parameter(aino.ones(1))):
        x.label = "mine"
        for same in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
            assert same.label == "mine"
            assert type(same) is type(x)
        for other in (x.detach(), x.clone(), x * 1.0, x.view(1)):
            assert other.label is None


def test_labels_keep_nothing_alive():
    x = aino.tensor([1.0], requires_grad=True)
    x.label = "short-lived"
    gone = weakref.ref(x)
    gc.disable()
    try:
        del x
        assert gone() is None
    finally:
        gc.enable()
    assert "short-lived" not in [label for label, _ in labelled()]


def test_gradients_and_hooks_are_as_they_were():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    x.label, y.label = "x", "y"
    y.register_hook(lambda g: g * 2.0)
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_in_a_compiled_function_it_is_refused_by_name():
    @aino.compile(fullgraph=True)
    def step(x):
        y = x * 2.0
        y.label = "doubled"
        return y

    with pytest.raises(aino.errors.CompileError, match="label of a tensor"):
        step(aino.ones(2))
