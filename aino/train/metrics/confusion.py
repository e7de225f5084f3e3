"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import Metric, in_one_call
from aino.train.metrics.classes import ClassMetric
from aino.train.metrics.labels import check_merged, check_one_kind, chosen


class ConfusionMatrix(ClassMetric):
    """How many samples of each class (rows) are said to be of each class (columns).

    Whole numbers without weights. ``known_labels`` names rows and columns.

    Arguments:
        labels: the classes, in the order of rows and columns; None is all that occurred, in order.
        normalize: "true" gives shares of each row, "pred" of each column, "all" of everything; 0
            where there is nothing to share.
        task: "binary" or "multiclass"; None is told by the shapes.
        logits: whether scores are logits; None and False are probabilities.
        threshold: the probability above which one of two classes is the second.
        classes: what the columns of scores stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import confusion_matrix
    >>> confusion_matrix([0, 1, 1, 2], [0, 0, 1, 2])
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 0, 1]])
    """

    default_name = "confusion_matrix"
    higher_is_better = None

    def __init__(
        self,
        *,
        labels: Sequence[Any] | None = None,
        normalize: str | None = None,
        task: str | None = None,
        logits: bool | None = None,
        threshold: float = 0.5,
        classes: Sequence[Any] | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        if normalize not in ("true", "pred", "all", None):
            raise ValueError(f"normalize is 'true', 'pred', 'all' or None, not {normalize!r}")
        self.labels = chosen(labels)
        self.normalize = normalize
        super().__init__(
            task=task, logits=logits, threshold=threshold, classes=classes,
            ignore_index=ignore_index, name=name,
        )  # fmt: skip

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {"pairs": {}, "kinds": {}}

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read(outputs, targets, weight)
        if batch.kind == "multilabel":
            raise ShapeError(f"{self.name} is for one class a sample, not for several labels")
        said, right = self._decide(batch)
        check_one_kind(self.state["kinds"], right, False)
        samples = len(said)
        labels, places = np.unique(np.concatenate([said, right]), return_inverse=True)
        pairs, which = np.unique(
            places[samples:] * len(labels) + places[:samples], return_inverse=True
        )
        names, sums = labels.tolist(), np.bincount(which, batch.weight).tolist()
        counted = self.state["pairs"]
        for pair, amount in zip(pairs.tolist(), sums):
            key = (names[pair // len(names)], names[pair % len(names)])
            counted[key] = counted.get(key, 0) + amount

    def merge(self, other: Metric) -> Metric:
        """Add what another metric of the same kind has seen; return this one."""
        self._check_like(other)
        check_merged(self.state["kinds"], other.state["kinds"])
        return super().merge(other)

    @property
    def known_labels(self) -> list[Any]:
        """The classes, in the order of rows and columns."""
        if self.labels is not None:
            return self.labels
        return sorted({label for pair in self.state["pairs"] for label in pair})

    def compute(self) -> np.ndarray:
        """Return the matrix (classes, classes)."""
        labels = self.known_labels
        place_of = {label: place for place, label in enumerate(labels)}
        whole = all(isinstance(amount, int) for amount in self.state["pairs"].values())
        matrix = np.zeros((len(labels), len(labels)), np.int64 if whole else np.float64)
        for (right, said), amount in self.state["pairs"].items():
            if right in place_of and said in place_of:
                matrix[place_of[right], place_of[said]] += amount
        if self.normalize is None:
            return matrix
        axis = {"true": 1, "pred": 0, "all": None}[self.normalize]
        total = matrix.sum(axis=axis, keepdims=True)
        return np.where(total == 0, 0.0, matrix / np.where(total == 0, 1, total))


confusion_matrix = in_one_call(ConfusionMatrix)
