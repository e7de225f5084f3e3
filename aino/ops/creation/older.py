"""How tensors were made before ``aino.tensor`` and ``aino.empty``: by a type, or by a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Size, Tensor, make
from aino.devices import check_device
from aino.errors import DtypeError
from aino.ops.creation.filled import shape_of
from aino.types import DeviceLike

__all__: list[str] = []


def made(name: str, dtype: np.dtype, data: tuple) -> Tensor:
    """Return the tensor of a shape, of given numbers, or over a tensor's memory."""
    first = data[0] if data else ()
    if not data:
        return make(np.empty((0,), dtype))
    if len(data) == 1 and isinstance(first, Tensor):
        if first.array.dtype != dtype:
            raise DtypeError(f"{name} takes a tensor of {dtype}, not of {first.array.dtype}")
        return first.detach()
    if len(data) == 1 and isinstance(first, np.ndarray) and (first.ndim or first.dtype.kind == "f"):
        return make(first.astype(dtype))  # an array has an index, too
    if isinstance(first, Size) or hasattr(first, "__index__"):
        return make(np.empty(shape_of(data), dtype))
    if len(data) > 1 or not hasattr(first, "__len__"):
        raise TypeError(f"{name} takes lengths or a sequence of numbers, not {data!r}")
    return make(np.array(first).astype(dtype))


def new(self: Tensor, *data: Any, device: DeviceLike = None) -> Tensor:
    """Return a new tensor of this tensor's dtype; newer code says ``new_empty`` or ``new_tensor``.

    Arguments:
        data: lengths, for whatever is in the memory; a sequence of numbers; or a tensor of this
            dtype, whose memory is shared. Nothing makes a tensor of no elements.
        device: where the tensor is made: ``"cpu"``, which None means, too.

    >>> import aino
    >>> aino.ones(1).new([1, 2])
    tensor([1., 2.])
    """
    if device is not None:
        check_device(device)
    return made("new", self.array.dtype, data)
