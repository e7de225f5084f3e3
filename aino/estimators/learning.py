"""How a network learns from samples that are checked and scales that are set: ``aino.train``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from aino.autograd.tensor import make
from aino.estimators import answers, templates, training
from aino.estimators.answers import sums
from aino.estimators.objective import Objective
from aino.estimators.scale_plan import ScalePlan
from aino.estimators.scaling import scaled_rows
from aino.estimators.targets import Samples, Targets, one_hot
from aino.estimators.templates import KeptStep, Template
from aino.nn.base.hooks import has_hooks
from aino.ops.random.generator import Generator
from aino.train import Callback, History, Loop
from aino.train.batches import ArrayBatches
from aino.train.callbacks import EarlyStopping
from aino.train.evaluation import asking
from aino.train.progress import progress
from aino.train.step import make_step
from aino.user_warnings import warn

#: So many lines are shown of a fit where there is no terminal.
_LINES = 10
#: A network of so many hidden layers that after so many epochs has this much of the loss that it
#: could have without inputs has learned nothing.
_DEEP, _LONG, _NOTHING = 3, 20, 0.99


class Kept(Callback):
    """Keeps the losses with the network, in the unit of the targets.

    Says so at the end where a deep network has learned nothing.

    Arguments:
        unit: what a loss of scaled targets is multiplied by.
        trivial: the loss of who says the same of all samples.
    """

    def __init__(self, unit: float, trivial: float | None) -> None:
        self.unit, self.trivial = unit, trivial
        self.loss = 0.0

    def on_epoch_end(self, loop: Any) -> None:
        self.loss = loop.history["loss"][-1]
        loop.history["loss"][-1] *= self.unit
        if len(loop.model.history) != len(loop.history):
            loop.model.history = dict(loop.history)

    def on_fit_end(self, loop: Any) -> None:
        hidden = len(loop.model.layers) - 1
        if loop.error is not None or self.trivial is None or hidden < _DEEP:
            return
        if loop.epoch >= _LONG and self.loss > _NOTHING * self.trivial:
            warn(
                f"after {loop.epoch} epochs the network says the same of all samples: nothing "
                f"comes through its {hidden} hidden layers; fewer layers, activation_type='relu' "
                "or batch_norm=True may help",
                RuntimeWarning,
            )


def trivial_loss(goal: Objective, targets: Targets) -> float | None:
    """Return the least loss of who says the same of all samples; None where nobody knows it."""
    if goal.kind == "numbers":
        return 1.0 if goal.power == 2 else None
    values = targets.values
    shares = np.bincount(values) / len(values) if values.ndim == 1 else values.mean(axis=0)
    entropies = -shares * np.log(np.maximum(shares, 1e-300))
    if goal.kind == "binary":
        others = 1.0 - shares
        return float((entropies - others * np.log(np.maximum(others, 1e-300))).mean())
    return float(entropies.sum())


class Learning:
    """One course of learning: the samples as the network takes them, and what it learns by.

    Arguments:
        network: what learns; it has its scales.
        goal: what it learns.
        plan: its scales.
        options: those of ``fit``.
        samples: what it learns from.
        held_out: what it is judged by after each epoch; None for nothing.
        size: how many samples a step looks at.
        generator: where their order is drawn from; the default generator for None.
    """

    def __init__(
        self, network: Any, goal: Objective, plan: ScalePlan, options: Any, samples: Samples,
        held_out: Samples | None, size: int, generator: Generator | None = None,
    ) -> None:  # fmt: skip
        self.network, self.goal, self.plan, self.options = network, goal, plan, options
        self.dtype = network.dtype
        arrays, size = self._arrays(samples), min(size, len(samples.X))
        self.batches = ArrayBatches(arrays, size, options.shuffle, generator)
        self.held_out = held_out
        if held_out is not None:
            self._asked = [make(array[:]) for array in self._arrays(held_out)]
        usual = options.loss is None and samples.weights is None
        trivial = trivial_loss(goal, samples.targets) if usual else None
        callbacks: list[Callback] = [Kept(plan.unit, trivial)]
        self.decay = options.weight_decay
        if options.optimizer is None:
            callbacks.append(training.Falling())
            if self.decay is None and goal.power == 2 and not plan.raw and plan.outputs is not None:
                self.decay = training.Decay.none_yet
                callbacks.insert(0, training.Decay(len(samples.X)))
        if options.patience is not None:
            callbacks.append(EarlyStopping("val_loss", patience=options.patience))
        self.loop = Loop(
            network,
            callbacks=[*callbacks, *options.callbacks, *progress(options.verbose, _LINES)],
            measure=None if held_out is None else self._measure,
            history=History(network.history),
            directions={} if held_out is None else {"val_loss": False, "val_score": True},
        )

    def _arrays(self, samples: Samples) -> list[Any]:
        """Return samples, targets and weights as the step takes them."""
        arrays = [scaled_rows(samples.X, self.plan.inputs, self.dtype),
                  self._targets(samples.targets)]  # fmt: skip
        if samples.weights is not None:
            arrays.append(samples.weights.astype(self.dtype))
        return arrays

    def _targets(self, targets: Targets) -> np.ndarray:
        """Return targets as the loss takes them."""
        values, plan = targets.values, self.plan
        if targets.kind == "classes" and self.goal.targets.ndim == 2:
            values = one_hot(targets, self.goal.targets.shape[1])
        if values.ndim == 1 or plan.raw:
            return values
        return values.astype(self.dtype) if plan.outputs is None else plan.outputs.apply(
            values, self.dtype
        )  # fmt: skip

    def run(self, optimizer: Any = None) -> None:
        """Learn; with an optimizer that remembers what it did before, where one is given."""
        network, options = self.network, self.options
        key = None if optimizer is not None else self._key()
        if key is None:
            lent: Any = nullcontext(self._template(network.layers, optimizer, options.rate))
        else:
            lent = templates.borrowed(key, network.layers, self._kept_template)
        with lent as template, np.errstate(all="ignore"):  # the loss tells what came to nothing
            if key is not None:
                training.begin_anew(template.optimizer, template.rate, options.rate, self.decay)
                steps = options.epochs * (self.batches.samples // self.batches.size)
                template.step.begin(steps)
            self.loop.optimizer = template.optimizer
            self.loop.run(template.step, self.batches, options.epochs)

    def _key(self) -> Any:
        """Return what all fits of the same step have in common; None where it is its own."""
        options, goal = self.options, self.goal
        optimizer = options.optimizer
        ours = isinstance(options.loss, str | None) and isinstance(optimizer, str | None)
        if not ours or self.plan.raw or options.callbacks or not self.network.learns_as_ours:
            return None
        structure = templates.structure_of(self.network.layers)
        if structure is None:
            return None
        return (
            structure, options.loss, goal.kind, goal.activation, goal.targets.ndim,
            optimizer and optimizer.lower(), training.kind_of_decay(self.decay),
            len(self.batches.arrays), self.batches.size,
        )  # fmt: skip

    def _kept_template(self, layers: Any) -> Template:
        """Return a template whose step is compiled once it has paid for itself."""
        template = self._template(layers, compiling=False)
        return template._replace(step=KeptStep(template.step, "the training step"))

    def _template(
        self, layers: Any, optimizer: Any = None, rate: float | None = None,
        compiling: bool | None = None,
    ) -> Template:  # fmt: skip
        """Return the step in which layers learn from a batch."""
        options, loss = self.options, self.goal.loss
        parameters = [p for p in layers.parameters() if p.requires_grad]
        if optimizer is None:
            optimizer = training.make_rule(
                options.optimizer, parameters, rate, self.decay
            ).optimizer
        scaling = self.network.output_scaling if self.plan.raw else None

        def loss_of(inputs: Any, targets: Any, weights: Any = None) -> Any:
            found = sums(layers, inputs)
            return loss(found if scaling is None else scaling(found), targets, weights)

        step = make_step(
            loss_of,
            optimizer,
            clip_norm=training.LONGEST_GRADIENT if options.optimizer is None else None,
            planned=options.epochs * len(self.batches),
            between=self.loop.listener("on_gradients"),
            # A hook of the user's may do what a program would not do again.
            compiling=False if any(map(has_hooks, layers.modules())) else compiling,
        )
        return Template(layers, optimizer, step, optimizer.defaults["lr"])

    def _measure(self) -> dict[str, float]:
        """Return loss and score of held-out samples."""
        network, held_out = self.network, self.held_out
        assert held_out is not None
        with asking(network):
            inputs, *rest = self._asked
            found = sums(network.layers, inputs)
            loss = self.goal.loss(
                network.output_scaling(found) if self.plan.raw else found, *rest
            ).item()
            outputs = answers.outputs_of(network, held_out.X)
        score = answers.score(network, outputs, held_out.targets, held_out.weights)
        return {"val_loss": loss * self.plan.unit, "val_score": score}
