"""Batches that are cut from arrays in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.ops.random.generator import Generator, draw
from aino.pytree import is_plain, parts_of, refilled
from aino.utils.data.dataset import Dataset

#: So many batches are cut ahead at most, and so many bytes.
_MOST_IN_GROUP = 16
_GROUP_BYTES = 1 << 16


def batch_size_for(samples: int) -> int:
    """Return how many samples a step looks at: all of a few, a hundredth of many."""
    return samples if samples <= 32 else min(256, max(32, samples // 100))


class ArrayBatches:
    """Batches of arrays of one length: iterated once an epoch, it gives tuples of tensors.

    Arguments:
        arrays: the arrays; a batch has some rows of each.
        size: how many samples are in a batch, but for the last one.
        shuffle: whether their order is drawn anew for each epoch.
        generator: where the order is drawn from; the default generator for None.
    """

    def __init__(
        self, arrays: Sequence[Any], size: int, shuffle: bool = False,
        generator: Generator | None = None,
    ) -> None:  # fmt: skip
        self.arrays = tuple(arrays)
        self.size = size
        self.shuffle = shuffle
        self.generator = generator
        whole = size >= self.samples
        # A sparse matrix is made dense by the slice.
        self._whole = tuple([make(array[:]) for array in self.arrays]) if whole else None

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(self.arrays[0])

    def __len__(self) -> int:
        return -(-self.samples // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return iter([self._whole]) if self._whole is not None else self._cut()

    @property
    def in_group(self) -> int:
        """How many batches may be cut before the first is learned from, small as they are."""
        one = sum(array.nbytes for array in self.arrays if isinstance(array, np.ndarray))
        return min(_MOST_IN_GROUP, _GROUP_BYTES * self.samples // max(one * self.size, 1))

    def not_finite(self) -> str:
        """Tell the first number that is none, ``X[3, 1] is nan``, or nothing."""
        for name, array in zip(("X", "y", "sample_weight"), self.arrays):
            if isinstance(array, np.ndarray) and not (finite := np.isfinite(array)).all():
                place = np.argwhere(~finite)[0].tolist()
                return f"{name}{place} is {array[tuple(place)]}"
        return ""

    def _cut(self) -> Iterator[tuple[Tensor, ...]]:
        order: Any = np.arange(self.samples)
        if self.shuffle:
            order = draw(self.generator, "permutation", (self.samples,), order.dtype, self.samples)
        arrays, size = self.arrays, self.size
        # take() finds rows in half the time of array[chosen].
        if len(arrays) == 2:  # the usual case, without a loop
            X, y = arrays
            for start in range(0, self.samples, size):
                chosen = order[start : start + size]
                yield make(X.take(chosen, 0)), make(y.take(chosen, 0))
            return
        for start in range(0, self.samples, size):
            chosen = order[start : start + size]
            yield tuple([make(array.take(chosen, 0)) for array in arrays])


class LoaderBatches:
    """The batches of a loader, or of anything that can be iterated once an epoch, as tuples.

    Arguments:
        loader: what gives batches; NumPy arrays in them become tensors.
        dtype: that of the model, which floating-point arrays are turned into.
    """

    def __init__(self, loader: Any, dtype: np.dtype | None = None) -> None:
        if isinstance(loader, Iterator):
            raise TypeError(
                f"a {type(loader).__name__} can be iterated only once, and each epoch needs all "
                "batches: give a DataLoader or a list of batches"
            )
        if isinstance(loader, Dataset):
            raise TypeError(
                f"a {type(loader).__name__} gives single samples: "
                "DataLoader(dataset, batch_size=32) makes batches of them"
            )
        if isinstance(loader, str | bytes | dict) or not hasattr(loader, "__iter__"):
            raise TypeError(
                "data are a DataLoader, batches that can be iterated, or arrays X and y, not "
                f"{type(loader).__name__}"
            )
        self.loader = loader
        self.dtype = dtype

    def __len__(self) -> int:
        return len(self.loader)

    def __getattr__(self, name: str) -> Any:
        # Where an order comes from: generators and samplers are the loader's.
        return getattr(self.loader, name)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for batch in self.loader:
            parts = batch if type(batch) in (tuple, list) else (batch,)
            yield tuple([part if part.__class__ is Tensor else self._tensors(part)
                         for part in parts])  # fmt: skip

    def _tensors(self, part: Any) -> Any:
        if isinstance(part, np.ndarray):
            return make(as_array(part, self.dtype))
        if is_plain(part):
            return refilled(part, [self._tensors(item) for item in parts_of(part)])
        return part


def weight_of(batch: Any) -> float:
    """Return how much a batch counts: its samples, or the sum of their weights.

    A batch is a tuple of inputs, targets and weights, each of which may be nested.
    """
    if len(batch) > 2 and isinstance(batch[2], Tensor):
        return batch[2].array.sum().item()
    first = batch[0]
    while is_plain(first) and first:
        first = parts_of(first)[0]
    if not isinstance(first, Tensor) or not first.array.ndim:
        raise TypeError(
            f"a batch begins with a tensor of samples, not with {type(first).__name__}: its "
            "samples can't be counted"
        )
    return len(first.array)


def length_of(batches: Any) -> int | None:
    """Return how many batches there are; None where nobody knows before they have come."""
    try:
        return len(batches)
    except TypeError:
        return None


def as_array(given: Any, dtype: np.dtype | None) -> np.ndarray:
    """Return data as an array; floating-point numbers become those of the model."""
    array = given.array if isinstance(given, Tensor) else np.asarray(given)
    if array.dtype.kind not in "fciub":
        raise TypeError(
            f"data are numbers, and these are {array.dtype}: turn texts and objects into numbers "
            "first"
        )
    return (
        array.astype(dtype, copy=False) if dtype is not None and array.dtype.kind == "f" else array
    )


def as_arrays(X: Any, y: Any, weights: Any, dtype: np.dtype | None) -> list[np.ndarray]:
    """Return samples, targets and weights, as far as they are given, as arrays of one length.

    Raises ``ShapeError`` for other lengths and for no samples.
    """
    named = {"X": X, "y": y, "sample_weight": weights}
    given = {name: as_array(part, dtype) for name, part in named.items() if part is not None}
    for name, array in given.items():
        if not array.ndim or len(array) != len(given["X"]):
            raise ShapeError(
                f"{name} has shape {array.shape}, and X has {len(given['X'])} samples"
                if array.ndim else f"{name} is one number; samples are rows of an array"
            )  # fmt: skip
    if not len(given["X"]):
        raise ShapeError("X holds no samples")
    return list(given.values())


def is_data(data: Any) -> bool:
    """Tell whether something is samples, and not what gives batches of them."""
    if isinstance(data, (Tensor, np.ndarray)) or hasattr(data, "__array__"):
        return True
    return isinstance(data, (list, tuple)) and bool(data) and all(map(_is_numbers, data))


def _is_numbers(item: Any) -> bool:
    return isinstance(item, (int, float)) or (
        isinstance(item, (list, tuple)) and all(map(_is_numbers, item))
    )


def batches_of(
    data: Any, targets: Any, weights: Any, size: int | None, shuffle: bool | None,
    dtype: np.dtype | None,
) -> ArrayBatches | LoaderBatches:  # fmt: skip
    """Return what gives the batches of an epoch as tuples, of a loader or of arrays.

    Arguments:
        data: a loader, or the samples X.
        targets, weights: of samples X; None where there are none.
        size: how many of the samples X are in a batch; None chooses.
        shuffle: whether samples X come in an order drawn anew for each epoch, as for None.
        dtype: what floating-point arrays are turned into.
    """
    if is_data(data):
        arrays = as_arrays(data, targets, weights, dtype)
        return ArrayBatches(arrays, size or batch_size_for(len(arrays[0])), shuffle is not False)
    given = {
        "targets": targets,
        "sample_weight": weights,
        "batch_size": size,
        "shuffle": shuffle or None,
    }
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} goes with samples X given as an array; a {type(data).__name__} gives "
                "batches, which have all of that"
            )
    return LoaderBatches(data, dtype)


def split(share: float, X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any, tuple]:
    """Return samples, targets and weights without a share of them, and that share.

    Which samples are held out is drawn from the default generator.
    """
    if not is_data(X) or y is None:
        raise ValueError(
            "a share of the samples can be held out of arrays X and y; with a loader give another "
            "loader: fit(loader, validation=other)"
        )
    X, y, *rest = as_arrays(X, y, weights, None)
    held_out = round(share * len(X))
    if not 0 < held_out < len(X):
        raise ValueError(
            f"validation={share} holds {held_out} of {len(X)} samples out; some have to be on "
            "either side"
        )
    order = draw(None, "permutation", (len(X),), np.dtype(np.int64), len(X))
    others, held = np.sort(order[held_out:]), np.sort(order[:held_out])
    kept = rest[0][others] if rest else None
    return X[others], y[others], kept, tuple([array[held] for array in (X, y, *rest)])
