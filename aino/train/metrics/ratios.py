"""Precision, recall and F scores: ratios of sums of each class, averaged over classes."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import in_one_call
from aino.train.metrics.counts import RIGHT, Counts, column_sums
from aino.train.metrics.labels import chosen as chosen_labels

AVERAGES = ("binary", "macro", "micro", "weighted", "samples", None)


class Ratio(Counts):
    """Precision, recall and F scores: a ratio of sums of each class, averaged over classes."""

    #: What is divided, as a message says it.
    nothing = "sample"

    def __init__(
        self,
        *,
        average: str | None = "binary",
        labels: Sequence[Any] | None = None,
        pos_label: Any = 1,
        zero_division: float | str = 0.0,
        task: str | None = None,
        logits: bool | None = None,
        threshold: float = 0.5,
        classes: Sequence[Any] | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        if average not in AVERAGES:
            raise ValueError(f"average is one of {', '.join(map(repr, AVERAGES))}, not {average!r}")
        known = zero_division == "warn" or (
            not isinstance(zero_division, str)
            and (zero_division in (0, 1) or math.isnan(zero_division))
        )
        if not known:
            raise ValueError(f"zero_division is 0, 1, nan or 'warn', not {zero_division!r}")
        self.average = average
        self.labels = chosen_labels(labels)
        self.pos_label, self.zero_division = pos_label, zero_division
        super().__init__(
            task=task, logits=logits, threshold=threshold, classes=classes,
            ignore_index=ignore_index, name=name,
        )  # fmt: skip

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self.state |= {"rows": 0.0, "weight": 0.0}

    @abstractmethod
    def _ratio(self, hits: Any, said: Any, right: Any) -> tuple[Any, Any]:
        """Return what is divided, and by what."""

    def _check(self, kind: str, shape: tuple[int, ...]) -> None:
        """Raise where the average has no sense for a batch."""
        several = kind == "multilabel"
        if self.average == "samples" and not several:
            raise ShapeError("average='samples' is for several labels a sample")
        beyond = [n for n in self.labels or () if several and n not in range(shape[1])]
        if beyond:
            raise ValueError(
                f"labels holds {beyond[0]!r}, and there are labels 0 to {shape[1] - 1}"
            )
        if self.average == "binary" and (several or (kind == "multiclass" and shape[1] > 2)):
            what = "labels" if several else "classes"
            raise ShapeError(
                f"average='binary' is for two classes, and outputs have {shape[1]} {what}: choose "
                f"average='macro', 'micro', 'weighted' or None ('{self.default_name}_macro' ...)"
            )

    def _add_rows(self, said: np.ndarray, right: np.ndarray, weight: np.ndarray | None) -> None:
        """Add the figures of samples of several labels."""
        if self.average != "samples":
            return
        if self.labels is not None:
            said, right = said[:, self.labels], right[:, self.labels]
        figures = self._figures(*column_sums(said.T, right.T, None).T)
        counts = ~np.isnan(figures)
        weights = counts if weight is None else counts * weight
        self.state["rows"] += float(np.where(counts, figures, 0.0) @ weights)
        self.state["weight"] += float(weights.sum())

    def compute(self) -> Any:
        """Return the figure, or those of all classes for ``average=None``."""
        known, sums = self._sums()
        if not known:
            return math.nan if self.average is not None else np.zeros(0)
        if self.average == "samples":
            total = self.state["weight"]
            return self.state["rows"] / total if total else math.nan
        labels = known if self.labels is None else self.labels
        if self.average == "binary":
            self._check_binary(known)
            labels = [self.pos_label]
        place_of = {label: place for place, label in enumerate(known)}
        chosen = np.zeros((3, len(labels)))
        for place, label in enumerate(labels):
            if label in place_of:
                chosen[:, place] = sums[:, place_of[label]]
        if self.average == "micro":
            chosen = chosen.sum(axis=1, keepdims=True)
        figures = self._figures(*chosen)
        if self.average is None:
            return figures
        return _mean(figures, chosen[RIGHT] if self.average == "weighted" else None)

    def _figures(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the ratio of each class."""
        above, below = self._ratio(hits, said, right)
        empty = below == 0
        if empty.any() and self.zero_division == "warn":
            warnings.warn(
                f"{self.name} is set to 0 where there is no {self.nothing}; zero_division says "
                "otherwise",
                RuntimeWarning,
                stacklevel=3,
            )
        value = 0.0 if self.zero_division == "warn" else float(self.zero_division)
        return np.where(empty, value, above / np.where(empty, 1.0, below))

    def _check_binary(self, known: list[Any]) -> None:
        if len(known) > 2:
            shown = ", ".join(map(repr, known[:5])) + (", ..." if len(known) > 5 else "")
            raise ShapeError(
                f"average='binary' is for two classes, and there are {len(known)} ({shown}): "
                f"choose average='macro', 'micro', 'weighted' or None"
            )
        if len(known) == 2 and self.pos_label not in known:
            raise ValueError(f"pos_label={self.pos_label!r} is none of the classes {known}")


