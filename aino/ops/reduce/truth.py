"""Whether any or all elements are true, and how many are not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.duck import still
from aino.autograd.tensor import Tensor
from aino.dtypes import uint8
from aino.ops.arguments import numpy_names, reduced, wrapped
from aino.ops.public import method, takes_out

__all__ = ["any", "all", "count_nonzero"]


def _truth(input, dim, keepdim, ufunc):
    array = still(input.array)
    # No dimensions, (), mean none here, unlike in a sum: so it is in PyTorch.
    axis = () if dim == () else reduced(dim, array.ndim)
    result = ufunc.reduce(array, axis=axis, keepdims=keepdim)
    # PyTorch answers bytes in bytes.
    return wrapped(result.astype(uint8) if array.dtype is uint8 else result)


@method
@numpy_names
@takes_out
def any(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Tell whether any element over dimensions is not zero.

    The answer is a tensor of booleans, of uint8 for a tensor of uint8.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.

    >>> import aino
    >>> aino.any(aino.tensor([[False, True], [False, False]]), 1)
    tensor([ True, False])
    """
    return _truth(input, dim, keepdim, np.logical_or)


@method
@numpy_names
@takes_out
def all(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Tell whether all elements over dimensions are not zero.

    The answer is a tensor of booleans, of uint8 for a tensor of uint8.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.

    >>> import aino
    >>> aino.all(aino.tensor([1.0, 0.0]))
    tensor(False)
    """
    return _truth(input, dim, keepdim, np.logical_and)


@method
@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """Return how many elements over dimensions are not zero, as int64.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.

    >>> import aino
    >>> aino.count_nonzero(aino.tensor([[0, 1], [2, 3]]), 0)
    tensor([1, 2])
    """
    axis = reduced(dim, input.array.ndim)
    return wrapped(np.count_nonzero(still(input.array), axis))
