"""Tapes: what elementwise kernels and rules do, run in C over any shape; what tapes refuse."""

import itertools
import sys

import numpy as np
import pytest

from aino.autograd.declared import REGISTRY
from aino.native import tapes
from tests.native.calls import plain_primitives

native = pytest.importorskip("aino_native")
pytest.importorskip("scipy", reason="Bessel functions and their kin are its")
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
one = np.ones((), np.float32)
sample, mask = np.zeros((), np.float32), np.zeros((), bool)
ADD = (np.add, (0, 1), (sample, sample, sample), False)
NEGATE = (np.negative, (0,), (sample, sample), False)

PLAIN = plain_primitives()
#: Primitives of which kernel and rules have to have tapes; of others they may not.
EVERYDAY = {
    "add", "cos", "div", "doubled", "exp", "expm1", "hypot", "log", "log1p", "mul", "neg", "pow",
    "reciprocal", "relu", "rsqrt", "sigmoid", "silu", "sin", "sqrt", "square", "sub", "tanh",
}  # fmt: skip


def functions():
    for name in PLAIN:
        declared = REGISTRY[name]
        yield name, "kernel", declared.kernel, len(declared.inputs)
        for key in declared.inputs:
            yield name, key, declared.rules[key], 1 + len(declared.reads[key])


FUNCTIONS = [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in functions()]


@pytest.mark.parametrize(("name", "part", "function", "count"), FUNCTIONS)
@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_a_tape_gives_the_bits_of_the_function(name, part, function, count, dtype):
    tape = tapes.tape(function, count, dtype)
    assert tape is not None or name not in EVERYDAY
    if tape is None:
        return
    rng, came = np.random.default_rng(7), 0
    for shape in ((), (1,), (5,), (1, 1), (4, 4), (3, 1, 2), (9, 100), (2, 2500), (16000,)):
        for scale in (0.3, 3.0, 200.0):
            given = [np.asarray(scale * rng.normal(size=shape)).astype(dtype) for _ in range(count)]
            found = tape(*given)
            if found is None:
                continue
            came += 1
            with np.errstate(all="ignore"):
                expected = np.asarray(function(*given))
            assert found.tobytes() == expected.tobytes()
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            shared = any(np.may_share_memory(found, x) for x in given)
            assert not shared or found is given[0]
    assert came


def test_there_are_tapes():
    assert set(PLAIN) > EVERYDAY


@pytest.mark.parametrize("count", [2, 3])
def test_numbers_beside_arrays(count):
    functions = {2: np.divide, 3: lambda a, b, c: a * np.tanh(b) - c}
    rng = np.random.default_rng(0)
    tape = tapes.tape(functions[count], count, F32)
    for numbers in range(1 << count):
        given = [
            np.asarray(rng.normal(size=() if numbers >> i & 1 else (7, 3))).astype(np.float32)
            for i in range(count)
        ]
        found, expected = tape(*given), np.asarray(functions[count](*given))
        assert found is None or found.tobytes() == expected.tobytes()
        assert found is not None or numbers


REFUSED = {
    "an array of another dtype": (np.ones(3), np.ones(3)),
    "two dtypes": (np.ones(3, np.float32), np.ones(3)),
    "two shapes": (np.ones(3, np.float32), np.ones(4, np.float32)),
    "a row and rows": (np.ones(3, np.float32), np.ones((2, 3), np.float32)),
    "nothing": (np.ones(0, np.float32), np.ones(0, np.float32)),
    "every other number": (np.ones(6, np.float32)[::2], np.ones(3, np.float32)),
    "columns": (np.ones((2, 3), np.float32).T, np.ones((3, 2), np.float32)),
    "one number among others": (np.ones(6, np.float32)[::6], np.ones(1, np.float32)),
    "what is not aligned": (
        np.zeros(13, np.uint8)[1:].view(np.float32), np.ones(3, np.float32),
    ),
    "the other order of bytes": (np.ones(3, ">f4"), np.ones(3, np.float32)),
    "a subclass": (np.ma.masked_array(np.ones(3, np.float32)), np.ones(3, np.float32)),
    "no array": (1.0, np.ones(3, np.float32)),
    "more than the limit": (np.ones(101, np.float32), np.ones(101, np.float32)),
    "overflow": (np.full(3, 3e38, np.float32), np.full(3, 3e38, np.float32)),
    "what is not a number": (np.full(3, np.inf, np.float32), np.full(3, -np.inf, np.float32)),
}  # fmt: skip


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_what_a_tape_is_not_for(given):
    tape = native.Tape(F32, 2, (ADD,), 2, 100, 0)
    assert tape(*given) is None
    assert tape(np.ones(3, np.float32), np.ones(3, np.float32)).tolist() == [2, 2, 2]


