"""In which order the operands of einsum are multiplied."""

import math

import numpy as np
import pytest

import aino
from aino.ops.linalg import contraction

#: An equation, the lengths of its letters, and the fewest multiplications that it takes.
CHEAPEST = [
    ("ab,bc,cd->ad", {"a": 2, "b": 50, "c": 3, "d": 40}, 2 * 50 * 3 + 2 * 3 * 40),
    ("ab,bc,cd->ad", {"a": 40, "b": 3, "c": 50, "d": 2}, 3 * 50 * 2 + 40 * 3 * 2),
    ("a,ab,b->", {"a": 100, "b": 3}, 100 * 3 + 3),
    ("ab,bc,cd,de->ae", {"a": 9, "b": 9, "c": 9, "d": 9, "e": 1}, 3 * 81),
    ("ab,bc,cd,de,ef,fg->ag", dict.fromkeys("abcdef", 9) | {"g": 1}, 5 * 81),
]


def multiplications(equation, lengths):
    """Return how many an equation takes, counted along its path."""
    terms, _, output = equation.partition("->")
    operands = tuple(map(frozenset, terms.split(",")))
    count = 0
    for i, j in contraction.cheapest_path(operands, frozenset(output), tuple(lengths.items())):
        both = operands[i] | operands[j]
        count += math.prod([lengths[letter] for letter in both])
        rest = [labels for k, labels in enumerate(operands) if k not in (i, j)]
        operands = (both & frozenset(output).union(*rest), *rest)
    assert len(operands) == 1
    return count


@pytest.mark.parametrize(("equation", "lengths", "fewest"), CHEAPEST)
def test_the_path_takes_the_fewest_multiplications(equation, lengths, fewest):
    assert multiplications(equation, lengths) == fewest


def test_equal_costs_are_multiplied_from_left_to_right():
    operands = tuple(map(frozenset, ("ab", "bc", "cd")))
    sizes = tuple(dict.fromkeys("abcd", 4).items())
    assert contraction.cheapest_path(operands, frozenset("ad"), sizes) == ((0, 1), (0, 1))


def test_einsum_takes_that_path(monkeypatch):
    shapes = []
    pair = contraction._pair

    def noted(a, a_labels, b, b_labels, needed):
        shapes.append((tuple(a.shape), tuple(b.shape)))
        return pair(a, a_labels, b, b_labels, needed)

    monkeypatch.setattr(contraction, "_pair", noted)
    operands = [aino.ones(40, 3), aino.ones(3, 50), aino.ones(50, 2)]
    found = aino.einsum("ab,bc,cd->ad", *operands)
    assert shapes == [((3, 50), (50, 2)), ((3, 2), (40, 3))]
    np.testing.assert_array_equal(found.numpy(), np.full((40, 2), 150.0, np.float32))
