"""Python objects between processes: they are pickled.

What is unpickled runs code, so the bytes have to come from processes that one trusts: these go
between the processes that the user has started together, and come from nowhere else.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from aino.distributed import kernels
from aino.distributed.carrying import member, root_of
from aino.distributed.collectives import _or_first
from aino.distributed.groups import ProcessGroup
from aino.distributed.point_to_point import Receiving, Sending, _destination
from aino.errors import ArgumentError
from aino.tracing import forbid_in_trace

_OUTSIDE = "objects are no part of a program; exchange them outside"


def _bytes_of(item: Any) -> Any:
    return np.frombuffer(pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL), np.uint8)


def _begin(group: Any, name: str) -> ProcessGroup | None:
    """Return the group once all of it call the same; None where this process is not in it."""
    forbid_in_trace(name, _OUTSIDE)
    found = member(group, name)
    if found is not None:
        kernels.barrier.begin(found, name).wait()
    return found


def _check_list(items: Any, what: str, name: str) -> None:
    if not isinstance(items, list):
        raise TypeError(f"{what}: {name} is a list, not {type(items).__name__}")


def _collected(group: ProcessGroup, payload: Any) -> list[Any]:
    """Return the bytes of all processes, which are of different lengths."""
    lengths = np.zeros(group.size(), np.int64)
    mine = np.array([payload.size], np.int64)
    kernels.all_gather_single.begin(group, mine, lengths).wait()
    padded = np.zeros(int(lengths.max()), np.uint8)
    padded[: payload.size] = payload
    every = np.empty((group.size(), padded.size), np.uint8)
    kernels.all_gather_single.begin(group, padded, every).wait()
    return [row[:length] for row, length in zip(every, lengths)]


def _spread(group: ProcessGroup, payload: Any, root: int) -> Any:
    """Return the bytes of one process in all of them."""
    length = np.array([0 if payload is None else payload.size], np.int64)
    kernels.broadcast.begin(group, length, root).wait()
    memory = np.empty(int(length[0]), np.uint8) if payload is None else payload.copy()
    kernels.broadcast.begin(group, memory, root).wait()
    return memory


def all_gather_object(object_list: list[Any], obj: Any, group: ProcessGroup | None = None) -> None:
    """Put the object of each process into a list, in all of them. Objects are pickled.

    Arguments:
        object_list: as long as there are processes; what is in it is replaced.
        obj: what this process gives.
        group: who takes part, by default all.
    """
    _check_list(object_list, "all_gather_object", "object_list")
    payload = _bytes_of(obj)
    found = _begin(group, "all_gather_object")
    if found is None:
        return
    _check_length(object_list, found.size(), "all_gather_object", "object_list")
    object_list[:] = [pickle.loads(part.tobytes()) for part in _collected(found, payload)]


def _check_length(items: list[Any], count: int, what: str, name: str) -> None:
    if len(items) != count:
        raise ArgumentError(
            f"{what}: {name} has {len(items)} places, and the group {count} processes"
        )


def gather_object(
    obj: Any,
    object_gather_list: list[Any] | None = None,
    dst: int | None = None,
    group: ProcessGroup | None = None,
    group_dst: int | None = None,
) -> None:
    """Put the object of each process into a list of one process. Objects are pickled.

    Arguments:
        obj: what this process gives.
        object_gather_list: in the process that gets them, as long as there are processes.
        dst: the rank among all of the process that gets them, by default 0.
        group: who takes part, by default all.
        group_dst: its rank in the group, in the place of ``dst``.
    """
    payload = _bytes_of(obj)
    found = _begin(group, "gather_object")
    if found is None:
        return
    root = root_of(found, _or_first(dst, group_dst), group_dst, "gather_object", "dst")
    if root == found.rank():
        _check_list(object_gather_list, "gather_object", "object_gather_list")
        assert object_gather_list is not None
        _check_length(object_gather_list, found.size(), "gather_object", "object_gather_list")
    elif object_gather_list:
        raise ArgumentError(
            "gather_object: object_gather_list must NOT be specified on non-dst ranks"
        )
    parts = _collected(found, payload)
    if root == found.rank() and object_gather_list is not None:
        object_gather_list[:] = [pickle.loads(part.tobytes()) for part in parts]


def broadcast_object_list(
    object_list: list[Any],
    src: int | None = None,
    group: ProcessGroup | None = None,
    device: Any = None,
    group_src: int | None = None,
) -> None:
    """Put the objects of one process into the lists of all. Objects are pickled.

    Arguments:
        object_list: what is sent, or replaced: of one length everywhere.
        src: the rank among all of the process that sends, by default 0.
        group: who takes part, by default all.
        device: has no effect: there is none but the CPU.
        group_src: its rank in the group, in the place of ``src``.
    """
    what = "broadcast_object_list"
    _check_list(object_list, what, "object_list")
    payload = _bytes_of(object_list)
    found = _begin(group, what)
    if found is None:
        return
    root = root_of(found, _or_first(src, group_src), group_src, what, "src")
    received = _spread(found, payload if root == found.rank() else None, root)
    if root != found.rank():
        items = pickle.loads(received.tobytes())
        _check_length(object_list, len(items), what, "object_list")
        object_list[:] = items


def scatter_object_list(
    scatter_object_output_list: list[Any],
    scatter_object_input_list: list[Any] | None = None,
    src: int | None = None,
    group: ProcessGroup | None = None,
    group_src: int | None = None,
) -> None:
    """Put one of the objects of one process into the first place of a list of each. Pickled.

    Arguments:
        scatter_object_output_list: its first place is replaced.
        scatter_object_input_list: in the process that sends, an object for each; None in others.
        src: the rank among all of the process that sends, by default 0.
        group: who takes part, by default all.
        group_src: its rank in the group, in the place of ``src``.
    """
    what = "scatter_object_list"
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ArgumentError(f"{what}: scatter_object_output_list is a list of at least one place")
    found = _begin(group, what)
    if found is None:
        return
    root = root_of(found, _or_first(src, group_src), group_src, what, "src")
    payload = None
    if root == found.rank():
        _check_list(scatter_object_input_list, what, "scatter_object_input_list")
        assert scatter_object_input_list is not None
        _check_length(scatter_object_input_list, found.size(), what, "scatter_object_input_list")
        payload = _bytes_of([_bytes_of(item).tobytes() for item in scatter_object_input_list])
    parts = pickle.loads(_spread(found, payload, root).tobytes())
    scatter_object_output_list[0] = pickle.loads(parts[found.rank()])


def send_object_list(
    object_list: list[Any],
    dst: int | None = None,
    group: ProcessGroup | None = None,
    device: Any = None,
    group_dst: int | None = None,
    use_batch: bool = False,
) -> None:
    """Send objects to another process. Objects are pickled.

    Arguments:
        object_list: what is sent.
        dst: the rank among all of the receiver.
        group: where both are, by default all.
        device, use_batch: have no effect.
        group_dst: its rank in the group, in the place of ``dst``.
    """
    forbid_in_trace("send_object_list", _OUTSIDE)
    _check_list(object_list, "send_object_list", "object_list")
    found = member(group, "send_object_list")
    if found is not None:
        place = _destination(found, dst, group_dst, 0, "send_object_list")
        Sending(found, _bytes_of(object_list), place, 0).wait()


def recv_object_list(
    object_list: list[Any],
    src: int | None = None,
    group: ProcessGroup | None = None,
    device: Any = None,
    group_src: int | None = None,
    use_batch: bool = False,
) -> int:
    """Receive objects from another process; return its rank among all. Objects are pickled.

    Arguments:
        object_list: as long as what is sent; what is in it is replaced.
        src: the rank among all of the sender; any for None.
        group: where both are, by default all.
        device, use_batch: have no effect.
        group_src: its rank in the group, in the place of ``src``.
    """
    forbid_in_trace("recv_object_list", _OUTSIDE)
    _check_list(object_list, "recv_object_list", "object_list")
    found = member(group, "recv_object_list")
    if found is None:
        return -1
    source = None
    if src is not None or group_src is not None:
        source = root_of(found, src, group_src, "recv_object_list", "src")

    def take(array: Any) -> None:
        items = pickle.loads(array.tobytes())
        _check_length(object_list, len(items), "recv_object_list", "object_list")
        object_list[:] = items

    work = Receiving(found, source, 0, take, "recv_object_list")
    work.wait()
    return work.source_rank()
