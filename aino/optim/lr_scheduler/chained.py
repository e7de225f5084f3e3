"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from aino.optim.lr_scheduler.base import LRScheduler, assign, current
from aino.optim.lr_scheduler.plateau import ReduceLROnPlateau
from aino.optim.optimizer import Optimizer


class _Several(LRScheduler):
    """What schedules of schedules share: checks, and state dicts that hold state dicts."""

    _schedulers: Sequence[LRScheduler]

    def _check_schedulers(self, optimizer: Any, schedulers: Sequence[LRScheduler]) -> None:
        title = type(self).__name__
        for position, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{title}: the scheduler at index {position} has no optimizer")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{title} does not support `ReduceLROnPlateau`, whose step() needs a metric, "
                    f"but got one at index {position}"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{title} expects all schedulers to belong to the same optimizer, but the "
                    f"one at index {position} belongs to another"
                )

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer, the schedulers as their own state dicts."""
        state = super().state_dict()
        state["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        saved = state.pop("_schedulers")
        if len(saved) != len(self._schedulers):
            raise ValueError(
                f"the state of {len(saved)} schedulers was given to {len(self._schedulers)}"
            )
        for scheduler, inner in zip(self._schedulers, saved):
            scheduler.load_state_dict(inner)
        super().load_state_dict(state)


class SequentialLR(_Several):
    """One schedule after the other: ``schedulers[i]`` up to step ``milestones[i]``.

    Arguments:
        optimizer: the optimizer of all the schedules.
        schedulers: the schedules, in their order.
        milestones: the steps at which the next one takes over.
        last_epoch: the step to go on from; -1 starts anew.

    Raises ``ValueError`` for schedulers of different optimizers, or a wrong number of milestones.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler, but got no scheduler.")
        self._check_schedulers(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR needs one milestone fewer than schedulers, but got "
                f"{len(milestones)} for {len(schedulers)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Each scheduler took its first step when it was made: take these back, and let only the
        # first one take it.
        for group in optimizer.param_groups:
            assign(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Take back the step of a scheduler, and of those that it is made of."""
        inner = self if sched is None else sched
        if isinstance(inner, _Several):
            for scheduler in inner._schedulers:
                self.recursive_undo(scheduler)
        elif hasattr(inner, "last_epoch"):
            inner.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Set the next learning rates."""
        self.last_epoch += 1
        position = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[position]
        if position > 0 and self._milestones[position - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Several):
    """All schedules at once: each changes the rates that the one before it has set.

    Arguments:
        schedulers: the schedules, in the order in which they act.
        optimizer: their optimizer, which they name themselves.

    Raises ``ValueError`` for schedulers of different optimizers.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler expects at least one scheduler, but got none")
        optimizer = optimizer or getattr(schedulers[0], "optimizer", None)
        self._check_schedulers(optimizer, schedulers)
        assert optimizer is not None
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = current(optimizer)

    def step(self) -> None:  # type: ignore[override]
        """Let every schedule set the next learning rates."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = current(self.optimizer)
