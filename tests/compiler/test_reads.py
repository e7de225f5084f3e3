"""What a function reads of Python's world, however it reaches it: a program sees it change."""

import array
import collections
import configparser
import contextvars
import itertools
import os
import types

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError, CompileWarning
from tests.compiler.showing import assert_follows, registry

CASES, case = registry()
REFUSED, refused = registry()

# Helpers, at any depth

DEPTH = 1.0
TABLE = {str(number): 1.0 for number in range(200)}
KEY = "7"


def one(x):
    return two(x)


def two(x):
    return three(x)


def three(x):
    return four(x) * five()


def four(x):
    return x


def five():
    return six()


def six():
    return DEPTH


@case
def a_global_six_helpers_deep():
    def change():
        global DEPTH
        DEPTH = 5.0

    globals()["DEPTH"] = 1.0
    return one, change


class Weight:
    def __init__(self):
        self.n = 1.0

    def weight(self):
        return self._ramp()

    def _ramp(self):
        return self._fraction()

    def _fraction(self):
        return self.n


@case
def a_method_of_an_object_three_calls_deep():
    kl = Weight()
    return (lambda x: x * kl.weight()), lambda: setattr(kl, "n", 5.0)


# Containers of any length and depth


@case
def an_entry_of_a_long_dictionary_by_a_global_key():
    TABLE[KEY] = 1.0
    return (lambda x: x * TABLE[KEY]), lambda: TABLE.update({KEY: 5.0})


@case
def a_sum_over_a_long_list():
    numbers = [1.5] * 200
    return (lambda x: x * sum(numbers)), lambda: numbers.__setitem__(150, 5.0)


@case
def a_dictionary_of_many_levels():
    deepest = {"d": 1.0}
    outer = {"a": {"b": {"c": [[deepest]]}}}

    def walk(item):
        while isinstance(item, (dict, list)):
            item = item[0] if isinstance(item, list) else item[next(iter(item))]
        return item

    return (lambda x: x * walk(outer)), lambda: deepest.update(d=5.0)


@case
def the_order_of_a_dictionary():
    table = {"a": 3.0, "b": 2.0}

    def step(x):
        for name, value in table.items():
            x = x * value if name == "a" else x + value
        return x

    def change():
        table["a"] = table.pop("a")

    return step, change


@case
def a_number_that_becomes_another_type():
    numbers = [1, 2]
    return (lambda x: x * (5 if isinstance(numbers[-1 + len(numbers)], bool) else 1)), (
        lambda: numbers.__setitem__(1, True)
    )


@case
def what_a_list_of_objects_holds_when_one_is_exchanged_for_its_like():
    parts = [types.SimpleNamespace(k=1.0)]

    def change():
        parts[0] = types.SimpleNamespace(k=1.0)
        parts[0].k = 5.0

    return (lambda x: x * sum(part.k for part in parts)), change


# Free variables of code that is reached through a module


def net(**cells):
    cfg, flag, numbers, kind = (cells.get(name) for name in ("cfg", "flag", "numbers", "kind"))

    class Net(nn.Module):
        def forward(self, x):
            if cfg is not None:
                return x * cfg["k"]
            if numbers is not None:
                return x * numbers[0]
            return x * kind.k if kind is not None else x * flag

    def flip():
        nonlocal flag
        flag = 5.0

    return Net(), flip


@case
def a_dictionary_of_a_modules_closure():
    cfg = {"k": 1.0}
    model, _ = net(cfg=cfg)
    return (lambda x: model(x)), lambda: cfg.update(k=5.0)


@case
def a_list_of_a_modules_closure():
    numbers = [1.0]
    model, _ = net(numbers=numbers)
    return (lambda x: model(x)), lambda: numbers.__setitem__(0, 5.0)


@case
def a_flag_of_a_modules_closure():
    model, flip = net(flag=1.0)
    return (lambda x: model(x)), flip


@case
def a_class_of_a_modules_closure():
    kind = type("Kind", (), {"k": 1.0})
    model, _ = net(kind=kind)
    return (lambda x: model(x)), lambda: setattr(kind, "k", 5.0)


@case
def a_name_imported_inside(module="tests.compiler.imported"):
    import tests.compiler.imported as imported

    imported.k = 1.0

    def step(x):
        from tests.compiler.imported import k

        return x * k

    return step, lambda: setattr(imported, "k", 5.0)


# Arrays outside


def array_case(make):
    def build():
        w = np.ones(3)
        return make(w), lambda: w.__setitem__(0, 5.0)

    return build


