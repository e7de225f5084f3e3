"""``torch.accelerator``'s questions: which device is faster than the CPU? None is here."""

from __future__ import annotations

from aino.devices import Device, absent


def is_available() -> bool:
    """Return False: AINO computes on the CPU."""
    return False


def device_count() -> int:
    """Return the number of accelerators: 0."""
    return 0


def current_accelerator(check_available: bool = False) -> Device | None:
    """Return the accelerator that computes: None.

    Arguments:
        check_available: has no effect: there is none to be asked.

    >>> import aino
    >>> aino.accelerator.current_accelerator() or aino.device("cpu")
    device(type='cpu')
    """
    return None


current_device_idx = absent("accelerator.current_device_idx")
current_device_index = absent("accelerator.current_device_index")
current_stream = absent("accelerator.current_stream")
device_index = absent("accelerator.device_index")
empty_cache = absent("accelerator.empty_cache")
memory_allocated = absent("accelerator.memory_allocated")
memory_reserved = absent("accelerator.memory_reserved")
set_device_idx = absent("accelerator.set_device_idx")
set_device_index = absent("accelerator.set_device_index")
set_stream = absent("accelerator.set_stream")
synchronize = absent("accelerator.synchronize")
