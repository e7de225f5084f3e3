"""What all processes of a group do together: sums of their numbers, copies of them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor
from aino.distributed.groups import ProcessGroup, world
from aino.distributed.reduce_op import ReduceOp
from aino.tracing import exchange


def _wait(request: Any) -> None:
    start = time.perf_counter()
    while not request.Test():
        if time.perf_counter() - start > 0.002:
            time.sleep(1e-4)


def all_reduce(
    tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: ProcessGroup | None = None
) -> None:
    """Put together the tensors of all processes, in place: all have the same afterwards.

    Arguments:
        tensor: this process's numbers.
        op: how they are put together.
        group: who takes part, by default all.
    """
    array = tensor.array
    exchange(_all_reduce, array, op, group or world())
    stamp_write(array)


def _all_reduce(array, op: ReduceOp, group: ProcessGroup) -> None:
    dense = np.ascontiguousarray(array)
    how = "SUM" if op is ReduceOp.AVG else op.name
    _wait(group.channel.all_reduce(dense, how))
    if op is ReduceOp.AVG:
        dense /= group.size()
    if dense is not array:
        array[...] = dense.reshape(array.shape)


def broadcast(tensor: Tensor, src: int = 0, group: ProcessGroup | None = None) -> None:
    """Write what the process ``src`` has into the tensors of all.

    Arguments:
        tensor: what is sent, or written.
        src: who sends.
        group: who takes part, by default all.
    """
    array = tensor.array
    exchange(_broadcast, array, src, group or world())
    stamp_write(array)


def _broadcast(array, src: int, group: ProcessGroup) -> None:
    dense = np.ascontiguousarray(array)
    _wait(group.channel.broadcast(dense, group.ranks.index(src)))
    if dense is not array:
        array[...] = dense.reshape(array.shape)


def barrier(group: ProcessGroup | None = None) -> None:
    """Wait until all processes of the group have come here.

    Arguments:
        group: who takes part, by default all.
    """
    group = group or world()
    _wait(group.channel.all_reduce(np.zeros(1, np.int64), "MAX"))
