"""``torch.cuda``'s questions, answered for a machine without a CUDA device: there is none.

What only asks, or needs to do nothing, is answered as PyTorch does on such a machine; what needs
the device raises ``DeviceError``.
"""

from __future__ import annotations

from typing import Any

from aino.cuda import amp as amp
from aino.devices import absent


def is_available() -> bool:
    """Return False: AINO computes on the CPU."""
    return False


def is_initialized() -> bool:
    """Return False: there is nothing to initialise."""
    return False


def device_count() -> int:
    """Return the number of such devices: 0."""
    return 0


def empty_cache() -> None:
    """Do nothing: there is no memory to give back."""


def manual_seed(seed: int) -> None:
    """Do nothing: no random numbers are drawn there. ``aino.manual_seed`` is the CPU's."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Do nothing: no random numbers are drawn there."""
    int(seed)


def seed() -> None:
    """Do nothing: no random numbers are drawn there."""


def seed_all() -> None:
    """Do nothing: no random numbers are drawn there."""


def is_tf32_supported() -> bool:
    """Return False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return False.

    Arguments:
        including_emulation: has no effect: there is nothing to emulate on.
    """
    return False


def get_arch_list() -> list[str]:
    """Return the architectures that can be computed on: none."""
    return []


def get_rng_state_all() -> list[Any]:
    """Return the states of all devices' generators: none."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Do nothing for no states; raise ``DeviceError`` for any."""
    for _ in new_states:
        absent("cuda.set_rng_state")()


def memory_allocated(device: Any = None) -> int:
    """Return the bytes that tensors take there: 0.

    Arguments:
        device: has no effect: nothing is on any of them.
    """
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Return what is known of the memory there: nothing.

    Arguments:
        device: has no effect: nothing is on any of them.
    """
    return {}


current_device = absent("cuda.current_device")
current_stream = absent("cuda.current_stream")
default_stream = absent("cuda.default_stream")
device = absent("cuda.device")
get_device_capability = absent("cuda.get_device_capability")
get_device_name = absent("cuda.get_device_name")
get_device_properties = absent("cuda.get_device_properties")
get_rng_state = absent("cuda.get_rng_state")
init = absent("cuda.init")
initial_seed = absent("cuda.initial_seed")
ipc_collect = absent("cuda.ipc_collect")
mem_get_info = absent("cuda.mem_get_info")
memory_summary = absent("cuda.memory_summary")
reset_peak_memory_stats = absent("cuda.reset_peak_memory_stats")
set_device = absent("cuda.set_device")
set_rng_state = absent("cuda.set_rng_state")
set_stream = absent("cuda.set_stream")
stream = absent("cuda.stream")
synchronize = absent("cuda.synchronize")
Event = absent("cuda.Event")
Stream = absent("cuda.Stream")

#: What NumPy raises where memory runs out, so that who catches PyTorch's error catches that.
OutOfMemoryError = MemoryError

for _kind in ("Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short"):
    globals()[f"{_kind}Tensor"] = absent(f"cuda.{_kind}Tensor")
