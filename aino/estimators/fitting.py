"""``NeuralNetwork.fit``: everything is read and checked first, then the network changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aino.errors import ShapeError
from aino.estimators import arguments, objective
from aino.estimators.data import as_inputs
from aino.estimators.learning import Learning
from aino.estimators.scale_plan import ScalePlan
from aino.estimators.seeding import seeded
from aino.estimators.targets import Samples, Targets, as_targets
from aino.estimators.training import make_rule
from aino.nn.modules.activation_names import JOINT
from aino.nn.modules.perceptron import Layer
from aino.ops.random.generator import Generator, draw
from aino.train.batches import batch_size_for

_NAMES = {
    "classes": "classes", "one-hot": "one-hot rows", "binary": "yes and no", "numbers": "numbers",
}  # fmt: skip


class Options(NamedTuple):
    """How to learn: what ``fit`` is given beside the data, checked as far as it goes alone."""

    epochs: int
    rate: float | None = None
    batch_size: int | None = None
    loss: Any = None
    optimizer: Any = None
    weight_decay: float | None = None
    validation_data: Any = None
    shuffle: bool = True
    seed: int | None = None
    verbose: bool = True
    sample_weight: Any = None
    class_weight: Any = None
    callbacks: tuple[Any, ...] = ()
    patience: int | None = None
    held_out: float = 0.1
    anew: bool = False


class Fit:
    """One ``fit`` of a network: ``Fit(...)`` checks, ``run()`` changes.

    Arguments:
        network: what learns.
        X, y: the samples and their targets, as the user gives them.
        options: how to learn.
        classes: all labels that there are, where these samples may lack some.
    """

    def __init__(
        self, network: Any, X: Any, y: Any, options: Options, classes: np.ndarray | None = None
    ) -> None:
        self.network, self.options = network, options
        objective.check_loss(options.loss)
        # Sizes that came from the data come from them anew.
        self.from_data = network.hidden is not None and (network.sizes is None or options.anew)
        self.learned = None if options.anew else network.learned
        self.begins = self.from_data or options.anew or network._is_as_drawn()
        samples = self._samples("X", X, "y", y, classes)
        targets = samples.targets
        if self.from_data:
            self.sizes = [samples.X.features, *network.hidden, _outputs_for(targets)]
            self.layers = network.layers_for(self.sizes)
        else:
            self.sizes, self.layers = network.sizes, network.layers
        if type(self.layers[-1]) is not Layer:
            raise TypeError(f"the last layer has to be a Layer, not {_name(self.layers[-1])}")
        dtype = self.layers[-1].weight.dtype
        self.goal = objective.choose(
            targets, self.sizes[-1], options.loss, network.output_activation, dtype
        )
        if self.learned is not None and self.goal.kind != self.learned.kind:
            raise ValueError(
                f"this network has learned {_NAMES[self.learned.kind]}, and these targets are "
                f"{_NAMES[self.goal.kind]}: fit(..., warm_start=False) begins anew"
            )
        self.samples = samples._replace(weights=self._weights(targets))
        self.held_out = None
        if options.validation_data is not None:
            self.held_out = self._validation(options.validation_data)
        count = len(samples.X)
        self.splits = options.patience is not None and self.held_out is None
        if self.splits:
            count = min(count - 1, count - round(options.held_out * count))
            if count < 1:
                raise ValueError(
                    f"early_stopping holds {options.held_out:.0%} of {len(samples.X)} samples out, "
                    "which leaves none: give validation_data"
                )
        self.size = options.batch_size or batch_size_for(count)
        if any([layer.norm is not None for layer in self.layers if type(layer) is Layer]):
            self.size = _without_single(min(self.size, count), count)
        parameters = [p for p in self.layers.parameters() if p.requires_grad]
        if not parameters:
            raise ValueError("all parameters are frozen: there is nothing to learn")
        arguments.check_optimizer(options.optimizer, options.rate, parameters, options.weight_decay)
        if isinstance(options.optimizer, type) or options.weight_decay is not None:
            # What it refuses, it refuses before anything changes.
            make_rule(options.optimizer, parameters, options.rate, options.weight_decay)
        self.plan = ScalePlan(network, self.layers, self.begins, samples.X, self.goal)

    def _samples(self, x_name: str, X: Any, y_name: str, y: Any, classes: Any) -> Samples:
        """Return checked samples and targets."""
        network, loss = self.network, self.options.loss
        known = None if self.from_data else network.sizes
        columns = None if self.learned is None else network.feature_names
        inputs = as_inputs(x_name, X, known and known[0], columns)
        if not len(inputs) or not inputs.features:
            raise ShapeError(f"{x_name} holds no {'features' if len(inputs) else 'samples'}")
        if network.output_activation in JOINT and loss is None:
            loss = "cross_entropy"
        targets = as_targets(
            y_name, y, len(inputs), known and known[-1], loss=loss, learned=self.learned,
            classes=classes,
        )  # fmt: skip
        return Samples(inputs, targets)

    def _validation(self, given: Any) -> Samples:
        """Return checked samples to judge by, targets read as those that are learned."""
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise ValueError("validation_data is a pair (X, y), or (X, y, sample_weight)")
        X = as_inputs("X_validation", given[0], self.sizes[0], self.samples.X.names)
        if not len(X):
            raise ShapeError("X_validation holds no samples")
        learned = self.learned or self.samples.targets.as_learned(self.goal.kind)
        targets = as_targets("y_validation", given[1], len(X), self.sizes[-1], learned=learned)
        weights = arguments.sample_weights(given[2] if len(given) == 3 else None, len(X))
        return Samples(X, targets, weights)

    def _weights(self, targets: Targets) -> np.ndarray | None:
        """Return how much each sample counts, 1 in the mean."""
        options = self.options
        weights = arguments.sample_weights(options.sample_weight, len(targets.values))
        by_class = arguments.class_weights(options.class_weight, targets)
        if by_class is not None:
            weights = by_class if weights is None else weights * by_class
        if weights is None:
            return None
        if callable(options.loss):
            raise ValueError(
                "a loss that is a function of outputs and targets knows no weights: give the name "
                "of a loss"
            )
        return weights / weights.mean()

    def run_on(self) -> None:
        """Learn with the optimizer of the call before, where there was one."""
        network, options = self.network, self.options
        optimizer = network._partial
        self._change()
        if optimizer is None:
            parameters = [p for p in network.layers.parameters() if p.requires_grad]
            optimizer = make_rule(
                options.optimizer, parameters, options.rate, options.weight_decay
            ).optimizer
        elif options.rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = options.rate
        network._partial = optimizer
        self._learn(optimizer)

    def run(self) -> None:
        """Learn."""
        self._change()
        self._learn()

    def _learn(self, optimizer: Any = None) -> None:
        options, seed = self.options, self.options.seed
        generator = None if seed is None else Generator().manual_seed(seed)
        samples, held_out = self.samples, self.held_out
        if self.splits:
            samples, held_out = split(samples, options.held_out, generator)
        learning = Learning(self.network, self.goal, self.plan, options, samples, held_out,
                            self.size, generator)  # fmt: skip
        # Layers that draw do so from the default generator, which all threads share.
        draws = any([type(layer) is not Layer or layer.dropout for layer in self.layers])
        with seeded(seed, enabled=seed is not None and draws):
            learning.run(optimizer)

    def _change(self) -> None:
        """Make the network what it is to be when learning begins."""
        network, options, targets = self.network, self.options, self.samples.targets
        if self.from_data:
            network.sizes, network.layers = self.sizes, self.layers
        if options.anew:
            network.history = {}
        if self.begins and options.seed is not None:
            network.seed = options.seed
        if self.from_data or options.anew or (self.begins and options.seed is not None):
            network._draw()
        network.kind, network.scores, network.flat = self.goal.kind, self.goal.scores, targets.flat
        if self.learned is None:
            network.classes = _kept(targets, self.goal.kind)
            network.feature_names = self.samples.X.names
        network.layers[-1].activation = self.goal.activation
        self.plan.install(network, targets)


def split(
    samples: Samples, share: float, generator: Generator | None = None
) -> tuple[Samples, Samples]:
    """Return samples without a share of them, and that share: of each class its own."""
    targets, count = samples.targets, len(samples.X)
    order = draw(generator, "permutation", (count,), np.dtype(np.int64), count)
    of_class = targets.indices()[order] if targets.exclusive else np.zeros(count, np.int64)
    chosen = np.zeros(count, bool)
    for number in np.unique(of_class):
        members = order[of_class == number]
        chosen[members[: round(share * len(members))]] = True
    if not chosen.any():
        chosen[order[0]] = True
    return samples.some(np.flatnonzero(~chosen)), samples.some(np.flatnonzero(chosen))


def _outputs_for(targets: Targets) -> int:
    """Return how many outputs a network needs for these targets."""
    if targets.kind == "classes":
        assert targets.classes is not None
        return max(2, len(targets.classes))
    return targets.values.shape[1]


def _kept(targets: Targets, kind: str) -> Any:
    """Return the labels as a file can hold them: an array of numbers, or a list of text."""
    alike = targets.kind == kind or (targets.kind == "one-hot" and kind == "binary")
    classes = targets.classes if alike else None
    return classes.tolist() if classes is not None and classes.dtype.kind == "O" else classes


def _name(module: Any) -> str:
    return type(module).__name__


def _without_single(size: int, samples: int) -> int:
    """Return a batch size that leaves no sample alone, which has no variance to be normalised by.

    Raises ``ValueError`` for one sample.
    """
    if samples < 2:
        raise ValueError("batch_norm needs two samples at least: one has no variance")
    size = max(size, 2)
    while samples % size == 1:
        size += 1
    return size
