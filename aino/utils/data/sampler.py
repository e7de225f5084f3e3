"""Samplers: in which order the samples of a dataset come."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor
from aino.ops.creation.from_data import as_tensor
from aino.ops.random.distributions import multinomial
from aino.ops.random.generator import Generator, draw

_T = TypeVar("_T", covariant=True)


class Sampler(Generic[_T]):
    """The order in which samples come: a subclass writes ``__iter__``, and ``__len__`` if it can.

    ``__iter__`` gives the numbers of samples, or lists of them where it makes batches.
    """

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over the numbers of samples."""
        raise NotImplementedError(f"{type(self).__name__} has no __iter__ of its own")


class Ordered(Sampler[int]):
    """A sampler that knows the whole order when it starts."""

    def order(self) -> range | np.ndarray:
        """Return the numbers of samples in their order."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        order = self.order()
        return iter(order if isinstance(order, range) else order.tolist())


class SequentialSampler(Ordered):
    """Each sample once, from first to last."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def order(self) -> range:
        """Return all numbers, upwards."""
        return range(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Ordered):
    """Samples in an order that is drawn anew each time.

    Arguments:
        data_source: the dataset; only its length is asked for.
        replacement: whether a sample may come again before all have come.
        num_samples: how many come; as many as there are for None.
        generator: where the random numbers come from. For None each order has a generator of its
            own, with a seed from the default one.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got {replacement=}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _check_count(self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many samples come."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> np.ndarray:
        """Draw an order."""
        count, size = self.num_samples, len(self.data_source)
        if size == 0:
            raise ValueError(f"{count} samples can't be drawn: the dataset is empty")
        generator = self.generator or Generator().manual_seed(drawn_seed(None))
        if self.replacement:
            return draw(generator, "integers", (count,), dtypes.int64, 0, size)
        orders = [_permutation(generator, size) for _ in range(-(-count // size))]
        return np.concatenate(orders)[:count] if len(orders) != 1 else orders[0][:count]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Ordered):
    """Some samples, each once, in an order that is drawn anew each time.

    Arguments:
        indices: the numbers of the samples.
        generator: where the random numbers come from, the default generator for None.
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for position in _permutation(self.generator, len(self.indices)).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Ordered):
    """Samples drawn as often as their weights say.

    Arguments:
        weights: a weight for each sample; they need not add up to 1.
        num_samples: how many come.
        replacement: whether a sample may come again; without it each comes once at most.
        generator: where the random numbers come from, the default generator for None.
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_count(num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got {replacement=}")
        found = as_tensor(weights, dtype=dtypes.float64)
        if found.array.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {found.array.shape}"
            )
        self.weights = found
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def order(self) -> np.ndarray:
        """Draw an order."""
        count, again = self.num_samples, self.replacement
        return multinomial(self.weights, count, again, generator=self.generator).array

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The numbers of another sampler, in lists.

    Arguments:
        sampler: what gives the numbers.
        batch_size: how many go into a list.
        drop_last: whether a last list that is shorter is left out.

    >>> from aino.utils.data import BatchSampler, SequentialSampler
    >>> list(BatchSampler(SequentialSampler(range(7)), 3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    """

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(itertools.islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def order_of(sampler: Any) -> range | np.ndarray | None:
    """Return the whole order of a sampler of AINO's own; None for one that has another way."""
    if isinstance(sampler, Ordered) and type(sampler).__iter__ is Ordered.__iter__:
        return sampler.order()
    return None


def drawn_seed(generator: Generator | None) -> int:
    """Draw the seed of another generator."""
    return int(draw(generator, "integers", (), dtypes.int64, 0, 1 << 62))


def _permutation(generator: Generator | None, size: int) -> np.ndarray:
    return draw(generator, "permutation", (size,), dtypes.int64, size)


def _check_count(count: Any) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count <= 0:
        raise ValueError(
            f"num_samples should be a positive integer value, but got num_samples={count!r}; as "
            "many come as the dataset has where it is not given, so the dataset may be empty"
        )
