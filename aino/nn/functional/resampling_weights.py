"""Which elements of an axis, and how much of each, make an element of the resampled axis.

Places are computed in the precision in which PyTorch computes them, so that they fall alike where
they lie on an edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ANTIALIASED", "WEIGHTS", "cubic_weights", "nearest_places"]


def nearest_places(
    length: int, count: int, factor: float | None, exact: bool, image: bool, single: bool
) -> Any:
    """Return for each element of the output the one of the input that it is.

    Those of an image that keeps its length, or doubles it, do not look at the factor.
    """
    numbers = np.arange(count)
    if image and not exact and count in (length, 2 * length):
        return numbers * length // count
    real: Any = np.float32 if single or image else np.float64
    step = _step(length, count, False, factor, real)
    places = (numbers.astype(real) + real(0.5 if exact else 0.0)) * step
    return np.minimum(np.floor(places.astype(np.float32)).astype(np.int64), length - 1)


def _step(length: int, count: int, corners: bool, factor: float | None, real: Any) -> Any:
    """Return the distance in the input of neighbours in the output."""
    if corners:
        return real(length - 1) / real(count - 1) if count > 1 else real(0)
    return real(1.0 / factor) if factor else real(length) / real(count)


def _places(length, count, corners, factor, single) -> Any:
    real: Any = np.float32 if single else np.float64
    step, numbers = _step(length, count, corners, factor, real), np.arange(count).astype(real)
    return numbers * step if corners else step * (numbers + real(0.5)) - real(0.5)


def _split(places, length) -> tuple[Any, Any]:
    """Return the elements at or before the places, and how far behind them those are."""
    first = np.minimum(np.floor(places).astype(np.int64), length - 1)
    return first, np.clip(places - first, 0, 1)


def _linear(length, count, corners, factor, single) -> tuple[Any, Any]:
    if length == count:
        return np.arange(count)[:, None], np.ones((count, 1))
    places = np.maximum(_places(length, count, corners, factor, single), 0)
    first, behind = _split(places, length)
    second = np.minimum(first + 1, length - 1)
    return np.stack([first, second], 1), np.stack([1 - behind, behind], 1)


#: The slope of Keys's cubic at 1.
_CUBIC = -0.75


def cubic_weights(t: Any, a: float = _CUBIC) -> list:
    """Return the weights of the four elements about a place ``t`` behind the second of them.

    ``t`` is an array or a tensor.
    """

    def far(x):
        return ((x - 5.0) * x + 8.0) * x * a - 4.0 * a

    def near(x):
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0

    return [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]


def _cubic(length, count, corners, factor, single) -> tuple[Any, Any]:
    first, behind = _split(_places(length, count, corners, factor, single), length)
    places = np.clip(first[:, None] + np.arange(-1, 3), 0, length - 1)
    return places, np.stack(cubic_weights(behind), 1)


#: mode -> (length, count, align_corners, factor, single precision) -> (places, weights).
WEIGHTS = {"linear": _linear, "bilinear": _linear, "trilinear": _linear, "bicubic": _cubic}


# Weights that cover as much of the input as an element of the output does


def _triangle(x):
    return np.maximum(1.0 - abs(x), 0.0)


def _pillow_cubic(x):
    x, a = abs(x), -0.5
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(x):
    return np.where(abs(x) < 3.0, np.sinc(x) * np.sinc(x / 3.0), 0.0)


#: mode -> (the filter, how far it reaches).
_FILTERS = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_pillow_cubic, 2.0),
    "lanczos": (_lanczos, 3.0),
}


def _antialiased(mode, length, count, corners, factor) -> Any:
    """Return the matrix of the weights of a filter as wide as the elements of the output."""
    filtered, reach = _FILTERS[mode]
    step = _step(length, count, corners, factor, float)
    wide = max(step, 1.0)
    matrix = np.zeros((count, length))
    for i in range(count):
        center = step * (i + 0.5)
        first = max(int(center - reach * wide + 0.5), 0)
        end = min(int(center + reach * wide + 0.5), length)
        weights = filtered((np.arange(first, end) - center + 0.5) / wide)
        total = weights.sum()
        matrix[i, first:end] = weights / total if total else weights
    return matrix


def _of(mode):
    return lambda *arguments: _antialiased(mode, *arguments)


#: mode -> (length, count, align_corners, factor) -> the matrix of weights.
ANTIALIASED = {mode: _of(mode) for mode in _FILTERS}
