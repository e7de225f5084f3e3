"""``x[index]``: what an index means, and picking by it; ``x[index] = v`` as a function."""

from __future__ import annotations

from types import EllipsisType, NoneType

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.rules import index as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import int64
from aino.errors import DtypeError, ShapeError
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.shaping import broadcast_shapes, broadcast_tensors

__all__ = [
    "index_select", "select", "narrow", "take", "take_along_dim", "gather",
    "masked_select", "nonzero", "argwhere",
    "select_scatter", "slice_scatter", "diagonal_scatter",
]  # fmt: skip

ndarray = np.ndarray

#: What NumPy answers with a view.
_BASIC = {int, slice, NoneType, EllipsisType}


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
            return rules.getitem(input, _dotted(index))
        if len(index) == 1 and _is_mask(index[0]):
            return _where_true(input, index[0])
        basic, indices = split_index(index, input.array.shape)
        part = input if basic is None else rules.getitem(input, basic)
        return _at_indices(part, indices)
    except IndexError as error:
        raise explained(error, input) from None


def explained(error, input) -> IndexError:
    """Return NumPy's error in PyTorch's words."""
    message = str(error)
    if message.startswith("too many indices"):
        return IndexError(f"too many indices for tensor of dimension {input.array.ndim}")
    return IndexError(message.replace("axis", "dimension"))


def _dotted(index: tuple) -> tuple:
    return index if Ellipsis in index else (*index, ...)


def raw_index(index) -> tuple:
    """Return an index as a tuple of numbers, slices, None, ``...`` and arrays.

    Raises ``IndexError`` for what is no index.
    """
    if type(index) is not tuple:
        index = (index,)
    for item in index:
        if type(item) not in _BASIC:
            return tuple([item if type(item) in _BASIC else _raw_item(item) for item in index])
    return index


def _raw_item(item):
    if isinstance(item, Tensor):
        item = item.array
    elif isinstance(item, (list, tuple, range)):
        item = np.asarray([x.array if isinstance(x, Tensor) else x for x in item])
        item = item if item.size else item.astype(int64)
    elif isinstance(item, (bool, np.generic)):
        item = np.asarray(item)
    elif hasattr(item, "__index__"):
        return item.__index__()
    kind = getattr(getattr(item, "dtype", None), "kind", None)
    if kind is None or kind not in "iub":
        found = f"a tensor of {item.dtype}" if kind else f"{type(item).__name__}: {item!r:.60}"
        raise IndexError(
            "an index is made of integers, slices, ..., None, and tensors or lists of integers "
            f"or booleans; got {found}"
        )
    if item.dtype.name == "uint8":
        # As by PyTorch: bytes were its booleans once.
        return item != 0
    if kind in "iu" and not item.ndim and type(item) is ndarray:
        return int(item)
    return item if kind == "b" or item.dtype is int64 else item.astype(int64)


def is_basic_index(index: tuple) -> bool:
    """Tell whether a raw index picks a view."""
    return all([type(item) in _BASIC for item in index])


def select_basic(input, index: tuple):
    """Return the view at a raw basic index."""
    try:
        return rules.getitem(input, _dotted(index))
    except IndexError as error:
        raise explained(error, input) from None


def _is_mask(item) -> bool:
    return type(item) not in _BASIC and item.dtype.kind == "b" and item.ndim > 0


def _check_mask(mask, shape, start) -> None:
    if mask.shape != shape[start : start + mask.ndim]:
        raise IndexError(
            f"The shape of the mask {list(mask.shape)} at index {start} does not match the shape "
            f"of the indexed tensor {list(shape)} at index {start}"
        )


def _where_true(input, mask):
    """Return the elements (or slices) where a mask over the first dimensions is True."""
    shape = input.array.shape
    if mask.ndim > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    _check_mask(mask, shape, 0)
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
        elif type(item) not in _BASIC:
            used += item.ndim if item.dtype.kind == "b" else 1
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    basic: list = []
    indices: list = []
    axis = 0
    for item in index:
        if type(item) is int:
            basic.append(item)
            axis += 1
        elif type(item) is slice:
            basic.append(item)
            indices.append(_ALL)
            axis += 1
        elif item is None:
            basic.append(None)
            indices.append(_ALL)
        elif item is Ellipsis:
            skipped = len(shape) - used
            basic += [_ALL] * skipped
            indices += [_ALL] * skipped
            axis += skipped
        elif item.dtype.kind == "b" and not item.ndim:
            # A single True or False is a new dimension, of length 1 or 0.
            basic.append(None)
            indices.append(np.zeros(int(item), int64))
        elif item.dtype.kind == "b":
            _check_mask(item, shape, axis)
            basic += [_ALL] * item.ndim
            indices += item.nonzero()
            axis += item.ndim
        else:
            basic.append(_ALL)
            indices.append(item)
            axis += 1
    whole = all([item is _ALL for item in basic])
    return None if whole else _dotted(tuple(basic)), tuple(indices)


_ALL = slice(None)


