"""What all processes of a group do together: their numbers put together, copied, shared out.

Everybody calls the same with tensors of the same shape and dtype; what differs is told to all in
words, and nothing is written. With ``async_op=True`` each returns a ``Work`` at once, to be waited
for before its tensors are used; no gradient leads through any of them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.distributed import kernels
from aino.distributed.carrying import carry_out, member, root_of
from aino.distributed.groups import ProcessGroup
from aino.distributed.operands import array_of, check_alike, list_of, target_of
from aino.distributed.reduce_op import ReduceOp, check_op, name_of
from aino.distributed.work import Work
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.tracing import session


def all_reduce(
    tensor: Tensor,
    op: ReduceOp = ReduceOp.SUM,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Put together the tensors of all processes, in place: all have the same bits afterwards.

    Arguments:
        tensor: this process's numbers, of any dtype and shape; float16 is summed in float32.
        op: how: ``ReduceOp.SUM``, ``AVG``, ``PRODUCT``, ``MIN``, ``MAX``, ``BAND``, ``BOR``,
            ``BXOR``. Of bools the sum is "or", the product "and".
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.

    Raises ``DistError`` where the processes call different things, or differ in shape or dtype,
    ``DistBackendError`` where not all come in time.

    >>> import aino, aino.distributed as dist
    >>> dist.init_process_group()
    >>> x = aino.tensor([1.0, 2.0])
    >>> dist.all_reduce(x)  # of one process
    >>> x
    tensor([1., 2.])
    >>> dist.destroy_process_group()
    """
    found = member(group, "all_reduce")
    if found is None:
        return None
    array, how = target_of(tensor, "all_reduce"), name_of(op, "all_reduce")
    check_op(how, array.dtype, "all_reduce")
    return carry_out(kernels.all_reduce, (found, how, array), [tensor], "all_reduce", async_op)


