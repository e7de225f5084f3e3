"""Groups of processes: the one of all, which begins and ends, and parts of it."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

from aino.devices import check_device
from aino.distributed import endings, mpi
from aino.distributed.channel import Channel, Solo
from aino.distributed.job import Job
from aino.distributed.work import Collective, Work, _moving
from aino.errors import ArgumentError
from aino.num_threads import share_cores
from aino.tracing import forbid_in_trace, rely_on

#: How long the others are waited for, where nothing else is said: as PyTorch does.
default_pg_timeout = timedelta(minutes=30)


class ProcessGroup:
    """Processes that compute together; made by ``init_process_group`` and ``new_group``.

    Arguments:
        channel: what carries numbers between them.
        ranks: their numbers among all processes, in the order of their ranks in the group.
        rank: the number of this process in the group.
        timeout: how long the others are waited for.
        job: all processes that were started together; None where there is one.
        name: the same in all of them, and that of no other group.
    """

    #: The graph of a compiled function may keep it: it is the same at each call.
    stays_in_plans = True

    def __init__(
        self,
        channel: Any,
        ranks: list[int],
        rank: int,
        timeout: timedelta,
        job: Job | None = None,
        name: str = "0",
    ) -> None:
        self.channel = channel
        self.ranks = ranks
        self.timeout = timeout
        self.job = job
        self.name = name
        self._rank = rank
        #: How many collectives this process has called.
        self.calls = 0
        #: What is under way, in the order in which it was begun.
        self.queue: list[Work] = []

    def rank(self) -> int:
        """Return the number of this process in the group."""
        return self._rank

    def size(self) -> int:
        """Return how many processes the group has."""
        return len(self.ranks)

    def move(self) -> None:
        """Let what is under way go on, in all groups: others may wait for it."""
        with _moving:
            for group in world.groups:
                if group.queue:
                    group.advance()

    def advance(self) -> None:
        """Let what is under way in this group go on, in order."""
        for work in list(self.queue):
            behind_may = work.advance()
            if work._done:
                self.queue.remove(work)
            if not behind_may:
                return

    def __repr__(self) -> str:
        return f"<ProcessGroup {self.name} of ranks {self.ranks}>"


class _World:
    """What ``init_process_group`` has begun.

    ``generation``: how often groups were begun and ended; what relies on ranks relies on it.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.groups: list[ProcessGroup] = []
        #: How often all have begun, and how many groups they have made: the names of groups.
        self.begun = self.made = 0
        self.channels: list[Channel] = []


world = _World()


class group:
    """``group.WORLD``: the group of all processes, None before ``init_process_group``."""

    WORLD: ProcessGroup | None = None