def _at_indices(input, indices):
    """Return the elements at arrays, and slices of whole dimensions."""
    arrays = [axis for axis, index in enumerate(indices) if index is not _ALL]
    if len(arrays) == 1:
        return rules.take(input, indices[arrays[0]], arrays[0], False)
    if mode.level and input.node is not None:
        # The rule reads them later: whoever owns them may have changed them by then.
        indices = tuple([index if index is _ALL else index.copy() for index in indices])
    try:
        return rules.pick_at(input, indices)
    except ShapeError:
        shapes = ", ".join([str(list(indices[axis].shape)) for axis in arrays])
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None


def put_at(input, value, index: tuple):
    """Return a copy of ``input`` with ``value`` at a raw index; broadcast, of the same dtype."""
    if is_basic_index(index):
        basic, indices = _dotted(index), None
    else:
        basic, indices = split_index(index, input.array.shape)
        basic = (...,) if basic is None else basic
        indices = tuple([item if item is _ALL else item.copy() for item in indices])
    try:
        return rules.put(input, value, basic, indices)
    except IndexError as error:
        raise explained(error, input) from None


def write_at(array, value, index: tuple) -> None:
    """``array[index] = value`` for a raw index, on the memory itself."""
    if not is_basic_index(index):
        basic, index = split_index(index, array.shape)
        array = array if basic is None else array[basic]
    array[index] = value


# Along one dimension


def checked(index, length: int, what: str):
    """Return the array of an index tensor; raises ``IndexError`` unless 0 <= index < length."""
    array = index.array
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{what}: the index must be of integers, not {array.dtype}")
    if array.dtype is not int64:
        array = array.astype(int64)
    if type(array) is ndarray and array.size:
        low, high = np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)
        if low < 0 or high >= length:
            raise IndexError(
                f"{what}: index {low if low < 0 else high} is out of bounds for a dimension of "
                f"size {length}"
            )
    return array


@numpy_names
def index_select(input, dim, index):
    """Return the slices of ``input`` at a vector of indices along ``dim``, as a copy.

    >>> import aino
    >>> aino.index_select(aino.tensor([[1, 2], [3, 4]]), 1, aino.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    if index.array.ndim > 1:
        raise IndexError(f"index_select: the index must be a vector, got {index.array.shape}")
    array = checked(index, shape[dim] if shape else 1, "index_select").reshape((-1,))
    if not shape:
        return shape_rules.clone(input)
    return rules.take(input, index if array is index.array else array, dim, False)


@numpy_names
def select(input, dim, index):
    """Return the slice at one index along ``dim``, as a view without that dimension.

    >>> import aino
    >>> aino.select(aino.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = input.array.shape
    if not shape:
        raise IndexError("select: a 0-d tensor has no dimension to select from")
    dim, index = dim_of(dim, len(shape)), int(index)
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select: index {index} is out of range for dimension {dim} of shape {shape}"
        )
    return rules.getitem(input, (*(_ALL,) * dim, index, ...))


