"""``overfit_one_batch`` tells models that learn from those that can't, and says why."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.debug import overfit_one_batch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype(np.float32)
CLASSES = RNG.integers(0, 3, 12)
VALUES = RNG.normal(size=(12, 1)).astype(np.float32)


def network(*last):
    return nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 3), *last)


def regression(*last):
    return nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1), *last)


LEARNS = {
    "classes": (network, "cross_entropy", (X, CLASSES)),
    "module": (network, nn.CrossEntropyLoss(), [X, CLASSES]),
    "lists": (lambda: nn.Linear(2, 1), "mse", ([[0.0, 1.0], [1.0, 0.0]], [[1.0], [0.0]])),
    "values": (regression, "mse", (aino.tensor(X), VALUES)),
    "function": (regression, lambda y, t: ((y - t) ** 2).mean(), (X, VALUES)),
    "several inputs": (lambda: nn.Bilinear(3, 3, 8),
                       lambda y, t: ((y.sum(1) - t[:, 0]) ** 2).mean(),
                       ((X, X), VALUES)),
}  # fmt: skip


@pytest.mark.parametrize("case", LEARNS)
def test_what_learns(case):
    aino.manual_seed(0)
    make, loss, data = LEARNS[case]
    found = overfit_one_batch(make(), loss, data)
    assert found
    assert found.learned
    assert found.last < 0.1 * found.first
    assert found.advice == []
    assert len(found.losses) <= 201
    assert "it learns" in str(found)


class Deaf(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(aino.zeros(1))

    def forward(self, x):
        return self.bias.expand(len(x), 1)


class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = regression()

    def forward(self, x):
        return self.inner(x).detach()


def zeros():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    for part in model.parameters():
        nn.init.zeros_(part)
    return model


DOES_NOT = {
    "softmax": (lambda: network(nn.Softmax(-1)), "cross_entropy", (X, CLASSES), "takes logits"),
    "frozen": (lambda: network().requires_grad_(False), "cross_entropy", (X, CLASSES), "frozen"),
    "cut off": (Cut, "mse", (X, VALUES), "does not lead back"),
    "relu": (lambda: regression(nn.ReLU()), "mse", (X, -abs(VALUES)), "go below 0"),
    "sigmoid": (lambda: regression(nn.Sigmoid()), "mse", (X, 9 + abs(VALUES)), "beyond 1"),
    "deaf": (Deaf, "mse", (X, VALUES), "the same for every sample"),
    "contradiction": (regression, "mse", (0 * X, VALUES), "equal inputs"),
    "zeros": (zeros, "mse", (X, VALUES - VALUES.mean()), "zero everywhere"),
    "nan": (regression, "mse", (X, VALUES * np.float32("nan")), "find_nan"),
    "infinite data": (regression, "mse", (X * np.float32("inf"), VALUES), "before anything was"),
    "no parameters": (nn.ReLU, "mse", (X, X), "has no parameters"),
}


@pytest.mark.parametrize("case", DOES_NOT)
def test_what_does_not_learn_and_why(case):
    aino.manual_seed(0)
    make, loss, data, words = DOES_NOT[case]
    found = overfit_one_batch(make(), loss, data, steps=25)
    assert not found
    assert words in " ".join(found.advice)
    assert "it learns:" not in str(found)


def test_rate_and_optimizer_of_ones_own():
    found = overfit_one_batch(
        regression(), "mse", (X, VALUES), steps=3, lr=0.5, optimizer=aino.optim.SGD
    )
    assert (found.lr, len(found.tries), len(found.losses)) == (0.5, 1, 4)
    assert "in 3 steps of SGD with lr=0.5" in " ".join(str(found).split())
    assert "<table>" in found._repr_html_()


def test_an_optimizer_that_looks_for_its_step():
    found = overfit_one_batch(
        regression(), "mse", (X, VALUES), steps=20, lr=1.0, optimizer=aino.optim.LBFGS
    )
    assert found.learned
    assert found.optimizer == "LBFGS"


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_steps_are_a_number_above_0(steps):
    with pytest.raises(ValueError, match="steps"):
        overfit_one_batch(network(), "cross_entropy", (X, CLASSES), steps=steps)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ((nn.Linear, "mse", (X, X)), TypeError, "not its class"),
        ((nn.Linear(3, 3), "mse", X), TypeError, "a pair"),
        ((nn.Linear(3, 3), "msee", (X, X)), ValueError, "did you mean"),
        ((nn.Linear(3, 3), "mse", []), TypeError, "0 parts"),
        ((nn.Linear(3, 3), "mse", (X[:0], X[:0])), ValueError, "the batch is empty"),
        ((nn.Linear(3, 3), "cross_entropy", (X[:0], CLASSES[:0])), ValueError, "is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, kind, words):
    with pytest.raises(kind, match=words):
        overfit_one_batch(*arguments)
