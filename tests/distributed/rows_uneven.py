"""Ranks with uneven numbers of batches, and shares of a dataset."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino import distributed as dist
from aino import nn, optim
from aino.distributed.algorithms.join import Join
from aino.nn.parallel import DistributedDataParallel as DDP
from aino.utils.data import DataLoader, DistributedSampler, TensorDataset
from tests.distributed.ranks import row, same_bits


def normalised():
    return nn.Sequential(
        nn.Linear(2, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)
    ).double()


@row
def uneven_inputs_join(rank, world):
    for by_all in (True, False):
        for sharded in (False, True):
            aino.manual_seed(1)
            module = normalised()
            model = DDP(module)
            data = aino.randn(3 + world, world, 4, 2).double()
            kind = optim.Adam
            optimizer = (
                optim.ZeroRedundancyOptimizer(model.parameters(), kind, lr=0.1)
                if sharded else kind(model.parameters(), lr=0.1)
            )  # fmt: skip
            joined = (
                Join([model, optimizer], divide_by_initial_world_size=by_all)
                if sharded else model.join(divide_by_initial_world_size=by_all)
            )  # fmt: skip
            steps = 3 + rank
            with joined:
                for i in range(steps):
                    optimizer.zero_grad()
                    model(data[i, rank]).pow(2).mean().backward()
                    optimizer.step()
            assert same_bits([*module.parameters(), *module.buffers()])
            # In one process: the mean over the ranks that have data, zeros of the others.
            aino.manual_seed(1)
            one = normalised()
            stepped = kind(one.parameters(), lr=0.1)
            for i in range(2 + world):
                active = [r for r in range(world) if i < 3 + r]
                stepped.zero_grad()
                divisor = world if by_all else len(active)
                for r in active:
                    (one(data[i, r]).pow(2).mean() / divisor).backward()
                stepped.step()
            for a, b in zip(one.parameters(), module.parameters()):
                far = np.abs(a.detach().numpy() - b.detach().numpy()).max()
                assert far < 1e-12, (by_all, sharded, far)
            model(data[0, rank]).sum().backward()  # after it all is as ever


@row
def uneven_inputs_can_be_an_error(rank, world):
    model = DDP(nn.Linear(2, 1))

    def train():
        with model.join(throw_on_early_termination=True):
            for _ in range(2 + rank):
                model(aino.ones(1, 2)).sum().backward()

    with pytest.raises(RuntimeError) as raised:
        train()
    assert ("exhausted all inputs" if rank == 0 else "at least one rank") in str(raised.value)
    with model.join(enable=False):
        model(aino.ones(1, 2)).sum().backward()


@row
def samples_are_shared_out(rank, world):
    data = TensorDataset(aino.arange(11))
    sampler = DistributedSampler(data, seed=4)
    assert (sampler.num_replicas, sampler.rank) == (world, rank)
    loader = DataLoader(data, batch_size=2, sampler=sampler)
    orders = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        mine = [int(i) for (batch,) in loader for i in batch]
        counts = aino.zeros(11, dtype=aino.int64)
        for i in mine:
            counts[i] += 1
        dist.all_reduce(counts)
        assert counts.min() == 1
        assert counts.sum() == len(sampler) * world
        orders.append(mine)
    assert orders[0] != orders[1]
