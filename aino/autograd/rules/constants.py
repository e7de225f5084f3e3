"""Numbers as the arrays that NumPy is fast with, and its clip without the Python around it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "BITS",
    "INFINITY",
    "LN2",
    "MINUS_INFINITY",
    "ONE",
    "ROOT_HALF",
    "ROOT_TWO_BY_PI",
    "TWO_BY_ROOT_PI",
    "ZERO",
    "clip",
    "kept",
    "ndarray",
    "quiet_exp",
]

ndarray = np.ndarray


class _Asked(np.ndarray):
    """An array that answers with the ufunc that it is given to."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return ufunc


#: NumPy's ufunc behind ``np.clip``, which has no public name: called without the Python around it.
clip: Any = np.zeros(1).view(_Asked).clip(0.0, 1.0)
LN2 = math.log(2.0)
ROOT_HALF = math.sqrt(0.5)
ROOT_TWO_BY_PI = math.sqrt(2.0 / math.pi)
TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)


def kept(value) -> dict[np.dtype, np.ndarray]:
    """Return a number as a read-only 0-d array of each floating-point dtype.

    Beside an array NumPy takes twice as long over a Python number as over such a one.
    """
    arrays = {}
    for name in ("float16", "float32", "float64"):
        array = np.array(value, name)
        array.flags.writeable = False
        arrays[array.dtype] = array
    return arrays


ZERO = kept(0.0)
ONE = kept(1.0)
INFINITY = kept(math.inf)
MINUS_INFINITY = kept(-math.inf)

#: The integers that a floating-point dtype is stored in.
BITS: dict[Any, np.dtype] = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}

#: eˣ that overflows to infinity without a warning, where 1 / eˣ is what is wanted.
quiet_exp = np.errstate(over="ignore")(np.exp)
