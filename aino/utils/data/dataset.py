"""Datasets: what has samples by number, and what gives them one after the other."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.ops.index.indexing import index_select
from aino.ops.random.generator import Generator, default_generator
from aino.ops.random.sampling import randperm

_T = TypeVar("_T", covariant=True)


class Dataset(Generic[_T]):
    """Samples by number: a subclass writes ``__getitem__``, and ``__len__`` where it knows it.

    A subclass that can fetch many at once may write ``__getitems__``, which takes a list of
    numbers and returns a list of samples.

    >>> from aino.utils.data import Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 5
    ...
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: Any) -> Any:
        """Return one sample."""
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__ of its own")

    def __add__(self, other: Dataset) -> ConcatDataset:
        """Return the samples of both, one after the other."""
        return ConcatDataset([self, other])


class IterableDataset(Dataset[_T]):
    """Samples one after the other: a subclass writes ``__iter__``.

    In a `DataLoader` with workers each of them has a copy, and all would give the same samples:
    ``get_worker_info()`` tells ``__iter__`` which share is its own.
    """

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over the samples."""
        raise NotImplementedError(f"{type(self).__name__} has no __iter__ of its own")

    def __add__(self, other: Dataset) -> ChainDataset:  # type: ignore[override]
        """Return the samples of both, one after the other."""
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of the same first length: a sample is a row of each.

    Its batches are cut out of the tensors at once, never row by row. A tensor over a
    ``np.memmap`` stays in its file: only the rows of a batch are read.

    >>> import aino
    >>> from aino.utils.data import TensorDataset
    >>> dataset = TensorDataset(aino.arange(6.0).view(3, 2), aino.tensor([0, 1, 0]))
    >>> dataset[1]
    (tensor([2., 3.]), tensor(1))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"TensorDataset takes tensors, but argument {position} is "
                    f"{type(tensor).__name__}; aino.from_numpy makes one of an array"
                )
            if not tensor.array.ndim:
                raise ValueError(f"argument {position} of TensorDataset has no rows: it is 0-d")
        lengths = [tensor.array.shape[0] for tensor in tensors]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between tensors: their first lengths are {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].array.shape[0]


class StackDataset(Dataset[Any]):
    """Datasets of the same length, side by side: a sample is a tuple of theirs, or a dict.

    Arguments:
        args: datasets whose samples are joined in a tuple,
        kwargs: or in a dict under these names; one of both, not both.
    """

    datasets: Any

    def __init__(self, *args: Dataset, **kwargs: Dataset) -> None:
        if args and kwargs:
            raise ValueError("StackDataset takes datasets for a tuple or, by name, for a dict")
        if not args and not kwargs:
            raise ValueError("StackDataset needs at least one dataset")
        self.datasets = args or kwargs
        lengths = [_length(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list) -> list:
        """Return the samples of these numbers."""
        if isinstance(self.datasets, dict):
            names = list(self.datasets)
            columns = [samples_of(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(names, row)) for row in zip(*columns)]
        return list(zip(*[samples_of(dataset, indices) for dataset in self.datasets]))

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[_T]):
    """Datasets with lengths, one after the other.

    ``cumulative_sizes`` says where each of them ends.
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise AssertionError(
                    "ConcatDataset does not support IterableDataset, which has no length; "
                    "ChainDataset does"
                )
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Return the running sums of lengths."""
        return list(itertools.accumulate(len(part) for part in sequence))

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        place = bisect.bisect_right(self.cumulative_sizes, index)
        if place == len(self.datasets):
            raise IndexError(f"there is no sample {index}: there are {len(self)}")
        return self.datasets[place][index - (self.cumulative_sizes[place - 1] if place else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    @property
    def cummulative_sizes(self) -> list[int]:
        """``cumulative_sizes``, as it was spelled once."""
        return self.cumulative_sizes


class ChainDataset(IterableDataset):
    """Iterable datasets, one after the other."""

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        super().__init__()
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield from dataset

    def __len__(self) -> int:
        return sum(_length(dataset) for dataset in self.datasets)


class Subset(Dataset[_T]):
    """Some samples of a dataset.

    Arguments:
        dataset: what they are taken from.
        indices: their numbers there, in order.
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list:
        """Return the samples of these numbers."""
        return samples_of(self.dataset, [self.indices[index] for index in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset,
    lengths: Sequence[int | float],
    generator: Generator | None = default_generator,
) -> list[Subset]:
    """Divide a dataset at random into parts that have no sample in common.

    Arguments:
        dataset: what is divided.
        lengths: how many samples each part has, or which fraction of them: fractions add up to 1,
            and what rounding leaves over goes to the first parts, one each.
        generator: where the random numbers come from.

    >>> import aino
    >>> from aino.utils.data import random_split
    >>> parts = random_split(range(10), [0.7, 0.3], aino.Generator().manual_seed(0))
    >>> [len(part) for part in parts]
    [7, 3]
    """
    total = _length(dataset)
    if sum(lengths) <= 1 and math.isclose(sum(lengths), 1):
        for position, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {position} is not between 0 and 1")
        counts = [math.floor(total * fraction) for fraction in lengths]
        for position in range(total - sum(counts)):
            counts[position % len(counts)] += 1
        for position, count in enumerate(counts):
            if count == 0:
                warnings.warn(
                    f"Length of split at index {position} is 0. This might result in an empty "
                    "dataset.",
                    stacklevel=2,
                )
        lengths = counts
    if sum(lengths) != total:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"{list(lengths)} add up to {sum(lengths)}, and there are {total} samples"
        )
    order = randperm(total, generator=generator).tolist()
    ends = list(itertools.accumulate(int(length) for length in lengths))
    return [Subset(dataset, order[start:end]) for start, end in zip([0, *ends], ends)]


