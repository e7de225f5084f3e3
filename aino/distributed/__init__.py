"""``torch.distributed``'s words over MPI: several processes that compute together.

``python -m aino.distributed.run -n 2 script.py`` starts them; ``pip install 'aino[mpi]'`` brings
what they need.
"""

from aino.distributed.collectives import all_reduce, barrier, broadcast
from aino.distributed.groups import (
    ProcessGroup,
    default_pg_timeout,
    destroy_process_group,
    get_rank,
    get_world_size,
    group,
    init_process_group,
    is_available,
    is_initialized,
)
from aino.distributed.mpi import is_installed as is_mpi_available
from aino.distributed.reduce_op import ReduceOp
from aino.refusals import refused as _refused

_LATER = (
    "all_gather", "all_gather_into_tensor", "all_gather_object", "all_to_all",
    "broadcast_object_list", "gather", "gather_object", "get_backend", "irecv", "isend",
    "monitored_barrier", "new_group", "recv", "reduce", "reduce_scatter",
    "reduce_scatter_tensor", "scatter", "scatter_object_list", "send",
)  # fmt: skip
for _name in _LATER:
    globals()[_name] = _refused(f"distributed.{_name}", "all_reduce and broadcast are")

init_device_mesh = _refused("distributed.init_device_mesh", "groups are made by new_group")


def is_nccl_available() -> bool:
    """Return False: processes speak to each other by MPI."""
    return False


def is_gloo_available() -> bool:
    """Return False: processes speak to each other by MPI."""
    return False


def is_torchelastic_launched() -> bool:
    """Return False."""
    return False
