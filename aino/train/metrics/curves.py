"""Areas under curves of all thresholds, which need all scores: memory grows with the samples.

What is kept of a sample is its scores as they came (4 bytes each in float32), its target in the
smallest whole number that holds it, and its weight, if there are any.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import Metric, in_one_call
from aino.train.metrics.classes import Batch, ClassMetric

AVERAGES = ("macro", "weighted", "micro", None)


class Curve(ClassMetric):
    """A metric of all scores and what is right, one curve a class, averaged over classes."""

    def __init__(
        self,
        *,
        average: str | None = "macro",
        task: str | None = None,
        logits: bool | None = None,
        classes: Sequence[Any] | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        if average not in AVERAGES:
            raise ValueError(f"average is one of {', '.join(map(repr, AVERAGES))}, not {average!r}")
        self.average = average
        super().__init__(
            task=task, logits=logits, classes=classes, ignore_index=ignore_index, name=name
        )

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {"kept": []}

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read(outputs, targets, weight)
        if batch.kind == "labels":
            raise ShapeError(
                f"{self.name} is for scores, floating-point numbers (n,) or (n, classes), not for "
                "classes as they are"
            )
        scores = self._scores(batch)
        kept = self.state["kept"]
        _check_shapes(self.name, kept[:1] + [(scores, batch.targets, None)])
        largest = batch.outputs.shape[1] - 1 if batch.kind == "multiclass" else 1
        kept.append((scores, batch.targets.astype(np.min_scalar_type(largest)), batch.weight))
        # A few long arrays, each of which was copied a few times only, not many short ones.
        while len(kept) > 1 and len(kept[-1][0]) >= len(kept[-2][0]):
            kept[-2:] = [_joined(kept[-2:])]

    def merge(self, other: Metric) -> Metric:
        """Add what another metric of the same kind has seen; return this one."""
        self._check_like(other)
        _check_shapes(self.name, self.state["kept"][:1] + other.state["kept"][:1])
        return super().merge(other)

    def _scores(self, batch: Batch) -> np.ndarray:
        """Return what is kept of the outputs of a batch; of two classes, the second's column."""
        if batch.kind != "multiclass":
            return batch.outputs.copy()
        scores = self._probabilities(batch)
        return scores[:, 1].copy() if scores.shape[1] == 2 else scores.copy()

    @abstractmethod
    def _area(self, scores: np.ndarray, right: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the area under the curve of scores (n,), of which some are ``right``."""

    def compute(self) -> Any:
        """Return the area, or an array of those of all classes for ``average=None``."""
        if not self.state["kept"]:
            return math.nan
        scores, targets, weight = _joined(self.state["kept"])
        if scores.ndim == 1:
            return self._area(scores, targets == 1, weight)
        if targets.ndim == 1:
            targets = targets[:, None] == np.arange(scores.shape[1])
        return self._over_classes(scores, targets == 1, weight)

    def _over_classes(
        self, scores: np.ndarray, right: np.ndarray, weight: np.ndarray | None
    ) -> Any:
        """Return the areas of all columns, averaged."""
        if self.average == "micro":
            repeated = None if weight is None else np.repeat(weight, scores.shape[1])
            return self._area(scores.reshape(-1), right.reshape(-1), repeated)
        areas = np.array([self._area(*column, weight) for column in zip(scores.T, right.T)])
        if self.average is None:
            return areas
        if self.average == "macro":
            return float(areas.mean())
        shares = right.sum(axis=0) if weight is None else weight @ right
        there = shares > 0
        if not there.any():
            return 0.0
        return float(np.average(areas[there], weights=shares[there]))


class ROCAUC(Curve):
    """The area under the ROC curve: how often a right sample has a higher score than a wrong one.

    NaN where all samples are of one class. Ties count half. Probabilities of several classes add
    up to 1. It keeps all scores.

    Arguments:
        average: "macro" is the mean over classes or labels, "weighted" counts each as often as it
            occurs, "micro" takes all columns for one, None gives an array of all.
        multi_class: "ovr" compares each class with all others, "ovo" each pair of classes, which
            knows no weights.
        task: "binary", "multiclass" or "multilabel"; None is told by the shapes.
        logits: whether outputs are logits; None and False are probabilities.
        classes: what the columns stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import roc_auc
    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """

    default_name = "roc_auc"

    def __init__(self, *, multi_class: str = "ovr", **settings: Any) -> None:
        if multi_class not in ("ovr", "ovo"):
            raise ValueError(f"multi_class is 'ovr' or 'ovo', not {multi_class!r}")
        self.multi_class = multi_class
        super().__init__(**settings)
        if multi_class == "ovo" and self.average not in ("macro", "weighted"):
            raise ValueError(
                f"multi_class='ovo' has average='macro' or 'weighted', not {self.average!r}"
            )

    def _scores(self, batch: Batch) -> np.ndarray:
        """Return what is kept of the outputs of a batch."""
        several = batch.kind == "multiclass"
        if several and self.multi_class == "ovo" and batch.weight is not None:
            raise ValueError("multi_class='ovo' knows no weights; 'ovr' does")
        return super()._scores(batch)

    def _over_classes(
        self, scores: np.ndarray, right: np.ndarray, weight: np.ndarray | None
    ) -> Any:
        """Return the areas of all classes, or pairs of classes, averaged."""
        if self.multi_class == "ovr" or self.task == "multilabel":
            return super()._over_classes(scores, right, weight)
        counts = right.sum(axis=0)
        areas, shares = [], []
        for one, other in combinations(np.flatnonzero(counts), 2):
            both = right[:, one] | right[:, other]
            pair = [
                self._area(scores[both, column], right[both, column], None)
                for column in (one, other)
            ]
            areas.append(sum(pair) / 2)
            shares.append(counts[one] + counts[other])
        if not areas:
            return math.nan
        return float(np.average(areas, weights=shares if self.average == "weighted" else None))

    def _area(self, scores: np.ndarray, right: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the area, by trapezoids between different scores."""
        hits, misses = _above(scores, right, weight)
        if not len(hits) or not hits[-1] or not misses[-1]:
            return math.nan
        hits, misses = np.append(0.0, hits) / hits[-1], np.append(0.0, misses) / misses[-1]
        return float(np.trapezoid(hits, misses))


class AveragePrecision(Curve):
    """PR AUC: the mean precision over the thresholds, weighted by the recall that each adds.

    Σ (Rᵢ - Rᵢ₋₁) Pᵢ, without interpolation; 0 where nothing is right. It keeps all scores.

    Arguments:
        average: "macro" is the mean over classes or labels, "weighted" counts each as often as it
            occurs, "micro" takes all columns for one, None gives an array of all.
        task: "binary", "multiclass" or "multilabel"; None is told by the shapes.
        logits: whether outputs are logits; None and False are probabilities.
        classes: what the columns stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import average_precision
    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 4)
    0.8333
    """

    default_name = "average_precision"

    def _area(self, scores: np.ndarray, right: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the area, by steps between different scores."""
        hits, misses = _above(scores, right, weight)
        if not len(hits):
            return math.nan
        if not hits[-1]:
            return 0.0
        return float(np.diff(hits, prepend=0.0) / hits[-1] @ (hits / (hits + misses)))


def _above(
    scores: np.ndarray, right: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is right, and what is not, at each different score or above, highest first."""
    if weight is not None:
        counts = weight > 0
        scores, right, weight = scores[counts], right[counts], weight[counts]
    order = np.argsort(-scores if scores.dtype.kind == "f" else -scores.astype(np.int64),
                       kind="stable")  # fmt: skip
    scores, right = scores[order], right[order]
    last = np.append(np.flatnonzero(scores[1:] != scores[:-1]), len(scores) - 1)
    if not len(scores):
        return np.zeros(0), np.zeros(0)
    weights = np.ones(len(scores)) if weight is None else weight[order]
    hits = np.cumsum(weights * right)[last]
    misses = np.cumsum(weights * ~right)[last]
    return hits, misses


def _check_shapes(name: str, kept: list[tuple]) -> None:
    """Raise unless scores are of as many classes, and targets of one kind, in all batches."""
    shapes = [(scores.shape[1:], targets.ndim) for scores, targets, _ in kept]
    if len(set(shapes)) > 1:
        found = [(scores.shape, targets.shape) for scores, targets, _ in kept]
        raise ShapeError(
            f"{name}: scores and targets of shapes {found[1]}, and of {found[0]} before"
        )


def _joined(kept: list[tuple]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return what is kept of several batches as that of one."""
    scores, targets, weights = zip(*kept)
    weight = None
    if any(w is not None for w in weights):
        weight = np.concatenate(
            [np.ones(len(t)) if w is None else w for t, w in zip(targets, weights)]
        )
    return np.concatenate(scores), np.concatenate(targets), weight


roc_auc = in_one_call(ROCAUC)
average_precision = in_one_call(AveragePrecision)