def _length(dataset: Any) -> int:
    try:
        return len(dataset)
    except TypeError:
        raise TypeError(
            f"{type(dataset).__name__} has no length: it needs a __len__ for this"
        ) from None


def samples_of(dataset: Any, indices: list) -> list:
    """Return the samples of these numbers, at once where the dataset can."""
    if callable(getattr(dataset, "__getitems__", None)):
        samples = dataset.__getitems__(indices)
        if len(samples) != len(indices):
            raise ValueError(
                f"__getitems__ of {type(dataset).__name__} returned {len(samples)} samples for "
                f"{len(indices)} indices"
            )
        return samples
    return [dataset[index] for index in indices]


def whole_batch(dataset: Any, indices: Any) -> Any:
    """Return what collating these samples would give, cut out at once; None where it can't be.

    ``indices`` is an array of numbers, or a range. Only where the class says itself how a sample
    is made of tensors is that known: one that overrides ``__getitem__`` is asked sample by sample.
    """
    read = getattr(type(dataset), "__getitem__", None)
    if read is TensorDataset.__getitem__:
        return [_rows(tensor, indices) for tensor in dataset.tensors]
    if type(dataset) is Subset:
        numbers = dataset.indices
        if isinstance(indices, range):
            inner: Any = numbers[indices.start : indices.stop : indices.step]
        else:
            inner = [numbers[index] for index in indices.tolist()]
        return whole_batch(dataset.dataset, inner if isinstance(inner, range) else _array(inner))
    if type(dataset) is StackDataset:
        named = isinstance(dataset.datasets, dict)
        children = dataset.datasets.values() if named else dataset.datasets
        parts = [whole_batch(child, indices) for child in children]
        if any(part is None for part in parts):
            return None
        return dict(zip(dataset.datasets, parts)) if named else parts
    return None


def _array(numbers: Any) -> Any:
    return np.asarray(numbers, np.int64) if len(numbers) else np.empty(0, np.int64)


def _rows(tensor: Tensor, indices: Any) -> Tensor:
    """Return rows of a tensor in memory of their own."""
    if tensor.requires_grad:
        return index_select(tensor, 0, make(_array(indices)))
    array = tensor.array
    if isinstance(indices, range) and indices.step == 1:
        # Never a view: who changes a batch does not change the dataset.
        return make(np.array(array[indices.start : indices.stop], copy=True, order="C"))
    return make(np.asarray(array.take(_array(indices), axis=0)))