def reduce(
    tensor: Tensor,
    dst: int | None = None,
    op: ReduceOp = ReduceOp.SUM,
    group: ProcessGroup | None = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Put together the tensors of all processes, in place in one of them.

    Arguments:
        tensor: this process's numbers; those of the others stay as they are.
        dst: the rank among all of the process that gets the result.
        op: how: see ``all_reduce``.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
        group_dst: its rank in the group, in the place of ``dst``.
    """
    found = member(group, "reduce")
    if found is None:
        return None
    root = root_of(found, dst, group_dst, "reduce", "dst")
    take = target_of if root == found.rank() else array_of
    array, how = take(tensor, "reduce"), name_of(op, "reduce")
    check_op(how, array.dtype, "reduce")
    written = [tensor] if root == found.rank() else []
    return carry_out(kernels.reduce, (found, how, array, root), written, "reduce", async_op)


def broadcast(
    tensor: Tensor,
    src: int | None = None,
    group: ProcessGroup | None = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Write what one process has into the tensors of all.

    Arguments:
        tensor: what is sent, or written.
        src: the rank among all of the process that sends.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
        group_src: its rank in the group, in the place of ``src``.
    """
    found = member(group, "broadcast")
    if found is None:
        return None
    root = root_of(found, src, group_src, "broadcast", "src")
    sends = root == found.rank()
    array = (array_of if sends else target_of)(tensor, "broadcast")
    written = [] if sends else [tensor]
    return carry_out(kernels.broadcast, (found, array, root), written, "broadcast", async_op)


def all_gather(
    tensor_list: list[Tensor],
    tensor: Tensor,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Write the tensor of each process into one of a list, in all of them.

    Arguments:
        tensor_list: a tensor for each process, in the order of their ranks: where they go.
        tensor: what this process gives.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
    """
    found = member(group, "all_gather")
    if found is None:
        return None
    array = array_of(tensor, "all_gather")
    targets = list_of(tensor_list, found.size(), "all_gather", "tensor_list", True)
    check_alike(targets, array, "all_gather", "tensor_list")
    arguments = (found, array, targets)
    return carry_out(kernels.all_gather, arguments, list(tensor_list), "all_gather", async_op)


def all_gather_single(
    output_tensor: Tensor,
    input_tensor: Tensor,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Write the tensors of all processes, one after the other, into one, in all of them.

    Arguments:
        output_tensor: where they go: shape (n·a, b, ...) or (n, a, b, ...) for tensors (a, b, ...)
            of n processes.
        input_tensor: what this process gives.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
    """
    what = "all_gather_single"
    found = member(group, what)
    if found is None:
        return None
    array = array_of(input_tensor, what, "input_tensor")
    target = target_of(output_tensor, what, "output_tensor")
    _check_together(target, array, found.size(), what, "output_tensor", "input_tensor")
    arguments = (found, array, target)
    return carry_out(kernels.all_gather_single, arguments, [output_tensor], what, async_op)


def all_gather_into_tensor(
    output_tensor: Tensor,
    input_tensor: Tensor,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Do what ``all_gather_single`` does, whose older name it is.

    Arguments:
        output_tensor, input_tensor, group, async_op: as there.
    """
    return all_gather_single(output_tensor, input_tensor, group, async_op)


def _check_together(
    whole: Any, part: Any, count: int, what: str, whole_name: str, part_name: str
) -> None:
    """Raise unless an array holds as many parts of a shape as there are processes."""
    shape = part.shape
    allowed = [(count, *shape), (count * shape[0], *shape[1:]) if shape else (count,)]
    if whole.dtype != part.dtype or whole.shape not in allowed:
        raise ShapeError(
            f"{what}: {whole_name} is {whole.dtype} {whole.shape}; with {part_name} "
            f"{part.dtype} {shape} and {count} processes it has to be {part.dtype} "
            f"{allowed[1]} or {allowed[0]}"
        )


def gather(
    tensor: Tensor,
    gather_list: list[Tensor] | None = None,
    dst: int | None = None,
    group: ProcessGroup | None = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Write the tensor of each process into one of a list of one process.

    Arguments:
        tensor: what this process gives.
        gather_list: in the process that gets them, a tensor for each; None in the others.
        dst: the rank among all of the process that gets them, by default 0.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
        group_dst: its rank in the group, in the place of ``dst``.
    """
    found = member(group, "gather")
    if found is None:
        return None
    root = root_of(found, _or_first(dst, group_dst), group_dst, "gather", "dst")
    array, targets = array_of(tensor, "gather"), None
    if root == found.rank():
        targets = list_of(gather_list, found.size(), "gather", "gather_list", True)
        check_alike(targets, array, "gather", "gather_list")
    elif gather_list:
        raise ArgumentError("gather: Argument gather_list must NOT be specified on non-dst ranks")
    written = list(gather_list or ())
    return carry_out(kernels.gather, (found, array, targets, root), written, "gather", async_op)


def scatter(
    tensor: Tensor,
    scatter_list: list[Tensor] | None = None,
    src: int | None = None,
    group: ProcessGroup | None = None,
    async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:
    """Write one of a list of tensors of one process into the tensor of each.

    Arguments:
        tensor: where this process's part goes.
        scatter_list: in the process that sends, a tensor for each; None in the others.
        src: the rank among all of the process that sends, by default 0.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
        group_src: its rank in the group, in the place of ``src``.
    """
    found = member(group, "scatter")
    if found is None:
        return None
    root = root_of(found, _or_first(src, group_src), group_src, "scatter", "src")
    target, arrays = target_of(tensor, "scatter"), None
    if root == found.rank():
        arrays = list_of(scatter_list, found.size(), "scatter", "scatter_list", False)
        check_alike(arrays, target, "scatter", "scatter_list")
    elif scatter_list:
        raise ArgumentError("scatter: Argument scatter_list must NOT be specified on non-src ranks")
    return carry_out(kernels.scatter, (found, target, arrays, root), [tensor], "scatter", async_op)


def _or_first(among_all: int | None, in_group: int | None) -> int | None:
    return 0 if among_all is None and in_group is None else among_all


def reduce_scatter(
    output: Tensor,
    input_list: list[Tensor],
    op: ReduceOp = ReduceOp.SUM,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Put together the i-th tensors of all processes, into the output of the process i.

    Arguments:
        output: where this process's part goes.
        input_list: a tensor for each process.
        op: how: see ``all_reduce``.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
    """
    what = "reduce_scatter"
    found = member(group, what)
    if found is None:
        return None
    target, how = target_of(output, what, "output"), name_of(op, what)
    arrays = list_of(input_list, found.size(), what, "input_list", False)
    check_alike(arrays, target, what, "input_list")
    check_op(how, target.dtype, what)
    arguments = (found, how, arrays, target)
    return carry_out(kernels.reduce_scatter, arguments, [output], what, async_op)


def reduce_scatter_single(
    output: Tensor,
    input: Tensor,
    op: ReduceOp = ReduceOp.SUM,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Put together the tensors of all processes; each gets its part, in the order of the ranks.

    Arguments:
        output: where this process's part goes, of shape (a, b, ...).
        input: what this process gives: (n·a, b, ...) or (n, a, b, ...) for n processes.
        op: how: see ``all_reduce``.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
    """
    what = "reduce_scatter_single"
    found = member(group, what)
    if found is None:
        return None
    target, how = target_of(output, what, "output"), name_of(op, what)
    array = array_of(input, what, "input")
    _check_together(array, target, found.size(), what, "input", "output")
    check_op(how, target.dtype, what)
    arguments = (found, how, array, target)
    return carry_out(kernels.reduce_scatter_single, arguments, [output], what, async_op)


def reduce_scatter_tensor(
    output: Tensor,
    input: Tensor,
    op: ReduceOp = ReduceOp.SUM,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Do what ``reduce_scatter_single`` does, whose older name it is.

    Arguments:
        output, input, op, group, async_op: as there.
    """
    return reduce_scatter_single(output, input, op, group, async_op)


def all_to_all(
    output_tensor_list: list[Tensor],
    input_tensor_list: list[Tensor],
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Send a tensor to each process, and write what comes from each into one of a list.

    Arguments:
        output_tensor_list: a tensor for each process: where they go.
        input_tensor_list: a tensor for each process: what this one gives; shapes may differ.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
    """
    what = "all_to_all"
    found = member(group, what)
    if found is None:
        return None
    count = found.size()
    targets = list_of(output_tensor_list, count, what, "output_tensor_list", True)
    arrays = list_of(input_tensor_list, count, what, "input_tensor_list", False)
    if len({array.dtype for array in (*targets, *arrays)}) > 1:
        raise DtypeError(f"{what}: the tensors are of several dtypes, and have to be of one")
    arguments = (found, arrays, targets, what)
    return carry_out(kernels.all_to_all, arguments, list(output_tensor_list), what, async_op)


def all_to_all_single(
    output: Tensor,
    input: Tensor,
    output_split_sizes: list[int] | None = None,
    input_split_sizes: list[int] | None = None,
    group: ProcessGroup | None = None,
    async_op: bool = False,
) -> Work | None:
    """Send a part of a tensor to each process, and get a part of theirs, along dimension 0.

    Arguments:
        output: where the parts go, one after the other.
        input: what this process gives.
        output_split_sizes: how many rows come from each process; as many from all for None.
        input_split_sizes: how many rows go to each process; as many to all for None.
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
    """
    what = "all_to_all_single"
    found = member(group, what)
    if found is None:
        return None
    target, array = target_of(output, what, "output"), array_of(input, what, "input")
    if target.dtype != array.dtype or target.shape[1:] != array.shape[1:]:
        raise ShapeError(
            f"{what}: output is {target.dtype} {target.shape}, input {array.dtype} {array.shape}; "
            "they have to be of one dtype, and alike in all dimensions but the first"
        )
    targets = _split(target, output_split_sizes, found.size(), what, "output")
    arrays = _split(array, input_split_sizes, found.size(), what, "input")
    arguments = (found, arrays, targets, what)
    return carry_out(kernels.all_to_all, arguments, [output], what, async_op)


def _split(array: Any, sizes: list[int] | None, count: int, what: str, name: str) -> list[Any]:
    """Return the parts of an array along dimension 0."""
    rows = array.shape[0] if array.ndim else 0
    if not array.ndim or (sizes is None and rows % count):
        raise ShapeError(
            f"{what}: {name} of shape {array.shape} can't be split into {count} equal parts; give "
            f"{name}_split_sizes"
        )
    lengths = [rows // count] * count if not sizes else [int(size) for size in sizes]
    if len(lengths) != count or sum(lengths) != rows or min(lengths) < 0:
        raise ShapeError(
            f"{what}: {name}_split_sizes {lengths} are not {count} lengths whose sum is the "
            f"{rows} rows of {name}"
        )
    ends = np.cumsum(lengths).tolist()
    return [array[end - length : end] for end, length in zip(ends, lengths)]


def barrier(
    group: ProcessGroup | None = None,
    async_op: bool = False,
    device_ids: Any = None,
    timeout: timedelta | None = None,
) -> Work | None:
    """Wait until all processes of a group have come here.

    Arguments:
        group: who takes part, by default all.
        async_op: return a ``Work`` at once.
        device_ids: has no effect: there are no devices.
        timeout: how long, by default the group's.
    """
    found = member(group, "barrier")
    if found is None:
        return None
    if async_op or timeout is None or session.trace is not None:
        return carry_out(kernels.barrier, (found, "barrier"), [], "barrier", async_op)
    kernels.barrier.begin(found, "barrier").wait(timeout)
    return None


def monitored_barrier(
    group: ProcessGroup | None = None,
    timeout: timedelta | None = None,
    wait_all_ranks: bool = False,
) -> None:
    """Wait until all processes of a group have come here; who has not is named in the error.

    Arguments:
        group: who takes part, by default all.
        timeout: how long, by default the group's.
        wait_all_ranks: has no effect: all that have not come are named.
    """
    found = member(group, "monitored_barrier")
    if found is not None:
        work = kernels.barrier.begin(found, "monitored_barrier")
        work.wait(timeout)
