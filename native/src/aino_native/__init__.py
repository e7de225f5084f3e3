"""Walks AINO's compiled programs, and makes its eager calls, in C: by NumPy's own loops."""

from aino_native.walker import (
    Arguments,
    Backward,
    Caller,
    Entrance,
    Entry,
    Lock,
    Operation,
    Pullback,
    Slots,
    Stretch,
    Tape,
    helped,
    make_eager_calls,
    share_by,
)  # fmt: skip

__all__ = [
    "FORMAT", "Arguments", "Backward", "Caller", "Entrance", "Entry", "Lock", "Operation",
    "Pullback", "Slots", "Stretch", "Tape", "helped", "make_eager_calls", "share_by",
]  # fmt: skip
__version__ = "3.0.0"
#: The form in which instructions are described: AINO asks for it.
FORMAT = 6
