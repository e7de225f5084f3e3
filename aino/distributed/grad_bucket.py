"""GradBucket: what a communication hook is given of the gradients."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor


class GradBucket:
    """Gradients that travel together, for a hook of ``DistributedDataParallel``.

    Arguments:
        index: the how many-th it is.
        buffer: the gradients of this rank, one after the other.
        layout: where the gradient of each parameter lies in it.
        is_last: whether no other comes after it in this backward pass.
    """

    def __init__(self, index: int, buffer: Tensor, layout: Any, is_last: bool) -> None:
        self._index, self._buffer, self._layout, self._is_last = index, buffer, layout, is_last

    def index(self) -> int:
        """Return the how many-th bucket of the pass this is."""
        return self._index

    def buffer(self) -> Tensor:
        """Return the gradients as one flat tensor."""
        return self._buffer

    def set_buffer(self, buffer: Tensor) -> None:
        """Put another flat tensor in the place of the gradients.

        Arguments:
            buffer: as many numbers.
        """
        self._buffer = buffer

    def gradients(self) -> list[Tensor]:
        """Return the gradient of each parameter, a part of the buffer."""
        flat = self._buffer.reshape(-1)
        return [
            flat[start:stop].reshape(parameter.shape)
            for parameter, (start, stop) in zip(self._layout.parameters, self._layout.spans)
        ]

    def parameters(self) -> list[Tensor]:
        """Return the parameters whose gradients these are."""
        return list(self._layout.parameters)

    def is_last(self) -> bool:
        """Tell whether it is the last bucket of the pass."""
        return self._is_last
