"""Tensors of random numbers, of any dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.devices import check_device
from aino.dtypes import as_dtype
from aino.layouts import check_memory_format
from aino.ops.creation.filled import shape_of
from aino.ops.creation.from_data import born
from aino.ops.random.generator import draw

__all__ = ["make_tensor"]


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any = "cpu",
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return a tensor of random numbers from ``[low, high)``.

    Raises ``ValueError`` for bounds that leave nothing between them.

    Arguments:
        shape: the shape, as numbers or as one sequence.
        dtype: the dtype.
        device: where the tensor is made: ``"cpu"``.
        low, high: the bounds; for None -9 and 9 for floating and complex dtypes, whose two parts
            lie between them, -9 (0 without a sign) and 10 for integers, 0 and 2 for booleans.
        requires_grad: whether gradients flow back to the tensor.
        noncontiguous: whether the elements lie in memory with gaps.
        exclude_zero: whether zeros are replaced by the least positive number.
        memory_format: ``aino.contiguous_format``, which None means, too.

    >>> import aino
    >>> x = aino.testing.make_tensor(2, 3, dtype=aino.float32, low=0, high=1)
    >>> x.shape, bool((x < 1).all())
    (aino.Size([2, 3]), True)
    """
    check_device(device)
    check_memory_format(memory_format)
    lengths, kind = shape_of(shape) if shape else (), as_dtype(dtype)
    size = (*lengths[:-1], 2 * lengths[-1]) if noncontiguous and lengths else lengths
    low, high = _bounds(kind, low, high)
    if kind.kind in "fc":
        parts = np.dtype(kind.type(0).real.dtype)
        wide = (*size, 2) if kind.kind == "c" else size
        uniform = draw(None, "uniform", wide, np.dtype(np.float64))
        array = (low + (high - low) * uniform).astype(parts)
        array = np.minimum(array, np.nextafter(parts.type(high), parts.type(low)))
        if kind.kind == "c":
            array = array[..., 0] + 1j * array[..., 1]
    else:
        first, last = math.ceil(low), math.ceil(high)
        if last <= first:
            raise ValueError(f"make_tensor: no number of {kind} in [{low}, {high})")
        array = draw(None, "integers", size, np.dtype(np.int64), first, last)
    array = np.asarray(array).astype(kind)
    if exclude_zero:
        least = 1 if kind.kind in "biu" else np.finfo(kind).tiny
        array = np.where(array == 0, kind.type(least), array)
    if noncontiguous and lengths:
        array = array[..., ::2]
    return born(array, None, requires_grad)


def _bounds(kind, low, high):
    usual = {"f": (-9.0, 9.0), "c": (-9.0, 9.0), "i": (-9, 10), "u": (0, 10), "b": (0, 2)}
    low = usual[kind.kind][0] if low is None else low
    high = usual[kind.kind][1] if high is None else high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"make_tensor: low {low} and high {high} leave nothing between them")
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        low, high = max(low, limits.min), min(high, limits.max + 1)
    return low, high
