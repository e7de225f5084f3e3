"""The gradients of slices are added up in one array."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.compiler import pipeline
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Subscript, new_temporary, region_at
from aino.compiler.passes.constants import constant
from aino.compiler.passes.slices import add_slices_in_place
from tests.compiler.hand import Hand, run
from tests.compiler.test_linear_cost import recurrence


def chunks(x):
    a, b, c = (x * 2.0).chunk(3, 1)
    return (a * b.tanh() + c.exp()).sum()


def some_columns(x):
    y = x.exp()
    return (y[:, 1] * y[:, 4]).sum()


def overlapping(x):
    y = x * 1.5
    return (y[:, :4] * y[:, 2:]).sum() + y[1:3].square().sum()


def whole_besides(x):
    y = x.tanh()
    return (y[:, :2] * 3.0).sum() + (y * y).sum() + y[0].sum()


def unbound(x):
    h = 0.0
    for row in (x * 1.0).unbind(0):
        h = aino.tanh(row + h)
    return h.sum()


def of_a_leaf(x):
    return (x[0] * x[1] * x[2]).sum() + x[:, ::2].square().sum()


def stepped(x):
    y = x * 2.0
    return (y[::2] * y[1::2]).sum() + y[:, ::3].exp().sum() + y.flip(0)[:, -1].sum()


def halves_of_halves(x):
    y = x.sin()
    top, bottom = y[:2], y[2:]
    return (top[:, :3] * top[:, 3:]).sum() + (bottom[0] * bottom[1]).sum()


def twice(x):
    y = x.cos()
    return (y[0] * 2.0 + y[0].exp()).sum() + y[1].sum()


def gates_over_time(x):
    """The gradient of each step is itself made of the gates' gradients."""
    inputs = (x * 0.5).unsqueeze(1)
    h = aino.zeros(1, 3)
    for step in range(4):
        a, b = (inputs[step] + h.repeat(1, 2)).chunk(2, 1)
        h = a.sigmoid() * b.tanh()
    return h.sum()


@pytest.mark.parametrize(
    "function",
    [gates_over_time, chunks, some_columns, overlapping, whole_besides, unbound, of_a_leaf, stepped,
     halves_of_halves, twice],
)  # fmt: skip
def test_the_gradients_are_those_of_eager(function):
    leaf = aino.randn(4, 6).requires_grad_()

    def step():
        leaf.grad = None
        function(leaf).backward()
        return leaf.grad.clone()

    compiled = aino.compile(step)
    for turn in range(4):
        with aino.no_grad():
            leaf.mul_(1.0 + 0.1 * turn)
        found = compiled().numpy()
        np.testing.assert_array_equal(found, step().numpy())


def test_gates_of_a_recurrence_are_written_where_they_belong():
    step, arguments = recurrence(5)
    compiled = aino.compile(step)
    for _ in range(3):
        compiled(*arguments)
    assert (
        compiled._latest.optimised.counts["slices"] == 20
    )  # three sums and the zeros for each step
    text = compiled.source
    # Each gate's gradient has its place; zeros are needed by none.
    assert text.count("[:, 0:3][...] =") == 5
    assert "np.zeros((2, 12)" not in text


def test_a_part_that_somebody_else_reads_stays():
    x = aino.randn(4, 6).requires_grad_()
    other = aino.zeros(4, 6)

    def step():
        x.grad = None
        y = x * 2.0
        y.register_hook(lambda g: other.copy_(g))
        (y[:, :3] * y[:, 3:]).sum().backward()
        return x.grad.clone()

    compiled = aino.compile(step)
    for _ in range(4):
        found = compiled().numpy()
        seen = other.numpy().copy()
        np.testing.assert_array_equal(found, step().numpy())
        np.testing.assert_array_equal(seen, other.numpy())


def test_it_can_be_left_out():
    step, arguments = recurrence(3)
    names = [name for name in pipeline.PASSES if name != "slices"]
    with_it, without = aino.compile(step), aino.compile(step, passes=names)
    for _ in range(3):
        with_it(*arguments)
        without(*arguments)
    assert "np.zeros((2, 12)" in without.source
    assert "slices" not in without._latest.optimised.counts


def test_an_attention_with_chunked_heads_trains_alike():
    qkv, out = nn.Linear(6, 18), nn.Linear(6, 1)
    x = aino.randn(2, 5, 6)

    def step():
        for p in (*qkv.parameters(), *out.parameters()):
            p.grad = None
        q, k, v = qkv(x).chunk(3, -1)
        y = (q @ k.mT).softmax(-1) @ v
        out(y).square().mean().backward()
        return qkv.weight.grad.clone(), out.weight.grad.clone()

    compiled = aino.compile(step)
    for _ in range(4):
        for found, expected in zip(compiled(), step()):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())


