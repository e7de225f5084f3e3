"""What beginners get wrong is answered with what they probably meant."""

import os

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import ArgumentError, CompileError, DitError, DtypeError, ShapeError
from aino.train import Trainer

F = nn.functional
four, three = aino.ones(4), aino.ones(3, 3)


def fitted(features):
    sizes = aino.NeuralNetwork([features, 2, 1], seed=0)
    return sizes.fit(np.eye(4, features), [0.0, 1.0, 1.0, 0.0], epochs=1, verbose=False)


def pd():
    return pytest.importorskip("pandas")


def of_table():
    table = pd().DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0]})
    return aino.NeuralNetwork(seed=0).fit(table, [0, 1, 0], epochs=1, verbose=False)


def predictor():
    called = aino.compile(nn.Linear(4, 2))
    with aino.no_grad():
        called(four[None])
    return called


#: What is done, the error, its words.
MISTAKES = {
    "one sample": (lambda: fitted(3).predict(np.ones(3)), ShapeError,
                   r"X\.reshape\(1, -1\) makes a single sample"),
    "neither": (lambda: fitted(2).predict(np.ones(3)), ShapeError, r"takes \(samples, 2\)$"),
    "one or the other": (lambda: aino.NeuralNetwork().fit(np.ones(3), [0, 1, 0]), ShapeError,
                         r"X\.reshape\(-1, 1\).*X\.reshape\(1, -1\)"),
    "a column that is missing": (lambda: of_table().predict(pd().DataFrame({"b": [1.0]})),
                                ValueError, r"X comes without \['a'\]"),
    "settings for two layers": (lambda: aino.NeuralNetwork([2, 3, 1], dropout=[0.1, 0.2]),
                                ValueError, "there is 1 hidden layer"),
    "an optimizer in a file": (lambda: aino.save(aino.optim.Adam([nn.Parameter(four)]), "a.dit"),
                               DitError, r"is an Adam.*state_dict\(\)"),
    "no sample": (lambda: aino.NeuralNetwork().fit([], []), ShapeError, r"\(samples, features\)$"),
    "a list in Sequential": (lambda: nn.Sequential([nn.ReLU()]), TypeError,
                             r"Sequential\(\*modules\)"),
    "a class in Sequential": (lambda: nn.Sequential(nn.ReLU), TypeError, r"class: ReLU\(\.\.\.\)"),
    "a path before what is saved": (lambda: aino.save("a.dit", nn.ReLU()), DitError, "comes first"),
    "a path before what is drawn": (lambda: aino.draw("a.svg", three), TypeError, "comes first"),
    "a file as a state": (lambda: nn.ReLU().load_state_dict("a.dit"), TypeError, r"aino\.load"),
    "a model as a state": (lambda: nn.ReLU().load_state_dict(nn.ReLU()), TypeError,
                           r"give its state_dict\(\)"),
    "a list as an input": (lambda: nn.Linear(2, 1)([[1.0, 2.0]]), DtypeError, r"aino\.tensor\("),
    "labels that are floats": (lambda: F.cross_entropy(three, aino.ones(3)), DtypeError,
                               r"target\.long\(\), or probabilities"),
    "indices that are floats": (lambda: nn.Embedding(3, 2)(aino.ones(3)), DtypeError, r"\.long\("),
    "bags of floats": (lambda: nn.EmbeddingBag(3, 2)(aino.ones(1, 3)), DtypeError, r"\.long\("),
    "a loss at once": (lambda: nn.MSELoss(three, three), ArgumentError, r"MSELoss\(\)\(input"),
    "a loss with weights": (lambda: F.mse_loss(four, four, four), ArgumentError, "not tensors"),
    "source before a call": (lambda: aino.compile(nn.ReLU()).save_source("a.py"), CompileError,
                             "call it once"),
    "source in another language": (lambda: predictor().save_source("a.rs"), ArgumentError,
                                   r"\.py, C as \.c, and nothing as \.rs"),
    "no folder to save in": (lambda: aino.save(three, os.path.join("no folder", "a.dit")), DitError,
                             "there is no folder '.*no folder', make it first"),
    "no folder to draw in": (lambda: aino.draw(nn.Linear(2, 1), "no folder/a.svg"),
                             FileNotFoundError, "no such folder, make it first: 'no folder'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_the_error_says_what_to_do(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, error, words = MISTAKES[name]
    with pytest.raises(error, match=words):
        call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        ([[1.0, 2.0], [3.0, float("nan")]], [1.0, 2.0], r"X\[1, 1\] is nan, in the data"),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, float("inf")], r"y\[1, 0\] is inf, in the data"),
        ([[1e30, 2.0], [3.0, 4.0]], [1.0, 2.0], "a smaller learning rate.*find_nan"),
    ],
)
def test_learning_that_came_to_nothing_says_whether_it_was_the_data(X, y, words):
    trainer = Trainer(nn.Linear(2, 1), "sgd", "mse", lr=1.0)
    with pytest.warns(RuntimeWarning, match=words):
        trainer.fit(np.array(X), np.array(y)[:, None], epochs=2, verbose=False)


@pytest.mark.parametrize(("value", "words"), [(-4.0, "e^(-(-4))"), (4.0, "e^(-4)")])
def test_an_explanation_keeps_two_signs_apart(value, words):
    x = aino.tensor(value, requires_grad=True)
    assert words in str(aino.explain(aino.sigmoid(x)))


def test_an_explanation_has_numbers_for_all_letters_and_brackets_once():
    x = aino.tensor(-4.0, requires_grad=True)
    text = str(aino.explain(F.softplus(x, beta=2.0)))
    assert "ln(1 + e^(2 · (-4))) / 2" in text
    assert "σ(-4)" in str(aino.explain(F.silu(x)))
