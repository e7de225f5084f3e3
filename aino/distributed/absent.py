"""Names of ``torch.distributed`` that say what to use in their place."""

from __future__ import annotations

from aino.distributed import mpi
from aino.refusals import refused, refused_class

_GROUPS = "groups of processes are made by new_group, and models are cut by hand"
_STORES = (
    "processes find each other by MPI's launcher (python -m aino.distributed.run -n 2 script.py), "
    "and need no store; objects go by broadcast_object_list"
)
_SEVERAL = "call the form for one tensor, once for each"
_BACKENDS = "MPI is the only one"
_ABSENT = {
    "init_device_mesh": _GROUPS,
    "new_subgroups": _GROUPS,
    "new_subgroups_by_enumeration": _GROUPS,
    "split_group": _GROUPS,
    "shrink_group": "a job whose process has died ends, and goes on from its last checkpoint",
    "all_reduce_coalesced": _SEVERAL,
    "all_gather_coalesced": _SEVERAL,
    "rendezvous": _STORES,
    "register_rendezvous_handler": _STORES,
    "breakpoint": "print from each rank, or debug with one process",
}
_ABSENT_CLASSES = {
    "DeviceMesh": _GROUPS,
    "Store": _STORES,
    "TCPStore": _STORES,
    "FileStore": _STORES,
    "HashStore": _STORES,
    "PrefixStore": _STORES,
    "ProcessGroupGloo": _BACKENDS,
    "ProcessGroupNCCL": _BACKENDS,
}

FUNCTIONS = {name: refused(f"distributed.{name}", why) for name, why in _ABSENT.items()}
CLASSES = {name: refused_class(f"distributed.{name}", why) for name, why in _ABSENT_CLASSES.items()}


def is_nccl_available() -> bool:
    """Return False: processes speak to each other by MPI."""
    return False


def is_gloo_available() -> bool:
    """Return False: processes speak to each other by MPI."""
    return False


def is_ucc_available() -> bool:
    """Return False: processes speak to each other by MPI."""
    return False


def is_xccl_available() -> bool:
    """Return False: processes speak to each other by MPI."""
    return False


def is_torchelastic_launched() -> bool:
    """Return False: nothing starts a job anew by itself."""
    return False


def is_backend_available(backend: str) -> bool:
    """Tell whether a backend is there: whether it is MPI, and mpi4py is installed."""
    return str(backend).lower() == "mpi" and mpi.is_installed()
