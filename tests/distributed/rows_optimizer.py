"""``ZeroRedundancyOptimizer`` makes the steps of the ordinary optimizer, number for number."""

from __future__ import annotations

import copy

import pytest

import aino
from aino import optim
from aino.nn.parallel import DistributedDataParallel as DDP
from tests.distributed.ranks import ROWS, apart, problem, row, same_bits, share_of, train

SHARDED = {
    "Adam": (optim.Adam, {"lr": 0.01}),
    "AdamW": (optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "SGD": (optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    "RMSprop": (optim.RMSprop, {"lr": 0.001}),
}


def sharded(name, compiled):
    def check(rank, world):
        kind, settings = SHARDED[name]
        model, batches, loss = problem("large", world, 8)
        one = copy.deepcopy(model)
        # The ordinary optimizer on the same ranks: each number has to be the same.
        train(DDP(one), batches, loss, share_of(rank), compiled,
              optimizer=kind(one.parameters(), **settings))  # fmt: skip
        optimizer = optim.ZeroRedundancyOptimizer(model.parameters(), kind, **settings)
        train(DDP(model), batches, loss, share_of(rank), compiled, optimizer=optimizer)
        assert apart(one, model) == 0.0
        assert same_bits(model.parameters())
        sizes = [
            sum(v.numel() for v in entries.values() if v.ndim)
            for entries in optimizer.state.values()
        ]
        whole = sum(p.numel() for p in model.parameters()) * (
            1 if name in ("SGD", "RMSprop") else 2
        )
        assert sum(sizes) < whole * (0.999 if world > 1 else 2), (sum(sizes), whole)

    ROWS[f"sharded {name}, {'compiled' if compiled else 'eager'}"] = check


for _name in SHARDED:
    for _compiled in (False, True):
        if _name in ("Adam", "SGD") or not _compiled:
            sharded(_name, _compiled)


@row
def sharded_groups_and_schedules(rank, world):
    for compiled in (False, True):
        ends = []
        for shared in (False, True):
            model, batches, loss = problem("large", world, 8)
            groups = [
                {"params": model[0].parameters()},
                {"params": model[2].parameters(), "lr": 0.1},
            ]
            optimizer = (
                optim.ZeroRedundancyOptimizer(groups, optim.Adam, lr=0.01)
                if shared else optim.Adam(groups, lr=0.01)
            )  # fmt: skip
            schedule = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
            ddp = DDP(model)

            def step(x, y, ddp=ddp, optimizer=optimizer, loss=loss):
                optimizer.zero_grad()
                loss(ddp(x), y).backward()
                optimizer.step()

            step = aino.compile(step, fullgraph=True) if compiled else step
            for i, (x, y) in enumerate(batches):
                if i == 5:
                    optimizer.add_param_group({"params": model[3].parameters(), "lr": 0.001})
                step(x[share_of(rank)], y[share_of(rank)])
                schedule.step() if i < 5 else None
            assert same_bits(model.parameters())
            assert optimizer.param_groups[1]["lr"] == 0.1 * 0.5**2
            ends.append(model)
        assert apart(*ends) == 0.0


@row
def sharded_state_is_brought_together(rank, world):
    model, batches, loss = problem("mlp", world, 10)
    one = copy.deepcopy(model)
    plain = optim.Adam(one.parameters(), lr=0.01)
    train(DDP(one), batches, loss, share_of(rank), optimizer=plain)
    optimizer = optim.ZeroRedundancyOptimizer(model.parameters(), optim.Adam, lr=0.01)
    train(DDP(model), batches, loss, share_of(rank), optimizer=optimizer)
    last = world - 1
    optimizer.consolidate_state_dict(to=last)
    if rank == last:
        found, expected = optimizer.state_dict(), plain.state_dict()
        assert found["param_groups"] == expected["param_groups"]
        assert list(found["state"]) == list(expected["state"])
        for key, entries in expected["state"].items():
            for name, value in entries.items():
                assert aino.equal(found["state"][key][name], value), (key, name)
    else:
        with pytest.raises(RuntimeError) as raised:
            optimizer.state_dict()
        assert "consolidate_state_dict" in str(raised.value)
    # An ordinary optimizer's state is loaded, each rank keeps its part; training goes on alike.
    again = optim.ZeroRedundancyOptimizer(model.parameters(), optim.Adam, lr=0.5)
    again.load_state_dict(plain.state_dict())
    assert again.param_groups[0]["lr"] == 0.01
    assert world == 1 or len(again.state) < len(plain.state)
    more = batches[:5]
    train(DDP(one), more, loss, share_of(rank), optimizer=plain)
    train(DDP(model), more, loss, share_of(rank), optimizer=again)
    assert apart(one, model) == 0.0
