"""``torch.mps``'s questions, answered for a machine without Apple's Metal: there is none."""

from __future__ import annotations

from aino.devices import absent


def is_available() -> bool:
    """Return False: AINO computes on the CPU."""
    return False


def device_count() -> int:
    """Return the number of such devices: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: no random numbers are drawn there. ``aino.manual_seed`` is the CPU's."""
    int(seed)


current_allocated_memory = absent("mps.current_allocated_memory")
driver_allocated_memory = absent("mps.driver_allocated_memory")
recommended_max_memory = absent("mps.recommended_max_memory")
empty_cache = absent("mps.empty_cache")
get_rng_state = absent("mps.get_rng_state")
seed = absent("mps.seed")
set_per_process_memory_fraction = absent("mps.set_per_process_memory_fraction")
set_rng_state = absent("mps.set_rng_state")
synchronize = absent("mps.synchronize")
