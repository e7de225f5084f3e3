"""``torch.cpu``'s questions about the device that AINO computes on."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Return True."""
    return True


def device_count() -> int:
    """Return the number of CPUs as PyTorch counts them: 1, whatever its cores."""
    return 1


def current_device() -> str:
    """Return ``"cpu"``."""
    return "cpu"


def is_initialized() -> bool:
    """Return True."""
    return True


def synchronize(device: Any = None) -> None:
    """Do nothing: an operation is complete when it returns."""