def test_an_array_beside_a_number_where_that_is_allowed():
    three = np.ones(3, np.float32)
    for allowed, expected in ((0, None), (1 << 1, [2, 2, 2]), (1 << 2, None), (1 << 3, None)):
        found = native.Tape(F32, 2, (ADD,), 2, 100, allowed)(one, three)
        assert (found if found is None else found.tolist()) == expected


WRONG = {
    "no dtype": (("f4", 1, (NEGATE,), 1, 9, 0), TypeError),
    "integers": ((np.dtype(int), 1, (), 0, 9, 0), ValueError),
    "no arrays": ((F32, 0, (), 0, 9, 0), ValueError),
    "seven arrays": ((F32, 7, (), 0, 9, 0), ValueError),
    "seventeen steps": ((F32, 1, (NEGATE,) * 17, 17, 9, 0), ValueError),
    "a list of steps": ((F32, 1, [NEGATE], 1, 9, 0), TypeError),
    "the result of another step": ((F32, 1, (NEGATE, NEGATE), 1, 9, 0), ValueError),
    "an array that is not there": ((F32, 1, (), 1, 9, 0), ValueError),
    "a step that is none": ((F32, 1, (3,), 1, 9, 0), TypeError),
    "a step that reads itself": ((F32, 1, ((np.negative, (1,), (sample,) * 2, False),), 1, 9, 0),
                                 ValueError),
    "a source before the first": ((F32, 1, ((np.negative, (-1,), (sample,) * 2, False),), 1, 9, 0),
                                  ValueError),
    "a source that is a word": ((F32, 1, ((np.negative, ("x",), (sample,) * 2, False),), 1, 9, 0),
                                ValueError),
    "a constant of two numbers": (
        (F32, 1, ((np.add, (0, np.ones(2, np.float32)), (sample,) * 3, False),), 1, 9, 0),
        ValueError),
    "a constant of another dtype": (
        (F32, 1, ((np.add, (0, np.ones(())), (sample,) * 3, False),), 1, 9, 0), ValueError),
    "too few operands": ((F32, 1, ((np.add, (0,), (sample,) * 2, False),), 1, 9, 0), ValueError),
    "too few samples": ((F32, 2, ((np.add, (0, 1), (sample,) * 2, False),), 2, 9, 0), ValueError),
    "no ufunc": ((F32, 1, ((np.sum, (0,), (sample,) * 2, False),), 1, 9, 0), ValueError),
    "a product": ((F32, 2, ((np.matmul, (0, 1), (sample,) * 3, False),), 2, 9, 0), ValueError),
    "two results": ((F32, 1, ((np.modf, (0,), (sample,) * 2, False),), 1, 9, 0), ValueError),
    "no loop": ((F32, 2, ((np.gcd, (0, 1), (sample,) * 3, False),), 2, 9, 0), ValueError),
    "a choice by numbers": ((F32, 1, ((None, (0, 0, 0), (sample,) * 4, False),), 1, 9, 0),
                            ValueError),
    "complex numbers": (
        (F32, 1, ((np.negative, (0,), (np.zeros((), complex),) * 2, False),), 1, 9, 0), ValueError),
    "a mask as the result": ((F32, 2, ((np.less, (0, 1), (sample, sample, mask), False),), 2, 9, 0),
                             ValueError),
    "a mask read as numbers": (
        (F32, 2, ((np.less, (0, 1), (sample, sample, mask), False),
                  (np.negative, (2,), (sample, sample), False)), 3, 9, 0), ValueError),
}  # fmt: skip


@pytest.mark.parametrize(("told", "error"), WRONG.values(), ids=WRONG)
def test_what_makes_no_tape(told, error):
    with pytest.raises(error):
        native.Tape(*told)


def test_a_tape_takes_as_many_arrays_as_it_reads():
    tape = native.Tape(F32, 2, (ADD,), 2, 100, 0)
    for given in ((), (one,), (one,) * 3):
        with pytest.raises(TypeError, match="reads 2 arrays"):
            tape(*given)
    with pytest.raises(TypeError):
        tape(one, x=one)
    with pytest.raises(TypeError, match="no keywords"):
        native.Tape(F32, 2, (ADD,), 2, 100, alone=0)


