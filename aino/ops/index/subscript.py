"""``x[index]``: what an index means, and picking by it; ``x[index] = v`` as a function."""

from __future__ import annotations

import numpy as np

from aino.autograd.duck import of_duck
from aino.autograd.mode import mode
from aino.autograd.rules import index as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor
from aino.dtypes import int64, uint8
from aino.errors import BoundsError, LevelError
from aino.ops.index.masks import (
    ALL,
    BASIC,
    check_mask,
    dotted,
    has_traced_mask,
    put_by_mask,
    write_by_mask,
)

__all__: list[str] = []

ndarray = np.ndarray


def getitem(input, index):
    """Return ``input[index]``: a view for numbers, slices, None and ``...``, else a copy.

    Indices may also be tensors, arrays and lists, of integers or of booleans. A number takes its
    dimension away first; index tensors are broadcast together, and where a slice stands between
    two of them, their dimensions come first. Raises ``IndexError`` for what is out of bounds.

    >>> import aino
    >>> x = aino.tensor([[1, 2, 3], [4, 5, 6]])
    >>> x[1, -1], x[:, [0, 2]], x[x > 4]
    (tensor(6), tensor([[1, 3],
            [4, 6]]), tensor([5, 6]))
    """
    kind = type(index)
    try:
        if kind is int:
            # The dots make an element a 0-d view.
            return rules.getitem(input, (index, ...))
        if kind is slice:
            return rules.getitem(input, index)
        index = raw_index(index)
        if is_basic_index(index):
            return rules.getitem(input, dotted(index))
        if len(index) == 1 and index[0].ndim and input.array.ndim:
            (item,) = index
            if item.dtype.kind == "b":
                return _where_true(input, item)
            return rules.take(input, item, 0, False)
        basic, indices = split_index(index, input.array.shape)
        part = input if basic is None else rules.getitem(input, basic)
        return _at_indices(part, indices)
    except IndexError as error:
        raise explained(error, input.array.ndim) from None


def explained(error, rank: int) -> IndexError:
    """Return NumPy's error in PyTorch's words."""
    message = str(error)
    if message.startswith("too many indices"):
        return BoundsError(f"too many indices for tensor of dimension {rank}")
    message = message.replace("indexing arrays", "indexing tensors").replace("axis", "dimension")
    return BoundsError(message.strip())


def raw_index(index) -> tuple:
    """Return an index as a tuple of numbers, slices, None, ``...`` and arrays.

    Raises ``IndexError`` for what is no index.
    """
    if type(index) is not tuple:
        index = (index,)
    for item in index:
        if type(item) not in BASIC:
            return tuple([item if type(item) in BASIC else _raw_item(item) for item in index])
    return index


def _raw_item(item):
    if isinstance(item, Tensor):
        item = item.array
    elif isinstance(item, (list, tuple, range)):
        item = np.asarray([x.array if isinstance(x, Tensor) else x for x in item])
        item = item if item.size else item.astype(int64)
    if isinstance(item, (bool, np.generic)):
        item = np.asarray(item)
    elif hasattr(item, "__index__") and not hasattr(item, "dtype"):
        return item.__index__()
    kind = getattr(getattr(item, "dtype", None), "kind", None)
    if kind is None or kind not in "iub":
        found = f"a tensor of {item.dtype}" if kind else f"{type(item).__name__}: {item!r:.60}"
        raise BoundsError(
            "an index is made of integers, slices, ..., None, and tensors or lists of integers "
            f"or booleans; got {found}"
        )
    if item.dtype is uint8:
        # As by PyTorch: bytes were its booleans once.
        return item != 0
    if kind in "iu" and not item.ndim and type(item) is ndarray:
        return int(item)
    return item if kind == "b" or item.dtype is int64 else item.astype(int64)


def is_basic_index(index: tuple) -> bool:
    """Tell whether a raw index picks a view."""
    return all([type(item) in BASIC for item in index])


def select_basic(input, index: tuple):
    """Return the view at a raw basic index."""
    try:
        return rules.getitem(input, dotted(index))
    except IndexError as error:
        raise explained(error, input.array.ndim) from None


def _where_true(input, mask):
    """Return the elements (or slices) where a mask over the first dimensions is True."""
    shape = input.array.shape
    if mask.ndim > len(shape):
        raise BoundsError(f"too many indices for tensor of dimension {len(shape)}")
    check_mask(mask, shape, 0)
    flat = shape_rules.reshape(input, (mask.size, *shape[mask.ndim :]))
    return rules.take(flat, np.flatnonzero(mask), 0, True)


def split_index(index: tuple, shape):
    """Split a raw index into a basic one, and the index of arrays and slices into its result.

    The basic one is None where it would pick everything.
    """
    used = 0
    for item in index:
        if type(item) in (int, slice):
            used += 1
        elif type(item) not in BASIC:
            used += item.ndim if item.dtype.kind == "b" else 1
    if used > len(shape):
        raise BoundsError(f"too many indices for tensor of dimension {len(shape)}")
    basic: list = []
    indices: list = []
    axis = 0
    for item in index:
        if type(item) is int:
            basic.append(item)
            axis += 1
        elif type(item) is slice:
            basic.append(item)
            indices.append(ALL)
            axis += 1
        elif item is None:
            basic.append(None)
            indices.append(ALL)
        elif item is Ellipsis:
            skipped = len(shape) - used
            basic += [ALL] * skipped
            indices += [ALL] * skipped
            axis += skipped
        elif item.dtype.kind == "b" and not item.ndim:
            # A single True or False is a new dimension, of length 1 or 0.
            basic.append(None)
            indices.append(np.zeros(int(item), int64))
        elif item.dtype.kind == "b":
            check_mask(item, shape, axis)
            basic += [ALL] * item.ndim
            indices += item.nonzero()
            axis += item.ndim
        else:
            basic.append(ALL)
            indices.append(item)
            axis += 1
    whole = all([item is ALL for item in basic])
    return None if whole else dotted(tuple(basic)), tuple(indices)


def _at_indices(input, indices):
    """Return the elements at arrays, and slices of whole dimensions."""
    arrays = [axis for axis, index in enumerate(indices) if index is not ALL]
    if len(arrays) == 1:
        return rules.take(input, indices[arrays[0]], arrays[0], False)
    if mode.level and input.node is not None:
        # The rule reads them later: whoever owns them may have changed them by then.
        indices = tuple([index if index is ALL else index.copy() for index in indices])
    return rules.pick_at(input, indices)


def put_at(input, value, index: tuple):
    """Return a copy of ``input`` with ``value`` at a raw index; broadcast, of the same dtype."""
    if is_basic_index(index):
        basic, indices = dotted(index), None
    elif has_traced_mask(index):
        return put_by_mask(input, value, index)
    else:
        basic, indices = split_index(index, input.array.shape)
        basic = (...,) if basic is None else basic
        indices = tuple([item if item is ALL else item.copy() for item in indices])
    try:
        return rules.put(input, value, basic, indices)
    except IndexError as error:
        raise explained(error, input.array.ndim) from None


def write_at(array, value, index: tuple) -> None:
    """``array[index] = value`` for a raw index, on the memory itself."""
    rank = array.ndim
    try:
        if not is_basic_index(index):
            if has_traced_mask(index):
                write_by_mask(array, value, index)
                return
            basic, index = split_index(index, array.shape)
            array = array if basic is None else array[basic]
        array[index] = value
    except (LevelError, ValueError) as error:
        raise of_duck("x[index] = value", array, value, error) from None
    except IndexError as error:
        raise explained(error, rank) from None
