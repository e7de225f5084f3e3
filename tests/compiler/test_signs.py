"""Negations are absorbed by the sums and differences behind them."""

import numpy as np
import pytest

from aino.compiler.ir.regions import reshaped
from aino.compiler.passes.negations import absorb_signs
from tests.compiler.hand import Hand, names, run


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
