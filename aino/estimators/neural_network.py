"""NeuralNetwork: layers of perceptrons, and all that it takes to train and to ask them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from aino import dit
from aino.dit.building import building
from aino.dit.source import file_name, is_file, text_path
from aino.errors import DitError
from aino.estimators import answers, arguments, deep_sigmoids, fitting
from aino.estimators.data import as_inputs
from aino.estimators.seeding import seeded
from aino.estimators.targets import Learned, as_classes, as_targets
from aino.nn.base.module import Module
from aino.nn.modules.activation_names import check_activation
from aino.nn.modules.container import ModuleList
from aino.nn.modules.perceptron import Layer, check_dropout
from aino.nn.modules.scaling import InputScaling, OutputScaling
from aino.ops.random.generator import draw


class NeuralNetwork(Module):
    """Layers of perceptrons, fully connected, that learn from data by themselves.

    ``layers[i][j]`` is one perceptron. Raises ``ValueError`` for an unknown activation, for sizes
    that are not positive whole numbers, and for lists of other lengths than there are hidden
    layers.

    Data may be of any scale: ``fit`` measures it, and keeps it with the network as
    ``input_scaling`` and, where it learns numbers, ``output_scaling``.

    Arguments:
        sizes: how many inputs there are, how many perceptrons in each hidden layer, how many
            outputs. Where it is left out, ``fit`` takes inputs and outputs from the data.
        activation_type: the activation of the hidden layers, or a list with that of each.
        output_activation: that of the outputs; where it is None the data choose it: see ``fit``.
        seed: fixes the initial weights.
        hidden: how many perceptrons are in the hidden layer, or a list with the size of each;
            instead of ``sizes``. One layer of 32 for None.
        dropout: the probability that an output of a hidden layer is set to 0 while learning, or a
            list with that of each.
        batch_norm: normalise the sums of the hidden layers over the batch, or a list that says so
            of each.
        random_state: a seed for the initial weights and for all that ``fit`` draws, or a generator
            of NumPy's that gives one.

    >>> import aino
    >>> model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid", seed=0)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model = model.fit(X, y, epochs=2000, n=0.5, verbose=False)
    >>> [round(p) for p in model.predict(X).tolist()]
    [0, 1, 1, 0]
    >>> animals = aino.NeuralNetwork(hidden=[8], seed=0)
    >>> animals = animals.fit(X, ["cat", "dog", "dog", "cat"], epochs=300, verbose=False)
    >>> animals.predict(X).tolist()
    ['cat', 'dog', 'dog', 'cat']
    """

    records = ("history",)
    _not_stored = ("_drawn", "_partial")
    #: What was drawn last, by checksums, and what ``partial_fit`` goes on with.
    _drawn: frozenset[int] = frozenset()
    _partial: Any = None
    # What networks of older files have.
    hidden: Any = None
    input_scaling: InputScaling | None = None
    output_scaling: OutputScaling | None = None
    classes: Any = None
    feature_names: list[str] | None = None
    random_state: int | None = None
    layers: ModuleList

    def __init__(
        self,
        sizes: Any = None,
        activation_type: str | list[str | None] | None = "tanh",
        output_activation: str | None = None,
        seed: int | None = None,
        *,
        hidden: int | list[int] | None = None,
        dropout: float | list[float] = 0.0,
        batch_norm: bool | list[bool] = False,
        random_state: Any = None,
    ) -> None:
        super().__init__()
        self.sizes: Any = None
        if sizes is None:
            hidden = arguments.hidden_sizes(hidden)
        elif hidden is not None:
            raise ValueError("sizes counts the hidden layers already; leave hidden out")
        else:
            self.sizes = arguments.sizes_of_layers(sizes)
        #: The sizes of the hidden layers, where inputs and outputs come from the data.
        self.hidden = hidden
        count = len(self.sizes) - 2 if hidden is None else len(hidden)
        activations = arguments.each("activation_type", activation_type, count)
        activations = [check_activation(name) for name in activations]
        several = isinstance(activation_type, (list, tuple))
        self.activation_type: Any = activations if several else check_activation(activation_type)
        check_activation(output_activation)
        self.output_activation = output_activation
        self.dropout, self.batch_norm = dropout, batch_norm
        [check_dropout(p) for p in arguments.each("dropout", dropout, count)]
        arguments.each("batch_norm", batch_norm, count)
        #: The scales of the data, once it has learned; None before, and where there are none.
        self.input_scaling = None
        self.layers = self.layers_for(self.sizes) if hidden is None else ModuleList()
        self.output_scaling = None
        #: What y was at the last ``fit``, whether it had one dimension, and whether outputs are
        #: scores that have to be turned into probabilities.
        self.kind: str | None = None
        self.flat = False
        self.scores = False
        #: The labels that ``predict`` gives, and the columns of the table that it learned from.
        self.classes = None
        self.feature_names = None
        #: The losses of all epochs so far, by name.
        self.history: dict[str, list[float]] = {}
        #: Where it was given, all that ``fit`` draws follows from it, too.
        self.random_state = arguments.seed_of(None, random_state)
        self.seed = self.random_state if seed is None else arguments.seed_of(seed, None)
        if self.seed is None and not building.active:
            self.seed = int(draw(None, "integers", (), np.dtype(np.int64), 0, 2**31))
        self._draw()

    def layers_for(self, sizes: list[int]) -> ModuleList:
        """Return new layers of these sizes, with this network's settings."""
        hidden = len(sizes) - 2
        activations = arguments.each("activation_type", self.activation_type, hidden)
        dropouts = arguments.each("dropout", self.dropout, hidden)
        norms = arguments.each("batch_norm", self.batch_norm, hidden)
        settings = zip(
            pairwise(sizes), [*activations, self.output_activation],
            [*dropouts, 0.0], [*norms, False],
        )  # fmt: skip
        with seeded(None, enabled=not building.active):  # `_draw` is what draws
            return ModuleList(
                Layer(*between, activation, dropout=p, batch_norm=bool(norm))
                for between, activation, p, norm in settings
            )

    def _draw(self) -> None:
        """Draw the weights from the seed, whatever else is drawn from the default generator."""
        if building.active or self.seed is None:
            return
        with seeded(self.seed):
            for layer in self.layers:
                if isinstance(layer, Layer):
                    layer.reset_parameters()
            deep_sigmoids.widen(self.layers)
        self._drawn = frozenset(_checksums(self))

    def _is_as_drawn(self) -> bool:
        """Tell whether the weights are still those that the seed gave."""
        if self.history or self.kind is not None or self.seed is None:
            return False
        drawn = self._drawn
        if not drawn and self.sizes is not None:
            drawn = NeuralNetwork(
                self.sizes, self.activation_type, self.output_activation, self.seed,
                dropout=self.dropout, batch_norm=self.batch_norm,
            )._drawn  # fmt: skip
        return all(checksum in drawn for checksum in _checksums(self))

    def forward(self, input: Any) -> Any:
        """Return the outputs (..., outputs) for inputs (..., inputs)."""
        if self.input_scaling is not None:
            input = self.input_scaling(input).to(self.dtype)
        elif not len(self.layers):
            raise ValueError("this network takes its sizes from the data: call fit(X, y) first")
        for layer in self.layers:
            input = layer(input)
        return input if self.output_scaling is None else self.output_scaling(input)

    @property
    def dtype(self) -> Any:
        """The dtype that the network computes in."""
        return self.layers[0].weight.dtype

    def sums(self, input: Any) -> Any:
        """Return the weighted sums of the last layer, before its activation, of scaled inputs."""
        return answers.sums(self.layers, input)

    @property
    def learns_as_ours(self) -> bool:
        """Whether nothing of how it learns is a subclass's own."""
        return type(self) is NeuralNetwork

    @property
    def learned(self) -> Learned | None:
        """What the targets were, once it has learned."""
        return None if self.kind is None else Learned(self.kind, answers.labels(self))

    @property
    def classes_(self) -> np.ndarray:
        """The classes that it tells apart, in the order of ``predict_proba``."""
        return answers.classes_told_apart(self)

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        """Take the values of a state dict, scales included: a state without them is of raw data.

        Arguments:
            state_dict: tensors or arrays by their dotted names.
            strict: the keys have to be exactly the model's; False takes those that fit.
            assign: put the given tensors in the place of the model's; False copies their values.
        """
        before = self.input_scaling, self.output_scaling
        if isinstance(state_dict, dict):
            for name, kind in (("input_scaling", InputScaling), ("output_scaling", OutputScaling)):
                mean = state_dict.get(f"{name}.mean")
                if mean is None and strict:
                    setattr(self, name, None)
                elif mean is not None and getattr(self, name) is None:
                    setattr(self, name, kind(mean.shape[0]))
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except BaseException:
            self.input_scaling, self.output_scaling = before
            raise

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
        weight_decay: float | None = None,
        validation_data: Any = None,
        shuffle: bool = True,
        seed: int | None = None,
        verbose: bool = True,
        sample_weight: Any = None,
        class_weight: Any = None,
        early_stopping: bool | int = False,
        validation_fraction: float = 0.1,
        warm_start: bool = True,
        random_state: Any = None,
        callbacks: Any = (),
    ) -> NeuralNetwork:
        """Learn from samples and their targets; return the network; ``history`` holds the losses.

        What is left out is chosen by y:

        - labels of classes, or one-hot rows: softmax, cross entropy;
        - two labels, or zeros and ones, one column an output: sigmoid, binary cross entropy;
        - other numbers: linear outputs, mean squared error.

        Labels are text, booleans, categories, whole numbers. A network whose sizes were given and
        whose targets are the numbers 0 and 1 in one column gives the outputs as they are; for all
        other labels, and where sizes come from the data, ``predict`` gives the labels.

        While learning, inputs and targets are scaled to deviation 1; the network keeps the scales.
        A network that has learned goes on from there. Whatever is wrong with the arguments raises
        ``ValueError`` or ``TypeError`` before anything changes.

        Arguments:
            X: the samples (samples, inputs): an array, a list, a table, a sparse matrix.
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
            weight_decay: how fast weights decay towards 0, biases excepted. None is the optimizer's
                own; without an optimizer, weights that learn numbers decay as much as the data
                are noisy.
            validation_data: (X, y), or (X, y, sample_weight), to evaluate after each epoch.
            shuffle: take the samples in a new order in each epoch.
            seed: fixes that order and, if the network is still as it was made, its weights.
            verbose: show the progress.
            sample_weight: (samples,), how much each of them counts.
            class_weight: {label: how much it counts}, or "balanced": all classes the same.
            early_stopping: end when the loss of the validation has not got better for so many
                epochs, 10 for True, and go back to the best weights. Without ``validation_data``
                some samples are held out.
            validation_fraction: the share of samples that ``early_stopping`` holds out, of each
                class its share.
            warm_start: False forgets what was learned and begins anew.
            random_state: scikit-learn's name for ``seed``.
            callbacks: what is told of each epoch and step: see ``aino.train``.
        """
        given = arguments.seed_of(seed, random_state)
        options = fitting.Options(
            epochs=arguments.count("epochs", epochs),
            rate=arguments.learning_rate(n, lr),
            batch_size=None if batch_size is None else arguments.count("batch_size", batch_size),
            loss=loss,
            optimizer=optimizer,
            weight_decay=arguments.decay(weight_decay),
            validation_data=validation_data,
            shuffle=shuffle,
            seed=self.random_state if given is None else given,
            verbose=verbose,
            sample_weight=sample_weight,
            class_weight=class_weight,
            callbacks=arguments.callbacks_of(callbacks),
            patience=arguments.patience(early_stopping),
            held_out=arguments.share(validation_fraction),
            anew=not warm_start,
        )
        fit = fitting.Fit(self, X, y, options)
        self._partial = None
        fit.run()
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        n: float | None = None,
        *,
        lr: float | None = None,
        batch_size: int | None = None,
        loss: Any = None,
        optimizer: Any = None,
        weight_decay: float | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        verbose: bool = False,
        sample_weight: Any = None,
        callbacks: Any = (),
    ) -> NeuralNetwork:
        """Go once through some samples, and go on from there with the next ones.

        The scales of the data are those of the first samples, and the optimizer remembers what it
        did, until ``fit`` is called.

        Arguments:
            X: the samples (samples, inputs).
            y: their targets, as ``fit`` takes them.
            classes: all labels that there are, where the first samples may lack some.
            n, lr, batch_size, loss, optimizer, weight_decay, shuffle, seed, verbose: as for
                ``fit``.
            sample_weight: (samples,), how much each of them counts.
            callbacks: what is told of each step: see ``aino.train``.

        >>> import aino
        >>> model = aino.NeuralNetwork(hidden=[4], seed=0)
        >>> model = model.partial_fit([[0.0], [1.0]], ["no", "yes"], ["maybe", "no", "yes"])
        >>> model.classes_.tolist()
        ['maybe', 'no', 'yes']
        """
        options = fitting.Options(
            epochs=1,
            rate=arguments.learning_rate(n, lr),
            batch_size=None if batch_size is None else arguments.count("batch_size", batch_size),
            loss=loss,
            optimizer=optimizer,
            weight_decay=arguments.decay(weight_decay) or 0.0,
            shuffle=shuffle,
            seed=self.random_state if seed is None else arguments.seed_of(seed, None),
            verbose=verbose,
            sample_weight=sample_weight,
            callbacks=arguments.callbacks_of(callbacks),
        )
        known = None if classes is None else as_classes("classes", classes)
        fitting.Fit(self, X, y, options, known).run_on()
        return self

    # Asking

    def outputs(self, X: Any) -> Any:
        """Return the outputs (samples, outputs) as they are, in the mode of ``eval()``.

        A tensor for a tensor, an array for everything else.

        Arguments:
            X: the samples (samples, inputs).
        """
        return answers.wrapped(X, answers.outputs_of(self, self._inputs("X", X)))

    def decision_function(self, X: Any) -> Any:
        """Return the weighted sums of the last layer, before its activation.

        (samples,) for a network of one output, where a sum above 0 says yes, else
        (samples, outputs).

        Arguments:
            X: the samples (samples, inputs).
        """
        sums = answers.sums_of(self, self._inputs("X", X))
        return answers.wrapped(X, sums[:, 0] if sums.shape[1] == 1 else sums)

    def predict(self, X: Any) -> Any:
        """Return the predictions for inputs (samples, inputs).

        Labels where y was labels: (samples,), or rows of zeros and ones as y had them. For numbers,
        and for zeros and ones in one column where the sizes of the network were given, the
        outputs, in the shape of y; these are probabilities then. A tensor for a tensor, an array
        for everything else and for text.

        Arguments:
            X: the samples (samples, inputs).
        """
        outputs = answers.outputs_of(self, self._inputs("X", X))
        return answers.wrapped(X, answers.predictions(self, outputs))

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities of the classes (samples, classes), in the order of ``classes_``.

        Where ``predict`` gives the outputs, those of a one, in the shape of y. Raises
        ``ValueError`` if the network gives numbers that are no probabilities.

        Arguments:
            X: the samples (samples, inputs).
        """
        outputs = answers.outputs_of(self, self._inputs("X", X))
        return answers.wrapped(X, answers.probabilities(self, outputs))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of samples that are classified correctly; for numbers, R².

        R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)², the mean over outputs: 1 at best, 0 for always saying the
        mean.

        Arguments:
            X: the samples (samples, inputs).
            y: their targets, as ``fit`` takes them.
            sample_weight: (samples,), how much each of them counts.
        """
        inputs = self._inputs("X", X)
        targets = as_targets("y", y, len(inputs), self.sizes[-1], learned=self.learned)
        weights = arguments.sample_weights(sample_weight, len(inputs))
        return answers.score(self, answers.outputs_of(self, inputs), targets, weights)

    def _inputs(self, name: str, X: Any) -> Any:
        """Return checked samples; a table has to have the columns that it learned from."""
        if self.sizes is None:
            raise ValueError("this network takes its sizes from the data: call fit(X, y) first")
        inputs = as_inputs(name, X, self.sizes[0], self.feature_names)
        return inputs

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


def _checksums(network: NeuralNetwork) -> Iterable[int]:
    """Yield a checksum of each parameter."""
    for parameter in network.parameters():
        yield zlib.crc32(parameter.array.tobytes())
