"""Devices by name: AINO computes on the CPU, and says so where another is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from importlib import import_module
from typing import Any, NoReturn

from aino.errors import DeviceError

#: The kinds of device that PyTorch knows; code may name them, and ask whether they are there.
TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga",
    "maia", "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class Device(ContextDecorator):
    """The name of a device: ``aino.device("cpu")``, ``aino.device("cuda:1")``.

    Any of PyTorch's can be named; only on the CPU can a tensor be. As a context, ``with
    aino.device("cpu"):``, it is where new tensors are made.

    Arguments:
        type: ``"cpu"``, ``"cuda"``, ``"mps"`` ..., alone or with a number: ``"cuda:1"``.
        index: the number of the device, where it does not stand in ``type``.

    Raises ``DeviceError`` for what is the name of no device.

    >>> import aino
    >>> aino.device("cuda:1").index
    1
    """

    __slots__ = ("type", "index")
    type: Any
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, Device):
            type, index = type.type, type.index if index is None else index
        if isinstance(type, int) and not isinstance(type, bool):
            raise DeviceError(f"device {type} is the number of an accelerator; {ONLY_CPU}")
        if not isinstance(type, str):
            raise TypeError(
                f"a device is named by text such as 'cpu', not by {type.__class__.__name__}"
            )
        name, colon, number = type.partition(":")
        if name not in TYPES:
            known = ", ".join(TYPES)
            raise DeviceError(
                f"{type!r} is not a device; AINO computes on 'cpu', and knows the names {known}"
            )
        if colon and (index is not None or not number.isascii() or not number.isdigit()):
            raise DeviceError(f"{type!r} is not a device: a number follows the colon, and only one")
        if index is not None and (index.__class__ is not int or index < 0):
            raise DeviceError(f"the index of a device is a whole number from 0 on, not {index!r}")
        self.type = name
        self.index = int(number) if colon else index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple:
        return Device, (self.type, self.index)

    def __enter__(self) -> Device:
        check_device(self)
        return self

    def __exit__(self, *exception: object) -> None:
        return None


ONLY_CPU = "AINO computes on the CPU, and there is no other device here"
CPU = Device("cpu")


def check_device(device: Any) -> None:
    """Raise ``DeviceError`` unless tensors can be on this device, which None always is."""
    if device is None:
        return
    named = device if isinstance(device, Device) else Device(device)
    if named.type != "cpu":
        raise DeviceError(
            f"there is no device {str(named)!r} here: AINO computes on the CPU; "
            "use device='cpu', or leave it out"
        )


def set_default_device(device: Any) -> None:
    """Say on which device new tensors are made.

    Raises ``DeviceError`` for another than the CPU at once, not when the first tensor is made.
    """
    check_device(device)


def get_default_device() -> Device:
    """Return the device on which new tensors are made: the CPU."""
    return CPU


def get_device_module(device: Any = None) -> Any:
    """Return the module of a kind of device: ``aino.cpu``, ``aino.cuda``, ``aino.mps`` or ``xpu``.

    ``device`` is a device or its name, the CPU for None. Raises ``DeviceError`` for others.

    >>> import aino
    >>> aino.get_device_module("cpu").device_count()
    1
    """
    named = CPU if device is None else device if isinstance(device, Device) else Device(device)
    kind = named.type
    if kind not in _MODULES:
        raise DeviceError(f"there is no module for the device {kind!r}, only for {_MODULES}")
    return import_module(f"aino.{kind}")


#: The devices that have a module to be asked.
_MODULES = ("cpu", "cuda", "mps", "xpu")


def absent(name: str) -> Callable[..., NoReturn]:
    """Return a function that PyTorch has for an accelerator, and that says that none is here."""

    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise DeviceError(f"aino.{name} needs an accelerator: {ONLY_CPU}")

    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = "Raise ``DeviceError``: there is no accelerator here."
    return function
