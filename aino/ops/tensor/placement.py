"""What a tensor says of the device that it is on, which is the CPU, and moves to others."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from aino.autograd.tensor import Tensor
from aino.devices import Device, check_device
from aino.errors import ArgumentError, DeviceError
from aino.layouts import check_memory_format, strided
from aino.ops.public import method
from aino.types import DeviceLike

__all__ = ["get_device"]


def _to_accelerator(kind):
    def move(
        self: Tensor,
        device: DeviceLike = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        check_device(Device(kind) if device is None or isinstance(device, int) else device)
        raise DeviceError(f"{kind}() moves to a device of type {kind!r}, not to {str(device)!r}")

    move.__name__ = kind
    move.__qualname__ = f"Tensor.{kind}"
    move.__doc__ = f"""Raise ``DeviceError``: AINO computes on the CPU, and has no {kind!r} here.

    Arguments:
        device: which one; the first for None.
        non_blocking, memory_format: has no effect: nothing is moved.
    """
    return method(move)


for _kind in ("cuda", "xpu", "ipu", "hpu", "mtia"):
    _to_accelerator(_kind)


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """Return the tensor itself: it is on the CPU.

    Arguments:
        memory_format: ``aino.preserve_format``, which None means, too.

    >>> import aino
    >>> x = aino.ones(2)
    >>> x.cpu() is x
    True
    """
    check_memory_format(memory_format)
    return self


@method
def get_device(input: Tensor) -> int:
    """Return the number of the accelerator that a tensor is on, -1 for the CPU.

    >>> import aino
    >>> aino.get_device(aino.ones(2))
    -1
    """
    return -1


@method
def pin_memory(self: Tensor, device: DeviceLike = None) -> Tensor:
    """Raise ``DeviceError``: memory is pinned for the copy to an accelerator, and there is none."""
    raise DeviceError("pin_memory() needs an accelerator; AINO computes on the CPU: leave it out")


@method
def is_pinned(self: Tensor, device: DeviceLike = None) -> bool:
    """Return False: memory is pinned for the copy to an accelerator only.

    Arguments:
        device: has no effect: nothing is pinned for any of them.

    >>> import aino
    >>> aino.ones(2).is_pinned()
    False
    """
    return False


@method
def is_shared(self: Tensor) -> bool:
    """Return False: no other process shares this memory.

    >>> import aino
    >>> aino.ones(2).is_shared()
    False
    """
    return False


#: Properties of every tensor: on no device but the CPU, and dense.
PLACE = {
    "is_cpu": True, "is_cuda": False, "is_xpu": False, "is_ipu": False, "is_mps": False,
    "is_mtia": False, "is_meta": False, "is_vulkan": False, "is_xla": False, "is_sparse": False,
    "is_sparse_csr": False, "is_quantized": False, "is_mkldnn": False, "is_nested": False,
    "layout": strided,
}  # fmt: skip


@method
def to_device(self: Tensor, device: DeviceLike, /, *, stream: Any = None) -> Tensor:
    """Return the tensor itself: it is on the CPU, the only device.

    Arguments:
        device: the CPU.
        stream: has no effect: there are none.

    >>> import aino
    >>> x = aino.ones(2)
    >>> x.to_device("cpu") is x
    True
    """
    check_device(device)
    return self


#: The versions of the array standard that the namespace keeps to.
_STANDARDS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


def array_namespace(self: Tensor, /, *, api_version: str | None = None) -> ModuleType:
    """Return ``aino.array_api``, the namespace of the array standard.

    Raises ``ValueError`` for a version that it does not keep to.

    Arguments:
        api_version: the version that is wanted; any for None.
    """
    if api_version is not None and api_version not in _STANDARDS:
        raise ArgumentError(
            f"version {api_version!r} of the array standard is unknown; there are "
            f"{', '.join(_STANDARDS)}"
        )
    return import_module("aino.array_api")
