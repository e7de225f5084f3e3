"""What ``map_location`` says of the tensors in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.devices import CPU, Device, check_device


def placement(location: Any) -> Callable[..., np.ndarray] | None:
    """Return what to do with each array of a file, and the name of its device; None for nothing.

    ``location`` is a device, a mapping of devices to devices, or a function of a tensor and of
    the name of its device, which returns the tensor that shall stand for it, or None for itself.

    Raises ``DeviceError`` for what would put tensors elsewhere than on the CPU, ``TypeError`` for
    what is none of these.
    """
    if location is None:
        return None
    if isinstance(location, str | Device):
        check_device(location)
        return None
    if isinstance(location, Mapping):
        # Only the entry that says where the CPU's tensors go can move any.
        for key, place in location.items():
            for device in (key, place):
                if not isinstance(device, str | Device):
                    raise TypeError(f"map_location maps devices to devices, not {device!r}")
            if str(Device(key)) == str(CPU):
                check_device(place)
        return None
    if not callable(location):
        raise TypeError(
            "map_location is a device, a dict of devices or a function, not "
            f"{type(location).__name__}"
        )

    def put(array: np.ndarray, device: str = str(CPU)) -> np.ndarray:
        tensor = make(array)
        placed = location(tensor, device)
        if placed is None or placed is tensor:
            return array
        if not isinstance(placed, Tensor):
            raise TypeError(f"map_location returned a {type(placed).__name__}, not a tensor")
        if placed.array.shape != array.shape or placed.array.dtype != array.dtype:
            raise TypeError(
                f"map_location returned a tensor of {placed.array.dtype} and shape "
                f"{placed.array.shape} for one of {array.dtype} and shape {array.shape}"
            )
        return placed.array

    return put
