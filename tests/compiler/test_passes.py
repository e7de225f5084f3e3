"""Each pass alone, on programs written by hand; and every pass can be left out."""

import numpy as np
import pytest

import aino
from aino.autograd.tensor import make
from aino.compiler import pipeline
from aino.compiler.backends.numpy.emit import Emitter
from aino.compiler.ir.operations import UFUNC_METHODS, Operation
from aino.compiler.ir.program import Call, Program, Returned
from aino.compiler.ir.regions import Storage, region, reshaped
from aino.compiler.ir.verify import verify
from aino.compiler.passes.choices import choose_in_place
from aino.compiler.passes.common_subexpressions import share_common_calls
from aino.compiler.passes.constants import constant, fold_constants
from aino.compiler.passes.copies import elide_copies, gather_in_place
from aino.compiler.passes.dead_code import drop_dead_calls
from aino.compiler.passes.fusion import Chain, run_in_blocks
from aino.compiler.passes.memory_plan import plan_memory
from aino.compiler.passes.negations import absorb_signs
from aino.compiler.passes.small_matrices import lower_small_rows
from aino.compiler.pipeline import PASSES
from aino.compiler.specialization import build
from aino.tracing import opaque
from tests.compiler.test_steps import OPTIMIZERS, assert_same, data, network, plain, run_both


class Hand:
    """Writes a program call by call, as a trace would."""

    def __init__(self):
        self.calls = []
        self.arguments = []

    def argument(self, shape, dtype=np.float64):
        storage = Storage("argument", np.zeros(shape, dtype), f"x{len(self.arguments)}")
        self.arguments.append(storage)
        return region(storage, self.at_home(storage, storage.root))

    def at_home(self, storage, array):
        """Let a storage begin where an array of its form lies."""
        storage.address = array.__array_interface__["data"][0]
        return array

    def call(self, function, *values, method="__call__", out=None, **keywords):
        """Append a call; its result has the form that NumPy gives it."""
        arrays = [np.ones(v.shape, v.dtype) if hasattr(v, "storage") else v for v in values]
        if function is np.concatenate:
            values = arrays = (list(values),)
            arrays = ([np.ones(v.shape, v.dtype) for v in values[0]],)
        run = getattr(np.ndarray, function) if isinstance(function, str) else (
            getattr(function, method) if isinstance(function, np.ufunc) else function)  # fmt: skip
        made = np.asarray(run(*arrays, **keywords)).copy()
        operation = Operation.METHOD if isinstance(function, str) else Operation.FUNCTION
        if isinstance(function, np.ufunc):
            operation = UFUNC_METHODS[method]
        if out is not None:
            out.storage.written = True
            self.calls.append(Call(operation, function, tuple(values), keywords, [], out=out))
            return out
        storage = Storage("temporary")
        value = region(storage, self.at_home(storage, made))
        self.calls.append(Call(operation, function, tuple(values), keywords, [value]))
        return value

    def program(self, *results):
        returned = tuple(Returned(value) for value in results)
        return Program(self.calls, self.arguments, returned, [], [])


def run(program, *arrays):
    """Write a program out and run it."""
    verify(program)
    source = Emitter(program, plan_memory(program), "step", {}, {}).emit({})
    step, _ = build(source)
    result = step(*arrays)
    return result if isinstance(result, tuple) else (result,)


def names(program):
    return [getattr(call.function, "__name__", call.function) for call in program.calls]


def test_dead_calls_go_and_writes_to_lasting_memory_stay():
    hand = Hand()
    x = hand.argument((3,))
    hand.call(np.exp, x)
    y = hand.call(np.sin, x)
    hand.call(np.add, x, x, out=x)
    program = hand.program(y)
    assert drop_dead_calls(program) == 1
    assert names(program) == ["sin", "add"]


def test_common_calls_are_shared_unless_memory_was_written_between():
    hand = Hand()
    x = hand.argument((3,))
    a = hand.call(np.exp, x)
    b = hand.call(np.exp, x)
    hand.call(np.add, x, x, out=x)
    c = hand.call(np.exp, x)
    program = hand.program(hand.call(np.add, hand.call(np.add, a, b), c))
    assert share_common_calls(program) == 1
    np.testing.assert_allclose(run(program, np.zeros(3))[0], 3.0)
    np.testing.assert_allclose(run(program, np.ones(3))[0], 2 * np.e + np.e**2)


