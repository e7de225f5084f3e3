"""The runs in which a function is recorded, and how long its dynamic dimensions are in each."""

from __future__ import annotations

from collections.abc import Iterator

_PRIMES = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


def choices(lengths: dict[str, int]) -> Iterator[list[dict[str, int]]]:
    """Yield ways to choose the lengths of all runs; the next where a function raises with one.

    The example's own lengths come first, and then primes, which nothing else is a multiple of. Not
    every model takes any length: a network with 8 positions takes none of more, so shorter ones
    follow, and multiples.
    """
    own = {name: n if n > 1 else 3 for name, n in lengths.items()}
    yield _runs({name: (n, *_primes(n, i)) for i, (name, n) in enumerate(own.items())})
    yield _runs({n: (m, m - 1, m - 2) if m > 3 else (4, 3, 2) for n, m in own.items()})
    yield _runs({name: (n, 2 * n, 3 * n) for name, n in own.items()})


def _primes(length: int, number: int) -> tuple[int, int]:
    """Return two primes for a dimension, which are not its length and no other's primes."""
    first, second, third = _PRIMES[3 * number : 3 * number + 3]
    return (first, second) if length not in (first, second) else (
        (third, second) if length == first else (first, third))  # fmt: skip


def _runs(three: dict[str, tuple[int, ...]]) -> list[dict[str, int]]:
    """Return a run to begin with, one in which each dimension alone is another, and a last one."""
    first = {name: lengths[0] for name, lengths in three.items()}
    others = [{**first, name: lengths[1]} for name, lengths in three.items()]
    return [first, *others, {name: lengths[2] for name, lengths in three.items()}]
