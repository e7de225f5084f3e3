"""Stretches as objects: what they are given, what they refuse; programs that walk them."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import aino
from aino import nn
from aino.native import trials
from aino.native.trials import stand_in

native = pytest.importorskip("aino_native")
Stretch = native.Stretch
x, y = np.arange(6.0), np.ones(6)
locked = np.ones(6)
locked.flags.writeable = False
FLAT_PAIR = ((0, "flat", 0), (1, "flat", 0))
WRONG = {
    "no tuple": (3, TypeError),
    "too short": (("ufunc", (x, y)), TypeError),
    "no operands": (("copy", (), None, False), ValueError),
    "too many operands": (("copy", (x,) * 9, None, False), ValueError),
    "another count": (("copy", (x, y, y), None, False), ValueError),
    "no array": (("copy", (x, 1.0), None, False), ValueError),
    "too many axes": (("copy", (np.zeros((1,) * 9), np.zeros((1,) * 9)), None, False), ValueError),
    "a list": (("copy", (x, [1.0] * 6), None, False), ValueError),
    "another kind": (("sort", (x, y), None, False), ValueError),
    "another shape": (("copy", (x, np.ones(5)), None, False), ValueError),
    "more axes": (("copy", (x, np.ones((2, 6))), None, False), ValueError),
    "another dtype": (("copy", (x, np.ones(6, np.complex64)), None, False), ValueError),
    "words": (("copy", (x, np.array(["1"] * 6)), None, False), ValueError),
    "a cast of more axes": (("copy", (x, np.ones((2, 6), int)), None, False), ValueError),
    "a choice by numbers": (("choose", (x, np.ones(6, int), y, y), None, False), ValueError),
    "a choice of another dtype": (("choose", (x, x > 1, y, np.ones(6, int)), None, False),
                                  ValueError),
    "a choice of another shape": (("choose", (x, x > 1, y, np.ones(5)), None, False), ValueError),
    "a choice of one": (("choose", (x, x > 1, y), None, False), ValueError),
    "sums along no axis": (("accumulate", (x, y), (np.add, 1), False), ValueError),
    "sums along a name": (("accumulate", (x, y), (np.add, None), False), ValueError),
    "sums of another shape": (("accumulate", (x, np.ones(5)), (np.add, 0), False), ValueError),
    "signs along an axis": (("accumulate", (x, y), (np.negative, 0), False), ValueError),
    "sums of nothing": (("accumulate", (np.ones(0), np.ones(0)), (np.add, 0), False), ValueError),
    "no stack": (("stack", (np.ones((2, 3)), np.ones((2, 2)), np.ones(2)), np.matmul, False),
                 ValueError),
    "a stack of vectors": (("stack", (np.ones(()), np.ones(2), np.ones(2)), np.matmul, False),
                           ValueError),
    "another stack": (("stack", (np.ones((3, 2, 2)), np.ones((3, 2, 2)), np.ones((2, 2, 2))),
                       np.matmul, False), ValueError),
    "a stack along two axes": (("stack", (np.ones((2, 3, 2, 2)), np.ones((2, 3, 2, 2)),
                                          np.ones((2, 1, 2, 2))), np.matmul, False), ValueError),
    "a stack of sums": (("stack", (np.ones((2, 2)),) * 3, np.add, False), ValueError),
    "a chain of nothing": (("chain", (x,), None, False), ValueError),
    "a chain backwards": (("chain", (x,), (6, 0, 4, []), False), ValueError),
    "a chain without blocks": (("chain", (x,), (0, 6, 0, []), False), ValueError),
    "a link that is none": (("chain", (x,), (0, 6, 4, [3]), False), ValueError),
    "a link of an operand that is not there": (
        ("chain", (x,), (0, 6, 4, [(np.negative, ((0, "flat", 0), (1, "flat", 0)), 0, 6)]), False),
        ValueError),
    "a link beyond its array": (
        ("chain", (x, y), (0, 9, 4, [(np.negative, FLAT_PAIR, 0, 9)]), False), ValueError),
    "a link before its array": (
        ("chain", (x, y), (0, 6, 4, [(np.negative, ((0, "flat", 2), (1, "flat", 0)), 0, 6)]),
         False), ValueError),
    "a link beyond its chain": (
        ("chain", (x, y), (0, 4, 4, [(np.negative, FLAT_PAIR, 0, 6)]), False), ValueError),
    "small scratch": (
        ("chain", (x, y), (0, 6, 8, [(np.negative, ((0, "flat", 0), (1, "scratch", 0)), 0, 6)]),
         False), ValueError),
    "another role": (
        ("chain", (x, y), (0, 6, 4, [(np.negative, ((0, "flat", 0), (1, "row", 0)), 0, 6)]), False),
        ValueError),
    "a number as result": (
        ("chain", (x, np.ones(())), (0, 6, 4, [(np.negative, ((0, "flat", 0), (1, "number", 0)), 0,
                                               6)]), False), ValueError),
    "a locked result": (
        ("chain", (x, locked), (0, 6, 4, [(np.negative, ((0, "flat", 0), (1, "flat", 0)), 0, 6)]),
         False), ValueError),
    "a link of a method": (
        ("chain", (x, y), (0, 6, 4, [(np.sum, ((0, "flat", 0), (1, "flat", 0)), 0, 6)]), False),
        ValueError),
    "objects": (("copy", (np.array([None]), np.array([1], object)), None, False), ValueError),
    "swapped": (("copy", (x, np.ones(6, ">f8")), None, False), ValueError),
    "not aligned": (("copy", (x, np.zeros(49, np.uint8)[1:].view(float)), None, False), ValueError),
    "locked": (("copy", (locked, x), None, False), ValueError),
    "no ufunc": (("ufunc", (x, y), np.sum, False), ValueError),
    "a method": (("ufunc", (x, y), np.add.reduce, False), ValueError),
    "too few operands": (("ufunc", (x, y), np.add, False), ValueError),
    "two results": (("ufunc", (x, y, y), np.divmod, False), ValueError),
    "a core": (("ufunc", (x, y, y), np.matmul, False), ValueError),
    "no loop": (("ufunc", (x, y, np.ones(6, np.float32)), np.add, False), ValueError),
    "does not broadcast": (("ufunc", (x, np.ones((2, 6)), y), np.add, False), ValueError),
    "no axes": (("reduce", (np.zeros(()), x), (np.add, 0), False), ValueError),
    "not reduced": (("reduce", (np.zeros(6), x), (np.add, (0,)), False), ValueError),
    "nothing to reduce": (("reduce", (np.zeros(()), x[:0]), (np.add, (0,)), False), ValueError),
    "no identity": (("reduce", (np.zeros(()), x), (np.multiply, (0,)), False), ValueError),
    "no pair": (("reduce", (np.zeros(()), x), (np.exp, (0,)), False), ValueError),
    "a number for two": (("reduce", (np.zeros(()), x), np.add, False), ValueError),
    "do not fit": (("product", (np.zeros((2, 2)), np.ones((2, 3)), np.ones((2, 2))), np.matmul,
                    False), ValueError),
    "no product": (("product", (np.zeros((2, 2)),) * 3, np.add, False), ValueError),
    "three axes": (("product", (np.zeros((2, 2, 2)),) * 3, np.matmul, False), ValueError),
    "in pieces": (("product", (np.zeros((2, 2)), np.ones((2, 6))[:, ::3], np.ones((2, 2))),
                   np.matmul, False), ValueError),
    "small indices": (("take", (x, y, np.zeros(6, np.int32)), None, False), ValueError),
    "indices of two axes": (("take", (x, y, np.zeros((2, 3), int)), None, False), ValueError),
    "rows of another length": (
        ("take", (np.ones((2, 3)), np.ones((4, 2)), np.zeros(2, int)), None, False), ValueError),
    "rows apart": (("take", (np.ones((2, 3)), np.ones((4, 6))[:, ::2], np.zeros(2, int)), None,
                    False), ValueError),
    "rows of nothing": (("take", (x, np.ones(0), np.zeros(6, int)), None, False), ValueError),
    "no table": (("take", (x, np.ones(()), np.zeros(6, int)), None, False), ValueError),
    "one row for all": (("put", (np.ones((2, 3)), np.zeros(2, int), np.ones(3)), None, False),
                        ValueError),
    "another length": (("put", (x, np.zeros(2, int), y), None, False), ValueError),
    "no mask": (("put_where", (x, y, np.ones(1)), None, False), ValueError),
    "values for others": (("put_where", (x, y > 0, np.ones(5)), None, False), ValueError),
    "a number that is not given": (("number", (np.zeros(()),), 2, False), ValueError),
    "a number before the first": (("number", (np.zeros(()),), -1, False), ValueError),
    "a number's place is no number": (("number", (np.zeros(()),), "a", False), ValueError),
    "a number for many": (("number", (x,), 0, False), ValueError),
    "an integer": (("number", (np.zeros((), int),), 0, False), ValueError),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_would_not_be_walked_rightly_is_refused(what):
    described, error = WRONG[what]
    with pytest.raises(error):
        Stretch([], 1, [described], None)


@pytest.mark.parametrize(
    "arguments", [(), ([],), ([], 0, []), ((), 0, [], None), ([1], 0, [], None)]
)
def test_a_stretch_is_made_of_lists(arguments):
    with pytest.raises(TypeError):
        Stretch(*arguments)


def made(shape=(2, 3), strides=None):
    given = np.empty(shape) if strides is None else stand_in(shape, strides, np.float64)
    out = np.zeros(shape)
    return Stretch([given], 0, [("copy", (out, given), None, False)], None), out


@pytest.mark.parametrize("strides", [None, (8, 16), (48, 8)])
def test_an_argument_that_lies_otherwise_is_copied_first(strides):
    stretch, out = made(strides=strides)
    array = np.arange(6.0).reshape(2, 3)
    for given in (array, array.T.copy().T, np.repeat(array, 2, 1)[:, ::2], array.astype(">f8")):
        out[...] = 0
        if strides == (48, 8) and given.strides != strides:
            continue  # what lies in pieces can't be made anew
        stretch(given)
        np.testing.assert_array_equal(out, array)


@pytest.mark.parametrize(
    "arguments",
    [(), (x, x), (3,), (np.ones((3, 2)),), (np.ones(6),), ([[1.0] * 3] * 2,), (None,)],
)
def test_an_argument_of_another_form_is_refused(arguments):
    stretch, out = made()
    with pytest.raises((TypeError, ValueError)):
        stretch(*arguments)
    with pytest.raises(TypeError):
        stretch(given=x)
    assert not out.any()


def test_stand_ins_that_lie_beside_each_other_are_not_taken_for_one_memory():
    """They have memory for one element, so what they would cover overlaps, and is not theirs."""
    one, other = np.split(np.zeros(2), 2)
    small = np.lib.stride_tricks.as_strided(one, (16,), (8,))
    large = np.lib.stride_tricks.as_strided(other, (16, 40), (8, 128))
    for kind, detail in (("reduce", (np.add, (1,))), ("copy", None)):
        forms = [small, large] if kind == "reduce" else [large, small.reshape(16, 1)]
        stretch = Stretch(forms, 0, [(kind, tuple(forms), detail, True)], print)
        given = np.arange(640.0).reshape(40, 16).T
        out = np.zeros(16)
        if kind == "reduce":
            stretch(out, given)
            np.testing.assert_array_equal(out, given.sum(1))
        else:
            stretch(given, np.ones((16, 1)))
            assert (given == 1.0).all()


def test_a_stretch_is_freed_with_all_that_it_holds():
    arrays = [np.ones((4, 3)), np.ones((4, 3))[:, ::1]]
    known = weakref.ref(arrays[0])
    stretch = Stretch([np.ones((4, 1))], 0, [("ufunc", (arrays[0], arrays[1], np.ones(3)), np.add,
                                               False)], print)  # fmt: skip
    stretch(np.ones((4, 1)))
    del arrays, stretch
    gc.collect()
    assert known() is None


def test_stretches_of_random_instructions_do_not_leak():
    before = sys.getrefcount(x)
    for _ in range(100):
        with pytest.raises(ValueError):
            Stretch([x], 0, [("copy", (y, x), None, False), ("sort", (x,), None, False)], None)
    assert sys.getrefcount(x) == before


# Memory that is read and written


def shifted(x):
    y = x * 1.0
    y[1:] += y[:-1]
    return y


def mirrored(x):
    y = x * 1.0
    y[:] = y.flip(0) + y.mT
    y.copy_(y.mT)
    return y


def multiplied(x):
    y = x * 1.0
    aino.matmul(y, y, out=y)
    return y


def summed(x):
    y = x * 1.0
    y[0] = y.sum(0)
    y[:, 1] -= y[1]
    return y


@pytest.mark.parametrize("function", [shifted, mirrored, multiplied, summed])
def test_what_is_written_where_it_is_read_is_as_in_numpy(function):
    found = {}
    for backend in ("numpy", "native"):
        step = aino.compile(function, backend=backend, fullgraph=True)
        x = aino.linspace(-1.0, 1.0, 64).reshape(8, 8)
        with aino.no_grad():
            found[backend] = [step(x).numpy().tobytes() for _ in range(3)]
    assert found["native"] == found["numpy"]
    with aino.no_grad():
        assert found["native"][0] == function(x).numpy().tobytes()


def taken(x, places):
    return x[places] * 2.0


def written(x, places):
    y = x * 1.0
    y[places] = x[:3] * 2.0
    return y


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("indexed", [taken, written])
def test_what_raises_in_a_program_leaves_what_the_function_leaves(indexed, backend):
    state = aino.zeros(3)

    def step(x, places):
        state.add_(1.0)
        y = indexed(x, places)
        state.mul_(3.0)
        return y + 1.0

    compiled = aino.compile(step, backend=backend)
    x, places = aino.arange(4.0), aino.tensor([0, 3, 1])
    with aino.no_grad():
        for _ in range(4):
            compiled(x, places)
        expected = (state.numpy() + 1.0).tolist()
        with pytest.raises(IndexError, match="4 is out of bounds"):
            compiled(x, aino.tensor([0, 4, 1]))
        assert state.tolist() == expected
        assert compiled(x, places).tolist() == (indexed(x, places) + 1.0).tolist()


# As aino.compile uses them


def training(backend):
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer = aino.optim.Adam(model.parameters(), lr=0.01)

    @aino.compile(backend=backend)
    def step(inputs, targets):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    data = aino.randn(32, 4), aino.randint(0, 3, (32,))
    return model, optimizer, step, data


def test_a_training_step_gives_the_same_bits():
    found = {}
    for backend in ("numpy", "native"):
        model, optimizer, step, (inputs, targets) = training(backend)
        losses = []
        for turn in range(200):
            optimizer.param_groups[0]["lr"] = 0.01 / (1 + turn)
            losses.append(step(inputs, targets).item())
        found[backend] = [losses, *[p.detach().numpy().tobytes() for p in model.parameters()]]
    assert found["numpy"] == found["native"]


def test_the_texts_say_how_it_runs(monkeypatch):
    *_, step, data = training("native")
    for _ in range(3):
        step(*data)
    assert "walk(" in step.code
    assert "np.matmul" in step.code
    assert "walk" not in step.source
    assert "runs in C (aino-native): times are" in str(step.explain(2))
    decomposed = aino.compile(lambda x: aino.linalg.inv(x + 1.0) * 2.0, backend="native")
    for _ in range(3):
        decomposed(aino.eye(3))
    assert "runs in C (aino-native), but for 1 of" in str(decomposed.explain(2))
    *_, step, data = training("numpy")
    for _ in range(3):
        step(*data)
    assert "walk" not in step.code
    assert "runs as Python" in str(step.explain(2))


def forget_the_package():
    trials.stretch_type.cache_clear()
    trials.native_package.cache_clear()


def test_without_the_package_the_program_runs_as_python(monkeypatch):
    forget_the_package()
    monkeypatch.setitem(sys.modules, "aino_native", None)
    try:
        *_, step, data = training("auto")
        for _ in range(3):
            step(*data)
        assert "walk" not in step.code
        assert "pip install 'aino[native]'" in str(step.explain(2))
        with pytest.raises(ImportError, match=r"pip install 'aino\[native\]'"):
            training("native")
    finally:
        forget_the_package()


def test_a_walker_for_another_aino_is_not_used(monkeypatch):
    forget_the_package()
    monkeypatch.setattr(native, "FORMAT", 0)
    try:
        with pytest.warns(UserWarning, match="for another version of AINO"):
            assert trials.stretch_type() is None
    finally:
        forget_the_package()


def test_a_loop_that_does_not_agree_is_not_walked(monkeypatch):
    def wrong(function, dtypes, rng):
        yield np.full(3, 7, dtypes[0]), [np.zeros(3, dtype) for dtype in dtypes[1:]], function

    trials.agrees.cache_clear()
    monkeypatch.setitem(trials.TRIALS, "ufunc", wrong)
    try:
        *_, step, data = training("native")
        for _ in range(3):
            step(*data)
        assert '("ufunc"' not in step.code
        assert '("product"' in step.code
    finally:
        trials.agrees.cache_clear()


def test_models_in_threads_have_stretches_of_their_own():
    found = [None] * 4

    def learn(place):
        model, _, step, data = training("native")
        for _ in range(50):
            step(*data)
        found[place] = model[0].weight.detach().numpy().tobytes()

    threads = [threading.Thread(target=learn, args=(0,))]
    for thread in threads:
        thread.start()
        thread.join()
    shared = training("native")[2:]
    crowd = [threading.Thread(target=lambda: [shared[0](*shared[1]) for _ in range(50)])
             for _ in range(4)]  # fmt: skip
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert found[0] is not None


def learned(name, width, backend):
    """Return the weights of a wide network after some steps, and the program."""
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))
    optimizer = getattr(aino.optim, name)(model.parameters(), lr=0.01)

    @aino.compile(backend=backend)
    def step(inputs, targets):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    inputs, targets = aino.randn(8, width), aino.randint(0, 3, (8,))
    for _ in range(6):
        step(inputs, targets)
    return [p.detach().numpy().tobytes() for p in model.parameters()], step.code


@pytest.mark.parametrize("name", ["Adam", "SGD", "AdamW"])
@pytest.mark.parametrize("width", [400, 800])  # one lane, two lanes
def test_long_updates_are_walked_in_blocks_with_the_same_bits(name, width):
    weights, code = learned(name, width, "native")
    assert '("chain"' in code
    assert weights == learned(name, width, "numpy")[0]
