"""NeuralNetwork: layers of perceptrons, and all that it takes to train and to ask them."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np

from aino import dit
from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor, make
from aino.dit.building import building
from aino.dit.source import file_name, is_file, text_path
from aino.errors import DitError, ShapeError
from aino.estimators import objective, training
from aino.estimators.data import Targets, as_inputs, as_targets, one_hot
from aino.estimators.progress import Progress
from aino.estimators.scaling import Scaling
from aino.nn import functional as F
from aino.nn.base.hooks import has_hooks
from aino.nn.base.module import Module
from aino.nn.modules.activation_names import check_activation
from aino.nn.modules.container import ModuleList
from aino.nn.modules.perceptron import Layer, check_dropout
from aino.ops.random.generator import draw, fork_rng, manual_seed


class NeuralNetwork(Module):
    """Layers of perceptrons, fully connected, that learn from data by themselves.

    ``layers[i][j]`` is one perceptron. Raises ``ValueError`` for an unknown activation, for sizes
    that are not positive whole numbers, and for lists of other lengths than there are hidden
    layers.

    Arguments:
        sizes: how many inputs there are, how many perceptrons in each hidden layer, how many
            outputs.
        activation_type: the activation of the hidden layers, or a list with that of each.
        output_activation: that of the outputs; where it is None the data choose it: see ``fit``.
        seed: fixes the initial weights.
        dropout: the probability that an output of a hidden layer is set to 0 while learning, or a
            list with that of each.
        batch_norm: normalise the sums of the hidden layers over the batch, or a list that says so
            of each.

    >>> import aino
    >>> model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid", seed=0)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model = model.fit(X, y, epochs=2000, n=0.5, verbose=False)
    >>> [round(p) for p in model.predict(X).tolist()]
    [0, 1, 1, 0]
    """

    records = ("history",)
    layers: ModuleList

    def __init__(
        self,
        sizes: Any,
        activation_type: str | list[str | None] | None = "tanh",
        output_activation: str | None = None,
        seed: int | None = None,
        *,
        dropout: float | list[float] = 0.0,
        batch_norm: bool | list[bool] = False,
    ) -> None:
        super().__init__()
        if isinstance(sizes, str) or not hasattr(sizes, "__iter__"):
            raise TypeError(f"sizes is a list of whole numbers, such as [2, 3, 1], not {sizes!r}")
        self.sizes = [training.count("each of the sizes", size) for size in sizes]
        if len(self.sizes) < 2:
            raise ValueError(f"sizes counts inputs and outputs at least, got {list(sizes)}")
        hidden = len(self.sizes) - 2
        activations = _each("activation_type", activation_type, hidden)
        activations = [check_activation(name) for name in activations]
        several = isinstance(activation_type, (list, tuple))
        self.activation_type: Any = activations if several else check_activation(activation_type)
        self.output_activation = output_activation
        self.dropout, self.batch_norm = dropout, batch_norm
        dropouts = [check_dropout(p) for p in _each("dropout", dropout, hidden)]
        norms = _each("batch_norm", batch_norm, hidden)
        settings = zip(
            pairwise(self.sizes), [*activations, check_activation(output_activation)],
            [*dropouts, 0.0], [*norms, False],
        )  # fmt: skip
        self.layers = ModuleList(
            Layer(*between, activation, dropout=p, batch_norm=bool(norm))
            for between, activation, p, norm in settings
        )
        #: What y was at the last ``fit``, whether it had one dimension, and whether outputs are
        #: scores that have to be turned into probabilities.
        self.kind: str | None = None
        self.flat = False
        self.scores = False
        #: The losses of all epochs so far, by name.
        self.history: dict[str, list[float]] = {}
        if seed is None and not building.active:
            seed = int(draw(None, "integers", (), np.dtype(np.int64), 0, 2**31))
        self.seed = seed
        self._draw()

    def _draw(self) -> None:
        """Draw the weights from the seed, whatever else is drawn from the default generator."""
        if building.active or self.seed is None:
            return
        with fork_rng():
            manual_seed(self.seed)
            for layer in self.layers:
                if isinstance(layer, Layer):
                    layer.reset_parameters()

    def _is_as_drawn(self) -> bool:
        """Tell whether the weights are still those that the seed gave."""
        if self.history or self.seed is None:
            return False
        drawn = NeuralNetwork(
            self.sizes, self.activation_type, self.output_activation, seed=self.seed,
            dropout=self.dropout, batch_norm=self.batch_norm,
        )  # fmt: skip
        pairs = list(zip(self.parameters(), drawn.parameters()))
        return len(pairs) == len(list(self.parameters())) == len(list(drawn.parameters())) and all(
            np.array_equal(own.array, fresh.array) for own, fresh in pairs
        )

    def forward(self, input: Any) -> Any:
        """Return the outputs (..., outputs) for inputs (..., inputs)."""
        for layer in self.layers:
            input = layer(input)
        return input

    def _sums(self, input: Any) -> Any:
        """Return the weighted sums of the last layer, before its activation."""
        *hidden, last = self.layers
        for layer in hidden:
            input = layer(input)
        return F.linear(input, last.weight, last.bias)

    # Learning

    def fit(
        self,
        X: Any,
        y: Any,
        epochs: int = 100,
        n: float | None = None,
        *,
        lr: float | None = None,
        batch_size: int | None = None,
        loss: Any = None,
        optimizer: Any = None,
        validation_data: Any = None,
        shuffle: bool = True,
        seed: int | None = None,
        verbose: bool = True,
    ) -> NeuralNetwork:
        """Learn from samples and their targets; return the network; ``history`` holds the losses.

        What is left out is chosen by y:

        - class indices (samples,), or one-hot rows: softmax, cross entropy;
        - zeros and ones, one column an output: sigmoid, binary cross entropy;
        - other numbers: linear outputs, mean squared error.

        While learning, inputs and targets are scaled to deviation 1; the first and last layer take
        that over. Whatever is wrong with the arguments raises ``ValueError`` or ``TypeError``
        before anything changes.

        Arguments:
            X: the samples (samples, inputs).
            y: their targets (samples,) or (samples, outputs).
            epochs: how often to go through all samples.
            n: the learning rate; None is the optimizer's own.
            lr: another name for ``n``.
            batch_size: samples of one step; None is all of a few samples, else 32 to 256.
            loss: "mse", "l1", "huber", "smooth_l1", "cross_entropy", "bce", or a function of
                outputs and targets.
            optimizer: "sgd", "adam", ..., a class, or an optimizer; None is stochastic gradient
                descent with Nesterov's momentum, gradients cut to length 1, and a rate that falls
                to 0 along a cosine.
            validation_data: (X, y) to evaluate after each epoch.
            shuffle: take the samples in a new order in each epoch.
            seed: fixes that order and, if the network is still as it was made, its weights.
            verbose: show the progress.
        """
        epochs = training.count("epochs", epochs)
        rate = training.learning_rate(n, lr)
        objective.check_loss(loss)
        training.check_optimizer(optimizer, rate)
        dtype = self.layers[0].weight.dtype
        X, targets = self._samples("X", X, "y", y, dtype)
        goal = objective.choose(targets, self.sizes[-1], loss, self.output_activation, dtype)
        size = training.batch_size_for(len(X))
        if batch_size is not None:
            size = min(training.count("batch_size", batch_size), len(X))
        if any([layer.norm is not None for layer in self.layers if type(layer) is Layer]):
            size = _without_single(size, len(X))
        held_out = None
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
                raise ValueError("validation_data is a pair (X, y)")
            held_out = self._samples("X_validation", validation_data[0], "y_validation",
                                     validation_data[1], dtype)  # fmt: skip
        parameters = [p for p in self.parameters() if p.requires_grad]
        if not parameters:
            raise ValueError("all parameters are frozen: there is nothing to learn")
        rule = training.make_rule(optimizer, parameters, rate)

        fresh = self._is_as_drawn()
        if fresh and seed is not None:
            self.seed = seed
            self._draw()
        self.kind, self.flat, self.scores = goal.kind, targets.flat, goal.scores
        self.layers[-1].activation = goal.activation
        first = _scalable(self.layers[0])
        last = _scalable(self.layers[-1]) if goal.power is not None else None
        scaling = Scaling(first, last, X, goal.targets)
        if not fresh:
            scaling.enter()
        # A function of the user's may do what a program would not do again.
        trusted = isinstance(loss, str | None) and isinstance(optimizer, str | None)
        trusted = trusted and not any(has_hooks(module) for module in self.modules())
        with fork_rng(enabled=seed is not None):
            if seed is not None:
                manual_seed(seed)
            self._learn(X, goal, rule, parameters, epochs, size, shuffle, held_out, scaling,
                        Progress(epochs, verbose), trusted)  # fmt: skip
        return self

    def _samples(self, x_name, X, y_name, y, dtype) -> tuple[np.ndarray, Targets]:
        """Return checked samples and targets."""
        X = as_inputs(x_name, X, self.sizes[0], dtype)
        if not len(X):
            raise ShapeError(f"{x_name} holds no samples")
        return X, as_targets(y_name, y, len(X), self.sizes[-1], dtype)

    def _learn(
        self, X, goal, rule, parameters, epochs, size, shuffle, held_out, scaling, progress,
        trusted,
    ) -> None:  # fmt: skip
        """Learn, on scaled data; afterwards the layers take raw data."""
        unit = scaling.spread ** (goal.power or 0)
        step = training.make_step(self._sums, goal.loss, rule, parameters)
        if trusted:
            step = training.compiled(step, size, epochs * -(-len(X) // size))
        inputs, targets = scaling.inputs(X), scaling.targets(goal.targets)
        before = [(module, module.training) for module in self.modules()]
        self.train()
        try:
            with np.errstate(all="ignore"):  # the loss tells when learning has come to nothing
                losses = training.run(step, rule, inputs, targets, epochs, size, shuffle)
                for epoch, loss in enumerate(losses, 1):
                    values = {"loss": loss * unit}
                    if held_out is not None:
                        values |= self._validate(held_out[0], held_out[1], goal, scaling, unit)
                    for name, value in values.items():
                        self.history.setdefault(name, []).append(value)
                    progress.show(epoch, values)
                    if not np.isfinite(loss):
                        warnings.warn(
                            f"the loss is {loss} after epoch {epoch}: learning has come to "
                            "nothing; try a smaller learning rate n",
                            RuntimeWarning,
                            stacklevel=3,
                        )
                        break
        finally:
            scaling.leave()
            for parameter in parameters:
                parameter.grad = None
            for module, mode in before:
                module.training = mode
            progress.close()

    def _validate(self, X, targets, goal, scaling, unit) -> dict[str, float]:
        """Return loss and score of held-out samples, in the midst of learning."""
        X, values = scaling.inputs(X), targets.values
        if targets.kind == "classes" and goal.targets.ndim == 2:
            values = one_hot(targets, self.sizes[-1], X.dtype)
        self.eval()
        with no_grad():
            loss = goal.loss(self._sums(make(X)), make(scaling.targets(values))).item()
            outputs = scaling.outputs(self(make(X)).array)
        self.train()
        return {"val_loss": loss * unit, "val_score": self._score(outputs, targets)}

    # Asking

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs for checked inputs, as they are after ``eval()``."""
        before = [module for module in self.modules() if module.training]
        self.eval()
        try:
            with no_grad():
                return self(make(X)).array
        finally:
            for module in before:
                module.training = True

    def _answer(self, X: Any) -> tuple[np.ndarray, Any]:
        """Return the outputs, and what turns an array into what the user gave X as."""
        inputs = as_inputs("X", X, self.sizes[0], self.layers[0].weight.dtype)
        return self._outputs(inputs), make if isinstance(X, Tensor) else np.asarray

    def predict(self, X: Any) -> Any:
        """Return the predictions for inputs (samples, inputs), in the form that y had.

        Class indices (samples,) if y was class indices; else the outputs, which are
        probabilities where y was zeros and ones, in the shape of y. A tensor for a tensor, an
        array for everything else.
        """
        outputs, wrap = self._answer(X)
        if self.kind == "classes":
            return wrap(outputs.argmax(axis=1))
        return wrap(outputs[:, 0] if self.flat and outputs.shape[1] == 1 else outputs)

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities: of each class (samples, classes), or of a one, in the shape of y.

        Raises ``ValueError`` if the network gives numbers that are no probabilities.
        """
        outputs, wrap = self._answer(X)
        activation = self.layers[-1].activation
        if self.scores:
            several = self.kind in ("classes", "one-hot")
            sums = make(outputs)
            outputs = (F.softmax(sums, -1) if several else F.sigmoid(sums)).array
        elif activation == "log_softmax":
            outputs = np.exp(outputs)
        elif activation not in ("softmax", "sigmoid", "hardsigmoid"):
            raise ValueError(
                f"the outputs of this network ({activation}) are no probabilities; predict() "
                "gives them"
            )
        return wrap(outputs[:, 0] if self.flat and outputs.shape[1] == 1 else outputs)

    def score(self, X: Any, y: Any) -> float:
        """Return the share of samples that are classified correctly; for numbers, R².

        R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)², the mean over outputs: 1 at best, 0 for always saying the
        mean.

        Arguments:
            X: the samples (samples, inputs).
            y: their targets, as ``fit`` takes them.
        """
        X, targets = self._samples("X", X, "y", y, self.layers[0].weight.dtype)
        return self._score(self._outputs(X), targets)

    def _score(self, outputs: np.ndarray, targets: Targets) -> float:
        kind = targets.kind if self.kind is None else self.kind
        values = targets.values
        if kind in ("classes", "one-hot"):
            right = values if values.ndim == 1 else values.argmax(axis=1)
            return float((outputs.argmax(axis=1) == right).mean())
        if kind == "binary":
            # Half-way between no and yes: a probability of 0.5 is a score of 0.
            middle = 0.0 if self.scores else 0.5
            return float(((outputs > middle) == (values > 0.5)).all(axis=1).mean())
        y = values.astype(np.float64)
        rest = ((y - outputs) ** 2).sum(axis=0)
        total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
        shares = np.where(total > 0, 1.0 - rest / np.where(total > 0, total, 1.0), rest == 0)
        return float(shares.mean())

    @classmethod
    def load(cls, f: Any, **options: Any) -> NeuralNetwork:
        """Return the network in a ``.dit`` file, of any version.

        Arguments:
            f: a path, or a file that is open for reading bytes.
            options: those of ``aino.load``.

        Raises ``DitError`` for a file that holds anything else.
        """
        model = dit.load(f, **options)
        if not isinstance(model, cls):
            name = file_name(f) if is_file(f) else text_path(f)
            held = "no model" if not isinstance(model, Module) else f"a {type(model).__name__}"
            raise DitError(f"{name}: holds {held}, not a {cls.__name__}; aino.load reads it")
        return model


def _each(name: str, given: Any, count: int) -> list[Any]:
    """Return what is given for each of the hidden layers, or once for all of them."""
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"{name} is a list of {len(given)}, and there are {count} hidden layers")
    return list(given)


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


def _scalable(layer: Any) -> Any:
    """Return a layer that can take a scale over: it has a bias, and all of it is learned."""
    if type(layer) is not Layer or layer.bias is None:
        return None
    return layer if layer.weight.requires_grad and layer.bias.requires_grad else None
