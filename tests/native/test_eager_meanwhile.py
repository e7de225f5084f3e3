"""What is told, taken away and asked by others while C makes an eager call."""

import sys
import threading
import warnings

import numpy as np
import pytest

import aino
from aino.autograd import native as calls
from aino.autograd.declared import REGISTRY
from tests.native.calls import both_ways, quick_of

native = pytest.importorskip("aino_native")


def test_overflow_of_a_single_number_is_left_to_the_call_path():
    quick, x = quick_of("mul"), aino.tensor(3e38)
    with np.errstate(over="ignore"):
        assert quick(x, x) is None
        assert (x * x).item() == np.inf
        assert quick(x.reshape(1).clone(), x.reshape(1).clone()).tolist() == [np.inf]


@pytest.mark.parametrize("how", ["raise", "warn", "ignore"])
@pytest.mark.parametrize(
    "function", [aino.mul, lambda x, y: aino.sigmoid(x) * y], ids=("one", "two")
)
def test_overflow_is_told_of_as_numpy_tells_of_it(how, function):
    x = aino.full((3,), 3e38, requires_grad=True)

    def told_of():
        with np.errstate(over=how), warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                value = function(x, x * 1.0).tolist()
            except FloatingPointError as error:
                value = str(error)
        return value, [(str(w.message), w.filename) for w in heard]

    for _ in range(70):
        in_c, in_py = both_ways(told_of)
    assert in_c == in_py
    assert (in_c[1] != []) == (how == "warn" and function is aino.mul)


TOLD = {
    "one number, which is no array": (aino.mul, aino.full((), 3e38), 3.0, "over"),
    "one number, by a function": (aino.exp, aino.full((), 100.0), None, "over"),
    "a number of no such size": (aino.xlogy, aino.ones(2, 3).t().detach(), 10**50, "over"),
    "a float of no such size": (aino.xlogy, aino.ones(2, 3).t().detach(), 1e39, "over"),
    "what is quiet about something else": (aino.sigmoid, aino.full((3,), 100.0), None, "under"),
}


@pytest.mark.parametrize("how", ["warn", "call", "raise"])
@pytest.mark.parametrize("case", TOLD.values(), ids=TOLD)
def test_what_arithmetic_raises_is_told_of_once(case, how, monkeypatch):
    from aino.autograd import operands

    function, x, number, kind = case
    monkeypatch.setattr(operands, "_LIMIT", 0)  # of constants that are kept
    monkeypatch.setattr(operands, "_kept32", {})

    def told_of():
        called = []
        with (
            np.errstate(**{kind: how}, call=lambda *what: called.append(what)),
            warnings.catch_warnings(record=True) as heard,
        ):
            warnings.simplefilter("always")
            try:
                value = (function(x) if number is None else function(x, number)).tolist()
            except FloatingPointError as error:
                value = str(error)
        return value, called, [str(w.message) for w in heard]

    told_of()
    in_c, in_py = both_ways(told_of)
    assert in_c == in_py
    assert [len(in_c[1]), len(in_c[2])] == [how == "call", how == "warn"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_who_is_told_of_overflow_may_raise(error):
    x, called = aino.full((3,), 3e38), []

    def callback(*_):
        called.append(1)
        raise error

    x * 1.0
    with np.errstate(over="call", call=callback), pytest.raises(error):
        x * x
    assert called == [1]


def test_an_array_that_is_taken_away_while_a_number_becomes_one():
    def taking(number, like):
        x.array = np.zeros(4, np.float32)
        x.node = None
        return np.asarray(number, like.dtype)

    quick = native.Operation(
        takes=2, tensor=aino.Tensor, tensor_slots=calls._OF_TENSORS,
        node=REGISTRY["mul"].node_class, node_slots=calls._OF_NODES,
        mode=calls.mode, tick=calls.tick, constant=taking, note=calls.noted, ufunc=np.multiply,
        sources=(0, 1), readers=(2, 1), patience=0,
        prepare=lambda which: calls._tapes((np.multiply,), (2,), which),
    )  # fmt: skip
    for _ in range(10):
        x = aino.tensor(np.full(4, 3.0, np.float32), requires_grad=True)
        node = x.node
        y = quick(x, 2.0)
        assert y.tolist() == [6.0] * 4
        assert y.node.inputs[0] is node


def test_a_thread_that_asks_while_what_another_one_had_is_let_go_of():
    quick, x, found = quick_of("mul"), aino.ones(3, requires_grad=True), []
    ask, asked, done = (threading.Event() for _ in range(3))

    class Last:
        def __del__(self):
            ask.set()
            asked.wait(30)

    def records():
        ask.wait(30)
        with aino.enable_grad():
            found.append(quick(x, x).node is None)
        asked.set()
        done.wait(30)

    def ends():
        calls.mode.last = Last()
        quick(x, x)

    other = threading.Thread(target=records)
    other.start()
    with aino.no_grad():
        ended = threading.Thread(target=ends)
        ended.start()
        ended.join()
        found.append(quick(x, x).node is None)
    done.set()
    other.join()
    assert found == [False, True]


def test_memory_that_is_not_there():
    short = pytest.importorskip("_testcapi")
    quick, back = calls.quick_calls(REGISTRY["mul"]).values()
    x, w = aino.ones(4, requires_grad=True), aino.ones(4)
    node, g = quick(x, w).node, np.ones(4, np.float32)
    wide, large = aino.ones(2000, requires_grad=True), aino.ones(2000)
    failed = 0

    def call(function):
        nonlocal failed
        for missing in range(1, 30):
            short.set_nomemory(missing, missing + 1)
            try:
                function()
            except MemoryError:
                failed += 1
            finally:
                short.remove_mem_hooks()

    functions = (
        lambda: quick(x, w), lambda: quick(wide, large), lambda: quick(x, 1.5),
        lambda: back(node.inputs, node.saved, g),
    )  # fmt: skip
    held = (x.array, x.node, w.array, large.array, wide.node, g, node.inputs, node.saved)
    for function in functions:
        function()
        call(function)
    before = [sys.getrefcount(o) for o in held]
    for function in functions:
        call(function)
    assert [sys.getrefcount(o) for o in held] == before
    assert failed > 10
