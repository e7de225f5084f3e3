"""Many tensors in few collectives: small ones travel together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor, make
from aino.distributed.collectives import broadcast

#: Arrays of at least this many numbers travel alone, in their own memory: nothing is copied.
LARGE = 32768


def broadcast_coalesced(tensors: Iterable[Tensor], source: int, group: Any) -> None:
    """Write what one rank has into the tensors of all, in place.

    Arguments:
        tensors: of the same shapes and dtypes, in the same order, on all ranks.
        source: who sends: its rank among all.
        group: the ranks.
    """
    together: dict[np.dtype, list[Any]] = {}
    for tensor in tensors:
        array = tensor.array
        if array.size >= LARGE:
            broadcast(make(array), source, group=group)
        elif array.size:
            together.setdefault(array.dtype, []).append(array)
    for arrays in together.values():
        flat = np.concatenate(arrays, axis=None)
        broadcast(make(flat), source, group=group)
        start = 0
        for array in arrays:
            np.copyto(array, flat[start : start + array.size].reshape(array.shape))
            stamp_write(array)
            start += array.size
