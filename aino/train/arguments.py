"""Arguments of a trainer, checked before anything is done."""

from __future__ import annotations

import operator
from typing import Any

from aino.optim.lr_scheduler import LRScheduler
from aino.train.callbacks.callback import Callback


def checked(callbacks: Any) -> list[Callback]:
    """Return callbacks as a list; ``TypeError`` for what is none."""
    callbacks = list(callbacks)
    for callback in callbacks:
        if not isinstance(callback, Callback):
            if isinstance(callback, LRScheduler):
                raise TypeError(
                    f"a {type(callback).__name__} is no callback by itself: "
                    f"Schedule({type(callback).__name__}(...)) is"
                )
            named = callback.__name__ if isinstance(callback, type) else type(callback).__name__
            raise TypeError(
                f"callbacks are objects of aino.train.Callback, not {named}"
                + (f": give {named}(...)" if isinstance(callback, type) else "")
            )
    return callbacks


def count(name: str, value: Any) -> int:
    """Return a number of epochs, batches or samples; it is a whole number above 0."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {value!r}") from None
    if isinstance(value, bool) or number < 1:
        raise ValueError(f"{name} has to be at least 1, got {value}")
    return number
