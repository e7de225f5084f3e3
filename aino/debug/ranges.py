"""What an array holds, in a line: its shape, its smallest and largest values, NaN and inf."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.node import SparseCotangent
from aino.autograd.tensor import Tensor


class Range(NamedTuple):
    """An array in numbers; ``low``, ``high`` and ``mean`` are those of its finite values."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    low: float | None
    high: float | None
    mean: float | None
    nan: int
    inf: int

    def __str__(self) -> str:
        what = f"{self.dtype} {self.shape}"
        if self.low is not None:
            what += f", {self.low:.4g} to {self.high:.4g}, mean {self.mean:.4g}"
        for count, word in ((self.nan, "NaN"), (self.inf, "inf")):
            what += f", {count} {word}" if count else ""
        return what


def plain(value: Any) -> np.ndarray | None:
    """Return the floating or complex array that a value is or holds, None for what is none."""
    array = _underneath(value)
    if isinstance(array, (float, complex)):
        array = np.asarray(array)
    if type(array) is np.ndarray and array.dtype.kind in "fc":
        return array
    return None


def _underneath(value: Any) -> Any:
    array = value.array if isinstance(value, Tensor) else value
    if isinstance(array, SparseCotangent):
        array = array.part if array.whole is None else array.whole
    # Of what stands for an array in a transform: the values of all samples.
    return array.shadow if isinstance(array, Duck) else array


def has_nan(value: Any) -> bool:
    """Tell whether a value is an array, a tensor or a number that holds NaN."""
    array = plain(value)
    return array is not None and bool(np.isnan(array).any())


def has_inf(value: Any, signs: str = "+-") -> bool:
    """Tell whether a value holds inf; of real numbers, of one of these signs."""
    array = plain(value)
    if array is None:
        return False
    if array.dtype.kind == "c" or signs == "+-":
        return bool(np.isinf(array).any())
    return bool((array == (np.inf if signs == "+" else -np.inf)).any())


def range_of(name: str, value: Any) -> Range | None:
    """Return what a value holds, None for what is no array of numbers."""
    array = _underneath(value)
    if isinstance(array, (int, float, complex)) and not isinstance(array, bool):
        array = np.asarray(array)
    if type(array) is not np.ndarray or array.dtype.kind not in "fciub":
        return None
    if array.dtype.kind in "fc":
        finite = array[np.isfinite(array)]
        nan, inf = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    else:
        finite, nan, inf = array.reshape(-1), 0, 0
    if array.dtype.kind == "c":
        finite = np.abs(finite)
    low = high = mean = None
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        mean = float(finite.astype(np.float64).mean())
    return Range(name, str(array.dtype), array.shape, low, high, mean, nan, inf)
