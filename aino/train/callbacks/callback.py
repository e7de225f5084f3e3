"""Callback: what is told of a training."""

from __future__ import annotations

from typing import Any

from aino.nn.modules.activation_names import suggestion


class Callback:
    """What is told of a training; a subclass writes the methods of the events that it listens to.

    A method called ``on_...`` that is none of them is refused when the class is made.

    Each is given the loop, which says where the training stands: ``loop.model``,
    ``loop.optimizer``, ``loop.history``, ``loop.epoch`` (how many epochs are done), ``loop.batch``,
    ``loop.steps`` and ``loop.loss``; ``loop.stop(reason)`` ends the training after this epoch.

    >>> import aino
    >>> class Halve(aino.train.Callback):
    ...     def on_epoch_end(self, loop):
    ...         for group in loop.optimizer.param_groups:
    ...             group["lr"] /= 2
    """

    #: Whether it is told after all others, because it saves what they are.
    last = False
    #: Where a model learns on several ranks: whether the first alone has it, because it shows or
    #: writes something.
    on_first_rank_alone = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        events = [name for name in vars(Callback) if name.startswith("on_")]
        for name in vars(cls):
            if name.startswith("on_") and name not in events:
                raise TypeError(f"{cls.__name__}.{name} is no event" + suggestion(name, events))

    def on_fit_start(self, loop: Any) -> None:
        """Before the first epoch of a ``fit``."""

    def on_epoch_start(self, loop: Any) -> None:
        """Before the first batch of an epoch."""

    def on_gradients(self, loop: Any) -> None:
        """When the gradients of a step are there, before they are clipped and used."""

    def on_step(self, loop: Any) -> None:
        """After each update of the parameters."""

    def on_epoch_end(self, loop: Any) -> None:
        """When an epoch is over, and its numbers stand in the history."""

    def on_fit_end(self, loop: Any) -> None:
        """At the very end, also after an error, which is ``loop.error`` then."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it; nothing, where it isn't overridden."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""


def listening(callback: Any, event: str) -> bool:
    """Tell whether a callback has a method of its own for an event."""
    return getattr(type(callback), event) is not getattr(Callback, event) or event in vars(callback)
