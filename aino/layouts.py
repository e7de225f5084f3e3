"""How elements lie in memory, by PyTorch's names: here always dense, the last axis fastest.

Code that names a layout or a memory format runs where it asks for what is so anyway; what would
lie otherwise is refused.
"""

from __future__ import annotations

from typing import Any

from aino.errors import DeviceError


class _Named:
    """A constant that prints as its name, and is itself again after a copy or a pickle."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"aino.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class Layout(_Named):
    """What a tensor's memory holds: ``aino.strided`` means every element."""


class MemoryFormat(_Named):
    """In which order a tensor's axes lie in memory."""


strided = Layout("strided")
contiguous_format = MemoryFormat("contiguous_format")
preserve_format = MemoryFormat("preserve_format")
channels_last = MemoryFormat("channels_last")
channels_last_3d = MemoryFormat("channels_last_3d")


def check_layout(layout: Any) -> None:
    """Raise unless a new tensor can have this layout: ``strided``, or None."""
    if layout is not None and layout is not strided:
        raise TypeError(f"layout: AINO's tensors are aino.strided, got {layout!r}; leave it out")


def check_memory_format(memory_format: Any) -> None:
    """Raise unless a tensor's axes can lie so: contiguous or as they are, or None."""
    if memory_format not in (None, contiguous_format, preserve_format):
        raise TypeError(
            "memory_format: AINO's tensors lie in memory as aino.contiguous_format says, got "
            f"{memory_format!r}; leave it out"
        )


def check_unpinned(pin_memory: bool) -> None:
    """Raise ``DeviceError`` where pinned memory is asked for."""
    if pin_memory:
        raise DeviceError(
            "memory is pinned for the copy to an accelerator, and AINO computes on the CPU: leave "
            "pin_memory out"
        )
