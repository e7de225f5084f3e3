"""From one process to another: a message carries its dtype and shape, which the receiver checks.

The receiver makes room when a message is there, so that one that does not fit touches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.distributed.carrying import member, root_of
from aino.distributed.groups import ProcessGroup
from aino.distributed.operands import array_of, note_written, target_of
from aino.distributed.work import Work, _moving
from aino.errors import ArgumentError, DistError, ShapeError
from aino.tracing import forbid_in_trace

#: The largest tag that every MPI takes.
_MOST = 32_767
_OUTSIDE = "what one process sends another is not part of a program; do it outside"


def packed(array: Any) -> Any:
    """Return a message: the length of the header, the header, and the array's memory."""
    header = json.dumps([array.dtype.str, list(array.shape)]).encode()
    message = np.empty(4 + len(header) + array.nbytes, np.uint8)
    message[:4] = np.frombuffer(len(header).to_bytes(4, "little"), np.uint8)
    message[4 : 4 + len(header)] = np.frombuffer(header, np.uint8)
    if array.size:
        body = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        message[4 + len(header) :] = body
    return message


def unpacked(message: Any) -> Any:
    """Return the array of a message."""
    length = int.from_bytes(message[:4].tobytes(), "little")
    dtype, shape = json.loads(message[4 : 4 + length].tobytes())
    return np.frombuffer(message[4 + length :].tobytes(), dtype).reshape(shape)


class Sending(Work):
    """A message on its way."""

    def __init__(self, group: ProcessGroup, array: Any, destination: int, tag: int) -> None:
        to = group.ranks[destination]
        super().__init__(group, f"send of {array.dtype.name} {array.shape} to rank {to}")
        self._message = packed(array)  # MPI reads it where it is
        self._other = to
        with _moving:
            self._request = group.channel.send(self._message, destination, tag)
            group.queue.append(self)

    def lost(self) -> Exception | None:
        if not self.group.job.has_left(self._other, self.group.name):
            return None
        return DistError(f"{self.words}: it has ended without receiving it")


class Receiving(Work):
    """The wait for a message, and its way into a tensor."""

    def __init__(
        self,
        group: ProcessGroup,
        source: int | None,
        tag: int,
        take: Callable[[Any], None],
        words: str,
    ) -> None:
        self._other = None if source is None else group.ranks[source]
        sender = "any rank" if source is None else f"rank {self._other}"
        super().__init__(group, f"{words} from {sender}")
        self._source, self._tag, self._take = source, tag, take
        self._memory: Any = None
        self._patience = 4
        with _moving:
            group.queue.append(self)

    def advance(self) -> bool:
        if self._request is None:
            found = self.group.channel.arrived(self._source, self._tag)
            if found is None:
                return True
            self._request, source, self._memory = found
            self._source = source
        if self._request.Test():
            try:
                self._take(unpacked(self._memory))
            except Exception as error:
                self.end(error)
            else:
                self.end()
        return True

    def source_rank(self) -> int:
        """Return the rank among all of the process that has sent the message."""
        assert self._source is not None
        return self.group.ranks[self._source]

    def lost(self) -> Exception | None:
        job, group = self.group.job, self.group
        senders = [rank for rank in group.ranks if rank != job.rank]
        if self._other is not None:
            senders = [self._other]
        gone = all(job.has_left(rank, group.name) for rank in senders)
        if not gone or self._request is not None:
            return None
        self._patience -= 1  # what it sent before it ended may still be on its way
        if self._patience:
            return None
        return DistError(f"{self.words}: it has ended without sending it")


def _destination(group: ProcessGroup, given: Any, in_group: Any, tag: int, what: str) -> int:
    place = root_of(group, given, in_group, what, "dst")
    if place == group.rank():
        raise ValueError("Invalid destination rank: destination rank should not be the same as "
                         "the rank of the current process.")  # fmt: skip
    _check_tag(tag, what)
    return place


def _check_tag(tag: int, what: str) -> None:
    if not isinstance(tag, int) or not 0 <= tag <= _MOST:
        raise ArgumentError(f"{what}: a tag is a whole number from 0 to {_MOST}, not {tag!r}")


