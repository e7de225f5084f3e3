"""Choices are made in the memory of what they choose from, where nobody needs it any more."""

import numpy as np
import pytest

from aino.compiler.passes.choices import choose_in_place
from aino.compiler.passes.constants import constant
from tests.compiler.hand import Hand, names, run

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
