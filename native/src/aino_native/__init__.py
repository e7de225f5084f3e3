"""Walks AINO's compiled programs in C: NumPy's own loops, called one after the other."""

from aino_native.walker import (
    Arguments,
    Caller,
    Entrance,
    Entry,
    Lock,
    Slots,
    Stretch,
    helped,
    share_by,
)  # fmt: skip

__all__ = [
    "FORMAT", "Arguments", "Caller", "Entrance", "Entry", "Lock", "Slots", "Stretch", "helped",
    "share_by",
]  # fmt: skip
__version__ = "3.0.0"
#: The form in which instructions are described: AINO asks for it.
FORMAT = 5
