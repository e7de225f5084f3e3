"""Which learning rate is good to begin with: the loss while it grows from step to step."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from aino.nn.base.found import Found
from aino.plot import curves
from aino.train import saved_state

#: How much the loss of a step counts in the smoothed one.
_SHARE = 0.2
#: How many times the lowest loss it may be before the search ends.
_DIVERGED = 4.0


class LearningRates:
    """The losses at learning rates that grow from step to step, as ``Trainer.find_lr`` found them.

    Arguments:
        rates: the learning rates.
        losses: the loss at each of them.
    """

    def __init__(self, rates: list[float], losses: list[float]) -> None:
        self.rates, self.losses = rates, losses

    @property
    def smoothed(self) -> np.ndarray:
        """The losses as a moving average, each point of which counts as much as it is new."""
        average, weight, found = 0.0, 0.0, []
        for loss in self.losses:
            average = (1 - _SHARE) * average + _SHARE * loss
            weight = (1 - _SHARE) * weight + _SHARE
            found.append(average / weight)
        return np.array(found)

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss is half-way down to its lowest point.

        It falls well there, and is far from the rates at which it rises again. None where it falls
        at no rate.
        """
        smoothed = self.smoothed
        lowest = int(np.argmin(smoothed))
        middle = (smoothed[: lowest + 1].max() + smoothed[lowest]) / 2
        above = np.flatnonzero(smoothed[: lowest + 1] >= middle)
        return self.rates[int(above[-1])] if lowest >= 3 else None

    def plot(self, *, ax: Any = None, style: str | None = None, path: Any = None) -> Any:
        """Draw the losses over the rates with matplotlib, the suggestion marked; return the figure.

        Arguments:
            ax: axes of matplotlib to draw in; a new figure for None.
            style: "light", "dark", or None: as matplotlib, or ``ax``, is.
            path: a file to write the picture to: .svg, .pdf or .png.
        """
        return curves.draw_learning_rates(self, ax=ax, style=style, path=path)

    def __repr__(self) -> str:
        found = "none is good" if self.suggestion is None else f"suggestion {self.suggestion:.2g}"
        return f"<{len(self.rates)} learning rates: {found}>"


def find_rate(
    loop: Any, step: Callable, batches: Iterable, lowest: float, highest: float, steps: int
) -> LearningRates:
    """Return the losses of steps whose learning rate grows by one factor each.

    Model, optimizer and random generators are afterwards what they were. It ends early where the
    loss has grown beyond all measure.

    Arguments:
        loop: the model and the optimizer.
        step: learns from a batch.
        batches: what gives batches, again and again.
        lowest, highest: the first and the last rate.
        steps: how many there are.
    """
    if not 0 < lowest < highest < math.inf:
        raise ValueError(f"rates go from lowest to highest, above 0, not {lowest} to {highest}")
    if steps < 10:
        raise ValueError(f"{steps} steps are too few to see where the loss falls: 10 at least")
    optimizer = loop.optimizer
    generators = saved_state.generators(batches)
    model, before = Found(loop.model), copy.deepcopy(optimizer.state_dict())
    rates: list[float] = []
    losses: list[float] = []
    try:
        loop.model.train()
        endless = itertools.chain.from_iterable(itertools.repeat(batches))
        for rate, batch in zip(np.geomspace(lowest, highest, steps).tolist(), endless):
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = step(*batch).array.item()
            if not math.isfinite(loss) or (losses and loss > _DIVERGED * losses[0] + 1e-12):
                break
            rates.append(rate)
            losses.append(loss)
    finally:
        model.put_back()
        optimizer.load_state_dict(before)
        saved_state.set_generators(generators, batches)
    if len(rates) < 5:
        raise ValueError(
            f"the loss grew beyond all measure within {len(rates)} steps: try a lower lowest rate "
            f"than {lowest}"
        )
    return LearningRates(rates, losses)