class GroupMember:
    """``NON_GROUP_MEMBER``: what ``new_group`` gives a process that is not in the group."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


def is_available() -> bool:
    """Tell whether several processes can compute together: whether mpi4py is installed.

    Alone, a program can call ``init_process_group`` either way, and is a group of one.
    """
    return mpi.is_installed()


def is_initialized() -> bool:
    """Tell whether ``init_process_group`` was called."""
    return group.WORLD is not None


class Backend(str):
    """The name of a backend, in small letters: ``Backend("MPI") == Backend.MPI == "mpi"``.

    Arguments:
        name: any of PyTorch's; only MPI is there.
    """

    UNDEFINED, GLOO, NCCL, UCC, MPI, XCCL = "undefined", "gloo", "nccl", "ucc", "mpi", "xccl"

    def __new__(cls, name: str) -> Backend:
        return str.__new__(cls, name.lower())


_BACKENDS = "AINO's processes speak MPI: say backend='mpi', or leave it out"


def check_backend(backend: Any) -> None:
    """Raise ``ArgumentError`` for another backend than MPI."""
    name = str(backend).lower()
    if backend is not None and name != "mpi":
        known = {"nccl": "for NVIDIA's devices", "gloo": "PyTorch's own", "ucc": "not there"}
        why = f" ({known[name]})" if name in known else ""
        raise ArgumentError(f"backend {backend!r}{why} is not there: {_BACKENDS}")


def _check_method(init_method: str | None, store: Any) -> None:
    if store is not None:
        raise ArgumentError(
            "a store is where processes find each other; MPI's launcher has done that already: "
            "leave it out"
        )
    if init_method is not None and not str(init_method).startswith("env://"):
        raise ArgumentError(
            f"init_method {init_method!r} is not there: processes are started, and told of each "
            "other, by python -m aino.distributed.run -n 2 script.py; leave it out, or say 'env://'"
        )


def _check_others(options: Any, device: Any) -> None:
    """Raise for options of another backend, and for another device than the CPU."""
    if options is not None:
        raise ArgumentError(f"pg_options are for other backends than MPI, not {options!r}")
    if device is not None:
        check_device(device)


def _seconds(timeout: Any) -> timedelta:
    """Return a time as a span."""
    if timeout is None:
        return default_pg_timeout
    if not isinstance(timeout, timedelta):
        raise TypeError(
            f"Expected timeout argument to be of type datetime.timedelta, got {timeout!r}"
        )
    if timeout.total_seconds() <= 0:
        raise ArgumentError(f"a timeout is longer than nothing, not {timeout}")
    return timeout


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
    """Begin to compute together with the processes that were started with this one.

    ``python -m aino.distributed.run -n 2 script.py`` starts two; a script that is started alone is
    a group of one, so that the same script does for both. All processes call it.

    Arguments:
        backend: ``"mpi"``, or nothing.
        init_method: ``"env://"``, or nothing: the launcher has told the processes of each other.
        timeout: how long a process waits for the others before it raises: 30 minutes.
        world_size: how many processes there have to be, where it is given.
        rank: the number that this one has to have, where it is given.
        store: None: see ``init_method``.
        group_name: has no effect.
        pg_options: None: they are those of other backends.
        device_id: None, or the CPU.

    Raises ``ValueError`` where it was called before, and for what is given otherwise than it is,
    ``MissingExtraError`` where several processes were started and mpi4py is not installed.

    >>> import aino.distributed as dist
    >>> dist.init_process_group()
    >>> dist.get_rank() < dist.get_world_size()
    True
    >>> dist.destroy_process_group()
    """
    forbid_in_trace("init_process_group", "call it outside the compiled function")
    if group.WORLD is not None:
        raise ValueError("trying to initialize the default process group twice!")
    check_backend(backend)
    _check_method(init_method, store)
    _check_others(pg_options, device_id)
    limit = _seconds(timeout)
    if mpi.is_installed() or mpi.processes_announced() > 1:
        begun = _begin(endings.job_of_this_process(), limit)
    else:
        begun = ProcessGroup(Solo(), [0], 0, limit)
    for what, given, found in (
        ("world_size", world_size, begun.size()),
        ("rank", rank, begun._rank),
    ):
        if given not in (-1, None, found):
            raise ArgumentError(
                f"{what} is {given}, but MPI has started this process as number {begun._rank} of "
                f"{begun.size()}; start it by python -m aino.distributed.run -n N script.py, or "
                f"leave {what} out"
            )
    _enter(begun)
    group.WORLD = GroupMember.WORLD = begun


def _begin(job: Job, limit: timedelta) -> ProcessGroup:
    """Return the group of all processes, once all of them have come."""
    world.begun += 1
    begun = ProcessGroup(Solo(), list(range(job.size)), job.rank, limit, job, str(world.begun))
    if job.size == 1:
        return begun
    endings.watch(progress, clear)
    communicators = []
    for _ in range(2):
        communicator, request = job.everybody.Idup()
        communicators.append(communicator)
        work = _Arrival(begun, "init_process_group")
        work._request = request
        world.groups.append(begun)
        begun.queue.append(work)
        try:
            work.wait()
        finally:
            world.groups.remove(begun)
    begun.channel = Channel(job.MPI, *communicators)
    world.channels.append(begun.channel)
    here = job.everybody.Split_type(job.MPI.COMM_TYPE_SHARED)
    share_cores(here.Get_size())
    here.Free()
    return begun


class _Arrival(Work):
    """The wait for all processes to call ``init_process_group``."""

    def late(self, seconds: float) -> Exception:
        error = super().late(seconds)
        told = self.group.job.whereabouts(self.group.name, self.group.ranks, 0)
        return type(error)(
            f"{self.words}: not all {len(self.group.ranks)} ranks came within {seconds:g} s: {told}"
        )

    def lost(self) -> Exception | None:
        ended = sorted(self.group.job.ended)
        if not ended:
            return None
        error = super().late(0)
        return type(error)(f"{self.words}: rank {ended[0]} ended without calling it")


def progress() -> dict[str, int]:
    """Return how many collectives this process has called, by the names of the groups."""
    return {group.name: group.calls for group in world.groups}


def clear() -> None:
    """Take in the messages that nobody has received: MPI does not end well otherwise."""
    for channel in world.channels:
        channel.clear()


def _enter(begun: ProcessGroup) -> None:
    world.groups.append(begun)
    world.generation += 1


def get_default() -> ProcessGroup:
    """Return the group of all processes; raise ``ValueError`` before it has begun."""
    if group.WORLD is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call "
            "init_process_group."
        )
    return group.WORLD


def chosen(given: Any, name: str | None = None) -> ProcessGroup | None:
    """Return the group that is meant, None where this process is not in it.

    ``name``: what is about to be done, to warn of that.
    """
    if given is None:
        found = get_default()
    elif given == GroupMember.NON_GROUP_MEMBER:
        if name is not None:
            warnings.warn(
                f"Running {name} on global rank {get_default()._rank} which does not belong to the "
                "given group.",
                stacklevel=3,
            )
        return None
    elif isinstance(given, ProcessGroup):
        found = given
        if found not in world.groups:
            raise ValueError(f"the group {found.ranks} has been destroyed, or is none")
    else:
        raise TypeError(f"a group is what new_group returns, not {type(given).__name__}")
    rely_on(world, "generation")
    return found


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End a group; that of all processes ends all others as well.

    Arguments:
        group: by default that of all processes.
    """
    forbid_in_trace("destroy_process_group", "call it outside the compiled function")
    if group == GroupMember.NON_GROUP_MEMBER:
        return
    ended = group
    if ended is None:
        ended = get_default()
    if ended is _all():
        if ended.job is not None:
            ended.job.tell(ended.ranks, left=progress(), ends=False)
        world.groups.clear()
        _set_all(None)
    elif ended in world.groups:
        world.groups.remove(ended)
    else:
        raise ValueError("the group has been destroyed already, or is none")
    world.generation += 1


