"""The ranks that a model learns on together: what one of them has to know of the others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino import distributed
from aino.autograd.tensor import make


class Ranks:
    """The group of ranks of a model in ``DistributedDataParallel``; of others this process alone.

    Arguments:
        model: the module that learns.
    """

    def __init__(self, model: Any) -> None:
        # Who has no such model has not loaded what it is.
        room = sys.modules.get("aino.nn.parallel.distributed")
        wrapped = room is not None and isinstance(model, room.DistributedDataParallel)
        #: The module that has the parameters: what is saved.
        self.module = model.module if wrapped else model
        self._group: Any = model.process_group if wrapped else None
        self.count: int = 1 if self._group is None else self._group.size()
        self.rank: int = 0 if self._group is None else self._group.rank()

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that writes files, and shows how far the training is."""
        return self.rank == 0

    def sums(self, numbers: Sequence[float]) -> list[float]:
        """Return numbers summed over the ranks."""
        if self.count == 1 or not numbers:
            return list(numbers)
        total = make(np.array(numbers, np.float64))
        distributed.all_reduce(total, group=self._group)
        return total.array.tolist()

    def means(self, values: dict[str, float]) -> dict[str, float]:
        """Return numbers by name, averaged over the ranks."""
        return dict(zip(values, [total / self.count for total in self.sums([*values.values()])]))

    def gather(self, value: Any) -> list[Any]:
        """Return what each rank has, on the first; an empty list on the others."""
        if self.count == 1:
            return [value]
        found: list[Any] | None = [None] * self.count if self.is_first else None
        distributed.gather_object(value, found, self._group.ranks[0], group=self._group)
        return found or []