FUNCTIONS_WITHOUT = {
    "a branch on numbers": lambda x: x if x.sum() > 0 else -x,
    "a sum": lambda x: x - np.add.reduce(x),
    "an element": lambda x: x * x.reshape(-1)[0] if x.ndim else x,
    "neighbours": lambda x: x + x[..., ::-1] if x.ndim else x,
    "the shape": lambda x: -x if x.ndim == 2 else x * 2.0,
    "the size": lambda x: -x if x.size < 500 else x * 2.0,
    "another dtype": lambda x: x > 0,
    "what is written": lambda x: np.negative(x, out=x),
    "no array": lambda x: None,
    "an error": lambda x: x / "a",
    "nothing of it": lambda x: np.zeros_like(x),
    "part of it": lambda x: x[:1] if x.ndim else x,
    "random numbers": lambda x: x * np.random.default_rng().normal(size=x.shape),
}


@pytest.mark.parametrize("function", FUNCTIONS_WITHOUT.values(), ids=FUNCTIONS_WITHOUT)
def test_functions_that_have_no_tape(function):
    assert tapes.tape(function, 1, F32) is None


def test_what_a_function_does_otherwise_with_single_numbers():
    def function(x):
        return np.add(x * 2.0, x, x * 2.0)  # which is no array to write into

    tape = tapes.tape(function, 1, F32)
    assert tape(np.ones(3, F32)).tolist() == [3.0] * 3
    assert tape(np.ones((), F32)) is None


@pytest.mark.parametrize("name", PLAIN)
def test_single_numbers_of_all_kinds(name):
    """NumPy goes on with scalars after the first step, and NaN has another sign now and then."""
    declared = REGISTRY[name]
    functions = [(declared.kernel, len(declared.inputs))]
    functions += [(declared.rules[x], 1 + len(declared.reads[x])) for x in declared.inputs]
    kinds = [np.asarray(x).astype(F32) for x in (0.0, -0.0, 2.5, -np.inf, np.nan, -np.nan, 1e-40)]
    for function, count in functions:
        tape = tapes.tape(function, count, F32)
        for given in itertools.product(kinds, repeat=count) if tape is not None else ():
            found = tape(*given)
            with np.errstate(all="ignore"):
                assert found is None or found.tobytes() == np.asarray(function(*given)).tobytes()


def test_memory_that_is_written_twice():
    def function(x, y):
        z = np.empty_like(x, order="C")
        np.multiply(x, y, z)
        np.add(z, x, z)
        np.multiply(z, z, out=z)
        return z - 1.0

    tape = tapes.tape(function, 2, F64)
    x, y = np.random.default_rng(0).normal(size=(2, 3, 1000))
    assert tape.steps == 4
    assert tape(x, y).tobytes() == function(x, y).tobytes()


def test_what_is_quiet_stays_quiet_and_what_is_not_is_left_to_numpy():
    from aino.autograd.rules.constants import quiet_exp

    loud, quiet = (tapes.tape(lambda x, f=f: 1.0 / f(x), 1, F32) for f in (np.exp, quiet_exp))
    x = np.array([1.0, 1000.0], np.float32)
    assert loud(x) is None
    assert quiet(x).tolist() == [float(np.float32(1) / np.exp(np.float32(1))), 0.0]


@pytest.mark.parametrize("how", ["ignore", "warn", "raise", "call", "print", "log"])
def test_underflow_is_numpys_where_somebody_wants_to_hear_of_it(how):
    tape = tapes.tape(lambda x: x * x * 0.5, 1, F32)
    for x in (np.full(3, 1e-25, np.float32), np.full(5000, 1e-20, np.float32)):
        with np.errstate(under=how):
            found = tape(x)
        assert (found is None) == (how != "ignore")
        assert found is None or found.tobytes() == (x * x * np.float32(0.5)).tobytes()
        with np.errstate(under="ignore", over="raise"):
            assert tape(x) is not None
    assert tape(np.array([1e-25, 3e38], np.float32)) is None


def test_an_error_while_it_is_asked_who_hears_of_underflow(monkeypatch):
    tape = native.Tape(F32, 1, ((np.square, (0,), (sample, sample), 0),), 1, 100, 0)
    tiny = np.full(3, 1e-25, np.float32)
    assert tape(tiny).tolist() == [0.0] * 3

    def fails(frame, event, arg):
        if event == "call" and frame.f_code.co_name == "geterr":
            raise KeyboardInterrupt

    sys.setprofile(fails)
    try:
        with pytest.raises(KeyboardInterrupt):
            tape(tiny)
    finally:
        sys.setprofile(None)
    assert tape(tiny).tolist() == [0.0] * 3


def test_the_longest_for_which_it_is_the_same():
    def function(x):
        return x * 2.0 if x.size <= 4900 else x + x - 0.0

    tape = tapes.tape(function, 1, F32)
    assert tape(np.ones(4900, np.float32)) is not None
    assert tape(np.ones(4901, np.float32)) is None
