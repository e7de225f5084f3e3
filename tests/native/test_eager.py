"""Eager calls that C makes: to the bits and the nodes of the call path, or left to it."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import aino
from aino.autograd import native as calls
from aino.autograd.declared import REGISTRY
from aino.autograd.node import GONE
from aino.autograd.primitive import primitive
from tests.native.calls import both_ways, plain_primitives, quick_of

native = pytest.importorskip("aino_native")
pytest.importorskip("scipy", reason="Bessel functions and their kin are its")
PLAIN = plain_primitives()


@pytest.fixture(autouse=True)
def begun(monkeypatch):
    """Calls are made from the first one on."""
    monkeypatch.setattr(calls, "PATIENCE", 0)


def tensors(count, shape, dtype, wanted, seed=0):
    rng = np.random.default_rng(seed)
    return [
        aino.from_numpy(np.asarray(rng.uniform(0.1, 0.9, shape)).astype(dtype)).requires_grad_(w)
        for _, w in zip(range(count), wanted)
    ]


def told(tensor):
    """Return all that there is to a tensor and its node."""
    array, node = tensor.array, tensor.node
    found = [type(tensor), array.tobytes(), array.shape, array.strides, array.dtype, tensor.view_of]
    if node is None:
        return found
    kept = [(x.tobytes(), x.shape) if isinstance(x, np.ndarray) else x for x in node.saved]
    given = {key: np.asarray(value).tobytes() for key, value in node.given().items()}
    found += [type(node), node.inputs, kept, node.shape, node.extras, given, len(node.name())]
    return [*found, "noted" if hasattr(node, "noted") else None]


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("shape", [(), (3,), (4, 4), (2, 3000), (20000,)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_primitive_is_the_same_in_c(name, shape, dtype):
    declared, quick = REGISTRY[name], quick_of(name)
    count = len(declared.inputs)
    for wanted in ((True, True), (True, False), (False, True), (False, False)):
        given = tensors(count, shape, dtype, wanted)
        with aino.backends.native.flags(enabled=False):
            expected = declared.function(*given)
        found = quick(*given)
        if found is None:
            continue
        assert told(found) == told(expected)
        if found.node is not None:
            assert found.node.sequence > expected.node.sequence
    by_numpy = isinstance(declared.kernel, np.ufunc) and name != "acosh"  # of such numbers: nan
    assert found is not None or shape == (20000,) or not by_numpy


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("shape", [(), (4, 4), (2, 700)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pullback_is_the_same_in_c(name, shape, dtype):
    if name in ("zeta", "floor_divide"):
        return
    declared = REGISTRY[name]
    quick = calls.quick_calls(declared)["quick_back"]
    given = tensors(len(declared.inputs), shape, dtype, (True, True))
    node = declared.function(*given).node
    g = np.asarray(np.random.default_rng(1).normal(size=shape)).astype(dtype)
    for wanted in ((True, True), (True, False), (False, True)):
        edges = tuple([e if w else None for e, w in zip(node.inputs, wanted)])
        found = quick(edges, node.saved, g)
        with aino.backends.native.flags(enabled=False):
            expected = type(node).pullback(edges, node.saved, g)
        if found is None:
            continue
        assert type(found) is tuple
        for one, other in zip(found, expected, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                assert type(one) is np.ndarray
                assert (one is g) == (other is g)
                assert (one.tobytes(), one.shape, one.dtype) == (
                    other.tobytes(), other.shape, other.dtype)  # fmt: skip


@pytest.mark.parametrize(("name", "shapes"), [
    ("mul", ((4, 3), ())), ("mul", ((), (5,))), ("add", ((4, 3), (3,))), ("sub", ((2, 1), (1, 5))),
    ("add", ((), (2, 3, 4))), ("div", ((2, 3), ())), ("sub", ((3,), (2, 3))),
])  # fmt: skip
@pytest.mark.parametrize("wanted", [(True, True), (True, False), (False, True)], ids=str)
def test_what_was_broadcast_is_summed_back(name, shapes, wanted):
    declared = REGISTRY[name]
    back = calls.quick_calls(declared)["quick_back"]
    a, b = (tensors(1, shape, "float32", (w,))[0] for shape, w in zip(shapes, wanted))
    y = declared.function(a, b)
    g = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    found = back(y.node.inputs, y.node.saved, g)
    with aino.backends.native.flags(enabled=False):
        expected = type(y.node).pullback(y.node.inputs, y.node.saved, g)
    assert [x if x is None else (np.shape(x), x.tobytes(), type(x)) for x in found] == [
        x if x is None else (np.shape(x), x.tobytes(), type(x)) for x in expected
    ]


def chain(x, w):
    y = x * w + 0.5
    y = aino.tanh(y) - w / 8
    y = aino.relu(y) * aino.sigmoid(-y) + aino.exp(y - 2.0)
    return (2.0 * y / (1.0 + y * y)).sum()


@pytest.mark.parametrize("shapes", [((4, 4), (4, 4)), ((4, 4), (4,)), ((5, 1), (1, 3)), ((), ()),
                                    ((), (3,)), ((3, 1), ()), ((1,), (1,))], ids=str)  # fmt: skip
def test_a_chain_is_the_same_to_the_second_derivative(shapes):
    def derivatives():
        rng = np.random.default_rng(0)
        x, w = (
            aino.tensor(rng.normal(size=shape), dtype=aino.float32, requires_grad=True)
            for shape in shapes
        )
        first = aino.autograd.grad(chain(x, w), (x, w), create_graph=True)
        second = aino.autograd.grad(first[0].sum() + (first[1] ** 2).sum(), (x, w))
        return [t.detach().array.tobytes() for t in (*first, *second)]

    for _ in range(calls.PATIENCE + 70):  # the call paths' own, too
        derivatives()
    in_c, in_py = both_ways(derivatives)
    assert in_c == in_py


LEFT = {
    "a view": lambda mul, x: mul(x.view(6), x.view(6)),
    "two dtypes": lambda mul, x: mul(x, x.double()),
    "integers": lambda mul, x: mul(aino.arange(3), aino.arange(3)),
    "half precision": lambda mul, x: mul(x.half(), x.half()),
    "complex numbers": lambda mul, x: mul(x.to(aino.complex64), x),
    "an array beside": lambda mul, x: mul(x, x.detach().array),
    "a scalar of NumPy beside": lambda mul, x: mul(x, np.float32(2)),
    "a truth value beside": lambda mul, x: mul(x, True),
    "a complex number beside": lambda mul, x: mul(x, 1j),
    "a list beside": lambda mul, x: mul(x, [1.0]),
    "shapes that do not fit": lambda mul, x: mul(x, aino.ones(4)),
    "numbers alone": lambda mul, x: mul(2.0, 3.0),
    "a number where there is one argument": lambda mul, x: quick_of("exp")(2.0),
    "an array where there is one argument": lambda mul, x: quick_of("exp")(x.detach().array),
}


@pytest.mark.parametrize("case", LEFT.values(), ids=LEFT)
def test_what_is_left_to_the_call_path(case):
    quick, x = quick_of("mul"), aino.arange(1.0, 7).reshape(2, 3).clone().requires_grad_()
    assert quick(x, x) is not None
    assert case(quick, x) is None


def test_what_looks_on_sees_the_call_path():
    quick, x = quick_of("mul"), aino.ones(3, requires_grad=True)
    assert quick(x, x) is not None
    with aino.autograd.detect_anomaly():
        assert quick(x, x) is None
    with aino.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        assert quick(x, x) is None
    seen = []
    aino.func.vmap(lambda t: seen.append(quick(t, t)) or t)(x)
    aino.compile(lambda t: seen.append(quick(t, t)) or t + 1.0, fullgraph=True)(x)
    assert set(seen) == {None}
    with aino.no_grad():
        assert quick(x, x).node is None
    assert quick(x, x).node is not None


def test_another_thread_records_by_its_own_mode():
    quick, x, found = quick_of("mul"), aino.ones(3, requires_grad=True), []
    with aino.no_grad():
        thread = threading.Thread(target=lambda: found.append(quick(x, x)))
        thread.start()
        thread.join()
        assert quick(x, x).node is None
    assert found[0].node is not None


def test_a_class_of_ones_own_whose_array_is_a_property():
    class Other(aino.Tensor):
        @property
        def array(self):
            return np.full(3, 5.0, np.float32)

        @array.setter
        def array(self, value):
            pass

    x = aino.Tensor.__new__(Other)
    x.node = x.view_of = None
    assert quick_of("mul")(x, x) is None
    assert (aino.ones(3) * x).tolist() == [5.0, 5.0, 5.0]
    p = aino.nn.Parameter(aino.ones(3))
    assert type(quick_of("mul")(p, 2.0)) is aino.Tensor


def test_a_large_constant_is_not_kept_alive():
    quick, x = quick_of("mul"), aino.ones(2000, requires_grad=True)
    big, small = aino.ones(2000), aino.ones(())
    big.array.flags.writeable = True
    node = quick(x, x.detach()).node
    assert node.given().get("b", GONE) is not GONE
    node = quick(x, small).node
    assert node.noted is small.array
    assert quick(x, 2.0).node.noted == 2.0
    part = aino.from_numpy(np.ones(1000, np.float32)[:1])  # a small part of what is large
    assert type(quick(x, part).node.noted) is weakref.ref
    held = sys.getrefcount(big.array)
    node = quick_of("add")(x, big).node
    now = sys.getrefcount(big.array)
    assert now == held
    assert node.given()["b"] is big.array


@pytest.mark.filterwarnings("ignore:overflow")
def test_nothing_is_lost():
    """References and memory are as before, also of calls that are left to the call path."""
    quick, back = calls.quick_calls(REGISTRY["mul"]).values()
    x, w = aino.ones(4, requires_grad=True), aino.ones(4)
    wrong, loud = aino.ones(3), aino.full((4,), 3e38)
    g, odd = np.ones(4, np.float32), np.ones(3, np.float32)

    def some():
        for _ in range(50):
            node = quick(x, w).node
            for a, b in ((x, 2.5), (x, wrong), (x, loud), (loud, loud), (x, None), (w, w)):
                quick(a, b)
            for cotangent in (g, odd, None, loud.array):
                back(node.inputs, node.saved, cotangent)
            back((None, None), node.saved, g), back((), node.saved, g), back(node.inputs, (), g)

    some()
    gc.collect()
    counted = (
        x.array,
        x.node,
        w.array,
        loud.array,
        g,
        odd,
        type(x),
        None,
        REGISTRY["mul"].node_class,
    )
    before = [sys.getrefcount(o) for o in counted], sys.getallocatedblocks()
    some()
    after = [sys.getrefcount(o) for o in counted], sys.getallocatedblocks()
    apart = [a - b for a, b in zip(after[0], before[0])]
    assert max(map(abs, apart)) < 50
    assert abs(after[1] - before[1]) < 50
    assert gc.collect() == 0


def test_a_call_path_that_is_written_in_a_trace():
    found = []

    @aino.compile(fullgraph=True)
    def function(x):
        found.append(quick_of("mul"))
        return x + 1.0

    function(aino.ones(3))
    assert found[0](aino.ones(3), 2.0).tolist() == [2.0, 2.0, 2.0]


def class_with(**names):
    x = aino.Tensor.__new__(type("Other", (aino.Tensor,), names))
    for name in ("array", "node", "view_of"):
        vars(aino.Tensor)[name].__set__(x, getattr(aino.ones(3, requires_grad=True), name))
    return x


OTHERS = {
    "a node": {"node": property(lambda self: None)},
    "a view": {"view_of": property(lambda self: None)},
    "all attributes": {"__getattribute__": lambda self, name: getattr(aino.zeros(3), name)},
    "those that are not there": {"__getattr__": lambda self, name: None},
}


@pytest.mark.parametrize("names", OTHERS.values(), ids=OTHERS)
def test_a_class_of_ones_own_that_has_other_attributes(names):
    assert quick_of("mul")(class_with(), 2.0) is not None
    x = class_with(**names)
    assert quick_of("mul")(x, 2.0) is None
    (value, wanted), expected = both_ways(lambda: ((x * 2.0).tolist(), (x * 2.0).requires_grad))
    assert (value, wanted) == expected


def test_what_others_declare_may_read_what_changes():
    scale = [2.0]
    scaled = primitive(
        "scaled", lambda x: x * scale[0], formula="s x", jacobian="diagonal",
        x=lambda g: g * scale[0],
    )  # fmt: skip
    x = aino.ones(3, requires_grad=True)
    for scale[0] in (2.0, 5.0):
        y = scaled(x)
        y.backward(aino.ones(3))
        assert y.tolist() == [scale[0]] * 3
    assert x.grad.tolist() == [7.0] * 3
    del REGISTRY["scaled"]


def test_calls_can_be_made_in_python_alone():
    quick, back = calls.quick_calls(REGISTRY["mul"]).values()
    x = aino.ones(3, requires_grad=True)
    node = quick(x, x).node
    assert native.make_eager_calls(False) is True
    try:
        assert quick(x, x) is None
        assert back(node.inputs, node.saved, np.ones(3, np.float32)) is None
        assert native.make_eager_calls(False) is False
    finally:
        native.make_eager_calls(True)
    with pytest.raises(ZeroDivisionError):
        native.make_eager_calls(type("T", (), {"__bool__": lambda self: 1 / 0})())


def test_the_switch_that_users_have():
    quick, x = quick_of("mul"), aino.ones(3)
    assert aino.backends.native.is_available()
    with aino.backends.native.flags(enabled=False):
        assert quick(x, x) is None
        with aino.backends.native.flags(enabled=True):
            assert quick(x, x) is not None
        assert quick(x, x) is None
    assert aino.backends.native.set_flags(enabled=False) is True
    assert aino.backends.native.set_flags(enabled=True) is False
    assert quick(x, x) is not None


def test_another_thread_calls_while_something_is_traced():
    quick, x, seen = quick_of("mul"), aino.ones(3), []
    begun, done = threading.Event(), threading.Event()

    def elsewhere():
        begun.wait(30)
        seen.append((quick(x, x), (x * 3.0).tolist()))
        done.set()

    @aino.compile(fullgraph=True)
    def function(t):
        begun.set()
        done.wait(30)
        return t + 1.0

    thread = threading.Thread(target=elsewhere)
    thread.start()
    function(aino.ones(2))
    thread.join()
    assert seen == [(None, [3.0, 3.0, 3.0])]


def test_what_it_is_called_with():
    quick, back = calls.quick_calls(REGISTRY["mul"]).values()
    x = aino.ones(3)
    for function in (quick, back):
        with pytest.raises(TypeError):
            function(x)
        with pytest.raises(TypeError):
            function(x, other=x)
    assert back([None, None], (), np.ones(3)) is None


def test_what_prepares_may_call_and_may_fail():
    made = []

    def prepare(which):
        made.append(quick(x, x))
        raise RuntimeError("not today")

    quick = native.Operation(
        takes=2, tensor=aino.Tensor, tensor_slots=calls._OF_TENSORS,
        node=REGISTRY["mul"].node_class, node_slots=calls._OF_NODES,
        mode=calls.mode, tick=calls.tick, constant=calls.constant, note=calls.noted, ufunc=None,
        sources=(0, 1), readers=(2, 1), prepare=prepare, patience=2,
    )  # fmt: skip
    x = aino.ones(3)
    assert (quick(x, x), quick(x, x), made) == (None, None, [])
    with pytest.raises(RuntimeError, match="not today"):
        quick(x, x)
    assert made == [None]
    assert quick(x, x) is None


WRONG = {
    "three arguments": {"takes": 3},
    "what is no slot": {"tensor_slots": (1, 2, 3)},
    "slots of another class": {"node_slots": (vars(aino.Tensor)["array"],) * 6},
    "five values": {"sources": (0,) * 5, "readers": (1,) * 5},
    "more values than readers": {"sources": (0,), "readers": ()},
    "a value that is not there": {"sources": (2,), "readers": (1,)},
    "words": {"sources": ("a",), "readers": (1,)},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_operations_that_are_none(changed):
    told = {
        "takes": 1, "tensor": aino.Tensor, "tensor_slots": calls._OF_TENSORS,
        "node": REGISTRY["exp"].node_class, "node_slots": calls._OF_NODES,
        "mode": calls.mode, "tick": calls.tick, "constant": calls.constant, "note": calls.noted,
        "ufunc": None, "sources": (1,), "readers": (1,), "prepare": None, "patience": 0,
    }  # fmt: skip
    native.Operation(**told)
    with pytest.raises((ValueError, TypeError)):
        native.Operation(**{**told, **changed})


@pytest.mark.parametrize("rules", [(), ((-1,),) * 3, ((-2,),), ((-1,) * 7,), ("g",), (("g",),)],
                         ids=str)  # fmt: skip
def test_pullbacks_that_are_none(rules):
    told = {"node": calls.Node, "shape_slot": vars(calls.Node)["shape"], "broadcasts": True,
            "sum_to": None, "prepare": None, "patience": 0}  # fmt: skip
    native.Pullback(rules=((-1,),), **told)
    with pytest.raises((ValueError, TypeError)):
        native.Pullback(rules=rules, **told)


@pytest.mark.parametrize("tapes", [(), (None,), (3,), "wrong", [1]], ids=str)
def test_what_is_prepared_may_be_none(tapes):
    if tapes == "wrong":
        sample = np.zeros((), np.float32)
        step = (np.add, (0, 1), (sample,) * 3, 0)
        tapes = (native.Tape(sample.dtype, 2, (step,), 2, 100, 0),)  # over two arrays, not one
    operation = native.Operation(
        takes=1, tensor=aino.Tensor, tensor_slots=calls._OF_TENSORS,
        node=REGISTRY["exp"].node_class, node_slots=calls._OF_NODES, mode=calls.mode,
        tick=calls.tick, constant=calls.constant, note=calls.noted, prepare=lambda which: tapes,
        patience=0, sources=(1,), readers=(1,), ufunc=None,
    )  # fmt: skip
    back = native.Pullback(
        node=calls.Node, shape_slot=vars(calls.Node)["shape"], broadcasts=True, sum_to=None,
        rules=((-1,),), prepare=lambda which: tapes, patience=0,
    )  # fmt: skip
    for _ in range(2):
        assert operation(aino.ones(3)) is None
        assert back((None,), (), np.ones(3, np.float32)) == (None,)
        assert back((aino.ones(3, requires_grad=True).node,), (), np.ones(3, np.float32)) is None
