"""The share of the variance of numbers that is told right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.train.metrics.base import Metric, in_one_call
from aino.train.metrics.inputs import as_columns
from aino.train.metrics.regression import Averaging, average, check_averaging, check_outputs


class Explained(Metric):
    """A share of the variance of the targets, 1 at best, 0 for always saying their mean.

    Means and squares of deviations are carried on from batch to batch, as sums of squares of
    numbers of a large offset would cancel.
    """

    def __init__(
        self,
        *,
        multioutput: Averaging = "uniform_average",
        force_finite: bool = True,
        name: str | None = None,
    ) -> None:
        self.multioutput = check_averaging(
            multioutput, ("uniform_average", "raw_values", "variance_weighted")
        )
        self.force_finite = force_finite
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        zero = np.zeros(())
        self.state = {
            "samples": 0, "weight": 0.0, "mean": zero, "spread": zero, "error_mean": zero,
            "error_spread": zero,
        }  # fmt: skip

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        outputs, targets = as_columns(outputs, targets)
        check_outputs(self.name, self.state["mean"], outputs.shape[1])
        weights = np.ones(len(outputs)) if weight is None else weight
        if not weights.any():
            self.state["samples"] += len(outputs)
            return
        errors = targets - outputs
        mean, spread = _moments(targets, weights)
        error_mean, error_spread = _moments(errors, weights)
        self._join(
            {
                "samples": len(outputs), "weight": float(weights.sum()), "mean": mean,
                "spread": spread, "error_mean": error_mean, "error_spread": error_spread,
            }
        )  # fmt: skip

    def merge(self, other: Metric) -> Metric:
        """Add what another metric has seen; return this one."""
        self._check_like(other)
        if other.state["mean"].ndim:
            check_outputs(self.name, self.state["mean"], len(other.state["mean"]))
        self._join(other.state)
        return self

    def _join(self, other: dict[str, Any]) -> None:
        """Add the moments of other samples."""
        own = self.state
        total = own["weight"] + other["weight"]
        joined = {"samples": own["samples"] + other["samples"], "weight": total}
        share = other["weight"] / total if total else 0.0
        for mean, spread in (("mean", "spread"), ("error_mean", "error_spread")):
            step = other[mean] - own[mean]
            if not own["weight"]:
                joined |= {mean: other[mean], spread: other[spread]}
                continue
            joined[mean] = own[mean] + step * share
            joined[spread] = own[spread] + other[spread] + step**2 * (own["weight"] * share)
        self.state = joined

    def _figure(self, rest: np.ndarray) -> Any:
        """Return 1 - rest / spread over outputs; ``rest`` is what is not explained."""
        spread = self.state["spread"]
        if self.state["samples"] < 2 or not self.state["weight"]:
            return average(np.full(np.shape(spread), math.nan), self.multioutput)
        with np.errstate(divide="ignore", invalid="ignore"):
            figures = 1.0 - rest / spread
        if self.force_finite:
            figures = np.where(spread == 0, np.where(rest == 0, 1.0, 0.0), figures)
        by_variance = isinstance(self.multioutput, str) and self.multioutput == "variance_weighted"
        return average(figures, spread if by_variance and spread.any() else self.multioutput)


class R2(Explained):
    """R² = 1 - Σ w (y - ŷ)² / Σ w (y - ȳ)², the mean over outputs; NaN of less than two samples.

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, "variance_weighted" weighs them by the variances of the targets, a
            list by its own weights.
        force_finite: what is constant is explained wholly (1) or not at all (0); False leaves NaN
            and -inf.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import r2
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 5.0])
    0.5384615384615384
    """

    default_name = "r2"

    def compute(self) -> Any:
        """Return R² over outputs."""
        state = self.state
        return self._figure(state["error_spread"] + state["weight"] * state["error_mean"] ** 2)


class ExplainedVariance(Explained):
    """1 - Var(y - ŷ) / Var(y), the mean over outputs: R² of what is right up to a constant.

    Arguments:
        multioutput: "uniform_average" is the mean over outputs, "raw_values" an array of the
            figures of all, "variance_weighted" weighs them by the variances of the targets, a
            list by its own weights.
        force_finite: what is constant is explained wholly (1) or not at all (0); False leaves NaN
            and -inf.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import explained_variance
    >>> explained_variance([11.0, 12.0, 13.0], [1.0, 2.0, 3.0])
    1.0
    """

    default_name = "explained_variance"

    def compute(self) -> Any:
        """Return the share of the variance that is explained, over outputs."""
        return self._figure(self.state["error_spread"])


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each column, and the sum of squares around it.

    Counted from the first row: the mean of a constant is that constant, to the last digit.
    """
    apart = values - values[0]
    mean = weights @ apart / weights.sum()
    return values[0] + mean, weights @ (apart - mean) ** 2


r2 = in_one_call(R2)
explained_variance = in_one_call(ExplainedVariance)
