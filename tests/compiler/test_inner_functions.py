"""Functions and comprehensions inside a compiled one, which read what it was given."""

import gc
import operator

import pytest

import aino
from aino.compiler.tracing.run import run_traced

CFG = {"scale": 2.0}


def nested(w):
    def outer():
        def inner(key):
            return w[key] * w["rate"]

        return {key: inner(key) for key in ("a", "b")}

    return outer()


def defaulted(w, scale=3.0):
    def inner(key, by=scale):
        return w[key] * by

    return {"a": inner("a"), "b": inner("b")}


def reads_outside_too(w):
    return {key: w[key] * CFG["scale"] for key in ("a", "b")}


#: name -> a function of a dict of tensors and a number, that returns such tensors.
FUNCTIONS = {
    "a comprehension": lambda w: {key: w[key] - 0.1 for key in ("a", "b")},
    "a list": lambda w: dict(zip("ab", [w[key] * 0.5 for key in ("a", "b")], strict=True)),
    "a generator": lambda w: dict((key, w[key] + 1.0) for key in ("a", "b")),  # noqa: C402
    "a lambda": lambda w: {key: (lambda: w[key] * 2.0)() for key in ("a", "b")},
    "a number": lambda w: {key: w[key] * w["rate"] for key in ("a", "b")},
    "the whole": lambda w: {key: w[key] * float(len(w)) for key in ("a", "b")},
    "map": lambda w: dict(zip("ab", map(lambda key: w[key] * 0.5, "ab"), strict=True)),  # noqa: C417
    "nested": nested,
    "defaults": defaulted,
    "outside": reads_outside_too,
}


def run(function, rates):
    """Hand on what a function returns, call by call, in new dicts."""
    w = {"a": aino.ones(2), "b": aino.arange(3.0)}
    found = []
    for rate in rates:
        w = function({**w, "rate": rate})
        found.append({key: value.tolist() for key, value in w.items()})
    return found


@pytest.mark.parametrize("rates", [[0.5] * 6, [0.5, 0.25, 2.0, 1.0, 4.0, 0.5]], ids=["same", "new"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_was_given_is_read_of_the_arguments(name, rates, monkeypatch):
    traced = []

    def counted(*arguments, **keywords):
        traced.append(1)
        return run_traced(*arguments, **keywords)

    monkeypatch.setattr("aino.compiler.programs.run_traced", counted)
    expected = run(FUNCTIONS[name], rates)
    assert run(aino.compile(FUNCTIONS[name]), rates) == expected
    assert len(traced) <= 3


def test_what_is_held_and_given_at_once_is_followed():
    held = {"rate": 1.0, "x": aino.ones(2)}

    def inner(w):
        return w["x"] * held["rate"]

    step = aino.compile(inner)
    for rate in (1.0, 1.0, 1.0, 5.0, 7.0):
        held["rate"] = rate
        assert step(held).tolist() == inner(held).tolist()
    assert step({"x": aino.zeros(2), "rate": 1.0}).tolist() == [0.0, 0.0]


def test_what_an_inner_function_reads_of_outside_is_followed(monkeypatch):
    step = aino.compile(reads_outside_too)
    w = {"a": aino.ones(1), "b": aino.ones(1), "rate": 1.0}
    for scale in (2.0, 2.0, 2.0, 3.0, 4.0):
        monkeypatch.setitem(CFG, "scale", scale)
        assert step(dict(w))["a"].tolist() == [scale]


@pytest.mark.parametrize("freeze", [False, True], ids=["", "frozen"])
def test_a_function_that_no_name_leads_to_is_followed(freeze):
    """It is inside of an object of C; gc.freeze() hides it from who looks for it."""
    rate = 2.0

    def scaled(x):
        return x * rate

    hidden = operator.methodcaller("apply_", scaled)

    class Applies:
        def apply_(self, function):
            return function

    applies = Applies()
    step = aino.compile(lambda x: hidden(applies)(x), fullgraph=True)
    if freeze:  # as all was before the first test
        gc.freeze()
    found = [step(aino.ones(1)).item() for _ in range(3)]
    rate = 5.0
    assert [*found, step(aino.ones(1)).item()] == [2.0, 2.0, 2.0, 5.0]
