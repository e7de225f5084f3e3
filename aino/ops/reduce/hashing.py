"""A number that tells tensors apart: the exclusive or of the bits of all elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dtypes import float64, int64, uint64
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops.arguments import reduced
from aino.ops.public import takes_out
from aino.tracing import opaque

__all__ = ["hash_tensor"]


@takes_out
def hash_tensor(
    input: Tensor,
    dim: Any = None,
    *,
    keepdim: bool = False,
    mode: int = 0,
    out: Tensor | None = None,
) -> Tensor:
    """Return the exclusive or of the bits of the elements, each as a number of 64 bits.

    Raises ``DtypeError`` for complex numbers; ``IndexError`` where a dimension has no elements,
    ``ShapeError`` where the tensor has none.

    Arguments:
        input: a tensor; floats are widened to float64, integers and booleans to int64.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        mode: 0, the exclusive or; ``ValueError`` for another.

    >>> import aino
    >>> aino.hash_tensor(aino.tensor([[2, 3], [4, 5]]), 1)
    tensor([1, 1], dtype=aino.uint64)
    """
    array = input.array
    if mode != 0:
        raise ArgumentError(f"hash_tensor: mode is 0, the exclusive or, not {mode!r}")
    if array.dtype.kind == "c":
        raise DtypeError(f"hash_tensor: expected real numbers, got {array.dtype}")
    axis = reduced(dim, array.ndim)
    lengths = array.shape if axis is None else np.take(np.asarray(array.shape), axis, 0)
    if array.ndim and not np.all(lengths):
        kind = ShapeError if dim is None else BoundsError
        raise kind(f"hash_tensor: shape {array.shape} has no elements to reduce")
    return make(_hash_tensor(array, axis, keepdim))


@opaque
def _hash_tensor(array, axis, keepdims):
    bits = array.astype(float64 if array.dtype.kind == "f" else int64).view(uint64)
    return np.asarray(np.bitwise_xor.reduce(bits, axis=axis, keepdims=keepdims))
