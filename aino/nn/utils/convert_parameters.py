"""All parameters as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, ShapeError
from aino.ops.shape.joining import cat


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return the parameters one after another, as one vector; differentiable.

    >>> import aino
    >>> layer = aino.nn.Linear(3, 2)
    >>> aino.nn.utils.parameters_to_vector(layer.parameters()).shape
    aino.Size([8])
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the pieces of a vector into the parameters' memory, in their order.

    Arguments:
        vec: the vector.
        parameters: the tensors that are written to.

    Raises ``ShapeError`` when the vector has not as many elements as the parameters together;
    then nothing was written.
    """
    if not isinstance(vec, Tensor):
        raise DtypeError(f"expected a tensor, got {type(vec).__name__}")
    listed = list(parameters)
    needed = sum(math.prod(parameter.array.shape) for parameter in listed)
    if vec.array.shape != (needed,):
        raise ShapeError(f"a vector of shape {vec.array.shape} for {needed} elements of parameters")
    start = 0
    for parameter in listed:
        array = parameter.array
        stop = start + math.prod(array.shape)
        array[...] = vec.array[start:stop].reshape(array.shape)
        stamp_write(array)
        start = stop
