"""What ``gradcheck`` compares with: central differences, one direction at a time."""

from __future__ import annotations

import numpy as np

from aino.autograd.tensor import Tensor


def as_tuple(value) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _evaluate(func, inputs, places) -> list[np.ndarray]:
    """Return the arrays of some outputs; copies, because an output may be an input."""
    results = as_tuple(func(*inputs))
    return [np.array(results[place].array) for place in places]


class _Nudged:
    """An input whose elements are moved in its own memory, and put back.

    A function may read the input through another reference than its argument, as a module reads
    its parameters; where the memory is read-only, a copy stands in for it.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __enter__(self) -> np.ndarray:
        self.array = self.tensor.array
        self.values = self.array.copy()
        if not self.array.flags.writeable:
            self.tensor.array = self.array.copy()
        return self.tensor.array

    def __exit__(self, *_) -> None:
        if self.array.flags.writeable:
            self.array[...] = self.values
        self.tensor.array = self.array


def difference(func, inputs, places, x, direction, eps) -> list[np.ndarray]:
    """Return the derivative of the outputs along ``direction``, by central differences."""
    with _Nudged(x) as array:
        start = array.copy()
        array[...] = start + eps * direction
        ahead = _evaluate(func, inputs, places)
        array[...] = start - eps * direction
        behind = _evaluate(func, inputs, places)
    return [(a - b) / (2.0 * eps) for a, b in zip(ahead, behind)]


def directions(array):
    """Yield each element of an array with the directions that it can be moved in."""
    for element in np.ndindex(array.shape):
        for part in (1.0, 1j) if array.dtype.kind == "c" else (1.0,):
            direction = np.zeros(array.shape, array.dtype)
            direction[element] = part
            yield element, part, direction
