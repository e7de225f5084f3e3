"""What both of scikit-learn's faces share: data, seeds, learning and asking."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from aino.estimators import arguments, training
from aino.estimators.scikit_learn.learning import (
    Samples,
    Stopping,
    learn,
    outputs_of,
    weighted,
)
from aino.estimators.scikit_learn.modules import build, draws, dtype_of, seeded

#: What X may be: dense, or sparse by rows.
_INPUTS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}


class AinoEstimator(BaseEstimator):
    """A module, and what it takes to train it, in scikit-learn's words."""

    history_: dict[str, list[float]]

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from samples and their targets; return the estimator.

        Arguments:
            X: the samples (n_samples, n_features), dense or sparse.
            y: their targets.
            sample_weight: how much each sample counts (n_samples,); all the same for None.
        """
        return self._fit(X, y, sample_weight, self.warm_start, self.max_iter)

    def _fit(self, X: Any, y: Any, weights: Any, goes_on: bool, epochs: Any) -> Any:
        epochs = arguments.count("max_iter", epochs)
        patience = self.n_iter_no_change
        goes_on = goes_on and hasattr(self, "module_")
        X, y = validate_data(self, X, y, multi_output=True, reset=not goes_on, **_INPUTS)
        if weights is not None:
            weights = _check_sample_weight(weights, X, dtype=np.float64)
            if (weights < 0).any() or not weights.any():
                raise ValueError("sample_weight has to be 0 or more, and above 0 for some sample")
        y, weights = self._targets(y, weights, goes_on)
        if weights is not None:
            kept = weights > 0
            X, y, weights = X[kept], y[kept], weights[kept]
        X = X.toarray() if hasattr(X, "toarray") else X
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        stopping = None
        if self.early_stopping:
            kept, held_out = self._split(y, seed)
        with seeded(seed):
            if not goes_on:
                self._begin(X, y, weights)
        samples = self._samples(X, y, weights)
        if self.early_stopping:
            stopping = Stopping(samples.some(held_out), self.tol, patience)
            samples = samples.some(kept)
        size = training.batch_size_for(len(samples.X))
        if self.batch_size != "auto":
            size = min(arguments.count("batch_size", self.batch_size), len(samples.X))
        with seeded(seed, draws(self)), np.errstate(all="ignore"):
            self.n_iter_ = learn(
                self.module_,
                weighted(self._loss()),
                samples,
                self._rule,
                epochs,
                size,
                self.shuffle,
                np.random.default_rng(seed),
                self.history_,
                stopping,
                self.verbose,
            )
        return self

    def _begin(self, X, y, weights) -> None:
        """Make the module and its optimizer, and find the scales of the data."""
        outputs = y.shape[1] if y.ndim > 1 else self._outputs()
        module = build(self, X.shape[1], outputs, X.dtype)
        self._dtype = dtype_of(module, X.dtype)
        rate = arguments.learning_rate(None, self.learning_rate_init)
        solver = None if self.solver == "auto" else self.solver
        parameters = [p for p in module.parameters() if p.requires_grad]
        arguments.check_optimizer(solver, rate, parameters)
        self._rule = training.make_rule(solver, parameters, rate)
        for group in self._rule.optimizer.param_groups:
            if self.weight_decay:
                group["weight_decay"] = self.weight_decay
        self._mean, self._scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if self.scale_inputs:
            self._mean = np.average(X.astype(np.float64), axis=0, weights=weights)
            self._scale = np.sqrt(np.average((X - self._mean) ** 2, axis=0, weights=weights))
            self._scale[~(self._scale > 10 * np.finfo(X.dtype).eps * np.abs(self._mean))] = 1.0
        self._learned_scales(y, weights)
        self.module_, self.history_ = module.eval(), {}
        self.n_outputs_ = outputs
        found = outputs_of(module, self._scaled(X[:1]))
        if found.reshape(1, -1).shape[1] != outputs:
            raise ValueError(
                f"module gives {found.reshape(1, -1).shape[1]} outputs for a sample, and these "
                f"targets take {outputs}"
            )

    def _learned_scales(self, y, weights) -> None:
        """Find the scales of targets that are numbers."""

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return ((X - self._mean) / self._scale).astype(self._dtype)

    def _samples(self, X, y, weights) -> Samples:
        if weights is not None:
            weights = (weights / weights.mean()).astype(self._dtype)
        return Samples(self._scaled(X), self._scaled_targets(y), weights)

    def _scaled_targets(self, y: np.ndarray) -> np.ndarray:
        return y if y.dtype.kind == "i" else y.astype(self._dtype)

    def _split(self, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which samples are learned from, and which say when to stop."""
        return train_test_split(
            np.arange(len(y)),
            test_size=self.validation_fraction,
            random_state=seed,
            stratify=self._strata(y),
        )

    def _strata(self, y: np.ndarray) -> Any:
        return None

    @property
    def loss_curve_(self) -> list[float]:
        """The losses of all epochs."""
        check_is_fitted(self)
        return self.history_["loss"]

    @property
    def validation_loss_curve_(self) -> list[float]:
        """The losses of the samples that were held out for early stopping."""
        check_is_fitted(self)
        return self.history_["val_loss"]

    def _answers(self, X: Any) -> np.ndarray:
        """Return the module's outputs (samples, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **_INPUTS)
        X = X.toarray() if hasattr(X, "toarray") else X
        return outputs_of(self.module_, self._scaled(X)).reshape(len(X), -1)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "module_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
