"""DataLoader: a dataset in batches, fetched here or by worker processes."""

from __future__ import annotations

import functools
import itertools
import math
import multiprocessing
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from aino.ops.random.generator import Generator
from aino.threads import CORES
from aino.utils.data.collate import default_collate, default_convert
from aino.utils.data.dataset import Dataset, IterableDataset
from aino.utils.data.fetch import Ended, IterableFetcher, MapFetcher
from aino.utils.data.processes import ProcessIterator
from aino.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    drawn_seed,
    order_of,
)
from aino.utils.data.worker import get_worker_info

_T = TypeVar("_T", covariant=True)

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]


class DataLoader(Generic[_T]):
    """A dataset in batches: ``for batch in loader``.

    The same seed gives the same order, whatever ``num_workers`` is. A `TensorDataset`, and subsets
    and stacks of some, are cut into batches as a whole, without a look at single samples. What
    workers send comes through memory that they share with the loader.

    Arguments:
        dataset: samples by number, or an `IterableDataset`.
        batch_size: how many samples go into a batch; None gives them out one by one.
        shuffle: whether their order is drawn anew for each pass.
        sampler: the order, in the place of ``shuffle``: what gives numbers of samples.
        batch_sampler: what gives lists of numbers, in the place of all of the above.
        num_workers: how many processes fetch batches; 0 fetches them in this one.
        collate_fn: what makes a batch of a list of samples; ``default_collate``, or, without
            batches, ``default_convert`` of each sample.
        pin_memory, pin_memory_device: have no effect: there is no device to copy to.
        drop_last: whether a last batch that is smaller is left out.
        timeout: how many seconds to wait for a batch of the workers; 0 waits for ever.
        worker_init_fn: called with its number in each worker, before it fetches.
        multiprocessing_context: how processes are started: ``"fork"``, ``"spawn"``,
            ``"forkserver"`` or a context of ``multiprocessing``.
        generator: where random orders and the seeds of the workers come from.
        prefetch_factor: how many batches each worker fetches ahead, 2 where it is not given.
        persistent_workers: keep the workers, and their copies of the dataset, after a pass.
        in_order: whether batches come in order; False gives out whichever is there first.

    Raises ``ValueError`` for settings that exclude each other. An error in a worker is raised here
    with the worker's trace, a worker that dies is a ``RuntimeError``.

    >>> import aino
    >>> from aino.utils.data import DataLoader, TensorDataset
    >>> loader = DataLoader(TensorDataset(aino.arange(5)), batch_size=2)
    >>> [batch.tolist() for (batch,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Dataset[_T],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        prefetch_factor = _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            for name, value in (
                ("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)
            ):  # fmt: skip
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but "
                        f"got {name}={value}; the dataset itself says what comes next"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None and not iterable:
            sampler = (
                RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
                if shuffle
                else SequentialSampler(dataset)  # type: ignore[arg-type]
            )
        order: Any = _Endless() if sampler is None else sampler
        if batch_size is not None:
            batch_sampler = BatchSampler(order, batch_size, drop_last)
        self.dataset = dataset
        self.sampler = order
        self.batch_size = batch_size
        self.batch_sampler: Any = batch_sampler
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.multiprocessing_context = multiprocessing_context
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._iterator: ProcessIterator | None = None
        self._settled = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and self.__dict__.get("_settled"):
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """How processes are started; None for the system's own way."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None and self.num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading "
                f"(num_workers > 0), but got num_workers={self.num_workers}"
            )
        if isinstance(context, str):
            known = multiprocessing.get_all_start_methods()
            if context not in known:
                raise ValueError(
                    "multiprocessing_context option should specify a valid start method in "
                    f"{known}, but got multiprocessing_context={context!r}"
                )
            context = multiprocessing.get_context(context)
        elif context is not None and not isinstance(context, multiprocessing.context.BaseContext):
            raise TypeError(
                "multiprocessing_context option should be a valid context object or a string "
                f"specifying the start method, but got multiprocessing_context={context}"
            )
        self._context = context

    def __iter__(self) -> Iterator[Any]:
        seed = drawn_seed(self.generator)
        if self.num_workers == 0:
            return _Batches(self)
        if self._iterator is not None:
            self._iterator.begin_again(self._indices())
            return self._iterator
        _warn_of_too_many(self.num_workers)
        iterator = ProcessIterator(self, self._fetcher(), self._indices(), seed)
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            length = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is None:
                return length
            return (
                length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)
            )
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def _fetcher(self) -> Callable[[], Any]:
        """Return what makes a fetcher, here or in a worker."""
        batched = self.batch_sampler is not None
        if isinstance(self.dataset, IterableDataset):
            return functools.partial(
                IterableFetcher, self.dataset, batched, self.collate_fn, self.drop_last
            )
        return functools.partial(MapFetcher, self.dataset, batched, self.collate_fn)

    def _indices(self) -> Iterator[Any]:
        """Return the indices of each batch, or how many samples the next one has."""
        if isinstance(self.dataset, IterableDataset):
            return itertools.repeat(self.batch_size)
        batches = self.batch_sampler
        if batches is None:
            return iter(self.sampler)
        order = order_of(batches.sampler) if type(batches) is BatchSampler else None
        if order is None:
            return iter(batches)
        size = batches.batch_size
        stop = len(order) - size + 1 if batches.drop_last else len(order)
        return (order[start : start + size] for start in range(0, stop, size))


#: What a loader is made of, and can't be changed later.
_FIXED = (
    "batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"
)  # fmt: skip


class _Endless(Sampler[None]):
    """The sampler of a dataset that says itself what comes next."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class _Batches:
    """Batches that are fetched in this process, when they are asked for."""

    def __init__(self, loader: DataLoader) -> None:
        self._loader = loader
        self._rest = self._fetched(loader)

    def _fetched(self, loader: DataLoader) -> Iterator[Any]:
        fetch = loader._fetcher()().fetch
        for indices in loader._indices():
            try:
                batch = fetch(indices)
            except Ended:
                return
            yield batch

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> Any:
        return next(self._rest)

    def __len__(self) -> int:
        return len(self._loader)


def _check_workers(workers: Any, timeout: Any, prefetch: int | None, persistent: bool) -> Any:
    """Raise for settings of workers that can't be; return how many batches each fetches ahead."""
    if workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if workers == 0 and prefetch is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing; let num_workers > "
            "0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch is not None and prefetch < 1:
        raise ValueError(f"prefetch_factor is a number of batches from 1 on, not {prefetch}")
    if persistent and workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    return 2 if workers and prefetch is None else prefetch


def _warn_of_too_many(workers: int) -> None:
    if workers > CORES:
        warnings.warn(
            f"This DataLoader will create {workers} worker processes, and there are {CORES} cores "
            "here: fewer are likely to be faster",
            stacklevel=3,
        )