class Precision(Ratio):
    """Of what is said to be of a class, the share that is: hits / said.

    The settings are those of ``F1``: ``average``, ``labels``, ``pos_label``, ``zero_division``,
    ``task``, ``logits``, ``threshold``, ``classes``, ``ignore_index``, ``name``.

    >>> from aino.train.metrics import precision
    >>> precision([1, 1, 1, 0], [1, 1, 0, 1])
    0.6666666666666666
    """

    default_name, nothing = "precision", "predicted sample"

    def _ratio(self, hits: Any, said: Any, right: Any) -> tuple[Any, Any]:
        """Return what is divided, and by what."""
        return hits, said


class Recall(Ratio):
    """Of what is of a class, the share that is said to be: hits / right.

    The settings are those of ``F1``: ``average``, ``labels``, ``pos_label``, ``zero_division``,
    ``task``, ``logits``, ``threshold``, ``classes``, ``ignore_index``, ``name``.

    >>> from aino.train.metrics import recall
    >>> recall([1, 0, 0, 0], [1, 1, 0, 1])
    0.3333333333333333
    """

    default_name, nothing = "recall", "true sample"

    def _ratio(self, hits: Any, said: Any, right: Any) -> tuple[Any, Any]:
        """Return what is divided, and by what."""
        return hits, right


class FBeta(Ratio):
    """Precision and recall in one, recall ``beta`` times as important.

    F = (1 + β²) hits / (β² right + said), their weighted harmonic mean.

    The other settings are those of ``F1``: ``average``, ``labels``, ``pos_label``,
    ``zero_division``, ``task``, ``logits``, ``threshold``, ``classes``, ``ignore_index``, ``name``.

    Arguments:
        beta: how many times as important recall is, 0 or more.

    >>> from aino.train.metrics import fbeta
    >>> fbeta([1, 1, 1, 0], [1, 1, 0, 1], beta=0.5)
    0.6666666666666666
    """

    default_name, nothing = "fbeta", "sample, true or predicted,"

    def __init__(self, *, beta: float, **settings: Any) -> None:
        if not 0.0 <= beta < math.inf:
            raise ValueError(f"beta is a number of 0 or more, not {beta}")
        self.beta = float(beta)
        super().__init__(**settings)

    def _ratio(self, hits: Any, said: Any, right: Any) -> tuple[Any, Any]:
        """Return what is divided, and by what."""
        square = self.beta**2
        return (1.0 + square) * hits, square * right + said


class F1(Ratio):
    """The harmonic mean of precision and recall: 2 hits / (said + right).

    Arguments:
        average: "binary" is the figure of ``pos_label`` alone, "macro" the mean over classes,
            "weighted" the mean weighted by how often each is right, "micro" the ratio of the sums
            over all classes, "samples" the mean over samples of several labels, None an array of
            the figures of all classes.
        labels: the classes to average over, in the order of the array; None is all that occurred.
        pos_label: the class that "binary" is about.
        zero_division: the figure where there is nothing to divide by: 0, 1, NaN, which is left out
            of averages, or "warn": 0 and a warning.
        task: "binary", "multiclass" or "multilabel"; None is told by the shapes.
        logits: whether scores are logits; None and False are probabilities.
        threshold: the probability above which one of two classes is the second, and a label there.
        classes: what the columns of scores stand for, where targets are not 0, 1, 2 ...
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.

    >>> from aino.train.metrics import f1
    >>> f1([1, 1, 1, 0], [1, 1, 0, 1])
    0.6666666666666666
    >>> f1(["a", "b", "c"], ["a", "b", "b"], average=None)
    array([1.        , 0.66666667, 0.        ])
    """

    default_name, nothing = "f1", "sample, true or predicted,"

    def _ratio(self, hits: Any, said: Any, right: Any) -> tuple[Any, Any]:
        """Return what is divided, and by what."""
        return 2.0 * hits, said + right


def _mean(figures: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean of what is not NaN; weights that are all 0 count as 1."""
    there = ~np.isnan(figures)
    figures = figures[there]
    if not len(figures):
        return math.nan
    if weights is None or not weights[there].sum():
        return float(figures.mean())
    return float(np.average(figures, weights=weights[there]))


precision = in_one_call(Precision)
recall = in_one_call(Recall)
fbeta = in_one_call(FBeta)
f1 = in_one_call(F1)
