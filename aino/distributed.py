"""``torch.distributed``'s questions, answered for one process: there is no other.

Code that asks first (``is_available()``, ``is_initialized()``) runs as one process; what needs
several says so.
"""

from __future__ import annotations

from aino.refusals import refused

_WHY = (
    "AINO computes in one process, and there is no group of others; is_available() is False, so "
    "ask it first, or run the program without its distributed option"
)
_FUNCTIONS = (
    "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce", "all_to_all",
    "barrier", "broadcast", "broadcast_object_list", "destroy_process_group", "gather",
    "gather_object", "get_backend", "get_rank", "get_world_size", "init_device_mesh",
    "init_process_group", "irecv", "isend", "monitored_barrier", "new_group", "recv", "reduce",
    "reduce_scatter", "reduce_scatter_tensor", "scatter", "scatter_object_list", "send",
)  # fmt: skip

for _name in _FUNCTIONS:
    globals()[_name] = refused(f"distributed.{_name}", _WHY)


def is_available() -> bool:
    """Return False: AINO computes in one process."""
    return False


def is_initialized() -> bool:
    """Return False: there is no group of processes."""
    return False


def is_mpi_available() -> bool:
    """Return False."""
    return False


def is_nccl_available() -> bool:
    """Return False."""
    return False


def is_gloo_available() -> bool:
    """Return False."""
    return False


def is_torchelastic_launched() -> bool:
    """Return False."""
    return False


class ReduceOp:
    """How numbers of several processes would be put together: ``ReduceOp.SUM`` and its kin."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = (
        "SUM", "AVG", "PRODUCT", "MIN", "MAX", "BAND", "BOR", "BXOR",
    )  # fmt: skip
