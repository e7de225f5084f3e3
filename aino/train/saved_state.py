"""What a training is at one moment, as what a ``.dit`` file holds, and the way back to it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.ops.random.generator import Generator, default_generator

#: What a checkpoint of a training says that it is.
FORMAT = "aino.train 1"
#: What it holds besides.
_PARTS = (
    "kinds", "model", "optimizers", "callbacks", "parts", "history", "position", "random", "order",
)  # fmt: skip


def _generators_of(batches: Any) -> list[Generator]:
    """Return the generators that the order of batches comes from, but for the default one."""
    batch_sampler = getattr(batches, "batch_sampler", None)
    owners = [
        batches, getattr(batches, "sampler", None), batch_sampler,
        getattr(batch_sampler, "sampler", None), getattr(batches, "dataset", None),
    ]  # fmt: skip
    found = [
        value for owner in owners for value in getattr(owner, "__dict__", {}).values()
        if isinstance(value, Generator)
    ]  # fmt: skip
    return list({id(generator): generator for generator in found}.values())


def generators(batches: Any) -> dict[str, Any]:
    """Return the state of every random generator: AINO's, those of the batches, NumPy's, Python's.

    A model's dropout, a loader's order and a user's augmentation draw from any of them.
    """
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    return {
        "aino": default_generator.get_state(),
        "batches": [generator.get_state() for generator in _generators_of(batches)],
        "numpy": [kind, np.array(keys), int(position), int(has_gauss), float(cached)],
        "python": [version, np.array(words, np.uint32), gauss],
    }


def set_generators(state: dict[str, Any], batches: Any) -> None:
    """Put every random generator back to where it was; ``ValueError`` for other batches."""
    own = _generators_of(batches)
    if len(own) != len(state["batches"]):
        raise ValueError(
            f"the checkpoint was made with batches of {len(state['batches'])} random generators "
            f"of their own, and these have {len(own)}: resume with a loader that is made alike"
        )
    default_generator.set_state(state["aino"])
    if "apart" in state:
        seed = int(default_generator.source.integers(1 << 53))
        default_generator.manual_seed(seed + state["apart"])
    for generator, saved in zip(own, state["batches"]):
        generator.set_state(saved)
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, keys, position, has_gauss, cached))  # noqa: NPY002
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))


def _named(callbacks: Iterable[Any]) -> dict[str, Any]:
    """Return callbacks by the names of their classes, numbered where there are several of one."""
    named: dict[str, Any] = {}
    for callback in callbacks:
        name = kind = type(callback).__name__
        number = 1
        while name in named:
            number += 1
            name = f"{kind} {number}"
        named[name] = callback
    return named


def of_loop(loop: Any) -> dict[str, Any]:
    """Return the state of a loop: the model, what updates it, who watches it, and the position."""
    if loop.batch and loop.order is None:
        raise RuntimeError(
            "the order of the batches was not remembered when this epoch began: set "
            "loop.resumable = True in on_fit_start, as Checkpoint does"
        )
    random_states = generators(loop.source)
    ranks = loop.ranks.gather({"random": random_states, "order": loop.order})
    return {
        "format": FORMAT,
        "kinds": _kinds(loop),
        **_held(loop, whole=True),
        "history": {name: np.array(column) for name, column in loop.history.items()},
        "position": {
            "epoch": loop.epoch, "batch": loop.batch, "steps": loop.steps,
            "total": loop.total, "weight": loop.weight, "stopped": loop.stopped,
            "recorded": {name: list(sums) for name, sums in loop.recorded.items()},
        },
        "random": random_states,
        "order": loop.order,
    } | ({"ranks": ranks} if len(ranks) > 1 else {})  # fmt: skip


def _kinds(loop: Any) -> list[str]:
    """Return what optimizers there are; of one that is shared out what each rank has a part of."""
    return [type(getattr(optimizer, "optim", optimizer)).__name__ for optimizer in loop.optimizers]


def _own_random(loop: Any, state: dict[str, Any]) -> tuple[Any, Any]:
    """Return the generators of this rank and its order of the batches, from those of all."""
    saved = state.get("ranks") or [{"random": state["random"], "order": state["order"]}]
    rank, count = loop.ranks.rank, loop.ranks.count
    if len(saved) != count and state["position"]["batch"]:
        raise ValueError(
            f"the checkpoint was made in the middle of an epoch on {len(saved)} ranks, which only "
            f"as many can end: this training has {count}; resume from the end of an epoch, or on "
            f"{len(saved)}"
        )
    if rank < len(saved):
        return saved[rank]["random"], saved[rank]["order"]
    # A rank that was not there draws numbers of its own.
    return saved[0]["random"] | {"apart": rank}, None


def into_loop(loop: Any, state: Any) -> dict[str, Any]:
    """Give a loop a state that ``of_loop`` returned; return that of the random generators."""
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError("this is no checkpoint of a training: Checkpoint and Trainer.save make it")
    missing = [name for name in _PARTS if name not in state]
    if missing:
        raise ValueError(f"the checkpoint is not whole: it lacks {', '.join(missing)}")
    kinds = _kinds(loop)
    if kinds != state["kinds"]:
        raise ValueError(
            f"the checkpoint is of a training with {' and '.join(state['kinds']) or 'no optimizer'}"
            f", and this one has {' and '.join(kinds) or 'none'}"
        )
    random, order = _own_random(loop, state)
    before = copy.deepcopy(_held(loop, whole=False))
    try:
        _give(loop, state)
    except BaseException:
        _give(loop, before)
        raise
    loop.history.clear()
    loop.history.update({name: column.tolist() for name, column in state["history"].items()})
    for name, value in state["position"].items():
        setattr(loop, name, value)
    loop.order = order
    return random


def _held(loop: Any, whole: bool) -> dict[str, Any]:
    """Return the states of what a loop works with.

    ``whole``: brought together on the first rank where an optimizer is shared out to several; else
    this rank's part.
    """
    return {
        "model": loop.ranks.module.state_dict(),
        "optimizers": [_optimizer_state(loop, own, whole) for own in loop.optimizers],
        "callbacks": {
            name: callback.state_dict() for name, callback in _named(loop.callbacks).items()
        },
        "parts": {name: part.state_dict() for name, part in loop.parts.items()},
    }


def _optimizer_state(loop: Any, optimizer: Any, whole: bool) -> dict[str, Any]:
    if not hasattr(optimizer, "consolidate_state_dict"):
        return optimizer.state_dict()
    if whole:
        optimizer.consolidate_state_dict()
        if loop.ranks.is_first:
            return optimizer.state_dict()
    return optimizer.optim.state_dict()


def _give(loop: Any, state: dict[str, Any]) -> None:
    """Give what a loop works with its states; a callback that has none there begins anew."""
    loop.ranks.module.load_state_dict(state["model"])
    for optimizer, saved in zip(loop.optimizers, state["optimizers"]):
        optimizer.load_state_dict(saved)
    for kind, own in (("callbacks", _named(loop.callbacks)), ("parts", loop.parts)):
        for name, part in own.items():
            if name in state[kind]:
                part.load_state_dict(state[kind][name])
