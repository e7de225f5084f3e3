"""Several ranks with parts of a batch learn what one process learns from the whole, to 1e-12."""

from __future__ import annotations

import copy
import functools
import warnings

import numpy as np

import aino
from aino import nn, optim
from aino.nn.parallel import DistributedDataParallel as DDP
from tests.distributed.ranks import (
    ARCHITECTURES,
    Halves,
    apart,
    mean_over,
    problem,
    row,
    same_bits,
    share_of,
    train,
)  # fmt: skip


def equals_one_process(name, compiled):
    def check(rank, world):
        longest = name == "mlp" or (compiled and name in ("convolution", "batch norm"))
        steps = 50 if longest else 10
        model, batches, loss = problem(name, world, steps)
        one = copy.deepcopy(model)
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        train(one, batches, loss)
        ddp = DDP(model)
        train(ddp, batches, loss, share_of(rank), compiled)
        assert apart(one, model) < 1e-12, apart(one, model)
        assert same_bits([*model.parameters(), *model.buffers()])

    check.__name__ = f"{name}, {'compiled' if compiled else 'eager'}"
    row(check)


for _name in ARCHITECTURES:
    for _compiled in (False, True):
        equals_one_process(_name, _compiled)


# Compiled, each rank by itself


@row
def a_rank_that_can_not_be_compiled_stays_in_step(rank, world):
    """What a trace has sent, before it is given up, is not sent again."""
    model, batches, loss = problem("mlp", world, 12)
    one = copy.deepcopy(model)
    train(one, batches, loss)
    ddp = DDP(model)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    shown = []

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        value = loss(ddp(x), y)
        value.backward()
        optimizer.step()
        if rank == 0:
            shown.append(value.detach().numpy())
        return value

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for x, y in batches:
            step(x[share_of(rank)], y[share_of(rank)])
    assert len(shown) == (12 if rank == 0 else 0)
    assert bool(warned) == (rank == 0)
    assert apart(one, model) < 1e-12, apart(one, model)
    assert same_bits(model.parameters())


@row
def ranks_may_trace_at_different_calls(rank, world):
    model, batches, loss = problem("batch norm", world, 8, 6)
    one = copy.deepcopy(model)
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    ddp = DDP(model)
    optimizers = [optim.Adam(m.parameters(), lr=1e-2) for m in (one, model)]

    @functools.partial(aino.compile, fullgraph=True)
    def step(x, y, scale):
        optimizers[1].zero_grad()
        (loss(ddp(x), y) * scale).backward()
        optimizers[1].step()

    for i, (x, y) in enumerate(batches):
        # The parts change in size, at other steps on each rank; the mean is that of all.
        cuts = np.cumsum([0] + [6] * world)
        if i % 3 == 1:
            cuts[1:-1] += 2
        optimizers[0].zero_grad()
        loss(one(x), y).backward()
        optimizers[0].step()
        mine = slice(*map(int, cuts[rank : rank + 2]))
        step(x[mine], y[mine], float(len(x[mine]) * world / len(x)))
    assert apart(one, model) < 1e-12, apart(one, model)
    assert same_bits([*model.parameters(), *model.buffers()])


@row
def compiled_modules(rank, world):
    def whole(model):
        return aino.compile(DDP(model), fullgraph=True)

    def inside(model):
        return DDP(aino.compile(model, fullgraph=True))

    for wrap in (whole, inside):
        model, batches, loss = problem("batch norm", world, 5)
        one = copy.deepcopy(model)
        train(one, batches, loss)
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        ddp = wrap(model)
        optimizer = optim.Adam(model.parameters(), lr=1e-2)
        for x, y in batches:
            optimizer.zero_grad()
            loss(ddp(x[share_of(rank)]), y[share_of(rank)]).backward()
            optimizer.step()
            with aino.no_grad():  # in between it predicts
                model.eval()
                ddp(x)
                model.train()
        assert apart(one, model) < 1e-12, (wrap, apart(one, model))
        assert same_bits(model.parameters())


@row
def unused_parameters_and_a_program(rank, world):
    model = DDP(Halves(), find_unused_parameters=True)
    step = aino.compile(lambda x: model(x, "a").sum().backward())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(4):
            model.zero_grad()
            step(aino.full((1, 2), rank + 1.0))
    assert "find_unused_parameters" in str(warned[0].message)
    assert model.module.a.weight.grad.tolist() == [[mean_over(world)] * 2] * 2
    assert model.module.b.weight.grad is None
