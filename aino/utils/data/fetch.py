"""Fetching: from the numbers of samples to a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.utils.data.collate import collates_tensors_as_ever, default_collate
from aino.utils.data.dataset import samples_of, whole_batch


class MapFetcher:
    """Fetches batches, or single samples, from a dataset that has them by number."""

    def __init__(self, dataset: Any, batched: bool, collate: Callable) -> None:
        self.dataset = dataset
        self.batched = batched
        self.collate = collate

    def fetch(self, indices: Any) -> Any:
        """Return the batch of these samples, or the one sample of this number."""
        if not self.batched:
            return self.collate(self.dataset[indices])
        if self.collate is default_collate and collates_tensors_as_ever():
            numbers = _numbers(indices)
            batch = None if numbers is None else whole_batch(self.dataset, numbers)
            if batch is not None:
                return batch
        listed = indices.tolist() if isinstance(indices, np.ndarray) else list(indices)
        return self.collate(samples_of(self.dataset, listed))


class IterableFetcher:
    """Fetches batches, or single samples, from a dataset that gives one sample after the other."""

    def __init__(self, dataset: Any, batched: bool, collate: Callable, drop_last: bool) -> None:
        self.samples: Iterator[Any] = iter(dataset)
        self.batched = batched
        self.collate = collate
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, count: Any) -> Any:
        """Return a batch of this many samples, or one sample; raise ``Ended`` if there is none."""
        if self.ended:
            raise Ended
        samples = list(islice(self.samples, count if self.batched else 1))
        self.ended = not samples or (self.batched and len(samples) < count)
        if not samples or (self.ended and self.drop_last):
            raise Ended
        return self.collate(samples if self.batched else samples[0])


class Ended(Exception):
    """An iterable dataset has no more samples."""


def _numbers(indices: Any) -> Any:
    """Return numbers of samples as an array or a range; None if that is not what they are."""
    if isinstance(indices, range | np.ndarray):
        return indices
    if isinstance(indices, Tensor):
        return None
    numbers = np.asarray(indices)
    return numbers if numbers.dtype.kind == "i" and numbers.ndim == 1 else None
