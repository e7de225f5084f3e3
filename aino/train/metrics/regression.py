"""How far numbers are from what they should be."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import Mean, Metric, in_one_call
from aino.train.metrics.inputs import as_columns

Averaging = str | Sequence[float]


class Errors(Mean):
    """The mean of what each error costs, for each output, and over outputs.

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, a list weighs them.
        name: what histories and logs call the metric.
    """

    higher_is_better = False

    def __init__(
        self, *, multioutput: Averaging = "uniform_average", name: str | None = None
    ) -> None:
        self.multioutput = check_averaging(multioutput, ("uniform_average", "raw_values"))
        super().__init__(name)

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        outputs, targets = as_columns(outputs, targets)
        check_outputs(self.name, self.state["total"], outputs.shape[1])
        self._add_values(self._costs(outputs, targets), weight)

    @abstractmethod
    def _costs(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return what each error costs."""

    def compute(self) -> Any:
        """Return the mean over samples and outputs."""
        return average(self._mean(), self.multioutput)


class MeanAbsoluteError(Errors):
    """MAE: mean of |y - ŷ|.

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, a list weighs them.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import mean_absolute_error
    >>> mean_absolute_error([1.0, 2.0, 3.0], [1.0, 3.0, 5.0])
    1.0
    """

    default_name = "mean_absolute_error"

    def _costs(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return |y - ŷ|."""
        return abs(targets - outputs)


class MeanSquaredError(Errors):
    """MSE: mean of (y - ŷ)².

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, a list weighs them.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import mean_squared_error
    >>> mean_squared_error([1.0, 2.0, 3.0], [1.0, 3.0, 5.0])
    1.6666666666666667
    """

    default_name = "mean_squared_error"

    def _costs(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return (y - ŷ)²."""
        return (targets - outputs) ** 2


class RootMeanSquaredError(MeanSquaredError):
    """RMSE: √ mean of (y - ŷ)², of each output by itself.

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, a list weighs them.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import root_mean_squared_error
    >>> root_mean_squared_error([1.0, 2.0], [1.0, 4.0])
    1.4142135623730951
    """

    default_name = "root_mean_squared_error"

    def compute(self) -> Any:
        """Return the root of the mean, over outputs."""
        return average(np.sqrt(self._mean()), self.multioutput)


class MeanAbsolutePercentageError(Errors):
    """MAPE: mean of \\|y - ŷ\\| / \\|y\\|, a share, not a percentage, as in scikit-learn.

    A target of 0 counts as the smallest step of float64, so that its error is enormous.

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, a list weighs them.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import mean_absolute_percentage_error
    >>> mean_absolute_percentage_error([1.0, 3.0], [2.0, 4.0])
    0.375
    """

    default_name = "mean_absolute_percentage_error"

    def _costs(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return |y - ŷ| / |y|."""
        return abs(targets - outputs) / np.maximum(abs(targets), np.finfo(np.float64).eps)


class MaxError(Metric):
    """The largest |y - ŷ| of all samples and outputs; weights change nothing but 0, which drops.

    Arguments:
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import max_error
    >>> max_error([1.0, 2.0, 3.0], [1.0, 3.0, 5.0])
    2.0
    """

    default_name = "max_error"
    higher_is_better = False

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {"largest": math.nan}

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        outputs, targets = as_columns(outputs, targets)
        errors = abs(targets - outputs)
        if weight is not None:
            errors = errors[weight > 0]
        if errors.size:
            self.state["largest"] = float(np.fmax(self.state["largest"], errors.max()))

    def merge(self, other: Metric) -> Metric:
        """Add what another metric has seen; return this one."""
        self._check_like(other)
        self.state["largest"] = float(np.fmax(self.state["largest"], other.state["largest"]))
        return self

    def compute(self) -> float:
        """Return the largest error."""
        return self.state["largest"]


def check_averaging(multioutput: Any, known: tuple[str, ...]) -> Any:
    """Return how outputs are averaged: one of the names, or a list of weights."""
    if isinstance(multioutput, str):
        if multioutput not in known:
            raise ValueError(
                f"multioutput is one of {', '.join(map(repr, known))} or a list of weights, not "
                f"{multioutput!r}"
            )
        return multioutput
    weights = np.asarray(multioutput, np.float64)
    if weights.ndim != 1 or not (weights >= 0).all() or not weights.any():
        raise ValueError(f"multioutput is one weight of 0 or more an output, not {multioutput!r}")
    return weights.tolist()


def check_outputs(name: str, sums: Any, outputs: int) -> None:
    """Raise unless a batch has as many outputs as those before."""
    if np.ndim(sums) and len(sums) != outputs:
        raise ShapeError(f"{name}: {outputs} outputs now, and {len(sums)} in the batches before")


def average(figures: np.ndarray, how: Any) -> Any:
    """Return the figures of outputs as one, or as they are."""
    figures = np.atleast_1d(figures)
    if isinstance(how, str):
        return figures if how == "raw_values" else float(figures.mean())
    if len(how) != len(figures):
        raise ShapeError(f"multioutput has {len(how)} weights for {len(figures)} outputs")
    return float(np.average(figures, weights=how))


mean_absolute_error = in_one_call(MeanAbsoluteError)
mean_squared_error = in_one_call(MeanSquaredError)
root_mean_squared_error = in_one_call(RootMeanSquaredError)
mean_absolute_percentage_error = in_one_call(MeanAbsolutePercentageError)
max_error = in_one_call(MaxError)
