"""AinoClassifier: a network that tells classes apart, as scikit-learn's estimators do."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from aino.estimators.scikit_learn.base import AinoEstimator
from aino.nn import functional as F


class AinoClassifier(ClassifierMixin, AinoEstimator):
    """A neural network that tells classes apart, as a scikit-learn estimator."""

    classes_: np.ndarray
    _multilabel: bool

    def __init__(
        self, hidden_layer_sizes=(100,), activation="relu", *, module=None, dropout=0.0,
        batch_norm=False, loss=None, solver="auto", learning_rate_init=None, weight_decay=0.0,
        batch_size="auto", max_iter=100, shuffle=True, class_weight=None, scale_inputs=True,
        early_stopping=False, validation_fraction=0.1, n_iter_no_change=10, tol=1e-4,
        warm_start=False, random_state=None, verbose=False,
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
        self.verbose = verbose

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Go through these samples once, going on from what was learned before.

        Arguments:
            X: the samples (n_samples, n_features).
            y: their labels.
            classes: all labels that there will ever be; wanted in the first call if ``y`` lacks
                some.
            sample_weight: how much each sample counts (n_samples,).
        """
        if not hasattr(self, "module_"):
            self._given_classes = None if classes is None else np.unique(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes are {self.classes_} since the first call")
        try:
            return self._fit(X, y, sample_weight, True, 1)
        finally:
            self._given_classes = None

    _given_classes: Any = None

    def _targets(self, y: Any, weights: Any, goes_on: bool) -> tuple[np.ndarray, Any]:
        """Return class numbers, or zeros and ones a label, and weights with those of classes."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y has several columns of classes; wrap the classifier in "
                "sklearn.multioutput.MultiOutputClassifier, or give zeros and ones for labels"
            )
        if self.class_weight is not None:
            balance = compute_sample_weight(self.class_weight, y)
            weights = balance if weights is None else weights * balance
        labels = kind == "multilabel-indicator"
        listed = self._given_classes is not None and not goes_on
        if labels:
            y = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
            classes = np.arange(y.shape[1])
        else:
            y = column_or_1d(y, warn=True)
            classes = np.unique(y)
            if listed:
                classes = self._given_classes
        if goes_on:
            if labels != self._multilabel or (labels and len(classes) != len(self.classes_)):
                raise ValueError("y is of another kind than that of the first fit")
        else:
            present = y if weights is None or labels else y[weights > 0]
            if not labels and len(classes if listed else np.unique(present)) < 2:
                raise ValueError("y holds one class only; a classifier needs two classes at least")
            self.classes_, self._multilabel, self._label_dtype = classes, labels, y.dtype
        if labels:
            return y.astype(np.float64), weights
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y holds classes {unknown}, which are not among {self.classes_}")
        numbers = np.searchsorted(self.classes_, y)
        return (numbers[:, None].astype(np.float64) if self._binary else numbers), weights

    @property
    def _binary(self) -> bool:
        return len(self.classes_) == 2 and not self._multilabel

    def _outputs(self) -> int:
        return len(self.classes_)

    def _loss(self) -> Any:
        if callable(self.loss):
            return self.loss
        if self._binary or self._multilabel:
            return lambda outputs, targets: F.binary_cross_entropy_with_logits(
                outputs.reshape(targets.shape), targets, reduction="none"
            )
        return lambda outputs, targets: F.cross_entropy(outputs, targets, reduction="none")

    def _strata(self, y: np.ndarray) -> Any:
        return None if self._multilabel else y

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores of each class (n_samples, n_classes); of the second one of two.

        Arguments:
            X: the samples (n_samples, n_features).
        """
        scores = self._answers(X)
        return scores[:, 0] if self._binary else scores

    def predict(self, X: Any) -> np.ndarray:
        """Return the label of each sample.

        Arguments:
            X: the samples (n_samples, n_features).
        """
        scores = self.decision_function(X)
        if self._multilabel:
            return (scores > 0).astype(self._label_dtype)
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
