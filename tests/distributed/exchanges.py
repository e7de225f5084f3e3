"""Run by every rank: each collective against what NumPy says, over dtypes, layouts and groups."""

import pickle
import warnings
from datetime import timedelta

import numpy as np

import aino
import aino.distributed as dist
from aino.distributed import ReduceOp
from aino.errors import DistBackendError, DistError
from tests.distributed.checking import check, raises, run_all

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
          "float16", "float32", "float64", "complex64", "complex128"]  # fmt: skip


def numbers(rank, dtype, shape=(2, 3)):
    """What a rank has: small whole numbers, others in each rank."""
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 4 + rank
    if dtype == "bool":
        return np.asarray((values + rank) % 2 == 0)
    return np.asarray(values.astype(dtype))


def put_together(op, arrays):
    """The oracle: NumPy's own reduction over all ranks."""
    if arrays[0].dtype == bool:
        by = {"SUM": np.logical_or, "PRODUCT": np.logical_and, "MIN": np.logical_and,
              "MAX": np.logical_or, "BAND": np.logical_and, "BOR": np.logical_or,
              "BXOR": np.logical_xor}  # fmt: skip
    else:
        by = {"SUM": np.add, "AVG": np.add, "PRODUCT": np.multiply, "MIN": np.minimum,
              "MAX": np.maximum, "BAND": np.bitwise_and, "BOR": np.bitwise_or,
              "BXOR": np.bitwise_xor}  # fmt: skip
    total = by[op].reduce(np.stack(arrays), axis=0, dtype=arrays[0].dtype)
    return total / np.array(len(arrays), total.dtype) if op == "AVG" else total


def is_there(op, dtype):
    kind = np.dtype(dtype).kind
    if op == "AVG":
        return kind in "fc"
    if op in ("BAND", "BOR", "BXOR"):
        return kind in "iub"
    return not (kind == "c" and op in ("MIN", "MAX"))


def same(tensor, expected):
    array = tensor.numpy()
    assert array.dtype == expected.dtype, (array.dtype, expected.dtype)
    np.testing.assert_array_equal(array, expected)


@check
def all_reduce_of_every_dtype(rank, count):
    for dtype in DTYPES:
        for op in ReduceOp:
            if count > 1 and np.dtype(dtype).kind in "iu" and dtype not in ("uint8", "int64"):
                if op not in (ReduceOp.SUM, ReduceOp.AVG):
                    continue
            x = aino.from_numpy(numbers(rank, dtype))
            if is_there(op.name, dtype):
                assert dist.all_reduce(x, op) is None
                same(x, put_together(op.name, [numbers(r, dtype) for r in range(count)]))
            else:
                raises(ValueError, f"ReduceOp.{op.name} of {dtype}", dist.all_reduce, x, op)
                same(x, numbers(rank, dtype))


@check
def reductions_to_one_and_to_parts(rank, count):
    for dtype in ("bool", "int32", "float16", "float64", "complex64"):
        for op in ReduceOp:
            if not is_there(op.name, dtype):
                continue
            every = [numbers(r, dtype, (count, 2)) for r in range(count)]
            total = put_together(op.name, every)
            x = aino.from_numpy(every[rank].copy())
            dist.reduce(x, count - 1, op)
            same(x, total if rank == count - 1 else every[rank])
            part = aino.from_numpy(np.zeros(2, dtype))
            rows = list(aino.from_numpy(every[rank].copy()))
            dist.reduce_scatter(part, rows, op)
            same(part, total[rank])
            for shape in ((2 * count,), (count, 2)):
                part = aino.from_numpy(np.zeros(2, dtype))
                whole = aino.from_numpy(every[rank].reshape(shape).copy())
                dist.reduce_scatter_tensor(part, whole, op)
                same(part, total[rank])


