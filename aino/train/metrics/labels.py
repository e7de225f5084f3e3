"""Labels that occurred, in their order, and that they are of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.errors import DtypeError


def chosen(labels: Sequence[Any] | None) -> list[Any] | None:
    """Return the classes that a metric is about, each once; None for all that occur."""
    if labels is None:
        return None
    found = list(labels)
    if len(set(found)) < len(found):
        raise ValueError(f"labels holds a class twice: {found}")
    return found


def check_one_kind(kinds: dict[str, int], labels: np.ndarray, several: bool) -> None:
    """Note what the labels of a batch are; raise where other batches had something else."""
    kind = "several labels" if several else "text" if labels.dtype.kind in "US" else "numbers"
    other = [known for known in kinds if known != kind]
    if other:
        raise DtypeError(f"targets are {kind} in this batch, and {other[0]} in those before")
    kinds[kind] = kinds.get(kind, 0) + 1


def check_merged(kinds: dict[str, int], others: dict[str, int]) -> None:
    """Raise where two metrics to be merged have counted labels of different kinds."""
    if len(both := {*kinds, *others}) > 1:
        raise DtypeError(f"one of the metrics has counted {' and the other '.join(sorted(both))}")
