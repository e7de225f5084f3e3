"""What is said of overflow and its kin: what NumPy says, and only of what is not quiet."""

import warnings

import numpy as np
import pytest

import aino
from aino.compiler.backends.native.stretches import on_flags

Stretch = pytest.importorskip("aino_native").Stretch


def dividing(quiet=0):
    """Return a stretch that divides 1 and 0 by 0, and what it does as a call of NumPy's."""
    given, zeros, out = np.array([1.0, 0.0, 1.0]), np.zeros(3), np.empty(3)
    instruction = ("ufunc", (out, given, zeros), np.divide, quiet)
    return Stretch([], 0, [instruction], on_flags("divide")), lambda: np.divide(given, zeros)


class Log(list):
    """Takes what is written."""

    write = list.append


def outcome(call, how):
    """Return what a call warns of, and what the handler of numbers that are none hears."""
    heard = Log()
    handler = heard if how == "log" else lambda *what: heard.append(what)
    with np.errstate(all=how, call=handler), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            call()
        except FloatingPointError as error:
            heard.append(str(error))
    return sorted(str(one.message) for one in told), heard


@pytest.mark.parametrize("how", ["ignore", "warn", "raise", "print", "call", "log"])
def test_numbers_that_are_none_are_told_of_as_numpy_has_it(how, capfd):
    outcomes = [(*outcome(call, how), capfd.readouterr().err) for call in dividing()]
    assert outcomes[0] == outcomes[1]
    assert any(outcomes[0]) == (how != "ignore")


def test_quiet_instructions_say_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dividing(quiet=15)[0]()


