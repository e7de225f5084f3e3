"""Plain Python state, wherever it is kept: a program sees it change, or refuses to change it."""

import functools
from collections import OrderedDict, deque
from types import SimpleNamespace

import numpy as np
import pytest

import aino
from aino import nn

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


class Slotted:
    __slots__ = ("s",)

    def __init__(self):
        self.s = 1.0


class Base:
    def __init__(self):
        self.s, self.parts, self.deep = 1.0, [SimpleNamespace(k=1.0)], {"a": [{"b": 1.0}]}

    def inherited(self, x):
        return x * self.s


class Derived(Base):
    def inherited(self, x):
        return super().inherited(x)

    def in_lambda(self, x):
        return (lambda y: y * self.s)(x)

    def in_generator(self, x):
        return x * sum(self.s for _ in range(1))

    def in_helper(self, x):
        return multiplied(x, self)

    def by_computed_name(self, x):
        return x * getattr(self, "".join(["s"]))

    def over_parts(self, x):
        for part in self.parts:
            x = x * part.k
        return x

    def given_deep(self, x):
        return from_below(x, self.deep)


def multiplied(x, holder):
    return x * holder.s


def from_below(x, deep):
    return x * deep["a"][0]["b"]


def of_method(name, change):
    def build():
        holder = Derived()
        return getattr(holder, name), lambda: change(holder)

    return build


def of_slots():
    box = Slotted()
    return (lambda x: x * box.s), lambda: setattr(box, "s", 5.0)


def of_alias():
    holder = Base()

    def step(x):
        mine = holder
        return x * mine.s

    return step, lambda: setattr(holder, "s", 5.0)


def of_default():
    cfg = {"s": 1.0}

    def step(x, cfg=cfg):
        return x * cfg["s"]

    return step, lambda: cfg.update(s=5.0)


def of_decorated():
    cfg = OrderedDict(s=1.0)

    @aino.no_grad()
    def step(x):
        return x * cfg["s"]

    return step, lambda: cfg.update(s=5.0)


def of_absence():
    holder = SimpleNamespace()
    return (lambda x: x * 5 if hasattr(holder, "flag") else x * 1), lambda: setattr(
        holder, "flag", True
    )


def of_long_list():
    numbers = [1.0] * 50
    return (lambda x: x * (sum(numbers) - 49)), lambda: numbers.__setitem__(7, 5.0)


def of_deque():
    numbers = deque([1.0])
    return (lambda x: x * numbers[0]), lambda: numbers.__setitem__(0, 5.0)


def of_partial_arguments():
    numbers = [1.0]
    function = functools.partial(lambda numbers, x: x * numbers[0], numbers)
    return function, lambda: numbers.__setitem__(0, 5.0)


def of_array():
    array = np.ones(1, np.float32)
    return (lambda x: x * aino.tensor(array)), lambda: array.fill(5.0)


def _set(holder):
    holder.s = 5.0


STATE = {
    "self in a lambda": of_method("in_lambda", _set),
    "self in a generator": of_method("in_generator", _set),
    "self given to a helper": of_method("in_helper", _set),
    "super()": of_method("inherited", _set),
    "a computed name": of_method("by_computed_name", _set),
    "objects of a list": of_method("over_parts", lambda h: setattr(h.parts[0], "k", 5.0)),
    "containers in containers": of_method(
        "given_deep", lambda h: h.deep["a"][0].__setitem__("b", 5.0)
    ),
    "slots": of_slots,
    "another name": of_alias,
    "a default": of_default,
    "a decorated closure": of_decorated,
    "an attribute that appears": of_absence,
    "a long list": of_long_list,
    "a deque": of_deque,
    "the arguments of a partial": of_partial_arguments,
    "an array that is copied": of_array,
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
