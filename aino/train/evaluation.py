"""Asking a model without changing it: its loss and metrics over batches, and its outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aino.autograd.mode import no_grad


@contextmanager
def asking(model: Any) -> Iterator[None]:
    """Have a model in eval mode, and record nothing, within a ``with`` block."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def evaluate(
    model: Any, ask: Callable, batches: Iterable, metrics: Sequence[Any], count: Callable
) -> dict[str, Any]:
    """Return the mean loss over batches, and what the metrics say.

    Arguments:
        model: the module, which is in eval mode meanwhile.
        ask: returns loss and outputs of a batch, given as its arguments.
        batches: what gives tuples.
        metrics: the metrics, which begin anew.
        count: how much the loss of a batch weighs.
    """
    totals: dict[str, float] = {}
    weight = 0.0
    for metric in metrics:
        metric.reset()
    with asking(model):
        for batch in batches:
            result = ask(*batch)
            if not isinstance(result, dict):
                loss, outputs = result if isinstance(result, tuple) else (result, None)
                result = {"loss": loss}
                if metrics and math.isfinite(loss.array.item()):
                    update(metrics, outputs, batch)
            share = count(batch)
            for name, value in result.items():
                totals[name] = totals.get(name, 0.0) + float(value) * share
            weight += share
    if not weight:
        raise ValueError("there are no batches to evaluate")
    means = {name: total / weight for name, total in totals.items()}
    return means | {metric.name: metric.compute() for metric in metrics}


def update(metrics: Sequence[Any], outputs: Any, batch: Any) -> None:
    """Have metrics take note of the outputs of a batch ``(inputs, targets)``, or with weights.

    Raises ``ValueError`` where there are no outputs, of a step that returns the loss alone.
    """
    if outputs is None:
        raise ValueError(
            "metrics need the outputs of the model: let your own step return (loss, outputs)"
        )
    for metric in metrics:
        metric.update(outputs, batch[1], batch[2] if len(batch) > 2 else None)