@check
def what_is_moved_keeps_its_bits(rank, count):
    last = count - 1
    for dtype in DTYPES:
        every = [numbers(r, dtype) for r in range(count)]
        mine = every[rank]
        x = aino.from_numpy(mine.copy())
        dist.broadcast(x, last)
        same(x, every[last])
        outputs = [aino.from_numpy(np.zeros_like(mine)) for _ in range(count)]
        dist.all_gather(outputs, aino.from_numpy(mine.copy()))
        for output, expected in zip(outputs, every):
            same(output, expected)
        for shape in ((2 * count, 3), (count, 2, 3)):
            output = aino.from_numpy(np.zeros(shape, dtype))
            dist.all_gather_into_tensor(output, aino.from_numpy(mine.copy()))
            same(output, np.stack(every).reshape(shape))
        outputs = [aino.from_numpy(np.zeros_like(mine)) for _ in range(count)]
        dist.gather(aino.from_numpy(mine.copy()), outputs if rank == last else None, last)
        for output, expected in zip(outputs, every):
            same(output, expected if rank == last else np.zeros_like(mine))
        output = aino.from_numpy(np.zeros_like(mine))
        dist.scatter(output, [aino.from_numpy(e.copy()) for e in every] if rank == last else None,
                     last)  # fmt: skip
        same(output, mine)


@check
def memory_of_every_layout(rank, count):
    total = sum(np.arange(24.0).reshape(4, 6) + r for r in range(count))
    cuts = {
        "transposed": lambda a: a.T, "columns": lambda a: a[:, ::2], "backwards": lambda a: a[::-1],
        "0-d": lambda a: a[1, 2], "empty": lambda a: a[:0], "inner": lambda a: a[1:3, 1:4],
        "no dimension left": lambda a: a[2:2, :],
    }  # fmt: skip
    for name, cut in cuts.items():
        base = aino.from_numpy(np.arange(24.0).reshape(4, 6) + rank)
        rest = base.clone()
        if name == "backwards":
            base = aino.from_numpy(base.numpy()[::-1])
            rest = base.clone()
            dist.all_reduce(base)
            same(base, total[::-1])
            continue
        part = cut(base)
        dist.all_reduce(part)
        same(part, np.asarray(cut(total)))
        expected = rest.numpy().copy()
        expected_part = cut(expected)
        if expected_part.size:
            index = np.zeros((4, 6), bool)
            if name == "0-d":
                index[1, 2] = True
            else:
                cut(index)[...] = True
            expected[index] = total[index]
        same(base, expected)
        base = aino.from_numpy(np.arange(24.0).reshape(4, 6) + rank)
        part = cut(base)
        dist.broadcast(part, count - 1)
        same(part, np.asarray(cut(np.arange(24.0).reshape(4, 6) + count - 1)))


@check
def not_a_number_is_kept_by_min_and_max(rank, count):
    for op, expected in ((ReduceOp.MIN, 0.0), (ReduceOp.MAX, count - 1.0)):
        x = aino.tensor([float(rank), np.nan if rank == 0 else 1.0, np.nan if rank else 2.0])
        dist.all_reduce(x, op)
        assert x[0].item() == expected
        assert np.isnan(x[1].item())
        assert np.isnan(x[2].item()) == (count > 1)


@check
def float16_is_added_up_in_float32(rank, count):
    x = aino.tensor([2048.0 if rank == 0 else 0.75], dtype=aino.float16)
    dist.all_reduce(x)
    assert x.item() == np.float16(2048 + 0.75 * (count - 1))


@check
def all_ranks_have_the_same_bits(rank, count):
    x = aino.from_numpy(np.random.default_rng(rank).normal(size=5000))
    dist.all_reduce(x, ReduceOp.AVG)
    every = [aino.zeros_like(x) for _ in range(count)]
    dist.all_gather(every, x)
    for other in every:
        same(other, x.numpy())


