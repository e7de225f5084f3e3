"""How good probabilities are: what they cost, and whether they are as high as they should be."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import Mean, in_one_call
from aino.train.metrics.classes import Batch, ClassMetric


class Probabilities(ClassMetric):
    """A metric of probabilities (n, classes), or of one of two classes (n,)."""

    higher_is_better = False

    def __init__(
        self,
        *,
        task: str | None = None,
        logits: bool | None = None,
        classes: Sequence[Any] | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            task=task, logits=logits, classes=classes, ignore_index=ignore_index, name=name
        )

    def _read_scores(
        self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None
    ) -> Batch:
        """Return a batch that has scores."""
        batch = self._read(outputs, targets, weight)
        if batch.kind not in ("binary", "multiclass"):
            what = (
                "several labels a sample" if batch.kind == "multilabel" else "classes as they are"
            )
            raise ShapeError(
                f"{self.name} is for probabilities of classes, (n, classes) or (n,), not for {what}"
            )
        return batch


class LogLoss(Probabilities, Mean):
    """The mean of -log of the probability that the right class was given.

    Probabilities are kept a rounding error from 0 and 1, as in scikit-learn; of logits the exact
    logarithm is taken.

    Arguments:
        task: "binary" or "multiclass"; None is told by the shapes.
        logits: whether outputs are logits; None and False are probabilities.
        classes: what the columns stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import log_loss
    >>> round(log_loss([[0.5, 0.5], [0.2, 0.8]], [0, 1]), 4)
    0.4581
    """

    default_name = "log_loss"

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read_scores(outputs, targets, weight)
        scores, right = batch.outputs, batch.targets
        if self.logits:
            scores = scores.astype(np.float64)
            if batch.kind == "binary":
                values = np.logaddexp(0.0, np.where(right == 1, -scores, scores))
            else:
                apart = scores - scores.max(axis=1, keepdims=True)
                chosen = _chosen(apart, right)
                values = np.log(np.exp(apart).sum(axis=1)) - chosen
        else:
            chosen = _chosen(self._probabilities(batch), right)
            eps = np.finfo(chosen.dtype).eps
            values = -np.log(np.clip(chosen, eps, 1 - eps))
        self._add_values(values, batch.weight)


class BrierScore(Probabilities, Mean):
    """The mean of (p - y)², where y is 1 for the right class and 0 for others; over 2 for two.

    The sum over classes; with one of two classes, or two columns, half of it, as in scikit-learn.

    Arguments:
        task: "binary" or "multiclass"; None is told by the shapes.
        logits: whether outputs are logits; None and False are probabilities.
        classes: what the columns stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import brier_score
    >>> brier_score([0.5, 0.75, 1.0], [0, 1, 1])
    0.10416666666666667
    """

    default_name = "brier_score"

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read_scores(outputs, targets, weight)
        probabilities, right = self._probabilities(batch), batch.targets
        if batch.kind == "binary":
            costs = (probabilities - right) ** 2
        else:
            one_hot = right[:, None] == np.arange(probabilities.shape[1])
            costs = ((probabilities - one_hot) ** 2).sum(axis=1, dtype=np.float64)
            costs = costs / 2 if probabilities.shape[1] == 2 else costs
        self._add_values(costs, batch.weight)


class CalibrationError(Probabilities):
    """ECE: how far probabilities are from the shares that they foretell.

    Probabilities are sorted into bins of equal width; in each, the mean probability is compared
    with how often it came true: Σ (n_bin / n) |mean p - share|. With one of two classes the
    probability is its own; with several it is that of the class with the highest.

    Arguments:
        bins: how many bins there are; a bound belongs to the bin below.
        norm: "l1" is the mean over bins, "l2" the root of the mean square, "max" the largest.
        task: "binary" or "multiclass"; None is told by the shapes.
        logits: whether outputs are logits; None and False are probabilities.
        classes: what the columns stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import calibration_error
    >>> round(calibration_error([0.9, 0.9, 0.9, 0.9], [1, 1, 1, 0]), 4)
    0.15
    """

    default_name = "calibration_error"

    def __init__(self, *, bins: int = 15, norm: str = "l1", **settings: Any) -> None:
        self.bins = operator.index(bins)
        if self.bins < 1:
            raise ValueError(f"there is one bin at least, not {bins}")
        if norm not in ("l1", "l2", "max"):
            raise ValueError(f"norm is 'l1', 'l2' or 'max', not {norm!r}")
        self.norm = norm
        super().__init__(**settings)

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {name: np.zeros(self.bins) for name in ("weight", "probability", "true")}

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read_scores(outputs, targets, weight)
        probabilities, true = self._probabilities(batch), batch.targets
        if batch.kind == "multiclass":
            true = probabilities.argmax(axis=1) == true
            probabilities = probabilities.max(axis=1)
        bounds = np.linspace(0.0, 1.0, self.bins + 1)
        place = np.searchsorted(bounds[1:-1], probabilities)
        weights = np.ones(len(true)) if batch.weight is None else batch.weight
        for name, values in (("weight", 1.0), ("probability", probabilities), ("true", true)):
            self.state[name] = self.state[name] + np.bincount(place, weights * values, self.bins)

    def compute(self) -> float:
        """Return the error over bins."""
        weight = self.state["weight"]
        there = weight > 0
        if not there.any():
            return math.nan
        weight = weight[there]
        apart = abs(self.state["probability"][there] - self.state["true"][there]) / weight
        if self.norm == "max":
            return float(apart.max())
        if self.norm == "l2":
            return float(np.sqrt(np.average(apart**2, weights=weight)))
        return float(np.average(apart, weights=weight))


def _chosen(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the score of the right class of each sample."""
    if scores.ndim == 1:
        return np.where(right == 1, scores, 1 - scores)
    return np.take_along_axis(scores, right[:, None], axis=1)[:, 0]


log_loss = in_one_call(LogLoss)
brier_score = in_one_call(BrierScore)
calibration_error = in_one_call(CalibrationError)
