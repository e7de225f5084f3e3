"""Memory for the results of kernels: of the class of what they are given.

An array that writes down what a kernel does with it (``aino.tracing.unconditional``) so hears of
all its memory. It is in C order, whatever the order of the array that it is like.
"""

from __future__ import annotations

import numpy as np

ndarray = np.ndarray


def empty(shape, x):
    """Return memory of a shape, for numbers like those of an array; its contents are anything."""
    if type(x) is ndarray:
        return np.empty(shape, x.dtype)
    return np.empty_like(x, order="C", shape=shape)


def zeros(shape, x):
    """Return zeros of a shape, of an array's dtype."""
    if type(x) is ndarray:
        return np.zeros(shape, x.dtype)
    return np.zeros_like(x, order="C", shape=shape)


def seen_as(x, shape, strides):
    """Return the memory of a contiguous array as one of another shape, of the same class."""
    return ndarray.__new__(type(x), shape, x.dtype, x, 0, strides)