def placed(hand, value, shape, index):
    """Zeros of a shape, with a value at an index."""
    whole = new_temporary(shape, np.dtype(np.float64))
    like = np.zeros(shape)
    part = like[index]
    offset = part.__array_interface__["data"][0] - like.__array_interface__["data"][0]
    place = region_at(
        whole.storage, part.shape, part.dtype, part.strides, offset, whole, Subscript(index)
    )
    zeros = constant(np.zeros(shape))
    hand.calls.append(Call(Operation.COPY, None, (zeros,), {}, [], out=whole))
    hand.calls.append(Call(Operation.COPY, None, (value,), {}, [], out=place))
    return whole


def test_a_part_keeps_what_it_held_when_its_source_takes_up_another_sum():
    hand = Hand()
    x, y = hand.argument((3,)), hand.argument((2, 3))
    first = hand.call(np.sin, x)
    big = placed(hand, first, (2, 3), (0,))
    small = placed(hand, hand.call(np.exp, hand.argument((1,))), (3,), (slice(0, 1),))
    taken = hand.call(np.add, first, small)
    total = hand.call(np.add, hand.call(np.cos, y), big)
    program = hand.program(hand.call(np.multiply, taken, 2.0), hand.call(np.multiply, total, 2.0))
    assert add_slices_in_place(program) == 1
    arrays = np.array([1.0, 2.0, 3.0]), np.ones((2, 3)), np.array([0.5])
    one, other = run(program, *arrays)
    expected = np.cos(arrays[1])
    expected[0] += np.sin(arrays[0])
    np.testing.assert_allclose(other, 2 * expected)
    expected = np.sin(arrays[0])
    expected[0] += np.exp(0.5)
    np.testing.assert_allclose(one, 2 * expected)


def test_a_source_that_was_added_up_of_slices_is_a_slice_in_turn():
    """Only if nothing is added to it between where it was placed and where that is summed."""
    for changed in (False, True):
        hand = Hand()
        x, y = hand.argument((3,)), hand.argument((2, 3))
        part = placed(hand, hand.call(np.exp, hand.argument((1,))), (3,), (slice(0, 1),))
        source = hand.call(np.add, hand.call(np.sin, x), part)
        big = placed(hand, source, (2, 3), (0,))
        results = []
        if changed:
            other = placed(hand, hand.call(np.tanh, hand.argument((1,))), (3,), (slice(1, 2),))
            results.append(hand.call(np.multiply, hand.call(np.add, source, other), 2.0))
        total = hand.call(np.add, hand.call(np.cos, y), big)
        program = hand.program(hand.call(np.multiply, total, 2.0), *results)
        assert add_slices_in_place(program) == 2
        arrays = [np.array([1.0, 2.0, 3.0]), np.ones((2, 3)), np.array([0.5]), np.array([0.25])]
        found, *rest = run(program, *arrays[: 3 + changed])
        expected = np.cos(arrays[1])
        expected[0] += np.sin(arrays[0]) + [np.exp(0.5), 0, 0]
        np.testing.assert_allclose(found, 2 * expected)
        for one in rest:
            sine = np.sin(arrays[0]) + [np.exp(0.5), np.tanh(0.25), 0]
            np.testing.assert_allclose(one, 2 * sine)


def test_slice_by_slice_takes_linear_work():
    """Each slice is placed once, whatever the number of those before it."""
    hand = Hand()
    x = hand.argument((1,))
    total = placed(hand, hand.call(np.sin, x), (8,), (slice(0, 1),))
    for position in range(1, 8):
        part = placed(hand, hand.call(np.cos, x), (8,), (slice(position, position + 1),))
        total = hand.call(np.add, total, part)
    program = hand.program(hand.call(np.multiply, total, 2.0))
    assert add_slices_in_place(program) == 8  # seven sums, and the zeros
    operations = [call.operation for call in program.calls]
    assert operations.count(Operation.COPY) == 8  # no zeros, no additions
    (found,) = run(program, np.array([0.3]))
    np.testing.assert_array_equal(found, 2 * np.r_[np.sin(0.3), np.full(7, np.cos(0.3))])


def test_zeros_that_somebody_reads_before_they_are_written_over_stay():
    hand = Hand()
    x = hand.argument((1, 3))
    left = placed(hand, hand.call(np.sin, x), (2, 3), (slice(0, 1),))
    early = hand.call(np.cos, left)
    right = placed(hand, hand.call(np.exp, x), (2, 3), (slice(1, 2),))
    total = hand.call(np.add, left, right)
    program = hand.program(hand.call(np.multiply, early, 2.0), hand.call(np.multiply, total, 2.0))
    assert add_slices_in_place(program) == 1
    given = np.array([[0.3, 0.5, -1.0]])
    first, second = run(program, given)
    np.testing.assert_array_equal(first, 2 * np.cos(np.r_[np.sin(given), np.zeros((1, 3))]))
    np.testing.assert_array_equal(second, 2 * np.r_[np.sin(given), np.exp(given)])
    assert Operation.COPY in [call.operation for call in program.calls if call.target.is_whole]
