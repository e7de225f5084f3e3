"""Data of any scale: a network learns on centred and scaled numbers, and takes the raw ones.

While it learns, inputs have mean 0 and deviation 1, and so have targets that are numbers. The
first and the last layer take the scales over when learning ends: with x' = (x - m) / s

    W x' + b = (W / s) x + (b - W m / s),

so that the network stays what it is, layers and nothing else. Where learning goes on, the layers
first give the scales back; weights that were only drawn are meant for scaled numbers already.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write


class Scaling:
    """Means and scales of inputs and targets, and the layers that take them over."""

    def __init__(self, first: Any, last: Any, X: np.ndarray, y: np.ndarray | None) -> None:
        self.first, self.last = first, last
        self.mean, self.scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if first is not None:
            self.mean = X.mean(axis=0, dtype=np.float64)
            self.scale = _nonzero(X.std(axis=0, dtype=np.float64))
        self.center, self.spread = np.zeros(1), 1.0
        if last is not None and y is not None:
            self.center = y.mean(axis=0, dtype=np.float64)
            self.spread = float(_nonzero((y - self.center).std()))

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """Return inputs as the network learns them."""
        return ((X - self.mean) / self.scale).astype(X.dtype)

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Return targets as the network learns them."""
        if self.last is None:
            return y
        return ((y - self.center) / self.spread).astype(y.dtype)

    def outputs(self, y: np.ndarray) -> np.ndarray:
        """Return what the network says while it learns as it will say it afterwards."""
        return y if self.last is None else (y * self.spread + self.center).astype(y.dtype)

    def enter(self) -> None:
        """Let the layers take scaled inputs and give scaled outputs."""
        if self.first is not None:
            weight, bias = self.first.weight.array, self.first.bias.array
            _write(bias, bias + weight.astype(np.float64) @ self.mean)
            _write(weight, weight * self.scale)
        if self.last is not None:
            weight, bias = self.last.weight.array, self.last.bias.array
            _write(bias, (bias - self.center) / self.spread)
            _write(weight, weight / self.spread)

    def leave(self) -> None:
        """Let the layers take raw inputs and give raw outputs."""
        if self.last is not None:
            weight, bias = self.last.weight.array, self.last.bias.array
            _write(bias, bias * self.spread + self.center)
            _write(weight, weight * self.spread)
        if self.first is not None:
            weight, bias = self.first.weight.array, self.first.bias.array
            _write(weight, weight / self.scale)
            _write(bias, bias - weight.astype(np.float64) @ self.mean)


def _nonzero(scale: Any) -> Any:
    """Return scales with 1 in the place of 0, which a constant has."""
    return np.where(scale > 0, scale, 1.0)


def _write(array: np.ndarray, values: np.ndarray) -> None:
    np.copyto(array, values, casting="same_kind")
    stamp_write(array)
