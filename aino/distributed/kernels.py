"""What processes exchange, on plain arrays: each begins, and returns the work that it began.

A traced program records each as one call. Arrays that do not lie row by row, and float16 and bool
where they are put together, go through a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.distributed.operands import dense
from aino.distributed.reduce_op import in_transit
from aino.distributed.work import Collective, Work
from aino.errors import ShapeError
from aino.tracing import exchange


def _ends(group: Any, op: str, wire: Any, target: Any) -> Any:
    """Return what is done when numbers are put together: None where they are in place."""
    average, count = op == "AVG", len(group.ranks)
    if not average and wire is target:
        return None

    def finish() -> None:
        if average:
            np.divide(wire, count, out=wire)
        if wire is not target:
            target[...] = wire.reshape(target.shape)

    return finish


@exchange(2)
def all_reduce(group: Any, op: str, array: Any) -> Work:
    """Put together the arrays of all processes, in place."""
    how, dtype = in_transit(op, array.dtype)
    wire = dense(array, dtype)
    key = ("all_reduce", op, array.dtype.name, array.shape)
    begin = None if not array.size else lambda: group.channel.all_reduce(wire, how)
    return Collective(group, key, begin, _ends(group, op, wire, array))


@exchange(2)
def reduce(group: Any, op: str, array: Any, root: int) -> Work:
    """Put together the arrays of all processes, in place in the process ``root``."""
    how, dtype = in_transit(op, array.dtype)
    here = group.rank() == root
    wire = dense(array, dtype)
    result = np.empty(array.shape, dtype) if here else None
    key = ("reduce", f"{op} to rank {group.ranks[root]}", array.dtype.name, array.shape)
    begin = None if not array.size else lambda: group.channel.reduce(wire, result, how, root)
    return Collective(group, key, begin, _ends(group, op, result, array) if here else None)


@exchange(1)
def broadcast(group: Any, array: Any, root: int) -> Work:
    """Write what the process ``root`` has into the arrays of all."""
    wire = dense(array)
    key = ("broadcast", f"from rank {group.ranks[root]}", array.dtype.name, array.shape)
    begin = None if not array.size else lambda: group.channel.broadcast(wire, root)
    receives = wire is not array and group.rank() != root

    def finish() -> None:
        if receives:
            array[...] = wire

    return Collective(group, key, begin, finish)


@exchange(2)
def all_gather(group: Any, array: Any, targets: list[Any]) -> Work:
    """Write the array of each process into one of the targets."""
    wire = dense(array)
    together = np.empty((len(targets), *array.shape), array.dtype)
    key = ("all_gather", None, array.dtype.name, array.shape)
    begin = None if not array.size else lambda: group.channel.all_gather(wire, together)

    def finish() -> None:
        for target, part in zip(targets, together):
            target[...] = part

    return Collective(group, key, begin, finish)


@exchange(2)
def all_gather_single(group: Any, array: Any, target: Any) -> Work:
    """Write the arrays of all processes, one after the other, into one."""
    wire, result = dense(array), dense(target)
    key = ("all_gather_single", None, array.dtype.name, array.shape)
    begin = None if not array.size else lambda: group.channel.all_gather(wire, result)

    def finish() -> None:
        if result is not target:
            target[...] = result

    return Collective(group, key, begin, finish)


@exchange(2)
def gather(group: Any, array: Any, targets: list[Any] | None, root: int) -> Work:
    """Write the array of each process into one of the targets of the process ``root``."""
    wire = dense(array)
    together = None if targets is None else np.empty((len(targets), *array.shape), array.dtype)
    key = ("gather", f"to rank {group.ranks[root]}", array.dtype.name, array.shape)
    begin = None if not array.size else lambda: group.channel.gather(wire, together, root)

    def finish() -> None:
        if targets is not None and together is not None:
            for target, part in zip(targets, together):
                target[...] = part

    return Collective(group, key, begin, finish)


@exchange(1)
def scatter(group: Any, target: Any, arrays: list[Any] | None, root: int) -> Work:
    """Write one of the arrays of the process ``root`` into the array of each process."""
    result = dense(target)
    together = None if arrays is None else np.stack(arrays) if arrays else None
    key = ("scatter", f"from rank {group.ranks[root]}", target.dtype.name, target.shape)
    begin = None if not target.size else lambda: group.channel.scatter(together, result, root)

    def finish() -> None:
        if result is not target:
            target[...] = result

    return Collective(group, key, begin, finish)


@exchange(3)
def reduce_scatter(group: Any, op: str, arrays: list[Any], target: Any) -> Work:
    """Put together array i of all processes, into the target of the process i."""
    how, dtype = in_transit(op, target.dtype)
    parts = np.stack([np.asarray(array, dtype) for array in arrays])
    result = dense(target, dtype)
    key = ("reduce_scatter", op, target.dtype.name, target.shape)
    begin = None if not target.size else lambda: group.channel.reduce_scatter(parts, result, how)
    return Collective(group, key, begin, _ends(group, op, result, target))


@exchange(3)
def reduce_scatter_single(group: Any, op: str, array: Any, target: Any) -> Work:
    """Put together the arrays of all processes; the target of the process i has part i."""
    how, dtype = in_transit(op, target.dtype)
    parts, result = dense(array, dtype), dense(target, dtype)
    key = ("reduce_scatter_single", op, target.dtype.name, target.shape)
    begin = None if not target.size else lambda: group.channel.reduce_scatter(parts, result, how)
    return Collective(group, key, begin, _ends(group, op, result, target))


@exchange(2)
def all_to_all(group: Any, arrays: list[Any], targets: list[Any], name: str) -> Work:
    """Write array i of this process into a target of process i.

    How long the parts are may differ; all processes look at the lengths of all.
    """
    count, dtype = len(arrays), arrays[0].dtype
    sent = [array.nbytes for array in arrays]
    received = [target.nbytes for target in targets]
    mine = np.array([sent, received], np.int64)
    every = np.empty((count, 2, count), np.int64)
    key = (name, str(dtype), None, None)
    parts = np.concatenate([np.asarray(array).reshape(-1) for array in arrays])
    result = np.empty(sum(target.size for target in targets), dtype)

    def finish() -> None:
        start = 0
        for target in targets:
            target[...] = result[start : start + target.size].reshape(target.shape)
            start += target.size

    return AllToAll(group, key, (mine, every), (parts, sent, result, received), finish)


class AllToAll(Collective):
    """Work in whose beginning the processes tell each other the lengths of what they send."""

    def __init__(self, group: Any, key: tuple, lengths: Any, buffers: Any, finish: Any) -> None:
        self._lengths = lengths
        self._buffers = buffers
        self._told = len(group.ranks) == 1
        begin = self._send if self._told else self._tell
        super().__init__(group, key, begin, finish)

    def _tell(self) -> Any:
        return self.group.channel.all_gather(*self._lengths)

    def _send(self) -> Any:
        return self.group.channel.all_to_all(*self._buffers)

    def end(self, error: Exception | None = None) -> None:
        if error is None and not self._told:
            self._told = True
            every = self._lengths[1]
            wrong = np.argwhere(every[:, 0, :] != every[:, 1, :].T)
            if not len(wrong):
                self._request = self._send()
                return
            sender, receiver = wrong[0].tolist()
            item = np.dtype(self.words.rpartition(" ")[2]).itemsize
            counts = every[sender, 0, receiver] // item, every[receiver, 1, sender] // item
            ranks = self.group.ranks
            error = ShapeError(
                f"{self.words}: rank {ranks[sender]} sends {counts[0]} numbers to rank "
                f"{ranks[receiver]}, which expects {counts[1]}; nothing was exchanged"
            )
        super().end(error)


@exchange()
def barrier(group: Any, name: str) -> Work:
    """Wait until all processes have come."""
    return Collective(group, (name, None, None, None), None)
