"""A number of the history that a callback watches, and what is better of it."""

from __future__ import annotations

import math
from typing import Any

from aino.nn.modules.activation_names import suggestion


class Monitored:
    """A number of every epoch, and which of two is the better one.

    Arguments:
        name: its name in the history; None is ``val_loss`` where there is a validation, else
            ``loss``.
        mode: "min" or "max"; None is told by the name: losses fall, and metrics say it themselves.
        min_delta: by how much more than this the better one has to be better.
    """

    def __init__(self, name: str | None, mode: str | None, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max", None):
            raise ValueError(f'mode is "min" or "max", not {mode!r}')
        if not min_delta >= 0.0:
            raise ValueError(f"min_delta is 0 or more, not {min_delta!r}")
        self.given = name
        self.name = name or "loss"
        self.mode = mode
        self.min_delta = min_delta
        self._sign = 1.0

    def begin(self, loop: Any) -> None:
        """Find out what is watched; ``ValueError`` for what will not be in the history."""
        known = loop.directions
        self.name = self.given or ("val_loss" if "val_loss" in known else "loss")
        if self.name.startswith("val_") and known and self.name not in known:
            validates = any(name.startswith("val_") for name in known)
            raise ValueError(
                f"{self.name!r} is watched, and "
                + (f"not measured{suggestion(self.name, known)}" if validates else
                   "there is no validation: give fit(validation=...), or watch 'loss'")
            )  # fmt: skip
        higher = known.get(self.name, False if self.name.endswith("loss") else None)
        if self.mode is None and higher is None:
            raise ValueError(
                f'say mode="min" or mode="max": whether more or less of {self.name!r} is better is '
                "not known"
            )
        upwards = higher if self.mode is None else self.mode == "max"
        self._sign = -1.0 if upwards else 1.0

    def value(self, loop: Any) -> float:
        """Return its number of the last epoch; ``ValueError`` where there is none."""
        if self.name not in loop.history:
            raise ValueError(
                f"{self.name!r} is watched, and not measured" + suggestion(self.name, loop.history)
            )
        return loop.history[self.name][-1]

    def better(self, value: float, best: float | None) -> bool:
        """Tell whether a number is better than the best one so far; NaN never is."""
        if best is None or math.isnan(best):
            return not math.isnan(value)
        return self._sign * (best - value) > self.min_delta