ARRAYS = {
    "from_numpy": lambda w: lambda x: x * aino.from_numpy(w),
    "tensor": lambda w: lambda x: x * aino.tensor(w),
    "w * 2": lambda w: lambda x: x * aino.from_numpy(w * 2),
    "sum": lambda w: lambda x: x * w.sum(),
    "float": lambda w: lambda x: x * float(w[0]),
    "tolist": lambda w: lambda x: x * w.tolist()[0],
    "for": lambda w: lambda x: x * sum(v for v in w),
    "itself": lambda w: lambda x: x * w,
    "both": lambda w: lambda x: x * aino.from_numpy(w) * float(w[0]),
    "a helper": lambda w: lambda x: x * (lambda v: float(v.sum()))(w),
    "in a list": lambda w: (lambda held: lambda x: x * float(held[0].sum()))([w]),
}
CASES |= {f"an array: {name}": array_case(make) for name, make in ARRAYS.items()}


# Mappings that are not dictionaries


def environment(read, before="1"):
    def build():
        os.environ.pop("AINO_TEST", None)
        if before is not None:
            os.environ["AINO_TEST"] = before
        return (lambda x: x * float(read())), lambda: os.environ.update(AINO_TEST="5")

    return build


CASES |= {
    "os.environ": environment(lambda: os.environ["AINO_TEST"]),
    "os.environ.get": environment(lambda: os.environ.get("AINO_TEST", "2")),
    "os.getenv": environment(lambda: os.getenv("AINO_TEST")),
    "os.environ, absent": environment(lambda: os.environ.get("AINO_TEST", "1"), None),
    "in os.environ": environment(lambda: 5 if "AINO_TEST" in os.environ else 1, None),
}


def mapping(make, key="k"):
    def build():
        below = {"k": 1.0}
        item = make(below)
        data = item.data if isinstance(item, collections.UserDict) else below
        return (lambda x: x * item[key]), lambda: data.update(k=5.0)

    return build


CASES |= {
    "ChainMap": mapping(lambda below: collections.ChainMap({}, below)),
    "UserDict": mapping(collections.UserDict),
    "a UserDict of the user's": mapping(type("Own", (collections.UserDict,), {})),
    "MappingProxyType": mapping(types.MappingProxyType),
}


@case
def a_context_variable():
    variable = contextvars.ContextVar("variable", default=1.0)
    return (lambda x: x * variable.get()), lambda: variable.set(5.0)


@case
def a_configuration_file():
    config = configparser.ConfigParser()
    config["a"] = {"k": "1"}
    return (lambda x: x * config.getfloat("a", "k")), lambda: config.set("a", "k", "5")


@case
def an_array_of_numbers():
    numbers = array.array("d", [1.0])
    return (lambda x: x * numbers[0]), lambda: numbers.__setitem__(0, 5.0)


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_is_compared_by_value(name, monkeypatch):
    monkeypatch.delenv("AINO_TEST", raising=False)
    assert_follows(*CASES[name]())
    os.environ.pop("AINO_TEST", None)


# What a program would not do again


@refused
def a_hook_that_appends():
    model, log = nn.Linear(1, 1), []
    model.register_forward_hook(lambda module, inputs, output: log.append(1))
    return lambda x: (model(x) * 0 + len(log)).detach()


@refused
def an_array_that_grows():
    numbers = array.array("d", [1.0])

    def step(x):
        numbers.append(1.0)
        return x * len(numbers)

    return step


def drawn_from(make):
    def build():
        iterator = make()
        return lambda x: x * next(iterator)

    return build


REFUSED |= {
    "an iterator": drawn_from(lambda: iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
    "a count": drawn_from(lambda: itertools.count(1.0)),
    "a generator": drawn_from(lambda: (float(n) for n in range(9))),
    "the text of a tensor": lambda: lambda x: x * len(str(x)),
}


@pytest.mark.filterwarnings("ignore::aino.errors.CompileWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_repeated_is_refused_or_goes_on_uncompiled(name):
    eager, compiled = REFUSED[name](), aino.compile(REFUSED[name]())
    try:
        found = [compiled(aino.ones(1)).tolist() for _ in range(5)]
    except CompileError:
        return
    assert found == [eager(aino.ones(1)).tolist() for _ in range(5)]


def test_the_type_of_a_number_is_that_of_the_number():
    step = aino.compile(lambda x, n: x * 2 if type(n) is int else x * 3)
    assert [step(aino.ones(1), n).item() for n in (1, 2, 3, 3, 4)] == [2.0] * 5
    assert step(aino.ones(1), 1.5).item() == 3.0


def test_a_profiler_goes_on_and_hears_of_what_is_traced():
    import sys

    heard = []
    step = aino.compile(six_times)
    sys.setprofile(lambda frame, event, argument: heard.append(frame.f_code.co_name))
    try:
        for _ in range(3):
            step(aino.ones(1))
        assert sys.getprofile() is not None
    finally:
        sys.setprofile(None)
    assert "six" in heard


def six_times(x):
    return x * six()


@pytest.mark.filterwarnings("error::aino.errors.CompileWarning")
def test_versions_of_python_that_are_not_understood_compile_nothing(monkeypatch):
    monkeypatch.setattr("aino.compiler.guards.bytecode.UNDERSTOOD", False)
    step = aino.compile(lambda x: x * 2)
    with pytest.raises((CompileError, CompileWarning), match="is not understood"):
        step(aino.ones(1))
