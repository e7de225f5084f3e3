"""AinoRegressor: a network that learns numbers, as scikit-learn's estimators do."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from aino.estimators.scikit_learn.base import AinoEstimator
from aino.nn import functional as F

LOSSES = {
    "mse": F.mse_loss, "squared_error": F.mse_loss, "l1": F.l1_loss,
    "absolute_error": F.l1_loss, "huber": F.huber_loss, "smooth_l1": F.smooth_l1_loss,
}  # fmt: skip


class AinoRegressor(RegressorMixin, AinoEstimator):
    """A neural network that learns numbers, as a scikit-learn estimator."""

    def __init__(
        self, hidden_layer_sizes=(100,), activation="relu", *, module=None, dropout=0.0,
        batch_norm=False, loss=None, solver="auto", learning_rate_init=None, weight_decay=0.0,
        batch_size="auto", max_iter=100, shuffle=True, scale_inputs=True, scale_targets=True,
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
        self.scale_inputs = scale_inputs
        self.scale_targets = scale_targets
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Go through these samples once, going on from what was learned before.

        Arguments:
            X: the samples (n_samples, n_features).
            y: their targets.
            sample_weight: how much each sample counts (n_samples,).
        """
        return self._fit(X, y, sample_weight, True, 1)

    def _targets(self, y: Any, weights: Any, goes_on: bool) -> tuple[np.ndarray, Any]:
        y = np.asarray(y, dtype=np.float64)
        if not goes_on:
            self._flat = y.ndim == 1
        y = y.reshape(len(y), -1)
        if goes_on and y.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {y.shape[1]} columns; the first fit saw {self.n_outputs_}")
        return y, weights

    def _learned_scales(self, y: np.ndarray, weights: Any) -> None:
        self._center, self._spread = np.zeros(y.shape[1]), 1.0
        if self.scale_targets:
            self._center = np.average(y, axis=0, weights=weights)
            deviation = np.average((y - self._center) ** 2, axis=0, weights=weights).mean()
            self._spread = float(np.sqrt(deviation)) or 1.0

    def _scaled_targets(self, y: np.ndarray) -> np.ndarray:
        return ((y - self._center) / self._spread).astype(self._dtype)

    def _loss(self) -> Any:
        loss = LOSSES["mse"] if self.loss is None else LOSSES.get(self.loss, self.loss)
        if not callable(loss):
            raise ValueError(f"unknown loss {loss!r}; there are {', '.join(LOSSES)}")
        if loss is self.loss:
            return loss
        return lambda outputs, targets: loss(
            outputs.reshape(targets.shape), targets, reduction="none"
        )

    def predict(self, X: Any) -> np.ndarray:
        """Return the numbers that the network gives for samples, in the shape that ``y`` had.

        Arguments:
            X: the samples (n_samples, n_features).
        """
        answers = self._answers(X)
        numbers = (answers * self._spread + self._center).astype(answers.dtype)
        return numbers[:, 0] if self._flat else numbers

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