def test_results_of_the_caller_are_not_shared():
    hand = Hand()
    x = hand.argument((3,))
    program = hand.program(hand.call(np.exp, x), hand.call(np.exp, x))
    assert share_common_calls(program) == 0
    first, second = run(program, np.zeros(3))
    assert not np.shares_memory(first, second)


def test_constants_are_folded_and_factors_of_one_vanish():
    hand = Hand()
    x = hand.argument((3,))
    y = hand.call(np.sin, x)
    ones = hand.call(np.multiply, constant(np.full(3, 2.0)), constant(np.full(3, 0.5)))
    z = hand.call(np.multiply, y, ones)
    program = hand.program(hand.call(np.add, z, z))
    assert fold_constants(program) == 2
    assert names(program) == ["sin", "add"]
    np.testing.assert_array_equal(run(program, np.ones(3))[0], 2 * np.sin(np.ones(3)))


def test_copies_go_unless_the_original_is_written_later():
    hand = Hand()
    x = hand.argument((3,))
    y = hand.call(np.sin, x)
    kept = hand.call("copy", y)
    hand.call(np.add, y, y, out=y)
    program = hand.program(hand.call(np.add, kept, y))
    assert elide_copies(program) == 0
    np.testing.assert_allclose(run(program, np.ones(3))[0], 3 * np.sin(1.0))
    hand = Hand()
    y = hand.call(np.sin, hand.argument((3,)))
    program = hand.program(hand.call(np.add, hand.call("copy", y), y))
    assert elide_copies(program) == 1
    np.testing.assert_allclose(run(program, np.ones(3))[0], 2 * np.sin(1.0))


@pytest.mark.parametrize(
    ("used_later", "copies", "elided"), [(False, 1, 1), (True, 1, 0), (False, 2, 1), (True, 2, 1)]
)
def test_a_copy_that_is_written_is_the_original_where_nobody_else_uses_that(
    used_later, copies, elided
):
    hand = Hand()
    y = hand.call(np.sin, hand.argument((3,)))
    kept = [hand.call("copy", y) for _ in range(copies)]
    hand.call(np.add, kept[-1], 1.0, out=kept[-1])
    total = kept[-1]
    for other in kept[:-1] + ([y] if used_later else []):
        total = hand.call(np.add, total, other)
    program = hand.program(hand.call(np.multiply, total, 1.0))
    assert elide_copies(program) == elided
    verify(program)
    uses = copies + used_later
    np.testing.assert_allclose(run(program, np.ones(3))[0], uses * np.sin(1.0) + 1)


def test_what_a_kernel_may_keep_is_not_written_over():
    memory = np.arange(3.0)
    remembered = opaque(lambda x: memory)

    def copied(x):
        y = make(remembered(x.array)).clone()
        y.add_(x)
        return y * 2.0

    def chosen(x):
        return aino.where(x > 0, make(remembered(x.array)), 0.0) * 2.0

    for function in (copied, chosen):
        step = aino.compile(function, fullgraph=True)
        with aino.no_grad():
            found = [step(aino.tensor([1.0, -1.0, 1.0], dtype=aino.float64)) for _ in range(5)]
        np.testing.assert_array_equal(memory, np.arange(3.0))
        assert all(aino.equal(one, found[0]) for one in found)


def test_parts_are_computed_in_their_places():
    hand = Hand()
    x = hand.argument((2, 2))
    a, b = hand.call(np.sin, x), hand.call(np.exp, x)
    flat = hand.call(np.concatenate, a, b, axis=None)
    program = hand.program(hand.call(np.multiply, flat, 2.0), hand.call(np.add, a, 1.0))
    assert gather_in_place(program) == 2
    assert "concatenate" not in names(program)
    given = np.arange(4.0).reshape(2, 2)
    both, first = run(program, given)
    np.testing.assert_array_equal(both, 2 * np.concatenate([np.sin(given), np.exp(given)], None))
    np.testing.assert_array_equal(first, np.sin(given) + 1)


_ZERO = constant(np.zeros(()))


def _positive(hand, x):
    return hand.call(np.greater, x, 0.0)


def _written_later(hand, c, a, b):
    chosen = hand.call(np.where, c, a, 0.0)
    hand.call(np.exp, c, out=a)
    return chosen


def _changed_later(hand, c, a, b):
    chosen = hand.call(np.where, c, a, 0.0)
    return hand.call(np.add, chosen, 1.0, out=chosen)


