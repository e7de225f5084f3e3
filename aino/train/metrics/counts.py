"""Three sums of each class, of which much can be told: how often it is right, said, and both."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.train.metrics.base import Metric
from aino.train.metrics.classes import ClassMetric
from aino.train.metrics.labels import check_merged, check_one_kind

#: The rows of the sums: weights of samples that are said to be of a class and are, that are said
#: to be, and that are.
HITS, SAID, RIGHT = 0, 1, 2


class Counts(ClassMetric):
    """A metric of how often each class was right, said, and both."""

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {"classes": {}, "kinds": {}}

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read(outputs, targets, weight)
        self._check(batch.kind, batch.outputs.shape)
        said, right = self._decide(batch)
        several = batch.kind == "multilabel"
        check_one_kind(self.state["kinds"], right, several)
        if several:
            labels: list[Any] = list(range(right.shape[1]))
            sums = column_sums(said, right, batch.weight)
        else:
            labels, sums = class_sums(said, right, batch.weight)
        classes = self.state["classes"]
        for label, counted in zip(labels, sums):
            classes[label] = classes[label] + counted if label in classes else counted
        if several:
            self._add_rows(said, right, batch.weight)

    def merge(self, other: Metric) -> Metric:
        """Add what another metric of the same kind has seen; return this one."""
        self._check_like(other)
        check_merged(self.state["kinds"], other.state["kinds"])
        return super().merge(other)

    def _check(self, kind: str, shape: tuple[int, ...]) -> None:
        """Raise where a batch is of a kind that the metric does not take."""

    def _add_rows(self, said: np.ndarray, right: np.ndarray, weight: np.ndarray | None) -> None:
        """Add what is told of each sample by itself, where it has several labels."""

    def _sums(self) -> tuple[list[Any], np.ndarray]:
        """Return the classes in order, and their sums (3, classes)."""
        labels = sorted(self.state["classes"])
        rows = [self.state["classes"][label] for label in labels]
        return labels, np.array(rows, np.float64).reshape(-1, 3).T


def column_sums(said: np.ndarray, right: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the sums of labels that are 0 and 1 in columns, one row (3,) a label."""
    rows = [(said & right), said, right]
    if weight is None:
        return np.stack([np.add.reduce(row, axis=0, dtype=np.float64) for row in rows], axis=1)
    return np.stack([weight @ row for row in rows], axis=1)


def class_sums(
    said: np.ndarray, right: np.ndarray, weight: np.ndarray | None
) -> tuple[list[Any], np.ndarray]:
    """Return the classes of a batch, and the sums of each, one row (3,) a class."""
    samples = len(said)
    labels, places = np.unique(np.concatenate([said, right]), return_inverse=True)
    said, right = places[:samples], places[samples:]
    both = said == right
    chosen = (right[both], said, right)
    weights = (None, None, None) if weight is None else (weight[both], weight, weight)
    sums = [np.bincount(row, w, len(labels)) for row, w in zip(chosen, weights)]
    return labels.tolist(), np.stack(sums, axis=1).astype(np.float64)
