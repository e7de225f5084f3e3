"""How tensors are made, in the words of the array standard."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.array_api.given import checked
from aino.autograd.tensor import Tensor, make
from aino.devices import check_device
from aino.dtypes import as_dtype, get_default_dtype, scalar_dtype
from aino.ops.creation import filled
from aino.ops.creation import from_data as data
from aino.ops.shape.arranging import meshgrid as grid
from aino.ops.shape.arranging import tril as lower
from aino.ops.shape.arranging import triu as upper
from aino.ops.tensor.conversion import from_dlpack as exchanged

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def _dtype(dtype: Any, default: Any = None) -> np.dtype:
    if dtype is not None:
        return as_dtype(dtype)
    return get_default_dtype() if default is None else default


def _shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None,
            copy: bool | None = None) -> Tensor:  # fmt: skip
    """Return data as a tensor.

    Arguments:
        obj: a tensor, an array, a number, or numbers in nested lists.
        dtype: the dtype; that of the data for None.
        device: the CPU, if any is named.
        copy: True always copies, False raises ``ValueError`` where a copy is needed, None copies
            where it is.
    """
    check_device(device)
    if copy is False and not isinstance(obj, Tensor) and not hasattr(obj, "__array_interface__"):
        raise ValueError(f"asarray: a {type(obj).__name__} can't become a tensor without a copy")
    made = data.asarray(obj, dtype=dtype, copy=copy)
    held = obj.array if isinstance(obj, Tensor) else obj
    if copy is False and not np.shares_memory(made.array, held) and made.array.size:
        raise ValueError(f"asarray: {held.dtype} can't become {made.dtype} without a copy")
    return made


def arange(start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None,
           device: Any = None) -> Tensor:  # fmt: skip
    """Return numbers at equal distances, ``stop`` left out.

    Arguments:
        start: the first number; where ``stop`` is None the end, and the first is 0.
        stop: the end.
        step: the distance.
        dtype: the dtype; for None int64 where all are integers, else the default one.
        device: the CPU, if any is named.
    """
    check_device(device)
    if stop is None:
        start, stop = 0, start
    whole = all(isinstance(x, int) for x in (start, stop, step))
    count = max(math.ceil((stop - start) / step), 0)
    numbers = start + np.arange(count) * step
    return make(numbers.astype(_dtype(dtype, np.dtype(np.int64) if whole else None)))


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor whose values are whatever lay in its memory.

    Arguments:
        shape: a number, or a tuple of them.
        dtype: the dtype; the default one for None.
        device: the CPU, if any is named.
    """
    check_device(device)
    return make(np.empty(_shape(shape), _dtype(dtype)))


def empty_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor of the shape of another, whose values are whatever lay in its memory.

    Arguments:
        x: a tensor.
        dtype: the dtype; that of ``x`` for None.
        device: the CPU, if any is named.
    """
    x = checked("empty_like", x)
    return empty(x.shape, dtype=_dtype(dtype, x.dtype), device=device)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None,
        device: Any = None) -> Tensor:  # fmt: skip
    """Return a matrix with ones on a diagonal, and zeros elsewhere.

    Arguments:
        n_rows, n_cols: its shape; as many columns as rows for None.
        k: which diagonal: above the main one for k > 0, below it for k < 0.
        dtype: the dtype; the default one for None.
        device: the CPU, if any is named.
    """
    check_device(device)
    return make(np.eye(n_rows, n_cols, k, dtype=_dtype(dtype)))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return what another library holds as a tensor, over the same memory where it can be.

    Arguments:
        x: what has a ``__dlpack__`` method.
        device: the CPU, if any is named.
        copy: True copies, False raises ``ValueError`` where a copy is needed.
    """
    check_device(device)
    made = exchanged(x)
    return made.clone() if copy else made


def full(shape: Any, fill_value: complex, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor that holds one number everywhere.

    Arguments:
        shape: a number, or a tuple of them.
        fill_value: the number, or a tensor of one element.
        dtype: the dtype; for None that which PyTorch gives to such a number.
        device: the CPU, if any is named.
    """
    check_device(device)
    if isinstance(fill_value, Tensor):
        dtype, fill_value = _dtype(dtype, fill_value.dtype), fill_value.item()
    return filled.full(_shape(shape), fill_value, dtype=_dtype(dtype, scalar_dtype(fill_value)))


def full_like(
    x: Tensor, /, fill_value: complex, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Return a tensor of the shape of another that holds one number everywhere.

    Arguments:
        x: a tensor.
        fill_value: the number.
        dtype: the dtype; that of ``x`` for None.
        device: the CPU, if any is named.
    """
    x = checked("full_like", x)
    return full(x.shape, fill_value, dtype=_dtype(dtype, x.dtype), device=device)


def linspace(start: complex, stop: complex, /, num: int, *, dtype: Any = None, device: Any = None,
             endpoint: bool = True) -> Tensor:  # fmt: skip
    """Return ``num`` numbers at equal distances.

    Arguments:
        start, stop: the first and the last.
        num: how many.
        dtype: the dtype; for None the default one, or its complex kin for complex bounds.
        device: the CPU, if any is named.
        endpoint: False leaves ``stop`` out.
    """
    check_device(device)
    numbers = np.linspace(start, stop, num, endpoint=endpoint)
    default = get_default_dtype()
    if numbers.dtype.kind == "c":
        default = np.result_type(default, np.complex64)
    return make(numbers.astype(_dtype(dtype, default)))


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return the coordinates of a grid, a tensor for each of its axes.

    Arguments:
        arrays: the coordinates along each axis, each of one dimension.
        indexing: 'xy' has the second axis first, 'ij' keeps their order.
    """
    if not arrays:
        return ()
    return tuple(grid(*[checked("meshgrid", x) for x in arrays], indexing=indexing))


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor of ones.

    Arguments:
        shape: a number, or a tuple of them.
        dtype: the dtype; the default one for None.
        device: the CPU, if any is named.
    """
    check_device(device)
    return make(np.ones(_shape(shape), _dtype(dtype)))


def ones_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ones in the shape of another tensor.

    Arguments:
        x: a tensor.
        dtype: the dtype; that of ``x`` for None.
        device: the CPU, if any is named.
    """
    x = checked("ones_like", x)
    return ones(x.shape, dtype=_dtype(dtype, x.dtype), device=device)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Return matrices without what lies above a diagonal.

    Arguments:
        x: a matrix, or a batch of them.
        k: which diagonal: above the main one for k > 0, below it for k < 0.
    """
    return lower(checked("tril", x), k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Return matrices without what lies below a diagonal.

    Arguments:
        x: a matrix, or a batch of them.
        k: which diagonal: above the main one for k > 0, below it for k < 0.
    """
    return upper(checked("triu", x), k)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return a tensor of zeros.

    Arguments:
        shape: a number, or a tuple of them.
        dtype: the dtype; the default one for None.
        device: the CPU, if any is named.
    """
    check_device(device)
    return make(np.zeros(_shape(shape), _dtype(dtype)))


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return zeros in the shape of another tensor.

    Arguments:
        x: a tensor.
        dtype: the dtype; that of ``x`` for None.
        device: the CPU, if any is named.
    """
    x = checked("zeros_like", x)
    return zeros(x.shape, dtype=_dtype(dtype, x.dtype), device=device)
