"""The same numbers in another shape: Flatten and Unflatten."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.base.module import TensorModule

__all__ = ["Flatten", "Unflatten"]


class Flatten(TensorModule):
    """Joins the dimensions from ``start_dim`` to ``end_dim`` into one.

    Arguments:
        start_dim: the first of them; 1 keeps the samples of a batch apart.
        end_dim: the last of them; -1 is the last dimension.

    >>> import aino
    >>> aino.nn.Flatten()(aino.zeros(2, 3, 4)).shape
    aino.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with these dimensions joined."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(TensorModule):
    """Splits one dimension into several.

    Raises ``TypeError`` for arguments other than whole numbers, and ``ShapeError`` in a call where
    the lengths do not multiply to that of the dimension.

    Arguments:
        dim: which dimension; negative counts from the end.
        unflattened_size: the lengths it is split into, a tuple; one of them may be -1.

    >>> import aino
    >>> aino.nn.Unflatten(1, (3, 4))(aino.zeros(2, 12)).shape
    aino.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"unflatten: dim is a whole number, got {dim!r}")
        if not isinstance(unflattened_size, (tuple, list)) or not all(
            isinstance(length, int) for length in unflattened_size
        ):
            raise TypeError(
                f"unflatten: unflattened_size is a tuple of whole numbers, got {unflattened_size!r}"
            )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with this dimension split."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