def isend(
    tensor: Tensor,
    dst: int | None = None,
    group: ProcessGroup | None = None,
    tag: int = 0,
    group_dst: int | None = None,
) -> Work | None:
    """Begin to send a tensor to another process; return the ``Work`` to wait for.

    Arguments:
        tensor: what is sent, as it is now.
        dst: the rank among all of the receiver.
        group: where both are, by default all.
        tag: what the receiver asks for as well.
        group_dst: its rank in the group, in the place of ``dst``.
    """
    forbid_in_trace("isend", _OUTSIDE)
    found = member(group, "isend")
    if found is None:
        return None
    array = array_of(tensor, "isend")
    return Sending(found, array, _destination(found, dst, group_dst, tag, "isend"), tag)


def send(
    tensor: Tensor,
    dst: int | None = None,
    group: ProcessGroup | None = None,
    tag: int = 0,
    group_dst: int | None = None,
) -> None:
    """Send a tensor to another process, and wait until it is on its way.

    A long one waits for the receiver: two processes that both send first wait in vain; use
    ``isend``.

    Arguments:
        tensor, dst, group, tag, group_dst: as those of ``isend``.
    """
    work = isend(tensor, dst, group, tag, group_dst)
    if work is not None:
        work.wait()


def irecv(
    tensor: Tensor,
    src: int | None = None,
    group: ProcessGroup | None = None,
    tag: int = 0,
    group_src: int | None = None,
) -> Work | None:
    """Begin to receive a tensor from another process; return the ``Work`` to wait for.

    Arguments:
        tensor: where it goes; of the shape and dtype of what is sent.
        src: the rank among all of the sender; any for None.
        group: where both are, by default all.
        tag: what the sender says as well.
        group_src: its rank in the group, in the place of ``src``.

    ``wait()`` raises ``ShapeError`` where what was sent is of another shape or dtype.
    """
    forbid_in_trace("irecv", _OUTSIDE)
    found = member(group, "irecv")
    if found is None:
        return None
    target = target_of(tensor, "irecv")
    _check_tag(tag, "irecv")
    source = None
    if src is not None or group_src is not None:
        source = root_of(found, src, group_src, "irecv", "src")
        if source == found.rank():
            raise ValueError("Invalid source rank: source rank should not be the same as the "
                             "rank of the current process.")  # fmt: skip

    if found.size() == 1:
        raise ValueError("irecv: there is no other process to receive from")

    def take(array: Any) -> None:
        if array.shape != target.shape or array.dtype != target.dtype:
            raise ShapeError(
                f"{work.words}: what was sent is {array.dtype} {array.shape}; nothing was written"
            )
        target[...] = array

    work = Receiving(found, source, tag, take, f"recv of {target.dtype.name} {target.shape}")
    work.then = lambda: note_written(tensor, "recv")
    return work


def recv(
    tensor: Tensor,
    src: int | None = None,
    group: ProcessGroup | None = None,
    tag: int = 0,
    group_src: int | None = None,
) -> int:
    """Receive a tensor from another process; return the sender's rank among all.

    Arguments:
        tensor, src, group, tag, group_src: as those of ``irecv``.
    """
    work = irecv(tensor, src, group, tag, group_src)
    if work is None:
        return -1
    assert isinstance(work, Receiving)
    work.wait()
    return work.source_rank()


class P2POp:
    """A message to be sent or received by ``batch_isend_irecv``.

    Arguments:
        op: ``isend`` or ``irecv``.
        tensor: what is sent, or where it goes.
        peer: the rank among all of the other process.
        group: where both are, by default all.
        tag: what both say.
        group_peer: its rank in the group, in the place of ``peer``.
    """

    def __init__(
        self,
        op: Any,
        tensor: Tensor,
        peer: int | None = None,
        group: ProcessGroup | None = None,
        tag: int = 0,
        group_peer: int | None = None,
    ) -> None:
        if op not in (isend, irecv):
            raise ValueError(f"Invalid ``op``: expected isend or irecv, not {op!r}")
        self.op, self.tensor, self.peer = op, tensor, peer
        self.group, self.tag, self.group_peer = group, tag, group_peer


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Work]:
    """Begin to send and receive several messages; return the ``Work`` of each.

    Arguments:
        p2p_op_list: what is sent and received: ``P2POp(isend, tensor, peer)`` ...
    """
    if not isinstance(p2p_op_list, list) or not all(isinstance(p, P2POp) for p in p2p_op_list):
        raise ValueError("Invalid ``p2p_op_list``: a list of P2POp is needed")
    begun = [p.op(p.tensor, p.peer, p.group, p.tag, p.group_peer) for p in p2p_op_list]
    return [work for work in begun if work is not None]
