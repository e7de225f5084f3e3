"""Plain Python state, wherever it is kept: a program sees it change, or refuses to change it."""

import functools
import random
from types import SimpleNamespace

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError

# Plain state that the user changes, wherever it is kept


SCALE = 1.0


def scale():
    return SCALE


class Trainer:
    shared = 1.0

    def __init__(self):
        self.cfg = SimpleNamespace(a=1.0, deep={"k": [1.0]})
        self.coefficients = [1.0]
        self.count = 0

    @property
    def factor(self):
        return self.cfg.a

    def helped(self, x):
        return self.inner(x) * self.coefficients[0]

    def inner(self, x):
        return x * self.cfg.a

    def deep(self, x):
        return x * self.cfg.deep["k"][0]

    def by_property(self, x):
        return x * self.factor

    def by_class(self, x):
        return x * self.shared

    def aliased(self, x):
        coefficients = self.coefficients
        return x * coefficients[0]


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.cfg = {"k": 1.0}

    def forward(self, x):
        return x * self.cfg["k"]


def of_global():
    global SCALE
    SCALE = 1.0

    def change():
        global SCALE
        SCALE = 5.0

    return (lambda x: x * scale()), change


def of_namespace():
    cfg = SimpleNamespace(scale=1.0)
    return (lambda x: x * cfg.scale), lambda: setattr(cfg, "scale", 5.0)


def of_dictionary():
    cfg = {"scale": 1.0}
    return (lambda x: x * cfg["scale"]), lambda: cfg.update(scale=5.0)


def of_tensor_in_namespace():
    cfg = SimpleNamespace(x=aino.ones(1))
    return (lambda x: x * cfg.x), lambda: setattr(cfg, "x", aino.full((1,), 5.0))


def of_trainer(method, change):
    def build():
        trainer = Trainer()
        return getattr(trainer, method), lambda: change(trainer)

    return build


def of_list():
    layers = [nn.Identity()]

    def step(x):
        for layer in layers:
            x = layer(x)
        return x * 1

    return step, lambda: layers.append(lambda x: x * 5)


def of_module():
    model = Scaled()
    return (lambda x: model(x)), lambda: model.cfg.update(k=5.0)


def of_parameter():
    model = nn.Linear(1, 1, bias=False)
    with aino.no_grad():
        model.weight.fill_(1.0)

    def change():
        model.weight = nn.Parameter(aino.full((1, 1), 5.0))

    return (lambda x: x * model.weight.detach().reshape(1)), change


def of_mode():
    model = nn.Linear(1, 1)
    return (lambda x: x * (1 if model.training else 5)), model.eval


def of_partial():
    function = functools.partial(lambda x, by: x * by, by=1.0)
    return function, lambda: function.keywords.update(by=5.0)


def of_callable():
    trainer = Trainer()

    class Call:
        def __call__(self, x):
            return x * trainer.cfg.a

    return Call(), lambda: setattr(trainer.cfg, "a", 5.0)


STATE = {
    "a global that a helper reads": of_global,
    "a namespace": of_namespace,
    "a dictionary": of_dictionary,
    "a tensor in a namespace": of_tensor_in_namespace,
    "a namespace of self, in a method": of_trainer("helped", lambda t: setattr(t.cfg, "a", 5.0)),
    "a list of self": of_trainer("helped", lambda t: t.coefficients.__setitem__(0, 5.0)),
    "a list by another name": of_trainer("aliased", lambda t: t.coefficients.__setitem__(0, 5.0)),
    "deep down": of_trainer("deep", lambda t: t.cfg.deep["k"].__setitem__(0, 5.0)),
    "a property": of_trainer("by_property", lambda t: setattr(t.cfg, "a", 5.0)),
    "over a class's attribute": of_trainer("by_class", lambda t: setattr(t, "shared", 5.0)),
    "a list of layers": of_list,
    "a dictionary of a module": of_module,
    "a parameter of a module that does not run": of_parameter,
    "the mode of a module that does not run": of_mode,
    "the keywords of a partial": of_partial,
    "what an object that is called reads": of_callable,
}  # fmt: skip


@pytest.mark.parametrize("name", STATE)
def test_state_that_the_user_changes_between_calls(name):
    step, change = STATE[name]()
    step = aino.compile(step)
    found = [step(aino.ones(1)).item() for _ in range(4)]
    assert repr(step).endswith("1 of 1 signatures ready>")
    change()
    found += [step(aino.ones(1)).item() for _ in range(4)]
    assert found == [1.0] * 4 + [5.0] * 4


def test_a_counter_of_the_trainer_is_refused_and_stays_right():
    class Counting(Trainer):
        def step(self, x):
            self.count += 1
            self.coefficients.append(0.0)
            return x * 2

    trainer = Counting()
    step = aino.compile(trainer.step)
    step(aino.ones(1))
    with pytest.raises(CompileError, match=r"changes self.count, from 1 to 2 at every call"):
        step(aino.ones(1))
    assert trainer.count == 1
    assert trainer.coefficients == [1.0, 0.0]


@pytest.mark.parametrize("draw", [random.random, np.random.rand])
def test_other_generators_are_refused(draw):
    before = random.getstate(), np.random.get_state()[1].tolist()
    step = aino.compile(lambda x: x * 2 if draw() < 0.5 else x * 3)
    with pytest.raises(CompileError, match=r"draws from (np\.)?random"):
        step(aino.ones(1))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
