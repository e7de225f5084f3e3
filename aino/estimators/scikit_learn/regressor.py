"""AinoRegressor: a network that learns numbers, as scikit-learn's estimators do."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from aino.estimators.scaling import output_scale
from aino.estimators.scikit_learn.base import AinoEstimator
from aino.estimators.targets import Targets
from aino.nn.modules.activation_names import suggestion

#: Losses of numbers, by AINO's names and scikit-learn's.
LOSSES = {
    "mse": "mse", "squared_error": "mse", "l1": "l1", "mae": "l1", "absolute_error": "l1",
    "huber": "huber", "smooth_l1": "smooth_l1",
}  # fmt: skip


class AinoRegressor(RegressorMixin, AinoEstimator):
    """A neural network that learns numbers, as an estimator of scikit-learn's.

    Targets (n_samples,) or (n_samples, n_outputs); predictions have their shape. Inputs
    (n_samples, n_features), dense or sparse. What is wrong with the data or the parameters raises
    ``ValueError`` or ``TypeError`` in ``fit``, before anything is learned.

    Arguments:
        hidden_layer_sizes: how many perceptrons are in each hidden layer.
        activation: that of the hidden layers, or a list with that of each.
        module: instead of layers any module, which is copied, or a class or function that makes
            one of the numbers of inputs and outputs, or of nothing. It gives the numbers
            that the targets are.
        dropout: the probability that an output of a hidden layer is set to 0 while learning, or a
            list with that of each.
        batch_norm: normalise the sums of the hidden layers over the batch, or a list.
        loss: "squared_error" (which None is), "absolute_error", "huber", AINO's names of them, or
            a function of outputs and targets.
        solver: "auto", the name of an optimizer or its class; "auto" is Nesterov's momentum with a
            rate that falls to 0 along a cosine.
        learning_rate_init: the learning rate; None is the optimizer's own.
        weight_decay: how fast weights decay towards 0, those of biases excepted; None is the
            optimizer's own, and of "auto" 5 / n_samples, 0.015 at most.
        batch_size: samples of one step; "auto" is all of a few samples, else 32 to 256.
        max_iter: how often to go through all samples.
        shuffle: take the samples in a new order each time.
        scale_inputs: bring features to mean 0 and deviation 1 first.
        scale_targets: learn targets of mean 0 and deviation 1.
        early_stopping: hold samples out, end when their loss gets no better, and keep the weights
            of the best epoch.
        validation_fraction: the share of the samples that is held out.
        n_iter_no_change: how many epochs without a better loss are waited for.
        tol: by how much a loss has to be better.
        warm_start: go on from what was learned before.
        random_state: a seed or a ``RandomState`` for weights, order, dropout, what is held out.
        callbacks: those of ``aino.train``, which are told of the training.
        verbose: show the progress.

    >>> from aino.estimators import AinoRegressor
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> model = AinoRegressor((8,), max_iter=300, random_state=0).fit(X, [1.0, 3.0, 5.0, 7.0])
    >>> model.predict([[1.0]]).round().tolist()
    [3.0]
    """

    #: Whether ``y`` had one dimension.
    _flat: bool

    def __init__(
        self, hidden_layer_sizes=(100,), activation="relu", *, module=None, dropout=0.0,
        batch_norm=False, loss=None, solver="auto", learning_rate_init=None, weight_decay=None,
        batch_size="auto", max_iter=100, shuffle=True, scale_inputs=True, scale_targets=True,
        early_stopping=False, validation_fraction=0.1, n_iter_no_change=10, tol=1e-4,
        warm_start=False, random_state=None, callbacks=None, verbose=False,
    ):  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.loss = loss
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.scale_inputs = scale_inputs
        self.scale_targets = scale_targets
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Go through these samples once, going on from what was learned before.

        Arguments:
            X: the samples (n_samples, n_features).
            y: their targets.
            sample_weight: how much each sample counts (n_samples,).
        """
        if self.early_stopping:
            raise ValueError("partial_fit goes through its samples once: early_stopping=False")
        return self._fit(X, y, sample_weight, goes_on=True, renewed=False)

    def _read_targets(
        self, y: Any, weights: Any, goes_on: bool
    ) -> tuple[dict[str, Any], Targets, Any]:  # fmt: skip
        """Return what was learned of the targets, the targets as columns, and the weights."""
        y = np.asarray(y)
        y = y if y.dtype.kind == "f" else y.astype(np.float64)
        values, learned = y.reshape(len(y), -1), {"_flat": y.ndim == 1}
        if goes_on and values.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {values.shape[1]} columns, and the first fit saw {self.n_outputs_}"
            )
        return learned, Targets("numbers", values.astype(np.float64), y.ndim == 1), weights

    def _loss(self) -> Any:
        if self.loss is None or callable(self.loss):
            return self.loss or "mse"
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}" + suggestion(self.loss, LOSSES))
        return LOSSES[self.loss]

    def _output_scale(self, goal: Any, weights: Any) -> Any:
        """Return the scale of the targets: a mean of each column, one deviation of all."""
        if not self.scale_targets:
            return None
        return output_scale(goal.targets, goal.power > 0, weights)

    def _score_of(self, outputs: np.ndarray, targets: Targets, weights: Any, scale: Any) -> float:
        """Return R²."""
        numbers = outputs if scale is None else outputs * scale.scale + scale.mean
        if not np.isfinite(numbers).all():
            return float("nan")
        return float(r2_score(targets.values, numbers, sample_weight=weights))

    def predict(self, X: Any) -> np.ndarray:
        """Return the numbers that the network gives for samples, in the shape that ``y`` had.

        Arguments:
            X: the samples (n_samples, n_features).
        """
        numbers = self._answers(X)
        if self.output_scaling_ is not None:
            scaling = self.output_scaling_
            numbers = numbers * scaling.scale.array + scaling.mean.array
        return numbers[:, 0] if self._flat else numbers

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