EACH = {
    "divide": ("divide by zero", 1.0, 0.0), "over": ("overflow", 1e300, 1e-300),
    "under": ("underflow", 1e-300, 1e300), "invalid": ("invalid value", 0.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("bits", range(16))
def test_an_instruction_is_quiet_about_what_its_bits_name(bits):
    for place, (kind, (message, a, b)) in enumerate(EACH.items()):
        operands = (np.empty(2), np.full(2, a), np.full(2, b))
        with np.errstate(**{kind: "warn"}), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            Stretch([], 0, [("ufunc", operands, np.divide, bits)], on_flags("step"))()
        expected = [] if bits >> place & 1 else [f"{message} encountered in step"]
        assert [str(one.message) for one in told] == expected


def test_a_program_is_quiet_about_what_its_function_ignores():
    function = aino.compile(lambda x: aino.sigmoid(x) * 2.0 + 1.0)
    function(aino.ones(3))
    for x, kind in ((100.0, "under"), (-100.0, "over")):
        with np.errstate(**{kind: "raise"}):
            try:
                found = function(aino.full((3,), x)).tolist()
            except FloatingPointError as error:
                found = str(error)
        assert found == ("underflow encountered in exp" if kind == "under" else [1.0] * 3)


def test_what_one_instruction_keeps_quiet_others_do_not():
    big, out, zero = np.full(3, 1e300), np.empty(3), np.zeros(3)
    loud = ("ufunc", (out, big, big), np.multiply, False)
    quiet = ("ufunc", (out, big, zero), np.divide, 15)
    for order in ([loud, quiet], [quiet, loud]):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            Stretch([], 0, order, on_flags("step"))()
        assert [str(one.message) for one in told] == ["overflow encountered in step"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_a_later_loop_clears_was_told_of_already(dtype):
    """NumPy's loops of maximum and of comparisons clear what was raised before them."""
    big, out = np.full(40, np.finfo(dtype).max, dtype), np.empty(40, dtype)
    loud = ("ufunc", (out, big, big), np.add, False)
    calm = [
        ("ufunc", (np.empty(40, dtype), big, big), np.maximum, False),
        ("ufunc", (np.empty(40, bool), big, big), np.less, False),
    ]
    with pytest.warns(RuntimeWarning, match="overflow encountered in step"):
        Stretch([], 0, [loud, *calm], on_flags("step"))()


#: What overflows, divides by zero or is not a number, and what compiled programs say of it.
LOUD = {
    "a product": lambda x: (x * 1e30) @ (x * 1e30).T,
    "a stack": lambda x: (x * 1e30)[None] @ (x * 1e30).T[None],
    "a ufunc": lambda x: x * 1e30 * 1e30,
    "then a maximum": lambda x: aino.maximum(x * 1e30 * 1e30, x),
    "a sum": lambda x: (x * 1e38 * 3.0).sum(0),
    "a logarithm": lambda x: aino.log(x - x),
    "nothing": lambda x: x * 2.0,
}


def told(function, backend):
    """Return the kinds of what a program warns of, without the name of the function."""
    step = aino.compile(function, backend=backend, name="step")
    x = aino.ones(4, 4)
    with np.errstate(all="ignore"), aino.no_grad():
        for _ in range(3):
            step(x)
    with warnings.catch_warnings(record=True) as record, aino.no_grad():
        warnings.simplefilter("always")
        step(x)
    assert ("walk(" in step.code) == (backend == "native")
    return {str(one.message).split(" encountered")[0] for one in record}


@pytest.mark.parametrize("name", LOUD)
def test_a_program_warns_of_the_same_in_both_ways(name):
    assert told(LOUD[name], "native") == told(LOUD[name], "numpy")


@pytest.mark.parametrize("number", [float("inf"), -float("inf"), float("nan"), 2.5, -0.0])
@pytest.mark.parametrize("size", [5, 300_000])  # a call, and a chain
def test_plain_numbers_of_any_kind_are_operands(number, size):
    def function(x):
        return (x + x).clamp(max=number) * 2.0 + number

    found = {}
    for backend in ("numpy", "native"):
        step = aino.compile(function, backend=backend)
        x = aino.linspace(-3.0, 3.0, size)
        with np.errstate(all="ignore"), aino.no_grad():
            found[backend] = [step(x).numpy().tobytes() for _ in range(3)][-1]
    assert found["numpy"] == found["native"]


#: What raises something: a ufunc and what it is given. Some raise it in a unit of the processor
#: that NumPy's plain loops do not use, and is asked only where they may.
RAISING = {
    "a product": (np.multiply, 1e300, 1e300, float),
    "a product of singles": (np.multiply, 1e30, 1e30, np.float32),
    "a product of long doubles": (np.multiply, np.finfo(np.longdouble).max, 2, np.longdouble),
    "a product of halves": (np.multiply, 6e4, 6e4, np.float16),
    "a quotient": (np.divide, 1, 0, float),
    "a quotient of nothing": (np.divide, 0, 0, np.float32),
    "a quotient of long doubles": (np.divide, 1, 0, np.longdouble),
    "a small product": (np.multiply, 1e-300, 1e-300, float),
    "a root": (np.sqrt, -1, None, float),
    "a logarithm": (np.log, 0, None, float),
    "an exponential": (np.exp, 1e3, None, float),
    "an exponential of singles": (np.exp, 1e3, None, np.float32),
    "a power": (np.power, 1e300, 3, float),
    "a remainder": (np.fmod, 1, 0, float),
    "a difference of infinities": (np.subtract, np.inf, np.inf, float),
    "nothing": (np.add, 1, 2, float),
    "a comparison": (np.less, np.nan, 1, float),
}


@pytest.mark.parametrize("what", RAISING)
@pytest.mark.parametrize("beside", ["alone", "before", "after"])
def test_what_is_raised_is_seen_whatever_it_is_raised_in(what, beside):
    function, *given, dtype = RAISING[what]
    given = [np.full(3, x, dtype) for x in given if x is not None]
    with np.errstate(all="ignore"):
        out = function(*given)
    plain = ("ufunc", (np.empty(3), np.ones(3), np.ones(3)), np.add, False)
    rows = [("ufunc", (out, *given), function, False)]
    rows = {"alone": rows, "before": [*rows, plain], "after": [plain, *rows]}[beside]
    try:
        stretch = Stretch([], 0, rows, on_flags(function.__name__))
    except ValueError:
        pytest.skip("it is not walked")
    assert outcome(stretch, "warn") == outcome(lambda: function(*given), "warn")
