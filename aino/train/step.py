"""One step of learning: the loss of a batch, its gradients, and the update of the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn.utils import clip_grad_norm_, clip_grad_value_
from aino.train.evaluation import update
from aino.train.paying import compiled_where_it_pays


def make_step(
    loss_of: Callable,
    optimizer: Any,
    *,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    between: Callable[[], None] | None = None,
    weight_of: Callable[[Any], float] | None = None,
    planned: int | None = None,
    compiling: bool | None = None,
) -> Callable:
    """Return the function that learns from one batch, given as its arguments.

    It returns what ``loss_of`` returns, cut off from its graph, and is compiled where that pays.

    Arguments:
        loss_of: returns the loss of a batch, or a tuple that begins with it.
        optimizer: what updates the parameters that it has.
        clip_norm: the length that all gradients together may have.
        clip_value: the number that no gradient's element may exceed.
        accumulate: from how many batches gradients are gathered before each update.
        between: is called when gradients are there, before they are clipped and used.
        weight_of: how much a batch counts among those that are gathered.
        planned: how many steps there will be, as far as is known.
        compiling: True compiles from the second step on, False never.
    """
    parameters = [
        parameter for group in optimizer.param_groups for parameter in group["params"]
        if parameter.requires_grad
    ]  # fmt: skip

    def update() -> None:
        if clip_value is not None:
            clip_grad_value_(parameters, clip_value)
        if clip_norm is not None:
            clip_grad_norm_(parameters, clip_norm)
        optimizer.step()

    def step(*batch: Any) -> Any:
        optimizer.zero_grad()
        result = loss_of(*batch)
        loss_in(result).backward()
        update()
        return detached(result)

    if accumulate == 1 and between is None:
        return compiled_where_it_pays(step, planned, "training_step", compiling)
    return GatheringStep(
        loss_of, optimizer, parameters, update, accumulate, between, weight_of, planned, compiling
    )


class GatheringStep:
    """A step in two parts: gradients are gathered from batches, and then used.

    Each batch counts by its weight, so that the update is that of all of them as one batch.
    """

    def __init__(
        self, loss_of: Callable, optimizer: Any, parameters: Sequence[Any], update: Callable,
        accumulate: int, between: Callable | None, weight_of: Callable | None,
        planned: int | None, compiling: bool | None,
    ) -> None:  # fmt: skip
        self.accumulate = accumulate
        self.between = between
        self.weight_of = weight_of
        self.parameters = parameters
        self._optimizer = optimizer
        #: How many batches are gathered, and what they weigh together.
        self._gathered, self._weight = 0, 0.0
        several = accumulate > 1

        def gather(*batch_and_weight: Any) -> Any:
            *batch, weight = batch_and_weight
            result = loss_of(*batch)
            loss = loss_in(result)
            (loss * weight if several else loss).backward()
            return detached(result)

        def use(scale: Any) -> None:
            if several:
                for parameter in parameters:
                    if parameter.grad is not None:
                        parameter.grad.mul_(scale)
            update()

        self._gather = compiled_where_it_pays(gather, planned, "gradients", compiling)
        updates = None if planned is None else planned // accumulate
        self._use = compiled_where_it_pays(use, updates, "update", compiling)

    def __call__(self, *batch: Any) -> Any:
        weight = 1.0 if self.weight_of is None else float(self.weight_of(batch))
        if not self._gathered:
            self._optimizer.zero_grad()
        result = self._gather(*batch, weight)
        self._gathered += 1
        self._weight += weight
        if self._gathered == self.accumulate:
            self.flush()
        return result

    def flush(self) -> None:
        """Update the parameters with what is gathered."""
        if self.between is not None:
            self.between()
        weight, self._gathered, self._weight = self._weight, 0, 0.0
        self._use(1.0 / weight)


def loss_in(result: Any) -> Any:
    """Return the loss of what a function has returned: it, or the first, or the one of the name."""
    if isinstance(result, dict):
        if "loss" not in result:
            raise ValueError(f"a step returns the 'loss' among its numbers, not {list(result)}")
        return result["loss"]
    loss = result[0] if isinstance(result, tuple) else result
    if not isinstance(loss, Tensor):
        raise TypeError(
            f"a step returns its loss, a tensor, not {type(loss).__name__}: alone, first of a "
            "tuple, or by name in a dictionary"
        )
    return loss


def detached(result: Any) -> Any:
    """Return a loss, and what goes with it, cut off from their graph."""
    if isinstance(result, tuple):
        return tuple(map(detached, result))
    if isinstance(result, dict):
        return {name: detached(value) for name, value in result.items()}
    return result.detach() if isinstance(result, Tensor) else result


class NotingStep:
    """A step that returns the loss alone, once metrics and the loop have noted the rest."""

    def __init__(self, step: Any, loop: Any, metrics: list[Any]) -> None:
        self.step = step
        self.loop = loop
        self.metrics = metrics

    def __call__(self, *batch: Any) -> Any:
        result = self.step(*batch)
        if isinstance(result, dict):
            for name, value in result.items():
                if name != "loss":
                    self.loop.record(name, value)
            return result["loss"]
        loss, outputs = result if isinstance(result, tuple) else (result, None)
        if self.metrics and math.isfinite(loss.array.item()):
            update(self.metrics, outputs, batch)
        return loss

    def flush(self) -> None:
        """Update the parameters with what is gathered."""
        self.step.flush()