@check
def all_to_all_in_equal_and_unequal_parts(rank, count):
    x = aino.arange(2.0 * count) + 100 * rank
    y = aino.zeros(2 * count)
    dist.all_to_all_single(y, x)
    same(y, np.concatenate([np.arange(2 * rank, 2 * rank + 2) + 100.0 * r for r in range(count)])
         .astype(np.float32))  # fmt: skip
    # Rank r sends r + i + 1 rows to rank i.
    sizes = [rank + i + 1 for i in range(count)]
    x = aino.full((sum(sizes), 2), float(rank))
    y = aino.zeros(sum(sizes), 2)
    dist.all_to_all_single(y, x, sizes, sizes)
    expected = np.concatenate([np.full((r + rank + 1, 2), float(r)) for r in range(count)])
    same(y, expected.astype(np.float32))
    outputs = [aino.zeros(r + rank + 1) for r in range(count)]
    dist.all_to_all(outputs, [aino.full((n,), float(rank)) for n in sizes])
    for r, output in enumerate(outputs):
        same(output, np.full(r + rank + 1, r, np.float32))


@check
def all_to_all_of_lengths_that_do_not_fit(rank, count):
    if count == 1:
        return
    sizes = [1] * count
    wrong = [2, *sizes[1:]] if rank == 1 else sizes
    y = aino.zeros(sum(wrong))
    raises(ValueError, ["sends 1 numbers to rank 1", "expects 2"], dist.all_to_all_single,
           y, aino.ones(count), wrong, sizes)  # fmt: skip
    assert not y.any()


@check
def work_is_waited_for(rank, count):
    x, y = aino.ones(1000) * rank, aino.ones(3) * rank
    first = dist.all_reduce(x, async_op=True)
    second = dist.broadcast(y, count - 1, async_op=True)
    third = dist.barrier(async_op=True)
    assert isinstance(first, dist.Work)
    assert all([third.wait(), second.wait(), first.wait()])
    assert all([first.is_completed(), first.is_success(), first.exception() is None])
    same(x, np.full(1000, sum(range(count)), np.float32))
    same(y, np.full(3, count - 1, np.float32))
    z = aino.ones(2)
    work = dist.all_reduce(z, async_op=True)
    while not work.is_completed():
        pass
    assert z[0] == count
    # What nobody waits for comes to its end with what follows.
    dist.all_reduce(z, async_op=True)
    dist.barrier()
    dist.barrier()
    assert z[0] == count**2


@check
def gradients_are_right_or_refused(rank, count):
    w = aino.ones(2).requires_grad_()
    dist.all_reduce(w)  # a leaf's numbers
    assert w[0].item() == count
    assert w.requires_grad
    y = w * 2
    saved = y * y
    dist.all_reduce(y)
    raises(RuntimeError, "operation in place", saved.sum().backward)
    y = w * 2
    dist.all_reduce(y)
    raises(RuntimeError, "no gradient leads through it", y.sum().backward)
    loss = (w * 3).sum()
    loss.backward()
    dist.all_reduce(w.grad, ReduceOp.AVG)
    same(w.grad, np.full(2, 3, np.float32))
    with aino.no_grad():
        dist.broadcast(y, 0)
    expanded = aino.zeros(1).expand(3)
    raises(RuntimeError, "clone() it", dist.all_reduce, expanded)


@check
def messages_from_one_to_one(rank, count):
    if count == 1:
        raises(ValueError, "destination rank", dist.send, aino.ones(1), 0)
        raises(ValueError, "no other process", dist.recv, aino.ones(1))
        return
    for dtype in DTYPES:
        for shape in ((), (0, 2), (3, 2)):
            if rank == 0:
                dist.send(aino.from_numpy(numbers(5, dtype, shape)), 1, tag=3)
            elif rank == 1:
                x = aino.from_numpy(np.zeros(shape, dtype))
                assert dist.recv(x, 0, tag=3) == 0
                same(x, numbers(5, dtype, shape))
    # Both send first, more than any buffer holds; the second message comes by its tag.
    if rank < 2:
        x, y = aino.full((300_000,), float(rank)), aino.zeros(300_000)
        works = dist.batch_isend_irecv([
            dist.P2POp(dist.isend, x, 1 - rank), dist.P2POp(dist.irecv, y, 1 - rank),
        ])  # fmt: skip
        small = dist.isend(aino.tensor([7.0]), 1 - rank, tag=9)
        x.zero_()  # it is sent as it was
        z = aino.zeros(1)
        assert dist.recv(z, 1 - rank, tag=9) == 1 - rank
        for work in [*works, small]:
            work.wait()
        assert z.item() == 7
        assert (y == 1 - rank).all()
    dist.barrier()
    # From anybody.
    if rank == 0:
        seen = set()
        for _ in range(count - 1):
            x = aino.zeros(1)
            source = dist.recv(x)
            assert x.item() == source
            seen.add(source)
        assert seen == set(range(1, count))
    else:
        dist.send(aino.tensor([float(rank)]), 0)
    raises(ValueError, "destination rank", dist.send, aino.ones(1), rank)
    raises(ValueError, "Invalid source rank", dist.recv, aino.ones(1), rank)