def _all() -> ProcessGroup | None:
    return group.WORLD


def _set_all(value: ProcessGroup | None) -> None:
    group.WORLD = GroupMember.WORLD = value


def new_group(
    ranks: list[int] | None = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
    device_id: Any = None,
    sort_ranks: bool = True,
) -> Any:
    """Return a group of some of the processes, for ``group=``.

    All processes call it, in the same order and with the same ranks, also those that are not in
    the group: they get ``GroupMember.NON_GROUP_MEMBER``, whose rank is -1.

    Arguments:
        ranks: numbers among all processes; all of them for None.
        timeout: how long the group's processes wait for each other; by default as all do.
        backend: ``"mpi"``, or nothing.
        pg_options: None: they are those of other backends.
        group_desc: has no effect.
        device_id: None, or the CPU.
        use_local_synchronization: only False: all processes call it.
        sort_ranks: whether the group's ranks are in the order of the numbers, or as they are given.
    """
    forbid_in_trace("new_group", "call it outside the compiled function")
    everybody = get_default()
    check_backend(backend)
    _check_others(pg_options, device_id)
    if use_local_synchronization:
        raise ArgumentError(
            "new_group(use_local_synchronization=True) is not there: all processes call new_group"
        )
    limit = everybody.timeout if timeout is None else _seconds(timeout)
    members = list(everybody.ranks) if ranks is None else [int(rank) for rank in ranks]
    if sort_ranks:
        members.sort()
    if not members or len(set(members)) < len(members):
        raise ArgumentError(f"a group has processes, each of them once, not {members}")
    if not set(members) <= set(everybody.ranks):
        raise ArgumentError(
            f"the new group's ranks {members} are not all among the {everybody.size()} of all"
        )
    Collective(everybody, ("new_group", str(members), None, None), None).wait()
    world.made += 1
    if everybody._rank not in members:
        return GroupMember.NON_GROUP_MEMBER
    channel: Any = Solo()
    if len(members) > 1:
        channel = everybody.channel.part(members, world.made)
        world.channels.append(channel)
    place, name = members.index(everybody._rank), f"{everybody.name}.{world.made}"
    made = ProcessGroup(channel, members, place, limit, everybody.job, name)
    _enter(made)
    return made
