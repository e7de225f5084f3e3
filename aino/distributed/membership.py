"""Who is who: the numbers of processes among all, in a group, and on a machine."""

from __future__ import annotations

import os

from aino.distributed.groups import ProcessGroup, chosen


def get_rank(group: ProcessGroup | None = None) -> int:
    """Return the number of this process in a group, -1 where it is not in it.

    Arguments:
        group: by default all processes.
    """
    found = chosen(group)
    return -1 if found is None else found._rank


def get_world_size(group: ProcessGroup | None = None) -> int:
    """Return how many processes a group has, -1 where this one is not in it.

    Arguments:
        group: by default all processes.
    """
    found = chosen(group)
    return -1 if found is None else len(found.ranks)


def get_backend(group: ProcessGroup | None = None) -> str:
    """Return ``"mpi"``.

    Arguments:
        group: by default all processes.
    """
    if chosen(group) is None:
        raise ValueError("Invalid process group specified: this process is not in it")
    return "mpi"


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """Return the number of this process among those on its machine.

    Arguments:
        fallback_rank: what is returned where no launcher has told it.

    Raises ``RuntimeError`` where neither is there.
    """
    told = os.environ.get("LOCAL_RANK", fallback_rank)
    if told is None:
        raise RuntimeError(
            "LOCAL_RANK is not in the environment: start the script by python -m "
            "aino.distributed.run, or give fallback_rank"
        )
    return int(told)


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """Return the numbers among all processes of those in a group, in the order of the group.

    Arguments:
        group: by default all processes.
    """
    found = chosen(group)
    return [] if found is None else list(found.ranks)


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """Return the number in a group of a process that has ``global_rank`` among all.

    Arguments:
        group: the group.
        global_rank: a number among all processes.

    Raises ``ValueError`` for a process that is not in the group.
    """
    found = chosen(group)
    ranks = [] if found is None else found.ranks
    if global_rank not in ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {found}")
    return ranks.index(global_rank)


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """Return the number among all processes of one that has ``group_rank`` in a group.

    Arguments:
        group: the group.
        group_rank: a number in the group.

    Raises ``ValueError`` for a number that the group does not have.
    """
    found = chosen(group)
    ranks = [] if found is None else found.ranks
    if not 0 <= group_rank < len(ranks):
        raise ValueError(f"Group rank {group_rank} is not part of group {found}")
    return ranks[group_rank]
