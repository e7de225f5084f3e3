"""The distance of two tensors; sums that undo broadcasting."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.ops.arguments import ints_of
from aino.ops.reduce.norms import norm
from aino.ops.reduce.reduction import sum

__all__ = ["dist", "sum_to_size"]


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """Return the p-norm of the difference of two tensors: ``(Σ |aᵢ - bᵢ|ᵖ)^(1/p)``.

    Arguments:
        input: a tensor of floating or complex dtype.
        other: another, that is broadcast with it.
        p: which norm.

    >>> import aino
    >>> aino.dist(aino.tensor([1.0, 2.0]), aino.tensor([4.0, 6.0]))
    tensor(5.)
    """
    return norm(input - other, p)


def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Return the sum to a shape that broadcasts to this tensor's.

    Raises ``ShapeError`` for a shape that does not.

    Arguments:
        size: the shape, as numbers or as one sequence.

    >>> import aino
    >>> aino.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    if not size:
        raise TypeError("sum_to_size: a shape is missing")
    target, shape = ints_of(size), self.array.shape
    added = len(shape) - len(target)
    if added < 0 or any(n not in (1, m) for n, m in zip(target, shape[added:])):
        raise ShapeError(f"sum_to_size: shape {target} does not broadcast to {shape}")
    dims = [*range(added)]
    dims += [i for i in range(added, len(shape)) if target[i - added] == 1 != shape[i]]
    if not dims:
        return self
    return shape_rules.reshape(sum(self, tuple(dims), True), target)
