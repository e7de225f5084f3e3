"""When memory was last written, so that a backward pass notices a value that was changed.

Every write in place stamps the array that owns the memory with a tick of the nodes' clock. A
node that was recorded after the last write anywhere needs no further look: one integer compare.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from aino.autograd.node import tick
from aino.errors import InplaceError


class _Stamp(weakref.ref):
    """The time of the last write into an owner of memory; goes when the owner goes."""

    __slots__ = ("key", "time")
    key: int
    time: int


#: The slot that holds the time of a stamp.
TIME: Any = _Stamp.__dict__["time"]
_stamps: dict[int, _Stamp] = {}


class Clock:
    """``last_write``: the tick of the newest write in place."""

    __slots__ = ("last_write",)

    def __init__(self) -> None:
        self.last_write = 0


clock = Clock()
#: The slot that holds it.
LAST_WRITE: Any = Clock.__dict__["last_write"]


def _forget(stamp: _Stamp) -> None:
    if _stamps.get(stamp.key) is stamp:
        del _stamps[stamp.key]


def owner(array):
    """Return the array that owns the memory of ``array``."""
    while True:
        base = array.base
        if not isinstance(base, np.ndarray):
            return array
        array = base


def stamp_write(array) -> None:
    """Note that the memory of ``array`` is written now."""
    stamp_of(array).time = clock.last_write = tick()


def stamp_of(array) -> _Stamp:
    """Return the stamp of the memory of ``array``; to set its ``time`` is to note a write."""
    if not isinstance(array, np.ndarray):
        array = array.shadow  # a tracer: its shadow memory is written in its place
    root = owner(array) if array.base is not None else array
    key = id(root)
    stamp = _stamps.get(key)
    if stamp is None or stamp() is not root:
        stamp = _stamps[key] = _Stamp(root, _forget)
        stamp.key = key
        stamp.time = 0
    return stamp


def written_since(array, time: int) -> bool:
    """Tell whether the memory of ``array`` was written after ``time``."""
    return write_count(array) > time


def any_written_since(values, time: int) -> bool:
    """Tell whether the memory of one of the values may have been written after ``time``.

    True also for what is neither an array nor a plain value: that has to be looked at closer.
    """
    for value in values:
        if type(value) is np.ndarray:
            root = value if value.base is None else owner(value)
            stamp = _stamps.get(id(root))
            if stamp is not None and stamp.time > time and stamp() is root:
                return True
        elif isinstance(value, (tuple, list)):
            if any([hasattr(part, "strides") for part in value]):
                return True
        elif hasattr(value, "strides"):
            return True
    return False


def write_count(array) -> int:
    """Return the tick of the last write into the memory of ``array``, 0 if there was none."""
    if isinstance(array, np.generic):
        return 0  # what NumPy makes of a 0-d array can't be written
    root = owner(array if isinstance(array, np.ndarray) else array.shadow)
    stamp = _stamps.get(id(root))
    return stamp.time if stamp is not None and stamp() is root else 0


def check_unwritten(node: Any, recorded: bool) -> None:
    """Raise if a value that the node's rules read was written since it was recorded.

    ``recorded``: whether the pass is recorded, in which a fused node reads all of its inputs anew.
    """
    if node.saved is None or not any_written_since(node.saved, node.sequence):
        return
    for name, value in node.saved_values() if recorded else node.read_values():
        for array in value if isinstance(value, list) else (value,):
            if hasattr(array, "strides") and written_since(array, node.sequence):
                raise InplaceError(
                    f"{node.name()} needs its {name!r} (shape {array.shape}, {array.dtype}) as it "
                    "was when it was computed, but an operation in place has changed it since; "
                    "clone() it before it is changed, or use the form that makes a new tensor"
                )
