"""Copies of memory that lie as the original lies, and views into them by byte offsets."""

from __future__ import annotations

import contextlib
import gc
import mmap
import sys
from importlib import import_module

import numpy as np

from aino.autograd.memory import owner
from aino.compiler.ir.regions import address

#: Bytes from which memory is asked of the system itself.
LARGE = 1 << 20


def shadow_of(array):
    """Return a copy of an array with the same strides, as writable as the array is.

    A large one lies in pages that go back when it goes: what ``malloc`` gets back of that size
    it keeps, and a step would be seen to need it for good.
    """
    if array.flags.c_contiguous and array.nbytes >= LARGE:
        shadow = np.ndarray(array.shape, array.dtype, mmap.mmap(-1, array.nbytes))
    else:
        shadow = np.empty_like(array)
        if shadow.strides != array.strides:
            spans = [(n - 1) * step for n, step in zip(array.shape, array.strides) if n]
            below = -sum(span for span in spans if span < 0)
            above = sum(span for span in spans if span > 0)
            block = np.empty(below + above + array.itemsize, np.uint8)
            shadow = np.ndarray(array.shape, array.dtype, block, below, array.strides)
    shadow[...] = array
    shadow.flags.writeable = array.flags.writeable
    return shadow


def give_back() -> None:
    """Give memory that has been freed back to the system, where the C library knows how.

    What tracing took would otherwise stay with the process, though no step needs it.
    """
    if sys.platform != "linux":
        return
    library = import_module("ctypes").CDLL(None)
    trim = getattr(library, "malloc_trim", None)
    if trim is not None:
        trim(0)


@contextlib.contextmanager
def collection_paused():
    """Keep the cyclic garbage collector waiting: it would walk a growing program again and again.

    What a trace and its passes make is kept until they are done, so that there is nothing to find.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def window(array, offset: int, like):
    """Return a view with the form of ``like``, that many bytes after the first of ``array``."""
    base = array if array.base is None else owner(array)
    # The axes as they lie in memory, the longest stride first.
    order = sorted(range(base.ndim), key=lambda axis: (-base.strides[axis], axis))
    flat = base.transpose(order).reshape(-1)
    if flat.size and not np.may_share_memory(flat, base):
        raise ValueError("memory with gaps has no flat view")
    offset += address(array) - address(base)
    view = np.ndarray(like.shape, like.dtype, flat, offset, like.strides)
    view.flags.writeable = array.flags.writeable
    return view


def copied_together(items: dict) -> dict:
    """Return copies of named arrays that share memory as the arrays do; other items as they are."""
    owners: dict[int, np.ndarray] = {}
    copies = {}
    for name, item in items.items():
        if not isinstance(item, np.ndarray):
            copies[name] = item
            continue
        base = owner(item)
        if id(base) not in owners:
            owners[id(base)] = shadow_of(base)
            owners[id(base)].flags.writeable = True
        copies[name] = window(owners[id(base)], address(item) - address(base), item)
    return copies