#: A choice between what is computed from a and from b, and how many are made in place.
CHOICES = {
    "by a mask": (lambda h, c, a, b: h.call(np.where, _positive(h, c), a, _ZERO), 1),
    "by numbers": (lambda h, c, a, b: h.call(np.where, c, a, 0.0), 1),
    "the second goes": (lambda h, c, a, b: h.call(np.where, _positive(h, c), 7.0, a), 1),
    "the second goes, by numbers": (lambda h, c, a, b: h.call(np.where, c, 7.0, a), 0),
    "of two values": (lambda h, c, a, b: h.call(np.where, c, a, b), 0),
    "read again": (lambda h, c, a, b: h.call(np.add, h.call(np.where, c, a, 0.0), a), 0),
    "by itself": (lambda h, c, a, b: h.call(np.where, a, a, 1.0), 0),
    "spread": (lambda h, c, a, b: h.call(np.where, h.call(np.sum, c, axis=0), a, 0.0), 0),
    "into more": (
        lambda h, c, a, b: h.call(np.where, c, h.call(np.sum, a, axis=0), 0.0), 0),
    "of another dtype": (
        lambda h, c, a, b: h.call(np.where, c, _positive(h, a), 2.0), 0),
    "twice": (
        lambda h, c, a, b: h.call(np.where, c, h.call(np.where, c, a, 0.0), _ZERO), 1),
    "from outside": (lambda h, c, a, b: h.call(np.where, a, c, 0.0), 0),
    "written later": (_written_later, 0),
    "changed later": (_changed_later, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_made_where_a_value_is_no_longer_needed(name):
    write, count = CHOICES[name]
    given = np.array([[0.0, np.nan, -1.0], [2.0, 0.0, np.inf]])

    def make():
        hand = Hand()
        c = hand.argument((2, 3))
        a, b = hand.call(np.divide, 1.0, c), hand.call(np.exp, c)
        return hand.program(hand.call(np.multiply, write(hand, c, a, b), 2.0))

    with np.errstate(divide="ignore", invalid="ignore"):
        (expected,) = run(make(), given)
        program = make()
        assert choose_in_place(program) == count
        assert names(program).count("putmask") == count
        np.testing.assert_array_equal(run(program, given)[0], expected)


def test_a_choice_that_the_caller_gets_is_made_anew():
    hand = Hand()
    c = hand.argument((3,))
    program = hand.program(hand.call(np.where, c, hand.call(np.exp, c), 0.0))
    assert choose_in_place(program) == 0


def _minus(hand, x):
    return hand.call(np.negative, x)


#: What is computed from two negated operands, and how many negations are left of it.
SIGNS = {
    "x + -a": (lambda h, a, b, x: h.call(np.add, x, _minus(h, a)), 0),
    "-a + x": (lambda h, a, b, x: h.call(np.add, _minus(h, a), x), 0),
    "x - -a": (lambda h, a, b, x: h.call(np.subtract, x, _minus(h, a)), 0),
    "-a - x": (lambda h, a, b, x: h.call(np.subtract, _minus(h, a), x), 1),
    "x - (-a - b)": (
        lambda h, a, b, x: h.call(np.subtract, x, h.call(np.subtract, _minus(h, a), b)), 0
    ),
    "-a + -b": (lambda h, a, b, x: h.call(np.add, _minus(h, a), _minus(h, b)), 1),
    "x + (-a + -b)": (
        lambda h, a, b, x: h.call(np.add, x, h.call(np.add, _minus(h, a), _minus(h, b))), 0
    ),
    "-a - -b": (lambda h, a, b, x: h.call(np.subtract, _minus(h, a), _minus(h, b)), 1),
    "-a · b": (lambda h, a, b, x: h.call(np.multiply, _minus(h, a), b), 1),
    "-a · -b": (lambda h, a, b, x: h.call(np.multiply, _minus(h, a), _minus(h, b)), 2),
    "x + -a · b": (
        lambda h, a, b, x: h.call(np.add, x, h.call(np.multiply, _minus(h, a), b)), 0
    ),
    "x + -a · -b": (
        lambda h, a, b, x: h.call(
            np.add, h.call(np.multiply, _minus(h, a), _minus(h, b)), x
        ), 0,
    ),
    "x - (-a @ b) / b": (
        lambda h, a, b, x: h.call(
            np.subtract, x, h.call(np.divide, h.call(np.dot, _minus(h, a), b), b)
        ), 0,
    ),
    "(-a)²": (lambda h, a, b, x: h.call(np.square, _minus(h, a)), 0),
    "x - --a": (lambda h, a, b, x: h.call(np.subtract, x, _minus(h, _minus(h, a))), 1),
    "exp(-a)": (lambda h, a, b, x: h.call(np.exp, _minus(h, a)), 1),
}  # fmt: skip


@pytest.mark.parametrize("kept", ["returned", "written"])
@pytest.mark.parametrize("name", SIGNS)
def test_signs_stay_in_values_that_are_kept(name, kept):
    """What is computed is read by a sum, and is wanted for itself besides."""
    write, _ = SIGNS[name]
    given = [np.random.default_rng(i).standard_normal((3, 3)) for i in range(3)]

    def make():
        hand = Hand()
        x = hand.call(np.cos, hand.argument((3, 3)))
        y = write(hand, *[hand.call(np.sin, hand.argument((3, 3))) for _ in range(2)], x)
        found = [hand.call(np.subtract, x, y), y]
        if kept == "written":
            hand.call(np.multiply, y, 2.0, out=y)
        return hand.program(*found)

    expected = run(make(), *given)
    program = make()
    absorb_signs(program)
    for a, b in zip(run(program, *given), expected):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", SIGNS)
def test_signs_end_in_sums(name):
    write, left = SIGNS[name]
    given = [np.random.default_rng(i).standard_normal((3, 3)) for i in range(3)]

    def make():
        hand = Hand()
        y = write(hand, *[hand.call(np.sin, hand.argument((3, 3))) for _ in range(3)])
        return hand.program(hand.call(np.cos, y))

    (expected,) = run(make(), *given)
    program = make()
    absorb_signs(program)
    np.testing.assert_array_equal(run(program, *given)[0], expected)
    assert names(program).count("negative") == left


@pytest.mark.parametrize("reader", ["returned", "gathered", "written", "view"])
def test_a_negation_stays_where_the_value_itself_is_wanted(reader):
    hand = Hand()
    a = hand.call(np.sin, hand.argument((4,)))
    minus = hand.call(np.negative, a)
    y = hand.call(np.add, a, minus)
    results = [y]
    if reader == "returned":
        results.append(minus)
    elif reader == "gathered":
        results.append(hand.call(np.concatenate, minus, y))
    elif reader == "written":
        hand.call(np.multiply, minus, 2.0, out=minus)
    else:
        results.append(hand.call(np.exp, reshaped(minus, (2, 2))))
    program = hand.program(*results)
    assert absorb_signs(program) == 0
    given = np.linspace(1, 2, 4)
    np.testing.assert_array_equal(run(program, given)[0], np.zeros(4))


@pytest.mark.parametrize(
    ("shape", "expected_count"),
    [((8, 3), 4), ((32, 16), 4), ((2, 3), 0), ((32, 100), 3), ((32, 300), 0), ((400, 200), 0)],
)
def test_small_rows_are_lowered_bit_for_bit(shape, expected_count):
    hand = Hand()
    x, row, column = hand.argument(shape), hand.argument(shape[1:]), hand.argument((shape[0], 1))
    y = hand.call(np.subtract, hand.call(np.add, x, row), column)
    high = hand.call(np.maximum, y, method="reduce", axis=1, keepdims=True)
    program = hand.program(hand.call(np.multiply, hand.call(np.subtract, y, high), 2.0))
    assert lower_small_rows(program) == expected_count
    rng = np.random.default_rng(0)
    a, b, c = rng.random(shape), rng.random(shape[1:]), rng.random((shape[0], 1))
    expected = a + b - c
    expected = (expected - expected.max(1, keepdims=True)) * 2.0
    np.testing.assert_array_equal(run(program, a, b, c)[0], expected)


def test_a_row_is_read_in_the_shape_of_the_result():
    hand = Hand()
    bias = hand.call(np.negative, hand.argument((5,)))
    program = hand.program(hand.call(np.add, hand.argument((1, 5)), bias))
    lower_small_rows(program)
    assert program.calls[-1].arguments[1].shape == (1, 5)
    np.testing.assert_array_equal(run(program, np.ones(5), np.arange(5.0)[None])[0],
                                  np.arange(5.0)[None] - 1)  # fmt: skip


def test_long_stretches_run_in_blocks():
    size = 300_000
    hand = Hand()
    x = hand.argument((size,))
    y = hand.call(np.multiply, hand.call(np.exp, hand.call(np.sin, x)), x)
    program = hand.program(y)
    assert run_in_blocks(program) == 3
    (chain,) = program.calls
    assert isinstance(chain, Chain)
    assert len(chain.local) == 2
    given = np.linspace(0, 1, size)
    np.testing.assert_array_equal(run(program, given)[0], np.exp(np.sin(given)) * given)


def test_a_large_step_in_blocks_agrees_with_eager():
    def make():
        aino.manual_seed(0)
        model = aino.nn.Sequential(
            aino.nn.Linear(4, 700), aino.nn.Tanh(), aino.nn.Linear(700, 300), aino.nn.Linear(300, 3)
        ).double()
        optimizer = aino.optim.Adam(model.parameters(), lr=0.001)
        return model, plain(model, optimizer, aino.nn.CrossEntropyLoss())

    assert_same(run_both(make, 8, data()))


@pytest.mark.parametrize("left_out", PASSES)
def test_every_pass_can_be_left_out(left_out):
    passes = [name for name in PASSES if name != left_out]
    finals = []
    for chosen in (None, passes, []):
        aino.manual_seed(0)
        model = network(aino.nn.ReLU())
        step = plain(model, OPTIMIZERS["Adam"](model.parameters()), aino.nn.CrossEntropyLoss())
        step = aino.compile(step, passes=chosen)
        finals.append([step(*data()).item() for _ in range(8)])
    np.testing.assert_allclose(finals[1], finals[0], rtol=1e-13)
    np.testing.assert_allclose(finals[2], finals[0], rtol=1e-13)


def test_an_unknown_pass_is_named():
    with pytest.raises(ValueError, match="unknown pass 'fuse'"):
        aino.compile(lambda x: x, passes=["fuse"])


def test_a_stretch_keeps_to_one_dtype():
    size = 200_000
    hand = Hand()
    x = hand.argument((size,))
    mask = hand.call(np.greater, x, 0.5)
    y = hand.call(np.multiply, hand.call(np.sin, x), mask)
    low = hand.call(np.minimum, hand.call(np.exp, y), 2.0)
    program = hand.program(low)
    run_in_blocks(program)
    given = np.linspace(0, 1, size)
    expected = np.minimum(np.exp(np.sin(given) * (given > 0.5)), 2.0)
    np.testing.assert_array_equal(run(program, given)[0], expected)


def test_what_is_returned_is_copied_only_where_another_holds_it():
    x = aino.linspace(0, 1, 6).reshape(2, 3)
    slope = aino.compile(aino.func.grad(lambda a: (a @ a.T).tanh().sum()), fullgraph=True)
    first, second = slope(x), slope(x)
    assert "copy()" not in slope.source
    first += 1
    assert aino.allclose(second, slope(x))

    @aino.compile(fullgraph=True)
    def twice(a):
        y = a.exp()
        return y, y.clone(), y.clone(), y * 2

    for _ in range(3):
        found = twice(x)
        for y in found:
            y.add_(1)
        for y, expected in zip(found, (x.exp(), x.exp(), x.exp(), x.exp() * 2)):
            assert aino.allclose(y, expected + 1)
    same = aino.compile(lambda a: [a.exp().clone()] * 2)(x)
    assert same[0] is same[1]
    w = aino.ones(3, requires_grad=True)

    @aino.compile(fullgraph=True)
    def step(a):
        w.grad = None
        (a * w).exp().sum().backward()
        return w.grad.clone(), w.grad * 1

    for _ in range(3):
        found = step(x)
        kept = w.grad.clone()
        for g in found:
            assert aino.allclose(g, kept)
            g.zero_()
        assert aino.allclose(w.grad, kept)


def test_a_pass_that_hides_what_it_changes_is_found(monkeypatch):
    monkeypatch.setattr(pipeline.checks, "changes", True)

    def hiding(program):
        program.calls.pop()
        return 0

    hand = Hand()
    x = hand.argument((3,))
    y = hand.call(np.exp, x)
    hand.call(np.sin, x)
    program = hand.program(y)
    program.keeps_analysis = True
    pipeline._look(program, elide_copies)
    with pytest.raises(AssertionError, match="hiding does not say"):
        pipeline._look(program, hiding)
