"""Functions are called through others while somebody looks on, and are as they were afterwards."""

import itertools

import pytest

import aino
from aino.autograd.interposing import Interposed, code_of


def make():
    free = 10

    def plain(a, b=2):
        return a, b

    def keywords(a, *, b=2):
        return a, b

    def closure(a, b=2):
        return a + free - free, b

    return plain, keywords, closure


def logging(log, name):
    def around(call, *arguments, **given):
        log.append(name)
        return call(*arguments, **given)

    return around


@pytest.mark.parametrize("place", range(3))
def test_calls_go_through_and_give_the_same(place):
    function, log = make()[place], []
    state = function.__code__, function.__defaults__, function.__kwdefaults__
    looking = Interposed([(function, logging(log, "seen"))])
    assert function(1) == (1, 2)
    looking.begin()
    assert [function(1), function(1, b=3), function(a=4)] == [(1, 2), (1, 3), (4, 2)]
    assert code_of(function) is state[0] is not function.__code__
    with pytest.raises(TypeError):
        function()
    looking.end()
    assert function(1) == (1, 2)
    assert log == ["seen"] * 4
    assert (function.__code__, function.__defaults__, function.__kwdefaults__) == state


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_several_come_and_go_in_any_order(order):
    function, log = make()[1], []
    state = function.__code__, function.__kwdefaults__
    all_three = [Interposed([(function, logging(log, name))]) for name in range(3)]
    for looking in all_three:
        looking.begin()
    left = list(range(3))
    for place in order:
        log.clear()
        assert function(1) == (1, 2)
        assert log == left[::-1]
        all_three[place].end()
        left.remove(place)
    assert (function.__code__, function.__kwdefaults__) == state


def test_a_module_is_found_by_an_export_while_somebody_looks_on():
    pytest.importorskip("onnx")
    model = aino.nn.Sequential(aino.nn.Linear(2, 1), aino.nn.Tanh()).eval()
    looking = Interposed([(aino.nn.Module.__call__, lambda call, *a, **k: call(*a, **k))])
    expected = [n.name for n in aino.onnx.export(model, aino.ones(1, 2)).model_proto.graph.node]
    looking.begin()
    try:
        seen = [n.name for n in aino.onnx.export(model, aino.ones(1, 2)).model_proto.graph.node]
    finally:
        looking.end()
    assert seen == expected
