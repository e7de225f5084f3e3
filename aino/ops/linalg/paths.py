"""In which order to multiply several operands of a sum of products: the cheapest, if they are few.

Source: Smith and Gray, opt_einsum: a Python package for optimizing contraction order (2018).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import lru_cache
from itertools import combinations

#: Up to so many operands every order is looked at; of more, the next best pair is taken each time.
_FEW = 5

Labels = frozenset[Hashable]


@lru_cache(maxsize=512)
def path(
    operands: tuple[Labels, ...], output: Labels, lengths: tuple[tuple[Hashable, int], ...]
) -> tuple[tuple[int, int], ...]:
    """Return the pairs to multiply, one after the other; each result comes first in what is left.

    Arguments:
        operands: the labels of each.
        output: the labels that are not summed over.
        lengths: each label with the length of its axes.
    """
    sizes = dict(lengths)
    if len(operands) <= _FEW:
        return _cheapest(operands, output, sizes)[1]
    pairs: list[tuple[int, int]] = []
    while len(operands) > 1:

        def rank(pair, operands=operands):
            """Return how much a pair shrinks, the most first, and what its product takes."""
            before = sum([_size(operands[k], sizes) for k in pair])
            after = _size(_kept(operands, pair, output), sizes)
            return after - before, _size(operands[pair[0]] | operands[pair[1]], sizes)

        pair = min(combinations(range(len(operands)), 2), key=rank)
        pairs.append(pair)
        operands = _multiplied(operands, pair, output)
    return tuple(pairs)


def _size(labels: Labels, sizes) -> int:
    return math.prod([sizes[label] for label in labels])


def _kept(operands, pair, output: Labels) -> Labels:
    """Return the labels of the product of a pair: those that somebody else needs."""
    others = [labels for k, labels in enumerate(operands) if k not in pair]
    return (operands[pair[0]] | operands[pair[1]]) & output.union(*others)


def _multiplied(operands, pair, output: Labels) -> tuple[Labels, ...]:
    others = [labels for k, labels in enumerate(operands) if k not in pair]
    return (_kept(operands, pair, output), *others)


def _cheapest(operands, output: Labels, sizes) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return the fewest multiplications, and the pairs that take them."""
    if len(operands) < 2:
        return 0, ()
    found = []
    for pair in combinations(range(len(operands)), 2):
        own = _size(operands[pair[0]] | operands[pair[1]], sizes)
        rest, pairs = _cheapest(_multiplied(operands, pair, output), output, sizes)
        found.append((own + rest, (pair, *pairs)))
    return min(found, key=lambda item: item[0])
