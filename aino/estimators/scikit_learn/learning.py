"""How an estimator's module learns: on the loop of ``aino.train``, from scaled arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import make
from aino.estimators import templates, training
from aino.estimators.answers import sums
from aino.estimators.data import Inputs
from aino.estimators.neural_network import NeuralNetwork
from aino.estimators.scaling import Scale
from aino.estimators.templates import Template
from aino.train import Callback, History, Loop
from aino.train.batches import ArrayBatches
from aino.train.callbacks import EarlyStopping
from aino.train.evaluation import asking
from aino.train.progress import progress
from aino.train.step import make_step

#: How many samples are asked about at once.
AT_ONCE = 4096
#: From how many steps on it pays to look for one that other fits have left.
WORTH_SHARING = 20


class Samples(NamedTuple):
    """Inputs, targets and weights as the loss takes them; no weights: all count the same."""

    X: Any
    y: np.ndarray
    weights: np.ndarray | None = None

    @property
    def arrays(self) -> list[Any]:
        """What of them is there, in the order of a batch."""
        return [part for part in self if part is not None]


class Solver(NamedTuple):
    """What updates parameters: an optimizer's name or class (None: the default), and its numbers.

    ``key`` says what all fits have in common that may use one step; None where each has its own.
    """

    given: Any
    rate: float | None
    weight_decay: float | None
    key: Any = None

    def rule(self, parameters: list[Any]) -> training.Rule:
        """Return a new optimizer."""
        return training.make_rule(self.given, parameters, self.rate, self.weight_decay)


class Plan(NamedTuple):
    """How to learn: for so many epochs, in batches of a size, shuffled, until it stops early.

    ``unit``: what the loss of scaled numbers is times this is that of the numbers as they came.
    """

    epochs: int
    size: int
    shuffle: bool
    generator: Any
    callbacks: Iterable[Callback]
    patience: int
    tol: float
    verbose: bool
    unit: float


class InUnits(Callback):
    """Gives losses in the unit of the targets."""

    def __init__(self, unit: float) -> None:
        self.unit = unit

    def on_epoch_end(self, loop: Any) -> None:
        loop.history["loss"][-1] *= self.unit


def core(module: Any) -> Callable:
    """Return what goes from scaled inputs to the numbers that the loss compares."""
    if isinstance(module, NeuralNetwork):
        return lambda inputs: sums(module.layers, inputs)
    return module


def learn(
    module: Any, loss: Callable, solver: Solver, optimizer: Any, samples: Samples, plan: Plan,
    held_out: Samples | None, score: Callable[[np.ndarray], float],
) -> tuple[History, Any]:  # fmt: skip
    """Let a module learn; return the history of these epochs, and the optimizer to go on with.

    Arguments:
        module: what learns, and stays in eval mode afterwards.
        loss: returns the loss of outputs, targets and weights.
        solver: makes the optimizer.
        optimizer: that which went before, where learning goes on with it.
        samples: what is learned from.
        plan: how.
        held_out: samples whose loss says when to stop; None to go on to the end.
        score: returns the score of the outputs for the samples that are held out.
    """

    def measure() -> dict[str, float]:
        assert held_out is not None
        with asking(module):
            outputs = core(module)(make(held_out.X[:]))
            rest = [make(part) for part in held_out[1:] if part is not None]
            value = loss(outputs, *rest).array.item() * plan.unit
        return {"val_loss": value, "val_score": score(outputs.array)}

    watching: list[Callback] = [InUnits(plan.unit)]
    if solver.given is None:
        watching.append(training.Falling())
    if held_out is not None:
        delta = plan.tol * plan.unit
        watching.append(EarlyStopping("val_loss", patience=plan.patience, min_delta=delta))
    loop = Loop(
        module,
        callbacks=[*watching, *plan.callbacks, *progress(plan.verbose)],
        measure=None if held_out is None else measure,
        directions={} if held_out is None else {"val_loss": False, "val_score": True},
    )
    batches = ArrayBatches(samples.arrays, plan.size, plan.shuffle, plan.generator)

    def template(learner: Any, optimizer: Any = None) -> Template:
        """Return the step in which a module, or the layers of one, learn from a batch."""
        if optimizer is None:
            # A step that others use, too, has the optimizer's own rate until it is lent.
            made = solver if key is None else solver._replace(rate=None)
            optimizer = made.rule([p for p in learner.parameters() if p.requires_grad]).optimizer
        layers = isinstance(module, NeuralNetwork)

        def loss_of(inputs: Any, *rest: Any) -> Any:
            return loss(sums(learner, inputs) if layers else learner(inputs), *rest)

        step = make_step(
            loss_of, optimizer, planned=plan.epochs * len(batches),
            clip_norm=training.LONGEST_GRADIENT if solver.given is None else None,
            between=loop.listener("on_gradients"),
        )  # fmt: skip
        return Template(learner, optimizer, step, optimizer.defaults["lr"])

    key = None
    learner = module.layers if isinstance(module, NeuralNetwork) else module
    lasting = solver.key is not None and optimizer is None and not plan.callbacks
    if lasting and plan.epochs * len(batches) >= WORTH_SHARING:
        structure = templates.structure_of(learner)
        key = structure and (
            structure, solver.key, training.kind_of_decay(solver.weight_decay),
            len(samples.arrays), samples.y.ndim, plan.size,
        )  # fmt: skip
    if key is None:
        lent: Any = nullcontext(template(learner, optimizer))
    else:
        lent = templates.borrowed(key, learner, template)
    module.train()
    try:
        with lent as used, np.errstate(all="ignore"):  # the loss tells what came to nothing
            if key is not None:
                training.begin_anew(used.optimizer, used.rate, solver.rate, solver.weight_decay)
            groups = used.optimizer.param_groups
            rates = [group["lr"] for group in groups]
            loop.optimizer = used.optimizer
            history = loop.run(used.step, batches, plan.epochs)
            for group, rate in zip(groups, rates):
                group["lr"] = rate
    finally:
        module.eval()
    return history, used.optimizer if key is None else None


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
