"""Buckets: gradients that travel together, and how they are brought into one flat array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor, make
from aino.distributed.coalesced import LARGE
from aino.tracing import is_tracing, known


class Bucket:
    """Parameters of one dtype whose gradients are reduced at once.

    ``flat`` holds them one after the other; the gradient of a large parameter is a bucket by
    itself, and lies where it is.
    """

    def __init__(self, parameters: list[Tensor], dtype: np.dtype) -> None:
        self.parameters = parameters
        self.dtype = dtype
        self.spans: list[tuple[int, int]] = []
        self.size = 0
        for parameter in parameters:
            self.spans.append((self.size, self.size + parameter.array.size))
            self.size = self.spans[-1][1]
        self._flat: np.ndarray | None = None

    @property
    def flat(self) -> np.ndarray:
        """The memory of all its gradients, made when it is first needed."""
        if self._flat is None:
            self._flat = np.zeros(self.size, self.dtype)
        return self._flat

    def views(self, flat) -> list:
        """Return the part of a flat array that belongs to each parameter, in its shape."""
        return [
            flat[start:stop].reshape(parameter.array.shape)
            for parameter, (start, stop) in zip(self.parameters, self.spans)
        ]

    def collect(self):
        """Return the gradients, zeros where there are none, as an array to be written on."""
        if len(self.parameters) == 1 and self.size >= LARGE:
            gradient = self.parameters[0].grad
            if gradient is not None and _is_own(gradient.array, self.dtype):
                return gradient.array
        flat = known(self.flat)
        for parameter, view in zip(self.parameters, self.views(flat)):
            gradient = parameter.grad
            np.copyto(view, 0 if gradient is None else gradient.array)
        return flat

    def hand_back(self, total, divisor: float, used: Iterator[bool], as_views: bool) -> None:
        """Let each gradient be its part of the total over a divisor.

        Arguments:
            total: what ``collect`` gave, or another of its size.
            divisor: by what it is divided.
            used: of each parameter, whether it has a gradient on any rank; else it is left alone.
            as_views: let ``grad`` be this very memory.
        """
        if as_views:
            np.divide(total, divisor, out=total)
        for parameter, view in zip(self.parameters, self.views(total.reshape(-1))):
            if not next(used):
                continue
            gradient = parameter.grad
            if as_views:
                parameter.grad = make(view)
            elif gradient is not None and _is_own(gradient.array, gradient.array.dtype):
                # In its own memory, as who holds it expects.
                own = gradient.array
                np.divide(view, divisor, out=own)
                stamp_write(own)
            else:
                parameter.grad = make(view / divisor)


def _is_own(array, dtype: np.dtype) -> bool:
    """Tell whether an array has the dtype, and may be written."""
    return array.dtype == dtype and (is_tracing() or array.flags.writeable)


def make_buckets(parameters: list[Tensor], capacity: int) -> list[Bucket]:
    """Share parameters out to buckets of one dtype, which hold no more bytes than ``capacity``.

    A parameter that is larger is alone. All ranks do it alike: it depends on shapes and dtypes.
    """
    buckets: list[Bucket] = []
    filling: dict[np.dtype, list[Tensor]] = {}
    filled: dict[np.dtype, int] = {}

    def close(dtype: np.dtype) -> None:
        if filling.get(dtype):
            buckets.append(Bucket(filling.pop(dtype), dtype))
        filled[dtype] = 0

    for parameter in parameters:
        array = parameter.array
        if array.size >= LARGE:
            buckets.append(Bucket([parameter], array.dtype))
            continue
        if filled.get(array.dtype, 0) + array.nbytes > capacity:
            close(array.dtype)
        filling.setdefault(array.dtype, []).append(parameter)
        filled[array.dtype] = filled.get(array.dtype, 0) + array.nbytes
    for dtype in list(filling):
        close(dtype)
    return buckets
