"""What ``DistributedDataParallel`` does with modules and gradients, and what it refuses."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import numpy as np
import pytest

import aino
from aino import distributed as dist
from aino import nn, optim
from aino.distributed.algorithms.ddp_comm_hooks import default_hooks
from aino.nn.parallel import DistributedDataParallel as DDP
from tests.distributed.ranks import (
    ROWS,
    Halves,
    apart,
    mean_over,
    problem,
    row,
    same_bits,
    share_of,
    train,
)  # fmt: skip


@row
def rank_0_gives_out_its_parameters_and_buffers(rank, world):
    aino.manual_seed(rank)
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    model[1].running_mean.fill_(float(rank))
    model[1].num_batches_tracked.fill_(rank)
    model[2].requires_grad_(False)
    DDP(model)
    assert same_bits([*model.parameters(), *model.buffers()])
    assert model[1].running_mean.sum() == 0
    aino.manual_seed(0)
    assert aino.equal(model[0].weight, nn.Linear(3, 3).weight)


@row
def what_is_not_to_be_given_out_is_left(rank, world):
    model = nn.BatchNorm1d(3)
    model.running_mean.fill_(float(rank))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        DDP(model, broadcast_buffers=False)
    assert [w.category for w in warned] == [FutureWarning]
    assert model.running_mean.tolist() == [rank] * 3
    model.weight.data.fill_(rank)
    DDP(model, init_sync=False)
    assert model.weight.tolist() == [rank] * 3


def differing(make, *words):
    def check(rank, world):
        with pytest.raises(RuntimeError) as raised:
            DDP(make(rank))
        for word in words:
            assert word in str(raised.value)

    return check


DIFFERING = {
    "shapes": (lambda r: nn.Linear(3, 2 + r), "weight (2, 3)", "weight (3, 3)", "rank 1"),
    "dtypes": (lambda r: nn.Linear(3, 2, dtype=[aino.float32, aino.float64][r % 2]), "float64"),
    "names": (lambda r: nn.ModuleDict({f"part{r}": nn.Linear(2, 2)}), "part0.weight", "part1."),
    "numbers": (lambda r: nn.Linear(3, 2, bias=r == 0), "bias", "nothing more"),
    "buffers": (lambda r: nn.BatchNorm1d(3, track_running_stats=r == 0), "buffer running_mean"),
    "frozen": (lambda r: nn.Linear(3, 2).requires_grad_(r == 0) if r == 0 else
               nn.ParameterList([nn.Parameter(aino.ones(1))]), "rank 1"),
}  # fmt: skip
for _name, (_make, *_words) in DIFFERING.items():
    ROWS[f"ranks with other {_name} are refused"] = differing(_make, *_words)


@row
def unused_parameters_are_named_at_once(rank, world):
    model = DDP(Halves())
    with pytest.raises(RuntimeError) as raised:
        model(aino.ones(1, 2), "a").sum().backward()
    assert "b.weight, b.bias, c.weight" in str(raised.value)
    assert "find_unused_parameters=True" in str(raised.value)
    assert "4 parameters" in str(raised.value)
    model.module.b.requires_grad_(False)
    model.module.c.requires_grad_(False)
    model.module.zero_grad()
    model(aino.ones(1, 2), "a").sum().backward()
    assert model.module.a.weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]


@row
def unused_parameters_may_be_found(rank, world):
    model = DDP(Halves(), find_unused_parameters=True)
    x = aino.full((1, 2), float(rank + 1))
    model(x, "a" if rank == 0 else "b").sum().backward()
    half = model.module
    assert half.c.weight.grad is None
    first = float(np.float32(1) / np.float32(world))
    assert half.a.weight.grad.tolist() == [[first] * 2] * 2
    others = float(np.float32(sum(range(2, world + 1))) / np.float32(world))
    assert half.b.weight.grad.tolist() == [[others] * 2] * 2
    # What nobody uses now keeps what it has.
    model(x, "c").sum().backward()
    assert half.a.weight.grad.tolist() == [[first] * 2] * 2
    assert half.c.bias.grad.tolist() == [1.0, 1.0]


@row
def gradients_add_up(rank, world):
    model = DDP(nn.Linear(2, 1, bias=False))
    weight = model.module.weight
    x = aino.full((1, 2), rank + 1.0)
    for times in (1, 2, 3):
        model(x).sum().backward()
        assert weight.grad.tolist() == [[times * mean_over(world)] * 2]
    kept = weight.grad
    loss = model(x).sum()
    loss.backward(retain_graph=True)
    loss.backward()  # a second pass is averaged, too
    assert weight.grad.tolist() == [[5 * mean_over(world)] * 2]
    assert weight.grad is kept
    optim.SGD(model.parameters(), lr=1).zero_grad(set_to_none=False)
    model(x).sum().backward()
    assert kept.tolist() == [[mean_over(world)] * 2]


@row
def no_sync_leaves_gradients_to_the_next_pass(rank, world):
    for compiled in (False, True):
        model = DDP(nn.Linear(2, 1, bias=False))
        weight = model.module.weight
        x = aino.full((1, 2), rank + 1.0)

        def accumulate(x, model=model):
            model(x).sum().backward()

        step = aino.compile(accumulate, fullgraph=True) if compiled else accumulate
        for _ in range(4):
            weight.grad = None
            with model.no_sync():
                step(x)
                assert weight.grad.tolist() == [[rank + 1.0] * 2]
                step(x)
                assert weight.grad.tolist() == [[2 * (rank + 1.0)] * 2]
            step(x)
            assert weight.grad.tolist() == [[3 * mean_over(world)] * 2], (compiled, weight.grad)


@row
def the_module_itself_is_not_averaged(rank, world):
    model = DDP(nn.Linear(2, 1, bias=False))
    model.module(aino.full((1, 2), rank + 1.0)).sum().backward()
    assert model.module.weight.grad.tolist() == [[rank + 1.0] * 2]


@row
def a_forward_pass_in_no_grad_changes_nothing(rank, world):
    model = DDP(nn.Linear(2, 1, bias=False))
    x = aino.full((1, 2), rank + 1.0)
    out = model(x)
    with aino.no_grad():
        model(x)
    out.sum().backward()
    assert model.module.weight.grad.tolist() == [[mean_over(world)] * 2]


@row
def a_gradient_penalty_is_right(rank, world):
    aino.manual_seed(5)
    whole = aino.randn(4 * world, 3).double()

    def penalty(model, x):
        x = x.clone().requires_grad_()
        (slope,) = aino.autograd.grad(model(x).sum(), x, create_graph=True)
        return (slope**2).sum(1).mean() + model(x).mean()

    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    one = copy.deepcopy(model)
    penalty(one, whole).backward()
    ddp = DDP(model)
    penalty(ddp, whole[share_of(rank)]).backward()
    for a, b in zip(one.parameters(), model.parameters()):
        assert np.abs(a.grad.numpy() - b.grad.numpy()).max() < 1e-12


@row
def gradients_with_a_history_are_refused(rank, world):
    model = DDP(nn.Linear(2, 1))
    with pytest.raises(RuntimeError) as raised:
        (model(aino.ones(1, 2)) ** 2).sum().backward(create_graph=True)
    assert "create_graph" in str(raised.value)
    model.zero_grad()
    model(aino.full((1, 2), rank + 1.0)).sum().backward()
    assert model.module.weight.grad.tolist() == [[mean_over(world)] * 2]


@row
def parameters_that_are_frozen_or_thawed_later(rank, world):
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    model[1].requires_grad_(False)
    ddp = DDP(model)
    x = aino.full((1, 2), rank + 1.0)
    ddp(x).sum().backward()
    assert model[1].weight.grad is None
    model[1].requires_grad_(True)
    model[0].requires_grad_(False)
    ddp.zero_grad()
    ddp(x).sum().backward()
    assert same_bits([model[1].weight.grad])
    assert model[0].weight.grad is None


@row
def a_module_that_changes_is_refused(rank, world):
    ddp = DDP(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)))
    ddp.module[1] = nn.Linear(2, 1)
    with pytest.raises(RuntimeError) as raised:
        ddp(aino.ones(1, 2))
    assert "1.weight" in str(raised.value)


@row
def gradients_as_views_of_the_bucket(rank, world):
    model, batches, loss = problem("large", world, 10)
    one = copy.deepcopy(model)
    train(one, batches, loss)
    ddp = DDP(model, gradient_as_bucket_view=True, bucket_cap_mb=0.001)
    train(ddp, batches, loss, share_of(rank))
    assert apart(one, model) < 1e-12
    assert same_bits(model.parameters())


@row
def dtypes_travel_apart(rank, world):
    model = nn.ModuleList(
        [nn.Linear(2, 1, bias=False, dtype=d) for d in (aino.float32, aino.float64, aino.float16)]
    )
    model.append(nn.Linear(2, 1, bias=False, dtype=aino.complex64))

    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = model

        def forward(self, x):
            return sum(part(x.to(part.weight.dtype)).sum().abs().double() for part in self.parts)

    for part in model:
        part.weight.data.fill_(1)
    ddp = DDP(Sum())
    ddp(aino.full((1, 2), rank + 1.0)).backward()
    for part in model:
        assert part.weight.grad.dtype == part.weight.dtype
        assert part.weight.grad.tolist() == [[mean_over(world)] * 2]


@row
def buffers_are_those_of_rank_0(rank, world):
    model = DDP(nn.BatchNorm1d(2))
    model.module.running_mean.fill_(float(rank))
    model.eval()
    model(aino.ones(2, 2))
    assert model.module.running_mean.tolist() == [0.0, 0.0]
    model = DDP(nn.BatchNorm1d(2), forward_sync_buffers=False)
    model.module.running_mean.fill_(float(rank))
    model.eval()
    model(aino.ones(2, 2))
    assert model.module.running_mean.tolist() == [rank] * 2


@row
def copies_average_too(rank, world):
    model = DDP(nn.Linear(2, 1, bias=False))
    x = aino.full((1, 2), rank + 1.0)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other(x).sum().backward()
        assert other.module.weight.grad.tolist() == [[mean_over(world)] * 2]
        assert model.module.weight.grad is None
        assert list(other.state_dict()) == ["module.weight"]
    other.load_state_dict(model.state_dict())


@row
def what_is_saved_is_the_module(rank, world):
    model = DDP(nn.Linear(2, 1))
    with pytest.raises(ValueError) as raised:
        aino.save(model, io.BytesIO())
    assert "ddp.module" in str(raised.value)
    file = io.BytesIO()
    aino.save(model.module, file)
    file.seek(0)
    assert aino.equal(aino.load(file).weight, model.module.weight)
    file = io.BytesIO()
    aino.save(model.state_dict(), file)


@row
def hooks_take_the_place_of_the_mean(rank, world):
    x = aino.full((1, 2), rank + 1.0)
    seen = []

    def largest(state, bucket):
        assert state == "state"
        assert bucket.is_last()
        assert bucket.index() == 0
        seen.extend(g.tolist() for g in bucket.gradients())
        assert [p.shape for p in bucket.parameters()] == [(1, 2)]
        dist.all_reduce(bucket.buffer(), dist.ReduceOp.MAX)
        return bucket.buffer()

    for hook, state, expected in (
        (default_hooks.allreduce_hook, None, mean_over(world)),
        (default_hooks.fp16_compress_hook, None, mean_over(world)),
        (largest, "state", float(world)),
    ):
        model = DDP(nn.Linear(2, 1, bias=False))
        model.register_comm_hook(state, hook)
        model(x).sum().backward()
        assert model.module.weight.grad.tolist() == [[expected] * 2]
        assert model.module.weight.grad.dtype == aino.float32
    assert seen == [[[rank + 1.0] * 2]]
    with pytest.raises(TypeError):
        DDP(nn.Linear(1, 1)).register_comm_hook(None, 3)
    with pytest.raises(RuntimeError):
        model.register_comm_hook(None, largest)
