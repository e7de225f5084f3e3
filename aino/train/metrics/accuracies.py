"""The share of samples that are told right."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import Mean, in_one_call
from aino.train.metrics.classes import ClassMetric


class Accuracy(ClassMetric, Mean):
    """The share of samples whose class is right; of several labels, whose labels are all right.

    Σ w [ŷ = y] / Σ w.

    Arguments:
        task: "binary", "multiclass" or "multilabel"; None is told by the shapes, where two columns
            of zeros and ones are several labels, not classes.
        logits: whether scores are logits; None and False are probabilities.
        threshold: the probability above which one of two classes is the second, and a label there.
        classes: what the columns of scores stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import accuracy
    >>> accuracy([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]], [0, 1, 1, 1])
    0.75
    >>> accuracy(["cat", "dog"], ["cat", "cow"])
    0.5
    """

    default_name = "accuracy"

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read(outputs, targets, weight)
        said, right = self._decide(batch)
        hits = said == right
        self._add_values(hits.all(axis=1) if hits.ndim == 2 else hits, batch.weight)


class TopKAccuracy(ClassMetric, Mean):
    """The share of samples whose class is among the ``k`` of the highest scores.

    Among equal scores the later class comes first, as in scikit-learn.

    Arguments:
        k: how many of the highest scores count.
        classes: what the columns of scores stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import top_k_accuracy
    >>> scores = [[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.7, 0.1, 0.2]]
    >>> top_k_accuracy(scores, [1, 2, 0], k=1), top_k_accuracy(scores, [1, 2, 0], k=2)
    (0.6666666666666666, 1.0)
    """

    default_name = "top_k_accuracy"

    def __init__(
        self,
        *,
        k: int = 2,
        classes: Any = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        self.k = operator.index(k)
        if self.k < 1:
            raise ValueError(f"k is how many of the highest scores count, 1 or more, not {k}")
        super().__init__(task="multiclass", classes=classes, ignore_index=ignore_index, name=name)

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        batch = self._read(outputs, targets, weight)
        if batch.kind != "multiclass":
            raise ShapeError(
                f"{self.name} takes scores of classes, (samples, classes), not outputs of shape "
                f"{outputs.shape}"
            )
        scores, right = batch.outputs, batch.targets[:, None]
        own = np.take_along_axis(scores, right, axis=1)
        before = (scores > own) | ((scores == own) & (np.arange(scores.shape[1]) > right))
        self._add_values(np.add.reduce(before, axis=1, dtype=np.int64) < self.k, batch.weight)


accuracy = in_one_call(Accuracy)
top_k_accuracy = in_one_call(TopKAccuracy)
