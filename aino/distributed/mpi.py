"""The way to MPI: the package mpi4py, found without loading it, and loaded when a group begins."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from aino.errors import MissingExtraError

EXTRA = "pip install 'aino[mpi]'"

#: What launchers tell each process: how many there are, and torchrun's word for it.
_COUNTS = ("PMI_SIZE", "PMIX_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "WORLD_SIZE")


def is_installed() -> bool:
    """Tell whether the package mpi4py is there."""
    return importlib.util.find_spec("mpi4py") is not None


def processes_announced() -> int:
    """Return how many processes a launcher says that there are, 1 without one."""
    counts = [os.environ.get(name, "") for name in _COUNTS]
    return max([int(count) for count in counts if count.isdecimal()], default=1)


def load() -> Any:
    """Return the module ``mpi4py.MPI``; MPI begins when it is first loaded.

    Raises ``MissingExtraError`` that names the extra.
    """
    try:
        from mpi4py import MPI
    except ImportError:
        raise MissingExtraError(
            f"several processes speak MPI, and mpi4py is not installed: {EXTRA}"
        ) from None
    except RuntimeError as error:
        raise MissingExtraError(
            f"mpi4py finds no MPI library that it could load; {EXTRA} brings one ({error})"
        ) from None
    return MPI
