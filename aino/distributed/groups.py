"""Groups of processes: the one of all, which begins and ends, and parts of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aino.distributed import mpi
from aino.distributed.channel import Channel, Solo

#: How long the others are waited for, where nothing else is said: as PyTorch does.
default_pg_timeout = timedelta(minutes=30)


class ProcessGroup:
    """Processes that compute together; made by ``init_process_group`` and ``new_group``.

    Arguments:
        channel: what carries numbers between them.
        ranks: their numbers among all processes, in the order of their ranks in the group.
        rank: the number of this process in the group.
        timeout: how long the others are waited for.
    """

    #: The graph of a compiled function may keep it: it is the same at each call.
    stays_in_plans = True

    def __init__(self, channel: Any, ranks: list[int], rank: int, timeout: timedelta) -> None:
        self.channel = channel
        self.ranks = ranks
        self.timeout = timeout
        self._rank = rank

    def rank(self) -> int:
        """Return the number of this process in the group."""
        return self._rank

    def size(self) -> int:
        """Return how many processes the group has."""
        return len(self.ranks)


class group:
    """``group.WORLD``: the group of all processes, None before ``init_process_group``."""

    WORLD: ProcessGroup | None = None


def is_available() -> bool:
    """Tell whether several processes can compute together: whether mpi4py is installed."""
    return mpi.is_installed()


def is_initialized() -> bool:
    """Tell whether ``init_process_group`` was called."""
    return group.WORLD is not None


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: timedelta | None = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Begin to compute together with the other processes that were started with this one.

    Arguments:
        backend: ``"mpi"``, or nothing.
        init_method, world_size, rank, store, group_name, pg_options, device_id: have no effect:
            the launcher has told the processes of each other.
        timeout: how long the others are waited for.
    """
    if group.WORLD is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if backend not in (None, "mpi"):
        raise ValueError(
            f"backend {backend!r} is not there: AINO's processes speak MPI; say 'mpi', or leave "
            "the backend out"
        )
    timeout = default_pg_timeout if timeout is None else timeout
    if not mpi.is_installed() and mpi.processes_announced() == 1:
        group.WORLD = ProcessGroup(Solo(), [0], 0, timeout)
        return
    MPI = mpi.load()
    everybody = MPI.COMM_WORLD.Dup()
    ranks = list(range(everybody.Get_size()))
    group.WORLD = ProcessGroup(Channel(everybody, MPI), ranks, everybody.Get_rank(), timeout)


def world() -> ProcessGroup:
    """Return the group of all processes; raise ``ValueError`` before it has begun."""
    if group.WORLD is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call "
            "init_process_group."
        )
    return group.WORLD


def destroy_process_group(group_: ProcessGroup | None = None) -> None:
    """End the group of all processes.

    Arguments:
        group_: by default that of all processes.
    """
    if group_ in (None, world()):
        group.WORLD = None


def get_rank(group: ProcessGroup | None = None) -> int:
    """Return the number of this process in a group.

    Arguments:
        group: by default all processes.
    """
    return (group or world()).rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """Return how many processes a group has.

    Arguments:
        group: by default all processes.
    """
    return (group or world()).size()
