"""Types and numbers of C."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.compiler.backends.c.table import RefusedError

_TYPES = {
    "float32": "float", "float64": "double", "bool": "bool",
    **{f"{sign}int{bits}": f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip


def type_of(dtype: Any) -> str:
    """Return the type of C that a dtype is."""
    found = _TYPES.get(np.dtype(dtype).name)
    if found is None:
        raise RefusedError(f"numbers of dtype {np.dtype(dtype).name}, which C99 has no type for")
    return found


def literal(number: Any, dtype: Any) -> str:
    """Return a number as it is written in C: the shortest decimal that reads as exactly it.

    >>> literal(0.1, np.float32), literal(3, np.float64), literal(-math.inf, np.float32)
    ('0.1f', '3.0', '-INFINITY')
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return "true" if number else "false"
    if dtype.kind in "iu":
        return _whole(int(number), dtype)
    with np.errstate(over="ignore"):
        value = dtype.type(number)
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = str(value)
    if "." not in text and "e" not in text:
        text += ".0"
    return text + ("f" if dtype == np.float32 else "")


def _whole(number: int, dtype: np.dtype) -> str:
    if -(2**31) < number < 2**31:
        return str(number)
    if number == -(2**63):
        return "(-9223372036854775807LL - 1)"
    return f"{number}{'ULL' if dtype == np.uint64 else 'LL'}"
