"""GradientWatch: how long gradients are, and which of them is no number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.errors import GradientError
from aino.train.callbacks.callback import Callback


class GradientWatch(Callback):
    """Records the length of all gradients together, and stops at the first that is not finite.

    It looks before gradients are clipped and used. The mean over the steps of an epoch is
    ``grad_norm`` in the history. At NaN or infinity it raises ``GradientError``, which names the
    parameters, while these are what they were before the step.

    Arguments:
        record: whether the length goes into the history.
        stop: whether it raises for what is not finite.
    """

    def __init__(self, *, record: bool = True, stop: bool = True) -> None:
        self.record = record
        self.stop = stop

    def on_gradients(self, loop: Any) -> None:
        squares, spoiled = 0.0, []
        for name, parameter in loop.model.named_parameters():
            if parameter.grad is None:
                continue
            # In float64, where the square of no float32 is infinite.
            gradient = np.abs(parameter.grad.array.ravel()).astype(np.float64)
            square = np.dot(gradient, gradient).item()
            squares += square
            if not math.isfinite(square) and not np.isfinite(gradient).all():
                kind = "nan" if np.isnan(gradient).any() else "inf"
                spoiled.append(f"{name} ({kind})")
        if spoiled and self.stop:
            raise GradientError(
                f"the gradient of {', '.join(spoiled[:5])}"
                f"{' and others' if len(spoiled) > 5 else ''} is not finite in step "
                f"{loop.steps + 1} (epoch {loop.epoch + 1}); the parameters are what they were "
                "before it"
            )
        if self.record:
            loop.record("grad_norm", math.sqrt(squares) if squares == squares else math.nan)