@check
def messages_that_do_not_fit(rank, count):
    if count == 1:
        return
    forms = [((4,), "float32"), ((2,), "float32"), ((3,), "int32"), ((3, 1), "float32")]
    for shape, dtype in forms:
        if rank == 0:
            dist.send(aino.from_numpy(np.ones(shape, dtype)), 1)
        elif rank == 1:
            x = aino.zeros(3)
            raises(ValueError, f"sent is {dtype} {shape}", dist.recv, x, 0)
            assert not x.any()
    dist.barrier()


@check
def objects_of_any_length(rank, count):
    mine = {"rank": rank, "text": "ä" * 50 * rank, "tensor": aino.ones(rank)}
    every = [None] * count
    dist.all_gather_object(every, mine)
    assert [item["rank"] for item in every] == list(range(count))
    assert [item["tensor"].shape[0] for item in every] == list(range(count))
    last = count - 1
    found = [None] * count if rank == last else None
    dist.gather_object(mine["text"], found, last)
    assert found is None or found == ["ä" * 50 * r for r in range(count)]
    items = ["a", 3, None] if rank == last else [None] * 3
    dist.broadcast_object_list(items, last)
    assert items == ["a", 3, None]
    out = [None]
    dist.scatter_object_list(out, [f"for {r}" for r in range(count)] if rank == 0 else None, 0)
    assert out == [f"for {rank}"]
    raises(TypeError, "object_list is a list", dist.all_gather_object, (None,) * count, 1)
    raises((TypeError, AttributeError, pickle.PicklingError), "", dist.all_gather_object,
           [None] * count, lambda: 1)  # fmt: skip
    if count > 1 and rank < 2:
        items = [1, "two"] if rank == 0 else [None, None]
        if rank == 0:
            dist.send_object_list(items, 1)
        else:
            assert dist.recv_object_list(items, 0) == 0
            assert items == [1, "two"]


@check
def groups_and_their_ranks(rank, count):
    group = dist.new_group(list(range(count)))
    assert dist.get_world_size(group) == count
    assert dist.get_rank(group) == rank
    alone = dist.new_group([count - 1])
    x = aino.ones(2) * (rank + 1)
    if rank == count - 1:
        assert dist.get_rank(alone) == 0
        assert dist.get_group_rank(alone, rank) == 0
        assert dist.get_global_rank(alone, 0) == rank
        assert dist.get_process_group_ranks(alone) == [rank]
        dist.all_reduce(x, group=alone)
        raises(ValueError, "not part of group", dist.get_group_rank, alone, count)
        raises(ValueError, "not part of group", dist.get_global_rank, alone, 1)
    else:
        assert alone == dist.GroupMember.NON_GROUP_MEMBER
        assert dist.get_rank(alone) == dist.get_world_size(alone) == -1
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert dist.all_reduce(x, group=alone) is None
        assert "does not belong to the given group" in str(told[0].message)
    same(x, np.full(2, rank + 1, np.float32))
    if count > 2:
        pair = dist.new_group([2, 0], sort_ranks=False)
        if rank in (0, 2):
            assert dist.get_rank(pair) == (0 if rank == 2 else 1)
            x = aino.tensor([float(rank)])
            dist.broadcast(x, 2, pair)
            assert x.item() == 2
            x = aino.tensor([float(rank)])
            dist.broadcast(x, group=pair, group_src=1)
            assert x.item() == 0
            raises(ValueError, "none of the group's ranks", dist.broadcast, x, 1, pair)
            dist.destroy_process_group(pair)
            raises(ValueError, "has been destroyed", dist.all_reduce, x, group=pair)
    for ranks, words in (([], "each of them once"), ([0, 0], "each of them once"),
                         ([count], "not all among")):  # fmt: skip
        raises(ValueError, words, dist.new_group, ranks)
    raises(ValueError, "all processes call new_group", dist.new_group,
           use_local_synchronization=True)  # fmt: skip


