"""Numbers, shapes and parameters as short text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def shorten(text: str, length: int) -> str:
    """Return ``text``, its end replaced by an ellipsis where it is longer than ``length``."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def brief(number: Any) -> str:
    """Return a number with four significant digits.

    >>> brief(0.123456), brief(2.0), brief(-1e-9), brief(True), brief(1 - 2j)
    ('0.1235', '2', '-1e-09', 'True', '1-2j')
    """
    if isinstance(number, complex):
        return f"{number.real:.4g}{number.imag:+.4g}j"
    if isinstance(number, float):
        return f"{number or 0.0:.4g}"  # minus nothing is nothing
    return str(number)


def number_lines(array: np.ndarray) -> list[str]:
    """Return the numbers of a small array, a line for each row of a matrix.

    >>> number_lines(np.array([[1.0, 0.5], [2.0, -1.0]]))
    ['[1, 0.5]', '[2, -1]']
    """
    if array.ndim < 2:
        return [_nested(array.tolist())]
    return [line for part in array for line in number_lines(part)]


def _nested(numbers: Any) -> str:
    if isinstance(numbers, list):
        return "[" + ", ".join(_nested(item) for item in numbers) + "]"
    return brief(numbers)


def shape_text(shape: tuple[int, ...], dtype: np.dtype | None) -> str:
    """Return a shape and a dtype: ``(2, 3) float32``."""
    return f"{tuple(shape)} {'' if dtype is None else dtype.name}".strip()


def parameter_text(value: Any) -> str:
    """Return a parameter of an operation as text, empty where it has no short one.

    >>> parameter_text((0, ..., slice(None, 3))), parameter_text((0, ...)), parameter_text(-1)
    ('0, …, :3', '0', '-1')
    """
    if isinstance(value, (bool, int, float, complex)):
        return brief(value)
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, slice):
        start, stop = ("" if end is None else str(end) for end in (value.start, value.stop))
        return f"{start}:{stop}" + ("" if value.step is None else f":{value.step}")
    if value is ...:
        return "…"
    if isinstance(value, np.ndarray):
        return _nested(value.tolist()) if value.size <= 4 else ""
    if isinstance(value, (tuple, list)):
        if len(value) > 1 and value[-1] is ...:  # which changes nothing, and looks like more
            value = value[:-1]
        parts = ["None" if item is None else parameter_text(item) for item in value]
        return ", ".join(parts) if all(parts) else ""
    return ""


def length(array: np.ndarray) -> float:
    """Return the norm of an array, computed in float64."""
    wide = np.abs(array).astype(np.float64)
    return math.sqrt(float(np.sum(wide * wide)))
