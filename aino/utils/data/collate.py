"""Collating: from a list of samples to a batch of tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.ops.creation.from_data import as_tensor, tensor
from aino.ops.shape.joining import stack
from aino.utils.data import memory


def default_convert(data: Any) -> Any:
    """Return a sample with its NumPy arrays and scalars made tensors, whatever it is nested in.

    It is what a `DataLoader` does to each sample that it does not put into a batch.

    >>> import numpy as np
    >>> from aino.utils.data import default_convert
    >>> default_convert({"x": np.array([1, 2]), "name": "a"})
    {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, Tensor | str | bytes):
        return data
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence):
        return _sequence_like(data, [default_convert(part) for part in data])
    return data


def default_collate(batch: Sequence[Any]) -> Any:
    """Return a list of samples as a batch, each of its tensors with one more axis in front.

    Tensors and arrays are stacked, numbers become a tensor (Python's floats one of float64),
    texts stay a list; mappings are collated key by key, tuples and lists place by place, to any
    depth. Raises ``ShapeError`` for tensors of different shapes, ``RuntimeError`` for sequences of
    different lengths, ``TypeError`` for what it knows no batch of: that wants a ``collate_fn``.

    >>> from aino.utils.data import default_collate
    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Sequence[Any], *, collate_fn_map: dict[Any, Callable] | None = None) -> Any:
    """Return a list of samples as a batch, by functions of your own for types of your own.

    Arguments:
        batch: the samples, which are alike.
        collate_fn_map: the function for each type (or tuple of types), called as
            ``function(batch, collate_fn_map=...)``. Types of which none is known are searched for
            samples that are.
    """
    if not batch:
        raise IndexError("there is no sample to make a batch of")
    first = batch[0]
    kind = type(first)
    functions = collate_fn_map or {}
    function = functions.get(kind)
    if function is None:
        function = next((f for known, f in functions.items() if isinstance(first, known)), None)
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {
            key: collate(_column(batch, key), collate_fn_map=collate_fn_map) for key in first
        }
        return _mapping_like(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*[collate(part, collate_fn_map=collate_fn_map) for part in zip(*batch)])
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                "each element in list of batch should be of equal size, but their lengths are "
                f"{sorted(lengths)}; pad them in the dataset, or give the loader a collate_fn"
            )
        parts = [collate(part, collate_fn_map=collate_fn_map) for part in zip(*batch)]
        return _sequence_like(first, parts)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {kind}; give the loader a collate_fn that makes a batch of them"
    )


def _column(batch: Sequence[Any], key: Any) -> list[Any]:
    for position, sample in enumerate(batch):
        if key not in sample:
            raise KeyError(f"sample {position} of the batch has no {key!r}, which the first has")
    return [sample[key] for sample in batch]


def _mapping_like(first: Any, columns: dict) -> Any:
    """Return columns in a mapping of the same class, if that can be made, with its other state."""
    if type(first) is dict:
        return columns
    try:
        if isinstance(first, MutableMapping):
            result = copy.copy(first)
            result.update(columns)
            return result
        return type(first)(columns)
    except TypeError:
        return columns


def _sequence_like(first: Any, parts: list) -> Any:
    """Return parts in a sequence of the same class, if that can be made; a tuple gives a list."""
    if isinstance(first, tuple) or type(first) is list:
        return parts
    try:
        if isinstance(first, MutableSequence):
            result = copy.copy(first)
            for position, part in enumerate(parts):
                result[position] = part
            return result
        return type(first)(parts)
    except TypeError:
        return parts


def _tensors(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Tensor:
    arrays = [as_tensor(sample).array for sample in batch]
    first = arrays[0]
    for position, array in enumerate(arrays):
        if array.shape != first.shape:
            raise ShapeError(
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at "
                f"entry 0 and {list(array.shape)} at entry {position}; pad them in the dataset, "
                "or give the loader a collate_fn"
            )
    if not all([type(array) is np.ndarray and array.dtype is first.dtype for array in arrays]):
        return stack([as_tensor(sample) for sample in batch])
    if any([isinstance(sample, Tensor) and sample.requires_grad for sample in batch]):
        return stack(batch)
    result = memory.empty((len(arrays), *first.shape), first.dtype)
    for position, array in enumerate(arrays):
        result[position] = array
    return make(result)


def _arrays(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    first = batch[0]
    if first.dtype.kind in "SUO":
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
            f"found an array of {first.dtype}; give the loader a collate_fn"
        )
    return _tensors(batch)


def _scalars(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    return as_tensor(np.array(batch))


def _floats(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Tensor:
    return tensor(batch, dtype=dtypes.float64)


def _numbers(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Tensor:
    return tensor(batch)


def _texts(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    return batch


#: What collates each type; entries may be added.
default_collate_fn_map: dict[Any, Callable] = {
    Tensor: _tensors,
    np.ndarray: _arrays,
    (np.bool_, np.number): _scalars,
    float: _floats,
    int: _numbers,
    str: _texts,
    bytes: _texts,
}


def collates_tensors_as_ever() -> bool:
    """Tell whether batches of tensors are what they are when nobody has changed the map."""
    return default_collate_fn_map.get(Tensor) is _tensors
