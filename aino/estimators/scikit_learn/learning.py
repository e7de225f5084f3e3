"""How an estimator's module learns: on the loop of ``aino.train``, from scaled arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import make
from aino.estimators import training
from aino.estimators.data import Inputs
from aino.estimators.neural_network import NeuralNetwork
from aino.estimators.scaling import Scale
from aino.optim.lr_scheduler import CosineAnnealingLR
from aino.train import History, Loop
from aino.train.batches import ArrayBatches
from aino.train.callbacks import EarlyStopping, Schedule
from aino.train.evaluation import asking
from aino.train.progress import progress
from aino.train.step import make_step

#: How many samples are asked about at once.
AT_ONCE = 4096


class Samples(NamedTuple):
    """Inputs, targets and weights as the loss takes them; no weights: all count the same."""

    X: Any
    y: np.ndarray
    weights: np.ndarray | None = None

    @property
    def arrays(self) -> list[Any]:
        return [part for part in self if part is not None]


class Plan(NamedTuple):
    """How to learn: for so many epochs, in batches of a size, shuffled, until it stops early."""

    epochs: int
    size: int
    shuffle: bool
    generator: Any
    callbacks: Iterable[Any]
    patience: int
    tol: float
    verbose: bool


def core(module: Any) -> Callable:
    """Return what goes from scaled inputs to the numbers that the loss compares."""
    return module.sums if isinstance(module, NeuralNetwork) else module


def learn(
    module: Any, loss: Callable, rule: training.Rule, samples: Samples, plan: Plan,
    held_out: Samples | None, score: Callable[[np.ndarray], float],
) -> History:  # fmt: skip
    """Let a module learn; return the history of these epochs.

    Arguments:
        module: what learns, and stays in eval mode afterwards.
        loss: returns the loss of outputs, targets and weights.
        rule: the optimizer, and whether its rate falls along a cosine.
        samples: what is learned from.
        plan: how.
        held_out: samples whose loss says when to stop; None to go on to the end.
        score: returns the score of the outputs for the samples that are held out.
    """
    outputs_of = core(module)

    def loss_of(inputs: Any, *rest: Any) -> Any:
        return loss(outputs_of(inputs), *rest)

    def measure() -> dict[str, float]:
        assert held_out is not None
        with asking(module):
            outputs = outputs_of(make(held_out.X[:]))
            rest = [make(part) for part in held_out[1:] if part is not None]
            value = loss(outputs, *rest).array.item()
        return {"val_loss": value, "val_score": score(outputs.array)}

    watching = list(plan.callbacks)
    if rule.falling:
        watching.append(Schedule(CosineAnnealingLR(rule.optimizer, plan.epochs)))
    if held_out is not None:
        watching.append(EarlyStopping("val_loss", patience=plan.patience, min_delta=plan.tol))
    loop = Loop(
        module, rule.optimizer, [*watching, *progress(plan.verbose)],
        measure=None if held_out is None else measure,
    )  # fmt: skip
    batches = ArrayBatches(samples.arrays, plan.size, plan.shuffle, plan.generator)
    step = make_step(
        loss_of, rule.optimizer, planned=plan.epochs * len(batches),
        clip_norm=training.LONGEST_GRADIENT if rule.falling else None,
        between=loop.listener("on_gradients"),
    )  # fmt: skip
    module.train()
    rates = [group["lr"] for group in rule.optimizer.param_groups]
    try:
        with np.errstate(all="ignore"):  # the loss tells when learning has come to nothing
            return loop.run(step, batches, plan.epochs)
    finally:
        for group, rate in zip(rule.optimizer.param_groups, rates):
            group["lr"] = rate
        module.eval()


def answers(module: Any, inputs: Inputs, scaling: Any) -> np.ndarray:
    """Return what a module gives for inputs, (samples, outputs), before any scale of targets."""
    function, parts = core(module), []
    dtype = next((p.dtype for p in module.parameters() if p.dtype.kind == "f"), inputs.rows.dtype)
    scale = None if scaling is None else Scale(scaling.mean.array, scaling.scale.array)
    with asking(module):
        for start in range(0, len(inputs), AT_ONCE):
            rows = inputs.take(slice(start, start + AT_ONCE))
            rows = rows.astype(dtype) if scale is None else scale.apply(rows, dtype)
            parts.append(function(make(rows)).array.reshape(len(rows), -1))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
