"""Schedule: a learning-rate scheduler that is stepped where it belongs."""

from __future__ import annotations

from typing import Any

from aino.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau
from aino.train.callbacks.callback import Callback
from aino.train.callbacks.monitored import Monitored


class Schedule(Callback):
    """Steps a learning-rate scheduler after each epoch, or after each update of the parameters.

    Arguments:
        scheduler: one of ``aino.optim.lr_scheduler``, made with the trainer's optimizer.
        every: "epoch" or "step"; None is "step" for ``OneCycleLR`` and ``CyclicLR``, whose cycles
            are counted in steps, else "epoch".
        monitor: the number that ``ReduceLROnPlateau`` looks at; None is ``val_loss``, or ``loss``
            without a validation.

    >>> import aino
    >>> model = aino.nn.Linear(2, 1)
    >>> optimizer = aino.optim.SGD(model.parameters(), lr=0.1)
    >>> schedule = aino.train.Schedule(aino.optim.lr_scheduler.StepLR(optimizer, 10))
    >>> schedule.every
    'epoch'
    """

    def __init__(
        self, scheduler: Any, every: str | None = None, *, monitor: str | None = None
    ) -> None:
        if not isinstance(scheduler, LRScheduler):
            raise TypeError(
                "a schedule takes a scheduler of aino.optim.lr_scheduler, not "
                f"{type(scheduler).__name__}"
            )
        if every is None:
            every = "step" if isinstance(scheduler, OneCycleLR | CyclicLR) else "epoch"
        if every not in ("epoch", "step"):
            raise ValueError(f'every is "epoch" or "step", not {every!r}')
        self.waits = isinstance(scheduler, ReduceLROnPlateau)
        if self.waits and every == "step":
            raise ValueError("ReduceLROnPlateau looks at the numbers of an epoch: every='epoch'")
        if monitor is not None and not self.waits:
            raise ValueError(f"a {type(scheduler).__name__} looks at no number: leave monitor out")
        self.scheduler = scheduler
        self.every = every
        self.monitored = Monitored(monitor, getattr(scheduler, "mode", "min"))

    def on_fit_start(self, loop: Any) -> None:
        if all(self.scheduler.optimizer is not own for own in loop.optimizers):
            raise ValueError(
                f"the {type(self.scheduler).__name__} was made with another optimizer than the "
                "one that learns: its learning rates would change nothing"
            )
        if self.waits:
            self.monitored.begin(loop)

    def on_step(self, loop: Any) -> None:
        if self.every == "step":
            self.scheduler.step()

    def on_epoch_end(self, loop: Any) -> None:
        if self.every == "epoch":
            step: Any = self.scheduler.step
            step(*([self.monitored.value(loop)] if self.waits else []))

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the scheduler."""
        return self.scheduler.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.scheduler.load_state_dict(state_dict)
