"""Labels that occurred, in their order, and that they are of one kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.errors import DtypeError


def check_one_kind(kinds: dict[str, int], labels: np.ndarray, several: bool) -> None:
    """Note what the labels of a batch are; raise where other batches had something else."""
    kind = "several labels" if several else "text" if labels.dtype.kind in "US" else "numbers"
    other = [known for known in kinds if known != kind]
    if other:
        raise DtypeError(f"targets are {kind} in this batch, and {other[0]} in those before")
    kinds[kind] = kinds.get(kind, 0) + 1


def sorted_labels(labels: Any) -> list[Any]:
    """Return labels in order; those of merged metrics may be of several kinds, which raises."""
    try:
        return sorted(labels)
    except TypeError:
        raise DtypeError(
            "labels are text in one of the merged metrics, and numbers in another"
        ) from None