@check
def what_differs_is_told_to_all(rank, count):
    if count == 1:
        return
    last = rank == count - 1
    x, longer = aino.ones(4), aino.ones(5)
    wrong = {
        "shape": lambda: dist.all_reduce(longer if last else x),
        "as many": lambda: dist.all_reduce(x.reshape(2, 2) if last else x),
        "dtype": lambda: dist.all_reduce(x.double() if last else x),
        "op": lambda: dist.all_reduce(x, ReduceOp.MAX if last else ReduceOp.SUM),
        "root": lambda: dist.broadcast(x, 0 if last else 1),
        "length": lambda: dist.broadcast(longer if last else x, 0),
        "call": lambda: dist.barrier() if last else dist.all_reduce(x),
        "gathered": lambda: dist.all_gather(
            [aino.zeros(5 if last else 4) for _ in range(count)], longer if last else x
        ),
        "scattered": lambda: dist.scatter(
            aino.zeros(5) if last else aino.zeros(4),
            [aino.ones(4)] * count if rank == 0 else None,
            0,
        ),
        "objects": lambda: dist.barrier() if last else dist.all_gather_object([None] * count, 1),
    }
    for name, function in wrong.items():
        try:
            raises(DistError, ["do not call the same", "rank 0 ", f"rank {count - 1} "], function)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None
    assert (x == 1).all()
    assert (longer == 1).all()
    dist.all_reduce(x)
    assert (x == count).all()


@check
def who_is_late_is_named(rank, count):
    if count == 1:
        return
    last, told = count - 1, aino.zeros(1)
    if rank < last:
        raises(DistBackendError, [f"not all {count} ranks came within 0.6 s", f"rank {last} "],
               dist.monitored_barrier, timeout=timedelta(seconds=0.6))  # fmt: skip
        dist.send(told, last)
    else:
        for other in range(last):
            dist.recv(told, other)
        dist.monitored_barrier()  # the one that the others gave up


@check
def what_is_given_wrongly_is_refused(rank, count):
    x = aino.ones(2)
    raises(TypeError, "of type aino.Tensor", dist.all_reduce, [x])
    raises(TypeError, "of type aino.Tensor", dist.all_reduce, np.ones(2))
    raises(TypeError, "one of ReduceOp", dist.all_reduce, x, "sum")
    raises(ValueError, "Must specify", dist.broadcast, x)
    raises(ValueError, "none of the group's ranks", dist.broadcast, x, 99)
    raises(ValueError, "go from 0", dist.broadcast, x, group_src=-1)
    raises(ValueError, "Can't specify both", dist.broadcast, x, 0, group_src=0)
    raises(ValueError, "one for each", dist.all_gather, [x] * (count + 1), x)
    raises(ValueError, "is needed", dist.all_gather, [aino.ones(3)] * count, x)
    raises(TypeError, "list of aino.Tensor", dist.all_gather, x, x)
    raises(ValueError, "has to be", dist.all_gather_into_tensor, aino.ones(2 * count + 1), x)
    raises(ValueError, "has to be", dist.reduce_scatter_tensor, x, aino.ones(2 * count + 1))
    raises(ValueError, "whose sum", dist.all_to_all_single, x, x, [5] * count, [5] * count)
    raises(TypeError, "a group is", dist.all_reduce, x, group="all")
    raises(ValueError, "twice", dist.init_process_group)
    raises(NotImplementedError, "new_group", dist.init_device_mesh, "cpu", (2,))
    raises(NotImplementedError, "need no store", dist.TCPStore, "localhost", 1)
    readonly = np.ones(2)
    readonly.flags.writeable = False
    raises(RuntimeError, "read-only", dist.all_reduce, aino.from_numpy(readonly))


run_all()
