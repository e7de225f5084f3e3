"""What is copied into a part of an array is computed there, where nobody can tell."""

import numpy as np
import pytest

import aino
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Method, Subscript, new_temporary, region_at
from aino.compiler.passes.placement import compute_in_place
from tests.compiler.hand import Hand, run

X = np.array([[1.0, 2.0, 3.0], [-4.0, 5.0, 0.5]])


def part_of(whole, index):
    """The region of an array behind an index."""
    like = np.zeros(whole.shape, whole.dtype)
    part = like[index]
    offset = part.__array_interface__["data"][0] - like.__array_interface__["data"][0]
    return region_at(
        whole.storage, part.shape, part.dtype, part.strides, offset, whole, Subscript(index)
    )


def copied(hand, source, target):
    target.storage.written = True
    hand.calls.append(Call(Operation.COPY, None, (source,), {}, [], out=target))


def begun():
    """A program with an argument, and an array in whose left columns there is its sine."""
    hand = Hand()
    x, whole = hand.argument((2, 3)), new_temporary((2, 6), np.dtype(np.float64))
    hand.call(np.sin, x, out=part_of(whole, (slice(None), slice(0, 3))))
    return hand, x, whole, part_of(whole, (slice(None), slice(3, 6)))


def test_a_stretch_of_calls_fills_its_place():
    hand, x, whole, place = begun()
    y = hand.call(np.exp, x)
    hand.call(np.multiply, y, y, out=y)
    copied(hand, y, place)
    program = hand.program(hand.call(np.negative, whole))
    assert compute_in_place(program) == 1
    assert [call.operation for call in program.calls] == [Operation.UFUNC] * 4
    np.testing.assert_array_equal(run(program, X)[0], -np.c_[np.sin(X), np.exp(X) * np.exp(X)])


def test_what_is_read_as_other_numbers_is_filled_as_such():
    hand, _x, whole, place = begun()
    bits = hand.call(np.multiply, *[hand.argument((2, 3), np.int64)] * 2)
    shown = region_at(
        bits.storage, bits.shape, np.dtype(np.float64), bits.strides, bits.offset, bits,
        Method("view", (np.dtype(np.float64),)),
    )  # fmt: skip
    copied(hand, shown, place)
    program = hand.program(hand.call(np.negative, whole))
    assert compute_in_place(program) == 1
    numbers = np.arange(6).reshape(2, 3)
    expected = np.c_[np.sin(X), (numbers * numbers).view(np.float64)]
    np.testing.assert_array_equal(run(program, X, numbers)[0], -expected)


def read_between(hand, x, whole, place, y):
    return [hand.call(np.negative, whole)]


def written_between(hand, x, whole, place, y):
    hand.call(np.cos, x, out=place)
    return [hand.call(np.negative, place)]


def used_afterwards(hand, x, whole, place, y):
    copied(hand, y, place)
    return [hand.call(np.negative, y)]


def made_otherwise(hand, x, whole, place, y):
    copied(hand, hand.call("copy", y), place)
    return [y]


def reduced(hand, x, whole, place, y):
    return [hand.call(np.add, y, method="reduce", axis=0), y]


@pytest.mark.parametrize(
    "between", [read_between, written_between, used_afterwards, made_otherwise, reduced]
)
def test_what_somebody_else_meets_is_copied(between):
    results = []
    for with_it in (True, False):
        hand, x, whole, place = begun()
        hand.call(np.negative, x, out=place)
        y = hand.call(np.exp, x)
        others = between(hand, x, whole, place, y)
        if between is not used_afterwards:
            copied(hand, y, place)
        program = hand.program(hand.call(np.negative, whole), *others)
        if with_it:
            assert compute_in_place(program) == 0
        results.append(run(program, X))
    for found, expected in zip(*results):
        np.testing.assert_array_equal(found, expected)


def test_gates_are_computed_where_they_belong():
    x = aino.randn(4, 6).requires_grad_()

    def step():
        a, b, c = (x * 2.0).chunk(3, 1)
        return aino.autograd.grad((a.sigmoid() * b.tanh() + c.exp()).sum(), x)[0]

    compiled = aino.compile(step)
    for _ in range(3):
        np.testing.assert_array_equal(compiled().numpy(), step().numpy())
    assert compiled._latest.optimised.counts["placement"] == 3
