"""One ``fit`` of an estimator: everything is read and checked first, then it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, validate_data

from aino.estimators import arguments, objective
from aino.estimators.data import Inputs
from aino.estimators.neural_network import NeuralNetwork
from aino.estimators.scaling import Scale, input_scale, scaled_rows
from aino.estimators.scikit_learn.learning import Plan, Samples, learn
from aino.estimators.scikit_learn.modules import (
    build,
    check_outputs,
    draws,
    dtype_of,
    hidden_sizes,
)
from aino.estimators.seeding import seeded
from aino.estimators.targets import Targets
from aino.nn.modules.scaling import InputScaling, OutputScaling
from aino.ops.random.generator import Generator
from aino.train import History
from aino.train.batches import batch_size_for

#: What X may be: dense, or sparse by rows.
INPUTS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}
#: How fast weights decay where nothing else is asked for, at most, and times how many samples.
DECAY, DECAY_OF_ALL = 0.015, 5.0


class Part:
    """Samples with their targets and weights: those that are learned from, or held out."""

    def __init__(self, inputs: Inputs, targets: Targets, weights: np.ndarray | None) -> None:
        self.inputs, self.targets, self.weights = inputs, targets, weights

    def __len__(self) -> int:
        return len(self.inputs)

    def some(self, chosen: Any) -> Part:
        """Return some of the samples."""
        weights = None if self.weights is None else self.weights[chosen]
        return Part(self.inputs.some(chosen), self.targets.some(chosen), weights)


class Fit:
    """One ``fit``: ``Fit(...)`` reads and checks, ``run()`` learns and changes the estimator.

    Arguments:
        estimator: who is to learn.
        X, y, weights: the data, as they were given.
        epochs: how often to go through them.
        goes_on: from what was learned before.
        renewed: with an optimizer that remembers nothing.
    """

    def __init__(
        self, estimator: Any, X: Any, y: Any, weights: Any, *, epochs: int, goes_on: bool,
        renewed: bool,
    ) -> None:  # fmt: skip
        self.estimator, self.epochs = estimator, epochs
        solver = estimator._solver()
        self.solver = solver if renewed else solver._replace(key=None)
        self.goes_on = goes_on and hasattr(estimator, "module_")
        X, y = validate_data(estimator, X, y, multi_output=True, reset=not self.goes_on, **INPUTS)
        if weights is not None:
            weights = _check_sample_weight(weights, X, dtype=np.float64)
            weights = arguments.sample_weights(weights, X.shape[0])
        self.learned, targets, weights = estimator._read_targets(y, weights, self.goes_on)
        self.part = Part(Inputs(X, None, hasattr(X, "tocsr")), targets, weights)
        self.held_out: Part | None = None
        if weights is not None and not weights.all():
            # A sample that counts nothing is as good as none, in the scales and the batches, too.
            self.part = self.part.some(np.flatnonzero(weights))
        self.seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
        if estimator.early_stopping:
            self._hold_out()
        self._normalise_weights()
        self._make(X.dtype)
        self._find_scales()
        self._plan(renewed)

    def _hold_out(self) -> None:
        """Set samples aside that say when to stop, of each class its share."""
        targets = self.part.targets
        kept, held = train_test_split(
            np.arange(len(self.part)), test_size=self.estimator.validation_fraction,
            random_state=self.seed, stratify=targets.indices() if targets.exclusive else None,
        )  # fmt: skip
        self.part, self.held_out = self.part.some(kept), self.part.some(held)

    def _normalise_weights(self) -> None:
        """Bring weights to a mean of 1, so that rates mean what they do without weights."""
        #: How many samples it would take without weights.
        self.total = float(len(self.part))
        if self.part.weights is None:
            return
        self.total = float(self.part.weights.sum())
        if callable(self.estimator.loss):
            raise ValueError("a loss of your own knows no weights: give the name of a loss")
        mean = self.part.weights.mean()
        self.part.weights = self.part.weights / mean
        if self.held_out is not None:
            assert self.held_out.weights is not None
            self.held_out.weights = self.held_out.weights / mean

    def _make(self, dtype: np.dtype) -> None:
        """Make the module, or take that which goes on."""
        estimator, targets = self.estimator, self.part.targets
        self.outputs = (
            len(self.learned["classes_"]) if targets.kind == "classes" else targets.values.shape[1]
        )
        layers = estimator.module is None
        if self.goes_on:
            self.module = estimator.module_
            self._check_layers()
        else:
            with seeded(self.seed):
                self.module = build(estimator, self.part.inputs.features, self.outputs, dtype)
        self.dtype = dtype_of(self.module, dtype)
        self.goal = objective.choose(
            targets, self.outputs, estimator._loss(), None if layers else "linear", self.dtype
        )

    def _check_layers(self) -> None:
        """Raise where learning goes on with other layers than the parameters ask for."""
        if self.estimator.module is None and isinstance(self.module, NeuralNetwork):
            wanted = hidden_sizes(self.estimator.hidden_layer_sizes)
            known = self.module.sizes[1:-1]
            if wanted != known:
                raise ValueError(
                    f"hidden_layer_sizes are {wanted}, and learning would go on with the layers "
                    f"{known} of the last fit: warm_start=False begins anew"
                )

    def _find_scales(self) -> None:
        """Find the scales of inputs and of targets that are numbers; those of before stay."""
        estimator, part, weights = self.estimator, self.part, self.part.weights
        if self.goes_on:
            self.scales = [
                _scale_of(estimator.input_scaling_),
                _scale_of(estimator.output_scaling_),
            ]
        else:
            self.scales = [
                input_scale(part.inputs, weights) if estimator.scale_inputs else None,
                estimator._output_scale(self.goal, weights),
            ]
            if estimator.module is not None:
                first = scaled_rows(part.inputs.some(slice(0, 8)), self.scales[0], self.dtype)
                check_outputs(self.module, first[:], self.outputs, part.targets.kind)
        spread = 1.0 if self.scales[1] is None else float(self.scales[1].scale[0])
        #: What a loss of scaled numbers is times this is one of the numbers as they were given.
        self.unit = 1.0 if self.goal.raw else spread ** (self.goal.power or 0)

    def _plan(self, renewed: bool) -> None:
        estimator, samples = self.estimator, len(self.part)
        if self.solver.given is None and self.solver.weight_decay is None:
            # Against learning few samples by heart; many need no help.
            self.solver = self.solver._replace(weight_decay=min(DECAY, DECAY_OF_ALL / self.total))
        self.optimizer = None
        if self.goes_on and not renewed:
            self.optimizer = estimator._going_on(self.module, self.solver)
        if not any([p.requires_grad for p in self.module.parameters()]):
            raise ValueError("all parameters of the module are frozen: there is nothing to learn")
        size = batch_size_for(samples)
        if estimator.batch_size != "auto":
            size = min(arguments.count("batch_size", estimator.batch_size), samples)
        self.plan = Plan(
            self.epochs, size, estimator.shuffle, Generator().manual_seed(self.seed),
            arguments.callbacks_of(estimator.callbacks), estimator.n_iter_no_change, estimator.tol,
            estimator.verbose, self.unit,
        )  # fmt: skip

    def _samples(self, part: Part) -> Samples:
        """Return samples as the module takes them, and targets as the loss does."""
        values, scale = part.targets.values, self.scales[1]
        if self.goal.targets.ndim == 2 and values.ndim == 1:
            values = np.eye(self.outputs)[values]
        if scale is not None and not self.goal.raw:
            values = scale.apply(values, self.dtype)
        elif values.dtype.kind == "f" and not self.goal.raw:
            values = values.astype(self.dtype)
        weights = None if part.weights is None else part.weights.astype(self.dtype)
        return Samples(scaled_rows(part.inputs, self.scales[0], self.dtype), values, weights)

    def _loss(self) -> Any:
        """Return the loss of outputs, targets and weights."""
        loss, shape = self.goal.loss, (-1, self.outputs)
        scaling = _module_of(self.scales[1] if self.goal.raw else None, OutputScaling)

        def of_outputs(outputs: Any, targets: Any, weights: Any = None) -> Any:
            outputs = outputs.reshape(shape)  # a module may leave out the axis of a single output
            return loss(outputs if scaling is None else scaling(outputs), targets, weights)

        return of_outputs

    def _score(self, outputs: np.ndarray) -> float:
        held_out = self.held_out
        assert held_out is not None
        outputs = outputs.reshape(-1, self.outputs)
        return self.estimator._score_of(outputs, held_out.targets, held_out.weights, self.scales[1])

    def run(self) -> None:
        """Learn, and give the estimator what was learned."""
        estimator = self.estimator
        held_out = None if self.held_out is None else self._samples(self.held_out)
        with seeded(self.seed, draws(estimator)):
            history, optimizer = learn(
                self.module, self._loss(), self.solver, self.optimizer, self._samples(self.part),
                self.plan, held_out, self._score,
            )  # fmt: skip
        for name, value in self.learned.items():
            setattr(estimator, name, value)
        if not self.goes_on:
            estimator.history_ = History()
            estimator.module_, estimator.n_outputs_ = self.module, self.outputs
            estimator.input_scaling_ = _module_of(self.scales[0], InputScaling)
            estimator.output_scaling_ = _module_of(self.scales[1], OutputScaling)
            if isinstance(self.module, NeuralNetwork):
                self._complete(self.module)
        for epoch in range(history.epochs):
            estimator.history_.add({name: column[epoch] for name, column in history.items()})
        estimator.n_iter_ = history.epochs
        estimator._optimizer, estimator._optimizer_state = optimizer, None

    def _complete(self, network: NeuralNetwork) -> None:
        """Let a network of layers take raw data and give labels, without the estimator, too."""
        estimator, goal, targets = self.estimator, self.goal, self.part.targets
        network.kind, network.scores, network.flat = goal.kind, goal.scores, targets.flat
        network.layers[-1].activation = goal.activation
        network.input_scaling = estimator.input_scaling_
        network.output_scaling = estimator.output_scaling_
        classes = getattr(estimator, "classes_", None)
        if classes is not None and targets.flat:
            network.classes = classes.tolist() if classes.dtype.kind in "OU" else classes
        names = getattr(estimator, "feature_names_in_", None)
        network.feature_names = None if names is None else names.tolist()


def _scale_of(scaling: Any) -> Scale | None:
    return None if scaling is None else Scale(scaling.mean.array, scaling.scale.array)


def _module_of(scale: Scale | None, kind: Any) -> Any:
    return None if scale is None else kind(len(scale.mean), *scale)
