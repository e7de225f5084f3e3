"""Each pass alone, on programs written by hand; and every pass can be left out."""

import numpy as np
import pytest

import aino
from aino.autograd.tensor import make
from aino.compiler import pipeline
from aino.compiler.ir.verify import verify
from aino.compiler.passes.common_subexpressions import share_common_calls
from aino.compiler.passes.constants import constant, fold_constants
from aino.compiler.passes.copies import elide_copies, gather_in_place
from aino.compiler.passes.dead_code import drop_dead_calls
from aino.compiler.passes.fusion import Chain, run_in_blocks
from aino.compiler.passes.small_matrices import lower_small_rows
from aino.compiler.pipeline import PASSES
from aino.tracing import opaque
from tests.compiler.hand import Hand, names, run
from tests.compiler.test_steps import OPTIMIZERS, assert_same, data, network, plain, run_both


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
