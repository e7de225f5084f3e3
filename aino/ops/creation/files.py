"""Tensors whose memory is a file."""

from __future__ import annotations

import os
from operator import index
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, get_default_dtype
from aino.errors import ShapeError
from aino.ops.creation.from_data import born
from aino.types import DeviceLike, DType

__all__ = ["from_file"]


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a 1-D tensor over the bytes of a file, which are read as they are needed.

    Raises ``OSError`` where the file can't be opened, ``ShapeError`` where it holds too little.

    Arguments:
        filename: the file.
        shared: whether what is written into the tensor is written into the file; the file is then
            made, or made longer, where it is too short.
        size: how many elements.
        dtype: of what numbers; the default dtype for None.
        layout, device, pin_memory, requires_grad: as for ``zeros``.

    >>> import aino, os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     name = os.path.join(folder, "numbers")
    ...     _ = aino.from_file(name, shared=True, size=2).fill_(3.0)
    ...     aino.from_file(name, size=2)
    tensor([3., 3.])
    """
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    count = index(size or 0)
    if count < 0:
        raise ShapeError(f"from_file: size must not be negative, got {count}")
    wanted = count * dtype.itemsize
    empty = born(np.empty(0, dtype), device, requires_grad, layout, pin_memory)
    if shared:
        with open(filename, "ab") as file:
            if file.tell() < wanted:
                file.truncate(wanted)
    else:
        there = os.path.getsize(filename)
        if there < wanted:
            raise ShapeError(
                f"from_file: {filename} holds {there} bytes, {count} elements of {dtype} are "
                f"{wanted}"
            )
    if not count:
        return empty
    memory = np.memmap(filename, dtype, "r+" if shared else "c", shape=(count,))
    return born(memory.view(np.ndarray), device, requires_grad, layout, pin_memory)
