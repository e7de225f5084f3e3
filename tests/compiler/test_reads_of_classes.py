"""What a function reads of classes, and the methods that it calls: a program sees them change."""

import asyncio
import functools
import types
import typing

import pytest

import aino
from aino import nn
from aino.errors import CompileError
from tests.compiler.showing import assert_follows, registry
from tests.compiler.test_reads import net

CASES, case = registry()


def classes():
    class Meta(type):
        hidden = 1.0

        @property
        def of_meta(cls):
            return cls.hidden

    class Base(metaclass=Meta):
        k = 1.0
        items: list = []  # noqa: RUF012

        def g(self):
            return 1.0

        @staticmethod
        def fixed():
            return 1.0

        @classmethod
        def of_class(cls):
            return cls.k

        @property
        def read(self):
            return type(self).k

        def __mul__(self, x):
            return x * 1.0

    class Derived(Base):
        def doubled(self):
            return super().g()

    return Meta, Base, Derived


READS = {
    "type(self).k": lambda o: type(o).k,
    "__class__.k": lambda o: o.__class__.k,
    "a property": lambda o: o.read,
    "a classmethod": lambda o: o.of_class(),
    "a metaclass": lambda o: type(o).of_meta,
    "a method": lambda o: o.g(),
    "a method by its class": lambda o: type(o).g(o),
    "a static method": lambda o: o.fixed(),
    "a static method of the class": lambda o: type(o).fixed(),
    "super()": lambda o: o.doubled(),
}
CHANGES = {
    "k": (lambda o: setattr(type(o), "k", 5.0), READS.keys() & {
        "type(self).k", "__class__.k", "a property", "a classmethod"}),
    "k of the base": (lambda o: setattr(type(o).__mro__[1], "k", 5.0), READS.keys() & {
        "type(self).k", "a property", "a classmethod"}),
    "hidden": (lambda o: setattr(type(type(o)), "hidden", 5.0), {"a metaclass"}),
    "the property of a metaclass": (
        lambda o: setattr(type(type(o)), "of_meta", property(lambda c: 5.0)), {"a metaclass"}),
    "g": (lambda o: setattr(type(o), "g", lambda self: 5.0), {
        "a method", "a method by its class"}),
    "g of the base": (lambda o: setattr(type(o).__mro__[1], "g", lambda self: 5.0), {
        "a method", "super()"}),
    "g of the object": (lambda o: setattr(o, "g", lambda: 5.0), {"a method"}),
    "fixed": (lambda o: setattr(type(o), "fixed", staticmethod(lambda: 5.0)), {
        "a static method", "a static method of the class"}),
    "of_class": (lambda o: setattr(type(o), "of_class", classmethod(lambda c: 5.0)), {
        "a classmethod"}),
    "the property": (lambda o: setattr(type(o), "read", property(lambda s: 5.0)), {
        "a property"}),
}  # fmt: skip


def class_case(read, change):
    def build():
        item = classes()[2]()
        return (lambda x: x * read(item)), lambda: change(item)

    return build


CASES |= {
    f"{name}, {what} changes": class_case(READS[name], change)
    for what, (change, names) in CHANGES.items()
    for name in sorted(names)
}


@case
def a_local_name_of_a_class():
    kind = classes()[1]

    def step(x):
        mine = kind
        return x * mine.k

    return step, lambda: setattr(kind, "k", 5.0)


@case
def the_forward_of_a_network():
    model, _ = net(flag=1.0)
    whole = nn.Sequential(model)
    return (lambda x: whole(x)), lambda: setattr(type(model), "forward", lambda self, x: x * 5.0)


@case
def an_operator_of_a_class():
    item = classes()[1]()
    return (lambda x: item * x), lambda: setattr(type(item), "__mul__", lambda self, x: x * 5.0)


@case
def a_function_of_singledispatch():
    @functools.singledispatch
    def area(item):
        return 1.0

    class Square:
        pass

    square = Square()
    return (lambda x: x * area(square)), lambda: area.register(Square)(lambda item: 5.0)


@pytest.mark.parametrize("name", CASES)
def test_what_is_read_of_classes_is_compared_by_value(name):
    assert_follows(*CASES[name]())


#: Objects that keep attributes in a dictionary that they don't show; a TypeVar does from 3.12 on.
HIDDEN = {
    "TypeVar": lambda: typing.TypeVar("T"),
    "Future": lambda: asyncio.Future(loop=types.SimpleNamespace(get_debug=lambda: False)),
}
READS_OF_HIDDEN = {
    "by name": lambda o: o.k,
    "by getattr": lambda o: getattr(o, "k"),  # noqa: B009
    "if it is there": lambda o: o.other if hasattr(o, "other") else o.k,
    "from a container": lambda o: {"of": [o]}["of"][0].k,
}


@pytest.mark.parametrize("read", READS_OF_HIDDEN)
@pytest.mark.parametrize("kind", HIDDEN)
def test_attributes_of_objects_that_hide_them_are_compared(kind, read):
    owner = HIDDEN[kind]()
    owner.k = 1.0
    holder = types.SimpleNamespace(owner=owner)

    def change():
        setattr(owner, "other" if read == "if it is there" else "k", 5.0)

    assert_follows(lambda x: x * READS_OF_HIDDEN[read](holder.owner), change)


@pytest.mark.parametrize("kind", HIDDEN)
def test_attributes_of_objects_that_hide_them_are_written(kind):
    def trained(make):
        owner = HIDDEN[kind]()
        owner.k = 0.0

        def step(x):
            owner.k = owner.k + 1.0
            return x * owner.k

        step = make(step)
        return [step(aino.ones(1)).item() for _ in range(5)], owner.k

    assert trained(lambda function: aino.compile(function, fullgraph=True)) == ([1, 2, 3, 4, 5], 5)


@pytest.mark.filterwarnings("ignore::aino.errors.CompileWarning")
def test_a_list_of_the_class_that_grows_is_refused_or_goes_on_uncompiled():
    found = []
    for make in (lambda function: function, aino.compile):
        item = classes()[1]()

        def step(x, item=item):
            type(item).items.append(1)
            return x * len(type(item).items)

        found.append(_called(make(step)))
    assert found[1] in ("refused", found[0])


def _called(step):
    try:
        return [step(aino.ones(1)).item() for _ in range(5)]
    except CompileError:
        return "refused"


#: One text that stands in two modules: its code is equal, and is two functions' all the same.
TWICE = """
K = 1.0
def of_global(x):
    return x * K
def of_default(x, k=[1.0]):
    return x * k[0]
def make(c):
    def of_cell(x):
        return x * c[0]
    return of_cell
CELL = [1.0]
of_cell = make(CELL)
"""


@pytest.mark.parametrize("files", [("<one>", "<other>"), ("<one>", "<one>")])
@pytest.mark.parametrize("name", ["of_global", "of_default", "of_cell"])
def test_functions_of_equal_code_are_told_apart(name, files):
    first, second = types.ModuleType("first_of_two"), types.ModuleType("second_of_two")
    for module, file in zip((first, second), files):
        exec(compile(TWICE, file, "exec"), vars(module))
    f, g = getattr(first, name), getattr(second, name)
    assert f.__code__ == g.__code__

    def change():
        second.K = second.CELL[0] = second.of_default.__defaults__[0][0] = 5.0

    assert_follows(lambda x: f(x) + g(x) * 10, change)
