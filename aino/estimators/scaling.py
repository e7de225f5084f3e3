"""Data of any scale: a network learns on centred and scaled numbers, and takes the raw ones.

While it learns, inputs have mean 0 and deviation 1, and so have targets that are numbers. The
scales are computed and applied in float64 and stay with the network, as its ``input_scaling`` and
``output_scaling``; so it is at every moment the one that learns. What is rounded to the network's
dtype are the scaled numbers alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aino.estimators.data import Inputs

#: Beyond these, squares leave what float64 holds.
_LARGE, _SMALL = 1e150, 1e-150


class Scale(NamedTuple):
    """Means and deviations of columns; a constant column has deviation 1."""

    mean: np.ndarray
    scale: np.ndarray

    def apply(self, rows: np.ndarray, dtype: Any) -> np.ndarray:
        """Return rows as the network learns them, rounded at the very end."""
        return ((rows - self.mean) / self.scale).astype(dtype)


def input_scale(X: Inputs, weights: np.ndarray | None = None) -> Scale:
    """Return the scale of each feature, over samples that count as much as weights of mean 1 say.

    All count the same for None.
    """
    if not X.sparse:
        return _of_columns(X, weights)
    rows, count = X.rows, len(X)
    shares = None if weights is None else weights.repeat(np.diff(rows.indptr))
    low, high = [getattr(rows, name)(axis=0).toarray().ravel() for name in ("min", "max")]
    unit = _unit(low, high)
    values = rows.data / unit[rows.indices]
    size = X.features

    def added(terms: Any) -> np.ndarray:
        return np.bincount(rows.indices, terms if shares is None else terms * shares, size)

    mean = added(values) / count
    absent = count - added(np.ones_like(values))
    squares = added((values - mean[rows.indices]) ** 2)
    variance = (squares + absent * mean**2) / count
    return _scale(low, high, mean * unit, np.sqrt(variance) * unit)


def _of_columns(X: Inputs, weights: np.ndarray | None = None) -> Scale:
    """Return the scales of dense columns.

    Everything is measured from the first row, so that a large offset costs no digits.
    """
    first = X.take(slice(0, 1))[0].astype(np.float64)
    low, high = first.copy(), first.copy()
    for _, rows in X.blocks():
        np.minimum(low, rows.min(axis=0), out=low)
        np.maximum(high, rows.max(axis=0), out=high)
    unit = _unit(low, high)
    first /= unit

    def added(terms: np.ndarray, place: slice) -> np.ndarray:
        return np.add.reduce(terms if weights is None else terms * weights[place, None], axis=0)

    total = np.zeros(X.features)
    for place, rows in X.blocks():
        total += added(rows / unit - first, place)
    mean = total / len(X)
    squares = np.zeros(X.features)
    for place, rows in X.blocks():
        squares += added((rows / unit - first - mean) ** 2, place)
    return _scale(low, high, (first + mean) * unit, np.sqrt(squares / len(X)) * unit)


def output_scale(values: np.ndarray, scaled: bool, weights: np.ndarray | None = None) -> Scale:
    """Return the scale of targets (n, outputs): a mean of each column, one deviation of all.

    With one deviation a squared error of scaled numbers is that of the raw ones in another unit.
    ``scaled`` False asks for the means alone.
    """
    mean, deviations = _of_columns(Inputs(values, None, False), weights)
    if not scaled:
        return Scale(mean, np.ones_like(mean))
    largest = float(np.max(deviations, initial=0.0, where=values.min(0) < values.max(0)))
    if not largest:
        return Scale(mean, np.ones_like(mean))
    varying = np.where(values.min(axis=0) < values.max(axis=0), deviations / largest, 0.0)
    return Scale(mean, np.full_like(mean, largest * np.sqrt((varying**2).mean())))


def _unit(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return powers of two to divide columns by whose squares would leave float64, else 1."""
    largest = np.maximum(np.abs(low), np.abs(high))
    extreme = (largest > _LARGE) | ((largest < _SMALL) & (largest > 0))
    if not extreme.any():
        return np.ones_like(largest)
    exponents = np.frexp(np.where(extreme, largest, 0.5))[1]
    return np.ldexp(1.0, np.where(extreme, exponents - 1, 0))


def _scale(low: Any, high: Any, mean: np.ndarray, deviation: np.ndarray) -> Scale:
    """Return a scale; what is constant to the last bit, or has no deviation, is only centred."""
    constant = (low == high) | ~(deviation > 0)
    return Scale(np.where(constant, low, mean), np.where(constant, 1.0, deviation))


def scaled_rows(X: Inputs, scale: Scale | None, dtype: Any) -> Any:
    """Return all samples as the network learns them; of a sparse matrix, `SparseRows`."""
    if X.sparse:
        return SparseRows(X, scale, dtype)
    if scale is None:
        return X.rows.astype(dtype)
    rows = np.empty(X.rows.shape, dtype)
    for place, block in X.blocks():
        rows[place] = scale.apply(block, dtype)
    return rows


class SparseRows:
    """The samples of a sparse matrix, made dense and scaled as far as they are asked for."""

    def __init__(self, X: Inputs, scale: Scale | None, dtype: Any) -> None:
        self.inputs, self.scale, self.dtype = X, scale, np.dtype(dtype)
        self.shape = X.rows.shape

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, chosen: Any, axis: int = 0) -> np.ndarray:
        """Return some samples by their numbers, as an array's ``take`` does."""
        return self[chosen]

    def __getitem__(self, chosen: Any) -> np.ndarray:
        rows = self.inputs.take(chosen)
        return rows.astype(self.dtype) if self.scale is None else self.scale.apply(rows, self.dtype)
