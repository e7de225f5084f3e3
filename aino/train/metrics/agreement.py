"""How well what is said agrees with what is right, beyond what chance would give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.errors import ShapeError
from aino.train.metrics.base import in_one_call
from aino.train.metrics.counts import HITS, RIGHT, SAID, Counts


class Agreement(Counts):
    """A metric of classes, of which each sample has one.

    The settings are those of ``Accuracy``: ``task``, ``logits``, ``threshold``, ``classes``,
    ``ignore_index``, ``name``.
    """

    def _check(self, kind: str, shape: tuple[int, ...]) -> None:
        """Raise for several labels a sample."""
        if kind == "multilabel":
            raise ShapeError(f"{self.name} is for one class a sample, not for several labels")


class BalancedAccuracy(Agreement):
    """The mean over classes of the share of their samples that is told right.

    A class counts as much as any other, however rare it is. Classes that are said and never right
    are left out, as in scikit-learn.

    The other settings are those of ``Accuracy``: ``task``, ``logits``, ``threshold``, ``classes``,
    ``ignore_index``, ``name``.

    Arguments:
        adjusted: 0 for what chance would give, 1 at best.

    >>> from aino.train.metrics import balanced_accuracy
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 1, 1])
    0.75
    """

    default_name = "balanced_accuracy"

    def __init__(self, *, adjusted: bool = False, **settings: Any) -> None:
        self.adjusted = adjusted
        super().__init__(**settings)

    def compute(self) -> float:
        """Return the mean recall of the classes."""
        _, sums = self._sums()
        there = sums[RIGHT] > 0
        if not there.any():
            return math.nan
        score = float(np.mean(sums[HITS][there] / sums[RIGHT][there]))
        if self.adjusted:
            chance = 1.0 / there.sum()
            score = float((score - chance) / (1.0 - chance)) if chance < 1.0 else math.nan
        return score


class MatthewsCorrelation(Agreement):
    """The correlation of what is said and what is right, from -1 to 1; 0 where either is constant.

    The settings are those of ``Accuracy``: ``task``, ``logits``, ``threshold``, ``classes``,
    ``ignore_index``, ``name``.

    >>> from aino.train.metrics import matthews_corrcoef
    >>> round(matthews_corrcoef([1, 0, 1, 1], [1, 1, 1, 0]), 4)
    -0.3333
    """

    default_name = "matthews_corrcoef"

    def compute(self) -> float:
        """Return the correlation."""
        _, sums = self._sums()
        total = sums[SAID].sum()
        if not total:
            return math.nan
        said, right, hits = sums[SAID], sums[RIGHT], sums[HITS].sum()
        spreads = [1.0 - (sums @ sums) / total**2 for sums in (said, right)]
        # A constant's spread is 0, up to the rounding of weights.
        if min(spreads) <= 1e-14:
            return 0.0
        together = hits / total - (said @ right) / total**2
        return float(together / math.sqrt(spreads[0] * spreads[1]))


class CohenKappa(Agreement):
    """The share that is told right, from what chance would give (0) to all (1).

    (p - e) / (1 - e), where e is the share that shuffled answers would get right; NaN where that
    is 1.

    The settings are those of ``Accuracy``: ``task``, ``logits``, ``threshold``, ``classes``,
    ``ignore_index``, ``name``.

    >>> from aino.train.metrics import cohen_kappa
    >>> cohen_kappa([0, 0, 1, 1], [0, 1, 1, 1])
    0.5
    """

    default_name = "cohen_kappa"

    def compute(self) -> float:
        """Return kappa."""
        _, sums = self._sums()
        total = sums[SAID].sum()
        if not total:
            return math.nan
        share = sums[HITS].sum() / total
        chance = float(sums[SAID] @ sums[RIGHT]) / total**2
        return float((share - chance) / (1.0 - chance)) if chance < 1.0 else math.nan


balanced_accuracy = in_one_call(BalancedAccuracy)
matthews_corrcoef = in_one_call(MatthewsCorrelation)
cohen_kappa = in_one_call(CohenKappa)
