"""``Trainer`` on several ranks: numbers of all of them, files of the first."""

from __future__ import annotations

import contextlib
import io

import pytest

import aino
from aino import distributed as dist
from aino import nn, optim
from aino.nn.parallel import DistributedDataParallel as DDP
from aino.train import Callback, Checkpoint, CSVLogger, Trainer
from aino.utils.data import DataLoader, DistributedSampler, TensorDataset
from tests.distributed.ranks import apart, folder, row, same_bits


def trained(rank, world, place, epochs, shared=True, resume=False, ranks=None, dropout=0.0):
    """Train on the part of this rank; return the trainer, the module, and the history."""
    aino.manual_seed(0)
    X = aino.randn(48, 6)
    data = TensorDataset(X, X.sum(1, keepdim=True))
    module = nn.Sequential(nn.Linear(6, 8), nn.Dropout(dropout), nn.Tanh(), nn.Linear(8, 1))
    aino.manual_seed(rank)
    model, sampler = module, None
    if ranks is None:
        model, sampler = DDP(module), DistributedSampler(data)
    loader = DataLoader(data, 12 // (world if ranks is None else 1), sampler is None, sampler)
    optimizer = (
        optim.ZeroRedundancyOptimizer(model.parameters(), optim.Adam, lr=0.02) if shared
        else optim.Adam(model.parameters(), lr=0.02)
    )  # fmt: skip
    trainer = Trainer(
        model, optimizer, "mse", metrics=["mae"],
        callbacks=[Checkpoint(place, every_steps=3), CSVLogger(place / "history.csv")],
    )  # fmt: skip
    history = trainer.fit(loader, epochs=epochs, validation=loader, resume=resume)
    return trainer, module, history


@row
def a_trainer_trains_on_all_ranks(rank, world):
    ends = []
    for shared in (False, True):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            _, module, history = trained(rank, world, folder() / f"trainer{shared}", 2, shared)
        assert same_bits([*module.parameters(), aino.tensor(list(history["loss"]))])
        assert same_bits([aino.tensor(list(history["val_mae"]))])
        assert history["loss"][-1] < history["loss"][0]
        assert bool(said.getvalue()) == (rank == 0)
        ends.append(module)
    assert apart(*ends) == 0
    dist.barrier()
    written = {path.name for path in (folder() / "trainerTrue").iterdir()}
    assert written == {"last.dit", "history.csv", "epoch-0002.dit"}, written
    state = aino.load(folder() / "trainerTrue" / "last.dit")
    assert list(state["model"]) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert len(state["ranks"]) == world


@row
def a_training_goes_on(rank, world):
    """Also with dropout, which draws other numbers on each rank."""
    place = folder() / "resumed"
    _, whole, history = trained(rank, world, place / "whole", 2, dropout=0.3)
    trained(rank, world, place / "parts", 1, dropout=0.3)
    dist.barrier()
    _, module, again = trained(rank, world, place / "parts", 2, resume=True, dropout=0.3)
    assert apart(whole, module) == 0
    assert again["loss"] == history["loss"]


@row
def a_training_goes_on_with_one_rank(rank, world):
    """What several ranks have saved is that of an ordinary module and optimizer, and back."""
    place = folder() / "one"
    trained(rank, world, place, 2)
    dist.barrier()
    if rank == 0:
        trained(rank, world, place, 3, shared=False, ranks=1, resume=True)
    dist.barrier()
    _, module, history = trained(rank, world, place, 4, resume=True)
    assert history.epochs == 4
    assert same_bits(module.parameters())
    assert history["loss"][-1] < history["loss"][0]
    draws = aino.rand(3)
    assert not same_bits([draws])


@row
def a_rank_that_stops_stops_all(rank, world):
    class Stop(Callback):
        def on_epoch_end(self, loop):
            if rank == 0 and loop.epoch == 2:
                loop.stop("enough")

    model = DDP(nn.Linear(2, 1))
    batches = [(aino.ones(3, 2), aino.ones(3, 1))] * 2
    trainer = Trainer(model, "sgd", "mse", callbacks=[Stop()], lr=0.1)
    assert trainer.fit(batches, epochs=9, verbose=False).epochs == 2
    with pytest.raises(ValueError) as raised:
        trainer.fit(aino.ones(3, 2), aino.ones(3, 1))
    assert "DistributedSampler" in str(raised.value)
