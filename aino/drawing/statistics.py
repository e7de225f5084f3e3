"""What is said of an array that is too long to be read: extremes, mean, norm, what is amiss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: So many elements are looked at in one go: what is made of them stays in the cache.
_BLOCK = 1 << 16


def statistics(array: np.ndarray) -> dict[str, Any]:
    """Return the figures of an array, by name; those that it does not have are left out.

    ``min``, ``max`` and ``mean`` are those of the finite elements (complex ones have a mean
    alone), ``norm`` is √(Σ |x|²) of them, ``nan`` and ``infinite`` count the others.

    >>> statistics(np.array([3.0, -4.0, np.nan]))
    {'min': -4.0, 'max': 3.0, 'mean': -0.5, 'norm': 5.0, 'nan': 1, 'infinite': 0}
    """
    array, copies = _without_repetition(array)
    flat = array.reshape(-1)
    found = _Sums(array.dtype.kind == "c")
    for start in range(0, flat.size, _BLOCK):
        found.add(flat[start : start + _BLOCK])
    return found.figures(copies)


def _without_repetition(array: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the part of a broadcast array that is there in memory, and how often it repeats."""
    repeated = [step == 0 and size > 1 for step, size in zip(array.strides, array.shape)]
    copies = math.prod(size for size, again in zip(array.shape, repeated) if again)
    return array[tuple(slice(0, 1) if again else slice(None) for again in repeated)], copies


class _Sums:
    """What is known of the elements so far; ``scale`` keeps squares of large numbers finite."""

    def __init__(self, is_complex: bool) -> None:
        self.wide = np.complex128 if is_complex else np.float64
        self.count = self.nan = self.infinite = 0
        self.low, self.high = math.inf, -math.inf
        self.total: Any = 0.0
        self.scale, self.squares = 0.0, 0.0

    def add(self, part: np.ndarray) -> None:
        finite = np.isfinite(part)
        if not finite.all():
            nan = int(np.isnan(part).sum())
            self.nan += nan
            self.infinite += int(part.size - finite.sum()) - nan
            part = part[finite]
        if not part.size:
            return
        numbers = part.astype(self.wide)
        self.count += part.size
        with np.errstate(over="ignore"):  # of a sum of numbers near the largest; it is then inf
            self.total = self.total + numbers.sum().item()
        sizes = np.abs(numbers)
        largest = float(sizes.max())
        if self.wide is np.float64:
            self.low = min(self.low, float(numbers.min()))
            self.high = max(self.high, float(numbers.max()))
        if largest > self.scale:
            self.squares *= (self.scale / largest) ** 2
            self.scale = largest
        if self.scale:
            sizes /= self.scale
            self.squares += float(np.square(sizes, out=sizes).sum())

    def figures(self, copies: int) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        if self.count:
            if self.wide is np.float64:
                figures |= {"min": self.low, "max": self.high}
            figures["mean"] = self.total / self.count
            figures["norm"] = self.scale * math.sqrt(self.squares * copies)
        return figures | {"nan": self.nan * copies, "infinite": self.infinite * copies}
