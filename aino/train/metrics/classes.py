"""Outputs of classifiers, brought to one form: classes, or scores of classes, and what is right.

=====================  ===================  ====================================================
outputs                targets              are taken as
=====================  ===================  ====================================================
scores (n, classes)    classes (n,)         scores of classes; the highest wins
scores (n,) or (n, 1)  classes (n,)         the score of the second of two classes
classes (n,)           classes (n,)         labels: whole numbers, booleans or text
(n, labels)            0 and 1 (n, labels)  several labels at once, each there or not
(n, classes, ...)      classes (n, ...)     scores of classes at every place of an image or text
=====================  ===================  ====================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from aino.errors import DtypeError, ShapeError
from aino.train.metrics.base import Metric

TASKS = (None, "binary", "multiclass", "multilabel")


class Batch(NamedTuple):
    """A batch of one kind: "binary", "multiclass", "multilabel", or "labels" without scores.

    ``targets`` are numbers of classes (n,), of several labels 0 and 1 (n, labels), labels as they
    are where there are no scores. ``outputs`` are scores (n,) or (n, classes), or labels.
    """

    kind: str
    outputs: np.ndarray
    targets: np.ndarray
    weight: np.ndarray | None


class ClassMetric(Metric):
    """A metric of classes: what its outputs and targets may look like.

    Arguments:
        task: "binary", "multiclass" or "multilabel"; None is told by the shapes, where two columns
            of zeros and ones are several labels, not classes.
        logits: whether scores are logits; None and False are probabilities. A ``Trainer`` knows it
            by its loss.
        threshold: the probability above which one of two classes is the second, and a label there.
        classes: what the columns of scores stand for, where targets are not 0, 1, 2 ...; with
            one column of scores, what is at 0 and at 1.
        ignore_index: a target that does not count.
        name: what histories and logs call the metric.
    """

    def __init__(
        self,
        *,
        task: str | None = None,
        logits: bool | None = None,
        threshold: float = 0.5,
        classes: Sequence[Any] | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        if task not in TASKS:
            raise ValueError(f"task is one of 'binary', 'multiclass', 'multilabel', not {task!r}")
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"threshold is a probability, from 0 to 1, not {threshold}")
        self.task, self.logits, self.threshold = task, logits, float(threshold)
        self.classes = None if classes is None else list(classes)
        if self.classes is not None and len(set(self.classes)) < max(2, len(self.classes)):
            raise ValueError(f"classes are two different ones at least, not {self.classes}")
        self.ignore_index = ignore_index
        super().__init__(name)

    def _read(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> Batch:
        """Return a batch in the one form, checked; a ValueError says what does not fit."""
        outputs, targets, weight = _as_rows(outputs, targets, weight)
        if targets.ndim == 2 and self.task == "multiclass":
            _check_numbers(targets, "targets")
            if outputs.ndim == 2 and outputs.shape != targets.shape:
                raise ShapeError(
                    f"outputs of shape {outputs.shape} and targets of shape {targets.shape} have "
                    "different numbers of classes"
                )
            targets = targets.argmax(axis=1)
            if self.classes is not None:
                targets = np.asarray(self.classes)[targets]
        if self.ignore_index is not None and targets.dtype.kind in "iuf":
            counts = targets != self.ignore_index
            if targets.ndim == 1 and not counts.all():
                outputs, targets = outputs[counts], targets[counts]
                weight = None if weight is None else weight[counts]
        if targets.ndim == 2:
            return self._several(outputs, targets, weight)
        if outputs.ndim == 2:
            self._refuse("multilabel", "binary" if outputs.shape[1] > 2 else None, outputs, targets)
            _check_numbers(outputs)
            return Batch("multiclass", outputs, self._numbers(targets, outputs.shape[1]), weight)
        if outputs.dtype.kind == "f" and self.task != "multiclass":
            self._refuse("multilabel", None, outputs, targets)
            if not self.logits:
                _check_probabilities(outputs)
            return Batch("binary", outputs, self._numbers(targets, 2), weight)
        self._refuse("multilabel", None, outputs, targets)
        outputs, targets = _check_labels("outputs", outputs), _check_labels("targets", targets)
        if (outputs.dtype.kind in "US") is not (targets.dtype.kind in "US"):
            raise DtypeError(f"outputs are {_what(outputs)}, and targets {_what(targets)}")
        return Batch("labels", outputs, targets, weight)

    def _decide(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes that the outputs say, and those that are right, as labels."""
        if batch.kind == "labels":
            return batch.outputs, batch.targets
        if batch.kind == "multiclass":
            said = batch.outputs.argmax(axis=1)
        elif batch.outputs.dtype.kind == "f":
            said = (batch.outputs > self._bound()).astype(np.int64)
        else:
            said = batch.outputs
        if self.classes is None or batch.kind == "multilabel":
            return said, batch.targets
        labels = np.asarray(self.classes)
        return labels[said], labels[batch.targets]

    def _probabilities(self, batch: Batch) -> np.ndarray:
        """Return scores as probabilities, in float64 where they were logits."""
        scores = batch.outputs
        if self.logits:
            scores = scores.astype(np.float64)
            if batch.kind != "multiclass":
                return 0.5 * (1.0 + np.tanh(0.5 * scores))
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            return scores / scores.sum(axis=1, keepdims=True)
        if batch.kind == "multiclass":
            _check_probabilities(scores)
            sums = scores.sum(axis=1)
            wrong = abs(sums - 1.0) > math.sqrt(np.finfo(sums.dtype).eps)
            if wrong.any():
                place = int(np.flatnonzero(wrong)[0])
                raise ValueError(
                    f"the probabilities of outputs[{place}] add up to {sums[place]:.6g}, not to 1"
                    + LOGITS
                )
        return scores

    def _bound(self) -> float:
        """Return the score above which a label is there."""
        if not self.logits:
            return self.threshold
        if self.threshold in (0.0, 1.0):
            return -math.inf if self.threshold == 0.0 else math.inf
        return math.log(self.threshold / (1.0 - self.threshold))

    def _several(
        self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None
    ) -> Batch:
        """Return a batch of several labels at once."""
        self._refuse("binary", None, outputs, targets)
        if outputs.shape != targets.shape:
            raise ShapeError(
                f"targets of shape {targets.shape} are several labels a sample, and outputs have "
                f"shape {outputs.shape}; rows with a single 1 for a class need task='multiclass'"
            )
        _check_numbers(outputs)
        if targets.dtype.kind not in "biuf" or not ((targets == 0) | (targets == 1)).all():
            raise ValueError(
                "targets of several columns are 0 and 1: a label is there or not; rows of "
                "probabilities of classes need task='multiclass'"
            )
        if outputs.dtype.kind == "f" and not self.logits:
            _check_probabilities(outputs)
        elif outputs.dtype.kind != "f" and not ((outputs == 0) | (outputs == 1)).all():
            raise ValueError("outputs of several labels are 0 and 1, or floating-point scores")
        return Batch("multilabel", outputs, targets.astype(np.int64), weight)

    def _refuse(
        self, task: str, other: str | None, outputs: np.ndarray, targets: np.ndarray
    ) -> None:
        """Raise where the task is one that these shapes don't fit."""
        if self.task is not None and self.task in (task, other):
            raise ShapeError(
                f"task is {self.task!r}, which outputs of shape {outputs.shape} and targets of "
                f"shape {targets.shape} don't fit"
            )

    def _numbers(self, targets: np.ndarray, count: int) -> np.ndarray:
        """Return targets as numbers of classes, 0 to ``count`` - 1."""
        if self.classes is not None:
            return self._places(targets, count)
        if targets.dtype.kind not in "biuf":
            raise DtypeError(
                "targets are text, and outputs are scores: say what the scores stand for by "
                "classes=[...], in the order of the columns"
            )
        targets = _check_labels("targets", targets)
        if len(targets) and not 0 <= targets.min() <= targets.max() < count:
            place = int(np.flatnonzero((targets < 0) | (targets >= count))[0])
            raise ValueError(
                f"targets[{place}] is {targets[place]}; with scores of {count} classes targets are "
                f"0 to {count - 1}, or say classes=[...]"
            )
        return targets.astype(np.int64)

    def _places(self, targets: np.ndarray, count: int) -> np.ndarray:
        classes = self.classes or []
        if len(classes) != count:
            raise ShapeError(f"scores of {count} classes, but classes are {classes}")
        place_of = {label: place for place, label in enumerate(classes)}
        distinct, inverse = np.unique(targets, return_inverse=True)
        unknown = [label for label in distinct.tolist() if label not in place_of]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is a target, and classes are {classes}")
        return np.array([place_of[label] for label in distinct.tolist()], np.int64)[inverse]


