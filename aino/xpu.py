"""``torch.xpu``'s questions, answered for a machine without an Intel GPU: there is none.

What only asks, or needs to do nothing, is answered as for CUDA; what needs the device raises
``DeviceError``.
"""

from __future__ import annotations

from aino.cuda import (
    device_count,
    empty_cache,
    get_arch_list,
    get_rng_state_all,
    is_available,
    is_bf16_supported,
    is_initialized,
    manual_seed,
    manual_seed_all,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    memory_stats,
    seed,
    seed_all,
)
from aino.devices import absent

__all__ = [
    "device_count", "empty_cache", "get_arch_list", "get_rng_state_all", "is_available",
    "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved",
    "memory_stats", "seed", "seed_all",
]  # fmt: skip

current_device = absent("xpu.current_device")
current_stream = absent("xpu.current_stream")
default_stream = absent("xpu.default_stream")
device = absent("xpu.device")
get_device_capability = absent("xpu.get_device_capability")
get_device_name = absent("xpu.get_device_name")
get_device_properties = absent("xpu.get_device_properties")
get_rng_state = absent("xpu.get_rng_state")
init = absent("xpu.init")
initial_seed = absent("xpu.initial_seed")
ipc_collect = absent("xpu.ipc_collect")
mem_get_info = absent("xpu.mem_get_info")
memory_summary = absent("xpu.memory_summary")
reset_peak_memory_stats = absent("xpu.reset_peak_memory_stats")
set_device = absent("xpu.set_device")
set_rng_state = absent("xpu.set_rng_state")
set_stream = absent("xpu.set_stream")
stream = absent("xpu.stream")
synchronize = absent("xpu.synchronize")
Event = absent("xpu.Event")
Stream = absent("xpu.Stream")
