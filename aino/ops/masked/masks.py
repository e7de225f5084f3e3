"""What stands where a mask is False: the number that changes nothing in what is computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype
from aino.errors import DtypeError, ShapeError
from aino.ops.arguments import dim_of, dims_of


def dims(dim: Any, rank: int) -> tuple[int, ...]:
    """Return the dimensions of a reduction, all of them for None and for ()."""
    if dim is None or dim == ():
        return tuple(range(rank))
    if hasattr(dim, "__index__"):
        return (dim_of(dim, rank),) if rank else ()
    return tuple(sorted(dims_of(dim, rank))) if rank else ()


def own_dtype(input: Tensor, dtype: Any) -> np.dtype:
    """Return the dtype that is asked for, that of the input for None."""
    return input.array.dtype if dtype is None else as_dtype(dtype)


def to(input: Tensor, dtype: np.dtype) -> Tensor:
    """Return a tensor in a dtype."""
    return input if input.array.dtype == dtype else cast(input, dtype)


def whole_mask(name: str, input: Tensor, mask: Tensor) -> Tensor:
    """Return a mask of booleans in the shape of the input."""
    shape, own = input.array.shape, mask.array.shape
    try:
        fits = len(own) <= len(shape) and np.broadcast_shapes(shape, own) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name}: a mask of shape {own} does not broadcast to {shape}")
    array = mask.array if mask.array.dtype.kind == "b" else mask.array != 0
    return make(np.broadcast_to(array, shape))


def filled(name: str, input: Tensor, mask: Tensor | None, identity: Any) -> Tensor:
    """Return the input with a number where the mask is False."""
    if mask is None:
        return input
    value = make(np.full_like(input.array, identity, shape=()))
    return compare.where(whole_mask(name, input, mask), input, value)


def least(name: str, dtype: np.dtype) -> Any:
    """Return what is below every number of a dtype."""
    return -math.inf if dtype.kind == "f" else np.iinfo(_whole(name, dtype)).min


def greatest(name: str, dtype: np.dtype) -> Any:
    """Return what is above every number of a dtype."""
    return math.inf if dtype.kind == "f" else np.iinfo(_whole(name, dtype)).max


def _whole(name, dtype) -> np.dtype:
    if dtype.kind not in "iu":
        raise DtypeError(f"{name}: numbers of {dtype} have no least and no greatest")
    return dtype
