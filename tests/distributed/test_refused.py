"""What training on several ranks refuses, in words, in one process; and what is not there."""

from __future__ import annotations

import copy
from importlib import import_module

import pytest

import aino
from aino import distributed as dist
from aino import nn, optim
from aino.nn.parallel import DistributedDataParallel as DDP
from aino.optim import ZeroRedundancyOptimizer
from aino.utils.data import DistributedSampler


def linear():
    return nn.Linear(2, 1)


def weights():
    return [aino.ones(2, requires_grad=True)]


REFUSED = {
    "device_ids": (lambda: DDP(linear(), device_ids=[0]), RuntimeError, "no accelerators"),
    "output_device": (lambda: DDP(linear(), output_device=0), RuntimeError, "no accelerators"),
    "mixed_precision": (lambda: DDP(linear(), mixed_precision=1), NotImplementedError, "mixed_pre"),
    "device_mesh": (lambda: DDP(linear(), device_mesh=1), NotImplementedError, "device_mesh"),
    "delayed": (lambda: DDP(linear(), param_to_hook_all_reduce=1), NotImplementedError, "hook_all"),
    "no bucket": (lambda: DDP(linear(), bucket_cap_mb=0), ValueError, "bucket_cap_mb"),
    "no module": (lambda: DDP(weights()), TypeError, "an nn.Module, not list"),
    "all frozen": (lambda: DDP(linear().requires_grad_(False)), RuntimeError, "not needed"),
    "no parameters": (lambda: DDP(nn.Tanh()), RuntimeError, "not needed"),
    "lazy": (lambda: DDP(nn.LazyLinear(2)), RuntimeError, "dummy forward pass"),
    "no class": (lambda: ZeroRedundancyOptimizer(weights(), "adam"), TypeError, "optimizer_class"),
    "no optimizer": (lambda: ZeroRedundancyOptimizer(weights(), dict), TypeError, "optimizer_cl"),
    "LBFGS": (lambda: ZeroRedundancyOptimizer(weights(), optim.LBFGS), TypeError, "LBFGS can't"),
    "twice": (
        lambda: ZeroRedundancyOptimizer(weights(), ZeroRedundancyOptimizer), TypeError, "already",
    ),
    "overlap": (
        lambda: ZeroRedundancyOptimizer(weights(), optim.Adam, overlap_with_ddp=True),
        NotImplementedError, "overlap_with_ddp",
    ),
    "a setting": (
        lambda: ZeroRedundancyOptimizer(weights(), optim.Adam, lr=-1), ValueError, "learning rate",
    ),
    "a group of another device": (
        lambda: dist.new_group(device_id="cuda:0"), RuntimeError, "computes on the CPU",
    ),
    "options of another backend": (
        lambda: dist.new_group(pg_options=object()), ValueError, "other backends",
    ),
    "a copy": (
        lambda: copy.deepcopy(ZeroRedundancyOptimizer(weights(), optim.SGD)),
        RuntimeError, "state_dict",
    ),
}  # fmt: skip


@pytest.fixture
def one_rank():
    dist.init_process_group()
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_words(case, one_rank):
    call, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: DDP(linear()),
        lambda: ZeroRedundancyOptimizer(weights(), optim.SGD),
        lambda: DistributedSampler([1, 2]),
        lambda: DistributedSampler([1, 2], num_replicas=2),
    ],
)
def test_it_wants_a_group(call):
    with pytest.raises(ValueError, match="call init_process_group"):
        call()


def test_batches_are_normalised_without_a_group():
    x = aino.rand(4, 3)
    assert aino.equal(nn.SyncBatchNorm(3)(x), nn.BatchNorm1d(3)(x))
    with pytest.raises(ValueError, match="more than 1 value"):
        nn.SyncBatchNorm(3)(x[:1])


NOT_THERE = {
    "fsdp.FullyShardedDataParallel": "ZeroRedundancyOptimizer",
    "fsdp.fully_shard": "ZeroRedundancyOptimizer",
    "rpc.init_rpc": "send and recv",
    "rpc.rpc_sync": "send and recv",
    "pipelining.PipelineStage": "DistributedDataParallel",
    "pipelining.pipeline": "DistributedDataParallel",
    "tensor.DTensor": "scatter",
    "tensor.distribute_tensor": "scatter",
}


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_is_not_there_says_what_to_use(path):
    room, _, name = path.rpartition(".")
    thing = getattr(import_module(f"aino.distributed.{room}"), name)
    with pytest.raises(NotImplementedError, match=rf"aino.distributed.{path} .*{NOT_THERE[path]}"):
        thing(1)


def test_the_sharded_optimizer_has_pytorchs_place_too():
    room = import_module("aino.distributed.optim")
    assert room.ZeroRedundancyOptimizer is ZeroRedundancyOptimizer
