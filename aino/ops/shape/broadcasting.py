"""Tensors brought to a common shape, or to a number of dimensions, as views."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import shape as rules
from aino.autograd.tensor import Size, Tensor
from aino.errors import ShapeError
from aino.ops.arguments import in_places_or_named, ints_of
from aino.ops.public import method

__all__ = [
    "broadcast_to", "broadcast_tensors", "broadcast_shapes",
    "atleast_1d", "atleast_2d", "atleast_3d",
]  # fmt: skip


@method
def expand(input: Tensor, *sizes: Any, size: Any = None, implicit: bool = False) -> Tensor:
    """Return a view in which dimensions of length 1 are repeated.

    No memory is taken, so the result can't be written. Raises ``ShapeError`` where a dimension is
    not of length 1.

    Arguments:
        input: a tensor.
        sizes, size: the lengths, as numbers, as one sequence, or as ``size=``; -1 keeps a
            dimension, and more lengths than dimensions add some in front.
        implicit: has no effect, here as in PyTorch.

    >>> import aino
    >>> aino.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    shape = input.array.shape
    if size is not None:
        sizes = in_places_or_named(sizes, size, "size")
    target = list(ints_of(sizes))
    added = len(target) - len(shape)
    fits = added >= 0
    for place, size in enumerate(target):
        own = shape[place - added] if place >= added else None
        if size == -1 and own is not None:
            target[place] = own
        elif size < 0 or (own is not None and own not in (1, size)):
            fits = False
    if not fits:
        raise ShapeError(
            f"expand: a tensor of shape {shape} does not broadcast to {ints_of(sizes)}"
        )
    return rules.expand(input, tuple(target))


@method
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return a view broadcast to the shape of another tensor.

    Arguments:
        input: a tensor.
        other: the tensor whose shape is taken.

    >>> import aino
    >>> aino.tensor([1, 2]).expand_as(aino.zeros(2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, other.array.shape)


@method
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Return a view broadcast to a shape, as ``expand`` does.

    Arguments:
        input: a tensor.
        size: the shape, a sequence of lengths.

    >>> import aino
    >>> aino.broadcast_to(aino.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, size)


def broadcast_shapes(*shapes: Any) -> Any:
    """Return the shape that tensors of these shapes are broadcast to together.

    >>> import aino
    >>> aino.broadcast_shapes((2, 1), (3,))
    aino.Size([2, 3])
    """
    shapes = tuple([ints_of((shape,)) if not hasattr(shape, "__index__") else (shape,)
                    for shape in shapes])  # fmt: skip
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ShapeError(
            f"shapes {', '.join(map(str, shapes))} do not broadcast together"
        ) from None


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return views of the tensors, broadcast to the shape that they have in common.

    >>> import aino
    >>> [x.shape for x in aino.broadcast_tensors(aino.zeros(2, 1), aino.zeros(3))]
    [aino.Size([2, 3]), aino.Size([2, 3])]
    """
    tensors = listed(tensors)
    shape = broadcast_shapes(*[tensor.array.shape for tensor in tensors])
    return tuple([rules.expand(tensor, tuple(shape)) for tensor in tensors])


def listed(tensors):
    """Return the tensors of ``f(a, b)`` or ``f([a, b])``."""
    if len(tensors) == 1 and not isinstance(tensors[0], Tensor):
        tensors = tensors[0]
    return list(tensors)


def _at_least(tensors, added):
    """Return one tensor, or a tuple of several, with ``added[rank]`` axes (before, after) new."""
    brought = []
    for tensor in listed(tensors):
        shape = tensor.array.shape
        before, after = added[len(shape)] if len(shape) < len(added) else (0, 0)
        if before or after:
            tensor = rules.reshape(tensor, (1,) * before + shape + (1,) * after)
        brought.append(tensor)
    return brought[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else tuple(brought)


def atleast_1d(*tensors: Any) -> Any:
    """Return tensors as views of at least one dimension.

    >>> import aino
    >>> aino.atleast_1d(aino.tensor(1.0)).shape
    aino.Size([1])
    """
    return _at_least(tensors, [(1, 0)])


def atleast_2d(*tensors: Any) -> Any:
    """Return tensors as views of at least two dimensions; a vector becomes a row.

    >>> import aino
    >>> aino.atleast_2d(aino.zeros(3)).shape
    aino.Size([1, 3])
    """
    return _at_least(tensors, [(2, 0), (1, 0)])


def atleast_3d(*tensors: Any) -> Any:
    """Return tensors as views of at least three dimensions: ``(1, n, 1)``, ``(n, m, 1)``.

    >>> import aino
    >>> aino.atleast_3d(aino.zeros(3)).shape
    aino.Size([1, 3, 1])
    """
    return _at_least(tensors, [(3, 0), (1, 1), (0, 1)])
