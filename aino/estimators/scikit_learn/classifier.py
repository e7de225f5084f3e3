"""AinoClassifier: a network that tells classes apart, as scikit-learn's estimators do."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from aino.estimators import objective
from aino.estimators.scikit_learn.base import AinoEstimator
from aino.estimators.targets import Targets


class AinoClassifier(ClassifierMixin, AinoEstimator):
    """A neural network that tells classes apart, as an estimator of scikit-learn's.

    Labels may be text, numbers or booleans, or rows of zeros and ones for several labels of a
    sample; ``predict`` gives labels. Inputs (n_samples, n_features), dense or sparse. What is wrong
    with the data or the parameters raises ``ValueError`` or ``TypeError`` in ``fit``, before
    anything is learned.

    Arguments:
        hidden_layer_sizes: how many perceptrons are in each hidden layer.
        activation: that of the hidden layers, or a list with that of each.
        module: instead of layers any module, which is copied, or a class or function that makes
            one of the numbers of inputs and outputs, or of nothing. It gives the scores
            of the classes, a single one for two of them.
        dropout: the probability that an output of a hidden layer is set to 0 while learning, or a
            list with that of each.
        batch_norm: normalise the sums of the hidden layers over the batch, or a list.
        loss: None for cross entropy, a name that ``NeuralNetwork.fit`` knows, or a function of
            outputs and targets.
        solver: "auto", the name of an optimizer or its class; "auto" is Nesterov's momentum with a
            rate that falls to 0 along a cosine.
        learning_rate_init: the learning rate; None is the optimizer's own.
        weight_decay: how fast weights decay towards 0, those of biases excepted; None is the
            optimizer's own, and of "auto" 5 / n_samples, 0.015 at most.
        batch_size: samples of one step; "auto" is all of a few samples, else 32 to 256.
        max_iter: how often to go through all samples.
        shuffle: take the samples in a new order each time.
        class_weight: {label: how much it counts}, or "balanced": all classes the same.
        scale_inputs: bring features to mean 0 and deviation 1 first.
        early_stopping: hold samples out, end when their loss gets no better, and keep the weights
            of the best epoch.
        validation_fraction: the share of the samples that is held out.
        n_iter_no_change: how many epochs without a better loss are waited for.
        tol: by how much a loss has to be better.
        warm_start: go on from what was learned before.
        random_state: a seed or a ``RandomState`` for weights, order, dropout, what is held out.
        callbacks: those of ``aino.train``, which are told of the training.
        verbose: show the progress.

    >>> from aino.estimators import AinoClassifier
    >>> X, y = [[0.0, 0.1], [0.2, 0.0], [1.0, 0.9], [0.8, 1.0]], ["low", "low", "high", "high"]
    >>> model = AinoClassifier((4,), random_state=0).fit(X, y)
    >>> model.predict([[0.1, 0.1], [0.9, 0.9]]).tolist()
    ['low', 'high']
    """

    classes_: np.ndarray
    _multilabel: bool
    #: Of rows of labels.
    _dtype: Any

    def __init__(
        self, hidden_layer_sizes=(100,), activation="relu", *, module=None, dropout=0.0,
        batch_norm=False, loss=None, solver="auto", learning_rate_init=None, weight_decay=None,
        batch_size="auto", max_iter=100, shuffle=True, class_weight=None, scale_inputs=True,
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
        self.class_weight = class_weight
        self.scale_inputs = scale_inputs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Go through these samples once, going on from what was learned before.

        The scales of inputs are those of the first call.

        Arguments:
            X: the samples (n_samples, n_features).
            y: their labels.
            classes: all labels that there will ever be; wanted in the first call if ``y`` lacks
                some.
            sample_weight: how much each sample counts (n_samples,).
        """
        if self.early_stopping:
            raise ValueError("partial_fit goes through its samples once: early_stopping=False")
        if classes is not None:
            classes = np.unique(classes)
            if hasattr(self, "module_") and not np.array_equal(classes, self.classes_):
                raise ValueError(f"the classes are {self.classes_} since the first call")
        self._listed = classes
        try:
            return self._fit(X, y, sample_weight, goes_on=True, renewed=False)
        finally:
            del self._listed

    def _read_targets(
        self, y: Any, weights: Any, goes_on: bool
    ) -> tuple[dict[str, Any], Targets, Any]:  # fmt: skip
        """Return what is learned of labels, labels as numbers, and weights with the classes'."""
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind.startswith("continuous"):
            raise ValueError(
                f"y is {kind}: numbers that are no classes, which an AinoRegressor learns"
            )
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y has several columns of classes; wrap the classifier in "
                "sklearn.multioutput.MultiOutputClassifier, or give zeros and ones for labels"
            )
        if self.class_weight is not None:
            balance = compute_sample_weight(self.class_weight, y)
            weights = balance if weights is None else weights * balance
        if kind == "multilabel-indicator":
            y = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
            learned = {"classes_": np.arange(y.shape[1]), "_multilabel": True, "_dtype": y.dtype}
            values = y.astype(np.float64)
        else:
            y = column_or_1d(y, warn=True)
            classes = self._classes_of(y, weights, goes_on)
            learned = {"classes_": classes, "_multilabel": False, "_dtype": None}
            values = np.searchsorted(classes, y)
            if len(classes) == 2:
                values = values[:, None].astype(np.float64)
        if goes_on and (
            learned["_multilabel"] is not self._multilabel
            or len(learned["classes_"]) != len(self.classes_)
        ):
            raise ValueError("y is of another kind than that of the first fit")
        numbered = "classes" if values.ndim == 1 else "binary"
        return learned, Targets(numbered, values, not learned["_multilabel"]), weights

    def _classes_of(self, y: np.ndarray, weights: Any, goes_on: bool) -> np.ndarray:
        """Return the labels that there are, or have been said to be; raise for others in ``y``."""
        listed = self.classes_ if goes_on else getattr(self, "_listed", None)
        if listed is None:
            present = y if weights is None else y[weights > 0]
            if len(np.unique(present)) < 2:
                raise ValueError(
                    f"y holds one class only, {y[0]!r}: a classifier tells two or more apart"
                )
            return np.unique(y)
        unknown = np.setdiff1d(y, listed)
        if len(unknown):
            raise ValueError(f"y holds {unknown.tolist()}, which are not among {listed.tolist()}")
        return listed

    @property
    def _binary(self) -> bool:
        return len(self.classes_) == 2 and not self._multilabel

    def _loss(self) -> Any:
        objective.check_loss(self.loss)
        return self.loss

    def _output_scale(self, goal: Any, weights: Any) -> None:
        return None

    def _score_of(self, outputs: np.ndarray, targets: Targets, weights: Any, scale: Any) -> float:
        """Return the share of samples whose labels are right."""
        if targets.kind == "classes":
            right = outputs.argmax(axis=1) == targets.values
        else:
            right = ((outputs > 0) == (targets.values > 0.5)).all(axis=1)
        return float(np.average(right, weights=weights))

    # Asking

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores of each class (n_samples, n_classes); of two, that of the second.

        Arguments:
            X: the samples (n_samples, n_features).
        """
        scores = self._answers(X)
        return scores[:, 0] if self._binary else scores

    def predict(self, X: Any) -> np.ndarray:
        """Return the label of each sample; of several labels, rows of zeros and ones.

        Arguments:
            X: the samples (n_samples, n_features).
        """
        scores = self.decision_function(X)
        if self._multilabel:
            return (scores > 0).astype(self._dtype)
        return self.classes_[(scores > 0).astype(int) if self._binary else scores.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class (n_samples, n_classes).

        Arguments:
            X: the samples (n_samples, n_features).
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities (n_samples, n_classes).

        Arguments:
            X: the samples (n_samples, n_features).
        """
        scores = self.decision_function(X)
        if self._binary:
            return -np.logaddexp(0.0, np.stack([scores, -scores], axis=1))
        if self._multilabel:
            return -np.logaddexp(0.0, -scores)
        scores = scores - scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
