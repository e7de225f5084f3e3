"""What only looks at a model leaves it as it was found, whatever its ``forward`` changes."""

import random
from collections import deque

import numpy as np
import pytest

import aino
from aino import nn
from aino.nn.base.found import Found


class Base(nn.Module):
    """A layer, and what a call of ``change`` does beside."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("seen", aino.zeros(3))
        self.register_buffer("later", None)
        self.calls, self.last, self.history = 0, None, []
        self.by_name, self.recent = {"first": 1}, deque([1, 2], maxlen=2)
        self.plain = aino.ones(3)
        self.own = np.random.default_rng(0)
        self.pythons, self.ainos = random.Random(0), aino.Generator()

    def forward(self, x):
        self.change(x)
        return self.layer(x)


def weights(self, x):
    with aino.no_grad():
        self.layer.weight.clamp_(-0.01, 0.01)


def rebound_buffer(self, x):
    self.seen = self.seen * 0.9 + x.detach().mean(0)


def written_buffer(self, x):
    self.seen.mul_(0.5).add_(aino.ones(3))


def first_buffer(self, x):
    if self.later is None:
        self.later = aino.ones(3)
    self.later = self.later + 1


def counter(self, x):
    self.calls += 1


def hidden(self, x):
    self.last = self.layer(x)


def appended(self, x):
    self.history.append(x.sum())


def by_name(self, x):
    self.by_name["first"] = self.by_name["last"] = x


def recent(self, x):
    self.recent.append(3)


def plain_tensor(self, x):
    self.plain += 1


def deleted(self, x):
    if hasattr(self, "own"):
        del self.own


def mode(self, x):
    self.layer.eval()


def draws(self, x):
    self.own.random(), self.pythons.random(), random.random(), aino.rand(1)
    aino.rand(1, generator=self.ainos)
    np.random.random()


def memory(self, x):
    self.layer.weight.data = self.layer.weight.data * 0.5
    self.seen.data = aino.ones(5)


def history(self, x):
    if not self.seen.requires_grad:
        self.seen.add_(self.layer.bias.sum())


def gradients(self, x):
    with aino.enable_grad():
        self.layer(x.detach()).sum().backward()
    self.layer.bias.grad.add_(1)


def gradients_anew(self, x):
    self.layer.zero_grad()
    with aino.enable_grad():
        self.layer(x.detach()).sum().backward()


def frozen(self, x):
    self.layer.weight.requires_grad_(False)


CHANGES = [memory, history, gradients, gradients_anew, frozen, weights,
           rebound_buffer, written_buffer, first_buffer, counter, hidden, appended,
           by_name, recent, plain_tensor, deleted, mode, draws]  # fmt: skip


def looked_at(name):
    x, y = aino.ones(4, 3), aino.zeros(4, 2)
    debug = aino.debug
    return {
        "summary": lambda model: aino.summary(model, x),
        "summary of training": lambda model: aino.summary(model, (4, 3), mode="train"),
        "check_gradients": lambda model: debug.check_gradients(model, x, elements=1),
        "compare": lambda model: debug.compare(model, model, x),
        "overfit": lambda model: debug.overfit_one_batch(model, "mse", (x, y), steps=2, lr=0.01),
        "find_lr": lambda model: aino.train.Trainer(model, "adam", "mse").find_lr(x, y, steps=10),
        "draw": lambda model: aino.draw(model, x),
        "activations": lambda model: (
            pytest.importorskip("matplotlib") and aino.plot.activations(model, x)
        ),
    }[name]


LOOKS = ["summary", "summary of training", "check_gradients", "compare", "overfit", "find_lr",
         "draw", "activations"]  # fmt: skip


def held(model):
    """Return all that a model holds, to be compared."""

    def plain(value):
        if isinstance(value, aino.Tensor):
            gradient = value.grad if value.is_leaf else None
            return (
                type(value), id(value), id(value.array), value.detach().numpy().tolist(),
                value.requires_grad, id(gradient),
                None if gradient is None else gradient.numpy().tolist(),
            )  # fmt: skip
        if isinstance(value, (list, deque)):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, np.random.Generator):
            return value.bit_generator.state
        if isinstance(value, random.Random):
            return value.getstate()
        if isinstance(value, aino.Generator):
            return value.get_state().tolist()
        return id(value) if isinstance(value, nn.Module) else value

    parts = [(list(vars(m)), plain(dict(vars(m)))) for m in model.modules()]
    numpys = np.random.get_state()[1].tolist()
    return parts, aino.get_rng_state().tolist(), random.getstate(), numpys


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("look", LOOKS)
def test_what_looks_at_a_model_leaves_it_as_it_was(look, change):
    model = type("Model", (Base,), {"change": change})()
    model.layer(aino.ones(1, 3)).sum().backward()
    before = held(model)
    looked_at(look)(model)
    assert held(model) == before


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_found_is_put_back(change):
    model = type("Model", (Base,), {"change": change})()
    model.layer(aino.ones(1, 3)).sum().backward()
    before = held(model)[0]
    found = Found(model)
    for _ in range(2):
        model(aino.ones(4, 3))
        if change is not draws:  # a state, or a number, may be no part of a module
            assert held(model)[0] != before
        found.put_back()
        assert held(model)[0] == before


def test_a_write_that_is_undone_is_a_write():
    model = nn.Linear(3, 2)
    y = (model.weight * model.weight).sum()
    found = Found(model)
    with aino.no_grad():
        model.weight.add_(1)
    found.put_back()
    with pytest.raises(aino.errors.InplaceError):
        y.backward()


def test_a_lazy_module_stays_what_its_first_call_made_of_it():
    model = nn.Sequential(nn.LazyLinear(2), nn.LazyBatchNorm1d())
    aino.draw(model, aino.ones(4, 3))
    assert repr(model[0]) == "Linear(in_features=3, out_features=2, bias=True)"
    assert model(aino.ones(4, 3)).shape == (4, 2)
