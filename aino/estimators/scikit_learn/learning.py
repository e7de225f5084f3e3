"""How an estimator's module learns from arrays: weighted and held-out samples, best weights."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.mode import no_grad
from aino.autograd.tensor import make
from aino.estimators import training
from aino.estimators.progress import Progress


class Samples(NamedTuple):
    """Inputs, targets and weights, one row a sample, as the module takes them."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None

    def some(self, chosen: np.ndarray) -> Samples:
        """Return some of the samples."""
        weights = None if self.weights is None else self.weights[chosen]
        return Samples(self.X[chosen], self.y[chosen], weights)

    def tensors(self, chosen: Any) -> list[Any]:
        """Return the tensors of some samples; of all of them for None."""
        parts = [part for part in self if part is not None]
        return [make(part if chosen is None else part.take(chosen, 0)) for part in parts]


class Stopping(NamedTuple):
    """When learning stops early: after ``patience`` epochs whose loss is not better by ``tol``."""

    held_out: Samples
    tol: float
    patience: float


def weighted(loss: Callable) -> Callable:
    """Return the mean of the samples' losses, weighted where there are weights.

    The weights have mean 1 over all samples, so that each sample counts in every batch what it
    counts altogether.
    """

    def mean(outputs: Any, targets: Any, weights: Any = None) -> Any:
        losses = loss(outputs, targets)
        if losses.ndim > 1:
            losses = losses.flatten(1).mean(1)
        return losses.mean() if weights is None else (losses * weights).mean()

    return mean


def learn(
    module: Any, loss: Callable, samples: Samples, rule: Any, epochs: int, size: int,
    shuffle: bool, rng: np.random.Generator, history: dict[str, list[float]],
    stopping: Stopping | None, verbose: bool,
) -> int:  # fmt: skip
    """Learn for so many epochs or until learning stops early; return how many there were."""
    optimizer = rule.optimizer
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def step(inputs: Any, targets: Any, weights: Any = None) -> Any:
        optimizer.zero_grad()
        value = loss(module(inputs), targets, weights)
        value.backward()
        if rule.falling:
            training.clip_grad_norm_(parameters, training.LONGEST_GRADIENT)
        optimizer.step()
        return value

    count = len(samples.X)
    steps = epochs * -(-count // size)
    run = step if steps < training.WORTH_COMPILING else training.compile(step)
    rates = [group["lr"] for group in optimizer.param_groups]
    whole = samples.tensors(None) if size >= count else None
    best, best_state, waited = math.inf, None, 0
    progress = Progress(epochs, verbose)
    module.train()
    try:
        for epoch in range(epochs):
            if rule.falling:
                share = 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))
                for group, rate in zip(optimizer.param_groups, rates):
                    group["lr"] = rate * share
            total = 0.0
            order = rng.permutation(count) if shuffle and whole is None else np.arange(count)
            for start in range(0, count, size):
                batch = whole or samples.tensors(order[start : start + size])
                taken = run if len(batch[0].array) == size else step
                total += taken(*batch).array.item() * len(batch[0].array)
            values = {"loss": total / count}
            if stopping is not None:
                values["val_loss"] = evaluate(module, loss, stopping.held_out)
                module.train()
            for name, value in values.items():
                history.setdefault(name, []).append(value)
            progress.show(epoch + 1, values)
            if not math.isfinite(values["loss"]):
                warnings.warn(
                    f"the loss is {values['loss']} after epoch {epoch + 1}: learning has come to "
                    "nothing; try a smaller learning_rate_init",
                    RuntimeWarning,
                    stacklevel=4,
                )
                return epoch + 1
            if stopping is None:
                continue
            waited = 0 if values["val_loss"] < best - stopping.tol else waited + 1
            if values["val_loss"] < best:
                best, best_state = values["val_loss"], state_of(module)
            if waited >= stopping.patience:
                return epoch + 1
        return epochs
    finally:
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate
        if best_state is not None:
            restore(module, best_state)
        for parameter in parameters:
            parameter.grad = None
        module.eval()
        progress.close()


def evaluate(module: Any, loss: Callable, samples: Samples) -> float:
    """Return the loss of samples that are not learned from."""
    module.eval()
    with no_grad():
        inputs, *rest = samples.tensors(None)
        return float(loss(module(inputs), *rest).array)


def outputs_of(module: Any, X: np.ndarray, rows: int = 4096) -> np.ndarray:
    """Return what a module says of inputs, some thousand rows at a time."""
    with no_grad():
        parts = [module(make(X[start : start + rows])).array for start in range(0, len(X), rows)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def state_of(module: Any) -> list[tuple[Any, np.ndarray]]:
    """Return the arrays of all parameters and buffers with copies of them."""
    tensors = list(module.state_dict().values())
    return [(tensor.array, tensor.array.copy()) for tensor in tensors]


def restore(module: Any, state: list[tuple[Any, np.ndarray]]) -> None:
    """Give a module the state back that ``state_of`` returned."""
    for array, values in state:
        np.copyto(array, values)
        stamp_write(array)
