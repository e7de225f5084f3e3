"""``NeuralNetwork.fit``: everything is read and checked first, then the network changes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.mode import no_grad
from aino.autograd.tensor import make
from aino.errors import ShapeError
from aino.estimators import answers, arguments, objective, training
from aino.estimators.data import Inputs, as_inputs
from aino.estimators.progress import Progress
from aino.estimators.scaling import Scale, input_scale, output_scale, scaled_rows
from aino.estimators.targets import Targets, as_targets, one_hot
from aino.nn.base.hooks import has_hooks
from aino.nn.modules.activation_names import JOINT
from aino.nn.modules.perceptron import Layer
from aino.nn.modules.scaling import InputScaling, OutputScaling
from aino.ops.random.generator import fork_rng, manual_seed

#: What float32 may lose of a column that cannot be scaled, in deviations.
_LOST = 1e-3


class Options(NamedTuple):
    """How to learn: what ``fit`` is given beside the data, checked as far as it goes alone."""

    epochs: int
    rate: float | None
    batch_size: int | None
    loss: Any
    optimizer: Any
    validation_data: Any
    shuffle: bool
    seed: int | None
    verbose: bool
    sample_weight: Any
    class_weight: Any
    anew: bool


class Samples(NamedTuple):
    """Checked samples, their targets, and how much each counts (None: all the same)."""

    X: Inputs
    targets: Targets
    weights: np.ndarray | None = None


class Fit:
    """One ``fit`` of a network: ``Fit(...)`` checks, ``run()`` changes."""

    def __init__(self, network: Any, X: Any, y: Any, options: Options) -> None:
        self.network, self.options = network, options
        objective.check_loss(options.loss)
        # Sizes that came from the data come from them anew.
        self.from_data = network.hidden is not None and (network.sizes is None or options.anew)
        self.learned = None if options.anew else network.learned
        activation = network.output_activation
        self.samples = self._samples("X", X, "y", y)
        targets = self.samples.targets
        if self.from_data:
            outputs = _outputs_for(targets)
            self.sizes = [self.samples.X.features, *network.hidden, outputs]
            layers = network.layers_for(self.sizes)
        else:
            self.sizes, layers = network.sizes, network.layers
        self.layers = layers
        if type(layers[-1]) is not Layer:
            raise TypeError(f"the last layer has to be a Layer, not {type(layers[-1]).__name__}")
        dtype = network.dtype if len(network.layers) else layers[-1].weight.dtype
        self.dtype = dtype
        goal = objective.choose(targets, self.sizes[-1], options.loss, activation, dtype)
        if self.learned is not None and goal.kind != self.learned.kind:
            raise ValueError(
                f"this network has learned {_NAMES[self.learned.kind]}, and these targets are "
                f"{_NAMES[goal.kind]}: fit(..., warm_start=False) begins anew"
            )
        self.goal = goal
        self.weights = self._weights(targets)
        if options.validation_data is None:
            self.held_out = None
        else:
            self.held_out = self._held_out(options.validation_data)
        size = training.batch_size_for(len(self.samples.X))
        if options.batch_size is not None:
            size = min(options.batch_size, len(self.samples.X))
        if any([layer.norm is not None for layer in layers if type(layer) is Layer]):
            size = _without_single(size, len(self.samples.X))
        self.size = size
        self.parameters = [p for p in layers.parameters() if p.requires_grad]
        if not self.parameters:
            raise ValueError("all parameters are frozen: there is nothing to learn")
        arguments.check_optimizer(options.optimizer, options.rate, self.parameters)
        self._plan_scales()
        self.rule = training.make_rule(options.optimizer, self.parameters, options.rate)

    # Reading

    def _samples(self, x_name: str, X: Any, y_name: str, y: Any) -> Samples:
        """Return checked samples and targets."""
        network, loss = self.network, self.options.loss
        known = None if self.from_data else network.sizes
        inputs = as_inputs(x_name, X, known and known[0])
        if not len(inputs):
            raise ShapeError(f"{x_name} holds no samples")
        if not inputs.features:
            raise ShapeError(f"{x_name} holds no features")
        if self.learned is not None:
            arguments.check_names(x_name, inputs.names, network.feature_names)
        if network.output_activation in JOINT and loss is None:
            loss = "cross_entropy"
        targets = as_targets(y_name, y, len(inputs), known and known[-1], loss=loss,
                             learned=self.learned)  # fmt: skip
        return Samples(inputs, targets)

    def _held_out(self, given: Any) -> Samples:
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise ValueError("validation_data is a pair (X, y)")
        X = as_inputs("X_validation", given[0], self.sizes[0])
        if not len(X):
            raise ShapeError("X_validation holds no samples")
        arguments.check_names("X_validation", X.names, self.samples.X.names)
        targets = self.samples.targets
        as_learned = self.learned or targets.as_learned(self.goal.kind)
        return Samples(X, as_targets("y_validation", given[1], len(X), self.sizes[-1],
                                     learned=as_learned))  # fmt: skip

    def _weights(self, targets: Targets) -> np.ndarray | None:
        """Return how much each sample counts, 1 in the mean."""
        options = self.options
        weights = arguments.sample_weights(options.sample_weight, len(self.samples.X))
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

    # Scales

    def _plan_scales(self) -> None:
        """Decide on the scales of inputs and targets; refuse what could not be learned right."""
        network, goal, X = self.network, self.goal, self.samples.X
        begins = self.from_data or self.options.anew or network._is_as_drawn()
        self.begins = begins
        self.first = self.last = None  # layers that are adapted to scales that they did not know
        if not begins and network.input_scaling is not None:
            scaling = network.input_scaling
            self.input_scale: Scale | None = Scale(scaling.mean.array, scaling.scale.array)
        else:
            self.input_scale = input_scale(X)
            if not begins:
                self.first = self._adaptable(0)
                if self.first is None:
                    self._check_digits("X", X)
                    self.input_scale = None
        self.output_scale: Scale | None = None
        if not begins and network.output_scaling is not None:
            scaling = network.output_scaling
            self.output_scale = Scale(scaling.mean.array, scaling.scale.array)
        elif goal.power is not None:
            self.output_scale = output_scale(goal.targets, goal.power > 0)
            if not begins:
                self.last = self._adaptable(-1)
                if self.last is None:
                    self.output_scale = None
        if self.output_scale is None and goal.kind == "numbers":
            self._check_digits("y", Inputs(goal.targets, None, False))
        scale = 1.0 if self.output_scale is None else float(self.output_scale.scale[0])
        # Squares and distances are those of scaled numbers in another unit; nothing else is.
        self.raw = self.output_scale is not None and (
            goal.raw or (goal.power == 0 and scale != 1.0)
        )
        self.unit = scale ** (goal.power or 0) if not self.raw else 1.0

    def _adaptable(self, place: int) -> Any:
        """Return a layer that can be adapted to a scale: it is learned, and stands once."""
        layer = self.layers[place]
        if type(layer) is not Layer or layer.bias is None:
            return None
        own = [layer.weight, layer.bias]
        others = [p for part in self.layers if part is not layer for p in part.parameters()]
        shared = {id(p) for p in others}.intersection(map(id, own))
        once = sum(part is layer for part in self.layers) == 1
        return layer if once and not shared and all(p.requires_grad for p in own) else None

    def _check_digits(self, name: str, X: Inputs) -> None:
        """Raise where the network's dtype does not hold columns that have to stay as they are."""
        mean, scale = input_scale(X)
        for _, rows in X.blocks():
            with np.errstate(over="ignore"):
                lost = np.abs(rows.astype(self.dtype) - rows.astype(np.float64)).max(axis=0)
            if not (lost <= _LOST * scale).all():
                column = int(np.flatnonzero(~(lost <= _LOST * scale))[0])
                why = (
                    f"the output activation {self.goal.activation!r} leaves no room for a scale"
                    if name == "y" and self.goal.power is None
                    else "the layer that takes it is frozen, shared, or not a Layer"
                )
                seen = f"{mean[column]:.10g} ± {scale[column]:.3g}"
                raise ValueError(
                    f"column {column} of {name} is {seen}, which {self.dtype} does not hold, and "
                    f"{why}: scale it yourself, or call network.double()"
                )

    # Changing

    def run(self) -> None:
        """Learn."""
        network, options, goal = self.network, self.options, self.goal
        if self.from_data:
            network.sizes, network.layers = self.sizes, self.layers
        if options.anew:
            network.history = {}
        if self.begins:
            if options.seed is not None:
                network.seed = options.seed
            if self.from_data or options.anew or options.seed is not None:
                network._draw()
        targets = self.samples.targets
        network.kind, network.scores = goal.kind, goal.scores
        network.flat = targets.flat
        if self.learned is None:
            network.classes = _kept(targets, goal.kind)
            network.feature_names = self.samples.X.names
        network.layers[-1].activation = goal.activation
        self._install_scales()
        # A function of the user's may do what a program would not do again.
        trusted = isinstance(options.loss, str | None) and isinstance(options.optimizer, str | None)
        trusted = trusted and not any(has_hooks(module) for module in network.modules())
        with fork_rng(enabled=options.seed is not None):
            if options.seed is not None:
                manual_seed(options.seed)
            self._learn(Progress(options.epochs, options.verbose), trusted)

    def _install_scales(self) -> None:
        network = self.network
        if self.first is not None and self.input_scale is not None:
            _write(self.first.bias, self.first.weight.array @ self.input_scale.mean)
            _write(self.first.weight, factor=self.input_scale.scale)
        if self.last is not None and self.output_scale is not None:
            mean, scale = self.output_scale
            _write(self.last.bias, -mean, 1.0 / scale)
            _write(self.last.weight, factor=1.0 / scale[:, None])
        for name, scale, kind in (
            ("input_scaling", self.input_scale, InputScaling),
            ("output_scaling", self.output_scale, OutputScaling),
        ):
            held = getattr(network, name)
            if scale is None:
                setattr(network, name, None)
            elif held is None or held.mean.array is not scale.mean:  # a new one
                options = {"dtype": self._output_dtype()} if kind is OutputScaling else {}
                setattr(network, name, kind(len(scale.mean), *scale, **options))

    def _output_dtype(self) -> Any:
        """Return the dtype that holds the targets: float64, unless y came in less."""
        given = self.samples.targets.dtype
        return np.promote_types(given, self.dtype) if given.kind == "f" else np.dtype(np.float64)

    def _loss(self) -> Callable[..., Any]:
        """Return the loss of a batch."""
        network, loss = self.network, self.goal.loss
        scaling = network.output_scaling if self.raw else None

        def loss_of(inputs: Any, targets: Any, weights: Any = None) -> Any:
            sums = network.sums(inputs)
            return loss(sums if scaling is None else scaling(sums), targets, weights)

        return loss_of

    def _targets(self, targets: Targets) -> np.ndarray:
        """Return targets as the loss takes them."""
        values = targets.values
        if targets.kind == "classes" and self.goal.targets.ndim == 2:
            values = one_hot(targets, self.sizes[-1])
        if targets.kind == "classes" and values.ndim == 1:
            return values
        if self.raw or self.output_scale is None:
            return values if self.raw else values.astype(self.dtype)
        return self.output_scale.apply(values, self.dtype)

    def _learn(self, progress: Progress, trusted: bool) -> None:
        network, options = self.network, self.options
        X = self.samples.X
        steps = options.epochs * -(-len(X) // self.size)
        loss_of = self._loss()
        step = training.make_step(loss_of, self.rule, self.parameters)
        if trusted:
            step = training.compiled(step, self.size, steps)
        arrays = [scaled_rows(X, self.input_scale, self.dtype), self._targets(self.samples.targets)]
        if self.weights is not None:
            arrays.append(self.weights.astype(self.dtype))
        before = [(module, module.training) for module in network.modules()]
        network.train()
        try:
            with np.errstate(all="ignore"):  # the loss tells when learning has come to nothing
                losses = training.run(
                    step, self.rule, arrays, options.epochs, self.size, options.shuffle
                )
                for epoch, loss in enumerate(losses, 1):
                    values = {"loss": loss * self.unit}
                    if self.held_out is not None:
                        values |= self._validate(loss_of, self.held_out)
                    for name, value in values.items():
                        network.history.setdefault(name, []).append(value)
                    progress.show(epoch, values)
                    if not math.isfinite(loss):
                        warnings.warn(
                            f"the loss is {loss} after epoch {epoch}: learning has come to "
                            "nothing; try a smaller learning rate n",
                            RuntimeWarning,
                            stacklevel=5,
                        )
                        break
        finally:
            for parameter in self.parameters:
                parameter.grad = None
            for module, mode in before:
                module.training = mode
            progress.close()

    def _validate(self, loss_of: Callable[..., Any], held_out: Samples) -> dict[str, float]:
        """Return loss and score of held-out samples, in the midst of learning."""
        network = self.network
        inputs = scaled_rows(held_out.X, self.input_scale, self.dtype)[:]
        network.eval()
        with no_grad():
            loss = loss_of(make(inputs), make(self._targets(held_out.targets))).item()
            outputs = answers.outputs_of(network, held_out.X)
        network.train()
        return {
            "val_loss": loss * self.unit,
            "val_score": answers.score(network, outputs, held_out.targets),
        }


_NAMES = {
    "classes": "classes", "one-hot": "one-hot rows", "binary": "yes and no", "numbers": "numbers",
}  # fmt: skip


def _outputs_for(targets: Targets) -> int:
    """Return how many outputs a network needs for these targets."""
    if targets.kind == "classes":
        assert targets.classes is not None
        return max(2, len(targets.classes))
    return targets.values.shape[1]


def _kept(targets: Targets, kind: str) -> Any:
    """Return the labels as a file can hold them: an array of numbers, or a list of text."""
    classes = targets.classes if targets.kind == kind else None
    if classes is None and targets.kind == "one-hot" and kind == "binary":
        classes = targets.classes
    return classes.tolist() if classes is not None and classes.dtype.kind == "O" else classes


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


def _write(parameter: Any, add: Any = 0.0, factor: Any = 1.0) -> None:
    """Let a parameter be (itself + ``add``) · ``factor``, computed in float64."""
    array = parameter.array
    np.copyto(array, (array.astype(np.float64) + add) * factor, casting="same_kind")
    stamp_write(array)