LOGITS = "; if they are logits, say logits=True"


def _as_rows(
    outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return both without an axis of length 1 or places of an image, which become rows."""
    if outputs.ndim > 2 and outputs.ndim == targets.ndim + 1:
        if outputs.shape[2:] != targets.shape[1:]:
            raise ShapeError(
                f"outputs of shape {outputs.shape} and targets of shape {targets.shape}: scores of "
                "classes have shape (samples, classes, ...) for targets (samples, ...)"
            )
        places = targets.size // len(targets)
        if weight is not None:
            weight = np.repeat(weight, places)
        outputs = np.moveaxis(outputs, 1, -1).reshape(-1, outputs.shape[1])
        targets = targets.reshape(-1)
    if outputs.ndim == 2 and outputs.shape[1] == 1:
        outputs = outputs[:, 0]
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if outputs.ndim > 2 or targets.ndim > 2:
        raise ShapeError(
            f"outputs of shape {outputs.shape} and targets of shape {targets.shape} are neither "
            "classes nor scores of classes"
        )
    return outputs, targets, weight


def _check_numbers(scores: np.ndarray, name: str = "outputs") -> None:
    if scores.dtype.kind not in "biuf":
        raise DtypeError(f"{name} of shape {scores.shape} are scores of classes, and hold text")


def _check_probabilities(outputs: np.ndarray) -> None:
    """Raise unless scores are from 0 to 1."""
    if outputs.size and not 0.0 <= outputs.min() <= outputs.max() <= 1.0:
        wrong = outputs[(outputs < 0.0) | (outputs > 1.0)][0]
        raise ValueError(
            f"outputs hold {wrong}, and probabilities are from 0 to 1{LOGITS}; if they are labels, "
            "give whole numbers (astype(int))"
        )


def _check_labels(name: str, labels: np.ndarray) -> np.ndarray:
    """Return labels, floating-point ones as the whole numbers that they have to be."""
    if labels.dtype.kind != "f":
        # uint64 and int64 have no common type of whole numbers.
        return labels.astype(np.int64) if labels.dtype == np.uint64 else labels
    wrong = np.floor(labels) != labels
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{name}[{place}] is {labels[place]}; classes are whole numbers, booleans or text"
        )
    return labels.astype(np.int64)


def _what(array: np.ndarray) -> str:
    return "text" if array.dtype.kind in "US" else "numbers"
