"""float16 by way of float32, in which it is squared and added up."""

from __future__ import annotations

from aino.autograd.primitive import cast
from aino.autograd.tensor import Tensor
from aino.dtypes import float16, float32


def in_float32(function, *arguments):
    """Return a float16 result that was computed in float32, from arguments among which is float16.

    Squares of 300 and sums of 100,000 are infinite in float16, roots and means of them are not.
    """
    wide = [
        cast(x, float32) if isinstance(x, Tensor) and x.array.dtype is float16 else x
        for x in arguments
    ]
    return cast(function(*wide), float16)


def widened(function, input, *arguments):
    """Call ``function``, by way of float32 where ``input`` is of float16."""
    if input.array.dtype is float16:
        return in_float32(function, input, *arguments)
    return function(input, *arguments)