@numpy_names
def narrow(input, dim, start, length):
    """Return ``length`` slices along ``dim`` from ``start`` on, as a view.

    >>> import aino
    >>> aino.narrow(aino.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = input.array.shape
    if not shape:
        raise ShapeError("narrow: a 0-d tensor can't be narrowed")
    dim, start, length = dim_of(dim, len(shape)), int(start), int(length)
    if not -shape[dim] <= start <= shape[dim]:
        raise IndexError(f"narrow: start {start} is out of range for a length of {shape[dim]}")
    start += shape[dim] if start < 0 else 0
    if length < 0 or start + length > shape[dim]:
        raise ShapeError(
            f"narrow: start ({start}) + length ({length}) exceeds dim {dim} of size {shape[dim]}"
        )
    return rules.getitem(input, (*(_ALL,) * dim, slice(start, start + length)))


def take(input, index):
    """Return the elements of the flattened input at ``index``, in its shape.

    >>> import aino
    >>> aino.take(aino.tensor([[1, 2], [3, 4]]), aino.tensor([0, -1]))
    tensor([1, 4])
    """
    flat = shape_rules.reshape(input, (input.array.size,))
    if index.array.dtype is not int64:
        raise DtypeError(f"take: the index must be of int64, not {index.array.dtype}")
    try:
        return rules.take(flat, index, 0, False)
    except IndexError as error:
        raise explained(error, flat) from None


@numpy_names
def gather(input, dim, index, *, sparse_grad=False):
    """Return the elements at ``index`` along ``dim``: yᵢⱼ = x[indexᵢⱼ, j] for dim 0.

    ``index`` has the rank of the input, and its lengths but that of ``dim`` at most.

    >>> import aino
    >>> aino.gather(aino.tensor([[1, 2], [3, 4]]), 1, aino.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    return gathered(input, dim, index, fitting(shape, dim, index, "gather"))


def gathered(input, dim, index, array):
    """Gather by a checked index."""
    if not array.ndim or not input.array.ndim:
        flat = shape_rules.reshape(input, (input.array.size,))
        return rules.take(flat, array, 0, False)
    return rules.gather(input, index if array is index.array else array, dim, False)


def fitting(shape, dim, index, what):
    """Return the array of an index that names one place along ``dim`` for each of its elements."""
    array = checked(index, shape[dim] if shape else 1, what)
    if max(array.ndim, 1) != max(len(shape), 1):
        raise ShapeError(
            f"{what}: the index has shape {array.shape}, the input {shape}; both need the same "
            "number of dimensions"
        )
    for i, (length, bound) in enumerate(zip(array.shape, shape)):
        if i != dim and length > bound and array.size:
            raise ShapeError(
                f"{what}: an index of shape {array.shape} is larger than the input {shape} at "
                f"dimension {i}, apart from dimension {dim}"
            )
    return array


@numpy_names
def take_along_dim(input, indices, dim=None):
    """Return the elements at ``indices`` along ``dim``; the other dimensions are broadcast.

    Without ``dim`` both are flattened.

    >>> import aino
    >>> x = aino.tensor([[3, 1], [2, 4]])
    >>> aino.take_along_dim(x, aino.argsort(x, 1), 1)
    tensor([[1, 3],
            [2, 4]])
    """
    if dim is None:
        input = shape_rules.reshape(input, (input.array.size,))
        indices, dim = shape_rules.reshape(indices, (indices.array.size,)), 0
    shape, wanted = input.array.shape, indices.array.shape
    if len(shape) != len(wanted):
        raise ShapeError(
            f"take_along_dim: input and indices need the same number of dimensions, got {shape} "
            f"and {wanted}"
        )
    dim = dim_of(dim, len(shape))
    others = broadcast_shapes(
        (*shape[:dim], *shape[dim + 1 :]), (*wanted[:dim], *wanted[dim + 1 :])
    )

    def spread(tensor):
        target = (*others[:dim], tensor.array.shape[dim], *others[dim:])
        return tensor if tensor.array.shape == target else shape_rules.expand(tensor, target)

    return gather(spread(input), dim, spread(indices))


# By condition


def masked_select(input, mask):
    """Return the elements where ``mask`` is True, in one dimension; both are broadcast.

    >>> import aino
    >>> x = aino.tensor([1, 2, 3])
    >>> aino.masked_select(x, x > 1)
    tensor([2, 3])
    """
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_select: the mask must be of booleans, not {mask.array.dtype}")
    if input.array.shape != mask.array.shape:
        input, mask = broadcast_tensors(input, mask)
    flat = shape_rules.reshape(input, (input.array.size,))
    return rules.take(flat, np.flatnonzero(mask.array), 0, True)


def nonzero(input, *, as_tuple=False):
    """Return where the elements are not zero: a row of indices for each, or a tuple of columns.

    >>> import aino
    >>> aino.nonzero(aino.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    array = input.array
    if as_tuple:
        return tuple([make(index) for index in np.atleast_1d(array).nonzero()])
    return make(np.argwhere(array))


def argwhere(input):
    """Return the indices of the elements that are not zero, one row for each.

    >>> import aino
    >>> aino.argwhere(aino.tensor([0, 1, 1]))
    tensor([[1],
            [2]])
    """
    return nonzero(input)


# A copy with a part replaced


def _replaced(input, src, index, name):
    part = input.array[index]
    if part.shape != src.array.shape:
        raise ShapeError(
            f"{name}: src must have the shape of the part that it replaces, {part.shape}, "
            f"not {src.array.shape}"
        )
    if src.array.dtype != input.array.dtype:
        src = cast(src, input.array.dtype)
    return rules.put(input, src, index, None)


@numpy_names
def select_scatter(input, src, dim, index):
    """Return a copy of ``input`` with ``src`` in place of ``select(input, dim, index)``.

    >>> import aino
    >>> aino.select_scatter(aino.zeros(2, 2), aino.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    select(input, dim, index)
    dim = dim_of(dim, input.array.ndim)
    return _replaced(input, src, (*(_ALL,) * dim, int(index), ...), "select_scatter")


@numpy_names
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """Return a copy of ``input`` with ``src`` in place of the slice along ``dim``.

    >>> import aino
    >>> aino.slice_scatter(aino.zeros(3), aino.ones(2), start=1)
    tensor([0., 1., 1.])
    """
    if step <= 0:
        raise ValueError(f"slice_scatter: step must be positive, got {step}")
    dim = dim_of(dim, input.array.ndim)
    index = (*(_ALL,) * dim, slice(start, end, step), ...)
    return _replaced(input, src, index, "slice_scatter")


def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """Return a copy of ``input`` with ``src`` on its diagonal.

    >>> import aino
    >>> aino.diagonal_scatter(aino.zeros(2, 2), aino.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = input.array.shape
    dim1, dim2 = dim_of(dim1, len(shape)), dim_of(dim2, len(shape))
    part = input.array.diagonal(offset, dim1, dim2)
    if part.shape != src.array.shape:
        raise ShapeError(
            f"diagonal_scatter: the diagonal has shape {part.shape}, src {src.array.shape}"
        )
    if src.array.dtype != input.array.dtype:
        src = cast(src, input.array.dtype)
    place = (offset, dim1, dim2, shape)
    mask = make(shape_rules.on_diagonal(np.ones(part.shape, bool), *place))
    return compare.where(mask, shape_rules.on_diagonal(src, *place), input)
