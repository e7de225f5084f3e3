"""Writes of values into a tensor: ``copy_``, ``fill_``, ``x[i] = v``."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.inplace import (
    check_writable,
    rebind,
    records,
    replace,
    store,
    write,
)
from aino.autograd.memory import stamp_write
from aino.autograd.primitive import alias, cast
from aino.autograd.tensor import Tensor, make
from aino.errors import InplaceError, ShapeError
from aino.ops.index.subscript import is_basic_index, put_at, raw_index, select_basic, write_at
from aino.ops.public import method
from aino.ops.shape.broadcasting import broadcast_to


@method
def copy_(self: Tensor, other: Any, non_blocking: bool = False) -> Tensor:
    """Copy values into this tensor, broadcast and cast; returns itself.

    Raises ``ShapeError`` when they can't be broadcast to this tensor's shape.

    Arguments:
        other: the values: a tensor, an array or a number.
        non_blocking: has no effect: nothing is copied from an accelerator.

    >>> import aino
    >>> aino.zeros(2).copy_(aino.tensor([1, 2]))
    tensor([1., 2.])
    """
    source = other if isinstance(other, Tensor) else make(np.asarray(other))
    recording = records(self, (source,))
    if recording:
        check_writable(self, "copy_")
    if source.array.shape != self.array.shape:
        source = broadcast_to(source, self.array.shape)
    if source.array.dtype != self.array.dtype:
        source = cast(source, self.array.dtype)
    write(self.array, source.array, "copy_")
    if recording:
        # A node of its own: hooks on this tensor are not hooks on the source.
        whole = self.view_of is None and self.node is not None
        rebind(self, replace(make(self.array, self.node), source) if whole else alias(source))
    return self


@method
def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to one number; returns itself.

    Arguments:
        value: the number, or a 0-d tensor.

    >>> import aino
    >>> aino.zeros(2).fill_(7)
    tensor([7., 7.])
    """
    if isinstance(value, Tensor):
        if value.ndim:
            raise ShapeError(f"fill_ takes a number or a 0-d tensor, not shape {value.array.shape}")
        return copy_(self, value)
    if hasattr(type(value), "beside"):  # a number of a program that is being traced
        return copy_(self, make(value.beside(self.array)))
    return copy_(self, make(np.asarray(value).astype(self.array.dtype)))


@method
def zero_(self: Tensor) -> Tensor:
    """Set every element to zero; returns itself.

    >>> import aino
    >>> aino.ones(2).zero_()
    tensor([0., 0.])
    """
    return fill_(self, 0)


def set_item(self: Tensor, index, value) -> None:
    """``x[index] = value``: a write in place, differentiable in both.

    The value is broadcast to the shape of the selection and cast to the tensor's dtype.
    """
    index = raw_index(index)
    if not records(self, (value,)):
        assign(self.array, index, value.array if isinstance(value, Tensor) else value)
    elif is_basic_index(index):
        selected = select_basic(self, index)
        extra = np.ndim(value) - selected.ndim
        if extra > 0 and isinstance(value, Tensor) and value.shape[:extra].numel() == 1:
            value = value.reshape(value.shape[extra:])
        copy_(selected, value)
    else:
        check_writable(self, "x[i] = v")
        value = value if isinstance(value, Tensor) else make(np.asarray(value, self.array.dtype))
        old = make(self.array.copy(), self.node)
        store(self, put_at(old, cast(value, self.array.dtype), index), "x[i] = v", True)


def assign(array, index, value) -> None:
    """``array[index] = value`` on the memory, with the time noted."""
    if not array.flags.writeable:
        raise InplaceError("x[i] = v: the tensor's memory is read-only; clone() it first")
    try:
        try:
            write_at(array, value, index)
        except ValueError:
            # Leading axes of length 1 do not count, also where NumPy counts them.
            shape = np.shape(value)
            while shape[:1] == (1,):
                shape = shape[1:]
            write_at(array, np.reshape(value, shape), index)
    except ValueError as error:
        raise ShapeError(
            f"x[i] = v: a value of shape {tuple(np.shape(value))} does not fit ({error})"
        ) from None
    stamp_write(array)
