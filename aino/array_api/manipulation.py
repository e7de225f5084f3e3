"""How elements are arranged, in the words of the array standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.array_api.given import checked, checked_all, promoted, xp
from aino.autograd.tensor import Tensor

__all__ = [
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "concat", "expand_dims", "flip",
    "moveaxis", "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "take",
    "take_along_axis", "tile", "unstack",
]  # fmt: skip


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Return tensors, each broadcast to the shape of all.

    Arguments:
        arrays: tensors whose shapes fit.
    """
    given = checked_all("broadcast_arrays", arrays)
    shape = np.broadcast_shapes(*[x.shape for x in given])
    return tuple(x.expand(shape) for x in given)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that several come to; ``ValueError`` where they don't fit.

    Arguments:
        shapes: tuples of numbers.
    """
    return np.broadcast_shapes(*shapes)


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor broadcast to a shape, over the same memory.

    Arguments:
        x: a tensor.
        shape: the shape.
    """
    return xp.broadcast_to(checked("broadcast_to", x), tuple(shape))


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Return tensors joined along an axis.

    Arguments:
        arrays: tensors whose other axes are equally long.
        axis: the axis; None joins them flattened.
    """
    given = checked_all("concat", arrays)
    dtype = promoted(*[x.dtype for x in given])
    return xp.concatenate([x.to(dtype) for x in given], axis=axis)


def expand_dims(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Return a tensor with a new axis of length 1.

    Arguments:
        x: a tensor.
        axis: its place in the result, or several.
    """
    x = checked("expand_dims", x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    rank = x.ndim + len(axes)
    for place in axes:
        if not -rank <= place < rank:
            raise IndexError(f"expand_dims: axis {place} is out of range for {rank} dimensions")
    return xp.expand_dims(x, axis)


def flip(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Return a tensor with its elements in reverse order.

    Arguments:
        x: a tensor.
        axis: along which axis, or several; None is all of them.
    """
    return xp.flip(checked("flip", x), axis)


def moveaxis(x: Tensor, source: Any, destination: Any, /) -> Tensor:
    """Return a tensor with axes in other places.

    Arguments:
        x: a tensor.
        source: where they are, a number or several.
        destination: where they are to be.
    """
    return xp.moveaxis(checked("moveaxis", x), source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """Return a tensor with its axes in another order.

    Arguments:
        x: a tensor.
        axes: where each axis of the result comes from.
    """
    return checked("permute_dims", x).permute(*axes)


def repeat(x: Tensor, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Return a tensor with each element as often as is told.

    Arguments:
        x: a tensor.
        repeats: how often: a number, or a tensor of one for each element of the axis.
        axis: the axis; None repeats the elements of the flattened tensor.
    """
    return xp.repeat(checked("repeat", x), repeats, axis)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """Return the elements in another shape, row by row.

    Arguments:
        x: a tensor.
        shape: the shape; one length may be -1, and follows from the others.
        copy: True copies, False raises ``ValueError`` where a copy is needed, None copies then.
    """
    x = checked("reshape", x)
    made = (x.clone() if copy else x).reshape(shape)
    if copy is False and x.numel() and not np.shares_memory(made.array, x.array):
        raise ValueError(
            f"reshape with copy=False: shape {tuple(x.shape)} with strides {x.stride()} can't be "
            f"seen as {tuple(made.shape)} without a copy"
        )
    return made


def roll(x: Tensor, /, shift: int | tuple[int, ...], *,
         axis: int | tuple[int, ...] | None = None) -> Tensor:  # fmt: skip
    """Return a tensor whose elements are moved along, the last ones to the front.

    Arguments:
        x: a tensor.
        shift: how far.
        axis: along which axis, or several; None moves the elements of the flattened tensor.
    """
    return xp.roll(checked("roll", x), shift, axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Return a tensor without axes of length 1; ``ValueError`` where one is longer.

    Arguments:
        x: a tensor.
        axis: which, or several.
    """
    x = checked("squeeze", x)
    for place in axis if isinstance(axis, tuple) else (axis,):
        if -x.ndim <= place < x.ndim and x.shape[place] != 1:
            raise ValueError(f"squeeze: axis {place} has length {x.shape[place]}, and not 1")
    return x.squeeze(axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Return tensors of one shape along a new axis.

    Arguments:
        arrays: the tensors.
        axis: the place of the new axis.
    """
    given = checked_all("stack", arrays)
    dtype = promoted(*[x.dtype for x in given])
    return xp.stack([x.to(dtype) for x in given], axis)


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Return the slices at given places of an axis.

    Arguments:
        x: a tensor.
        indices: the places, integers.
        axis: the axis; None is the only one.
    """
    x = checked("take", x)
    if axis is None and x.ndim != 1:
        raise ValueError(f"take: name the axis, of which a tensor of shape {x.shape} has {x.ndim}")
    return xp.take(x, checked("take", indices, "indices"), axis or 0)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Return the elements at places that are given for each row of an axis.

    Arguments:
        x: a tensor.
        indices: the places, integers, with as many dimensions.
        axis: the axis.
    """
    indices = checked("take_along_axis", indices, "indices")
    return xp.take_along_axis(checked("take_along_axis", x), indices, axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """Return a tensor put beside itself again and again.

    Arguments:
        x: a tensor.
        repetitions: how often along each axis.
    """
    return xp.tile(checked("tile", x), tuple(repetitions))


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices of an axis.

    Arguments:
        x: a tensor.
        axis: the axis.
    """
    return tuple(checked("unstack", x).unbind(axis))
