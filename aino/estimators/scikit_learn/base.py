"""What both of scikit-learn's faces share: learning, asking, and files."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from aino import dit
from aino.errors import DitError
from aino.estimators import arguments
from aino.estimators.data import Inputs
from aino.estimators.scikit_learn import files
from aino.estimators.scikit_learn.fitting import INPUTS, Fit
from aino.estimators.scikit_learn.learning import Solver, answers
from aino.nn.modules.scaling import InputScaling, OutputScaling
from aino.optim import Optimizer
from aino.train import History


class AinoEstimator(BaseEstimator):
    """A module, and what it takes to train it, in scikit-learn's words."""

    module_: Any
    history_: History
    n_iter_: int
    n_outputs_: int
    input_scaling_: InputScaling | None
    output_scaling_: OutputScaling | None
    #: What ``partial_fit`` goes on with.
    _optimizer: Any = None
    _optimizer_state: Any = None

    # Learning

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from samples and their targets; return the estimator.

        Arguments:
            X: the samples (n_samples, n_features), dense or sparse.
            y: their targets.
            sample_weight: how much each sample counts (n_samples,); all the same for None.
        """
        return self._fit(X, y, sample_weight, goes_on=bool(self.warm_start), renewed=True)

    def _fit(self, X: Any, y: Any, weights: Any, *, goes_on: bool, renewed: bool) -> Any:
        self._check_parameters()
        epochs = arguments.count("max_iter", self.max_iter) if renewed else 1
        Fit(self, X, y, weights, epochs=epochs, goes_on=goes_on, renewed=renewed).run()
        return self

    def _check_parameters(self) -> None:
        """Raise for parameters that are wrong by themselves, before anything is done."""
        files.check_parameters(self)
        if self.batch_size != "auto":
            arguments.count("batch_size", self.batch_size)
        arguments.share(self.validation_fraction)
        arguments.count("n_iter_no_change", self.n_iter_no_change)
        if _number("tol", self.tol) < 0:
            raise ValueError(f"tol has to be 0 or more, got {self.tol}")
        arguments.callbacks_of(self.callbacks)

    def _solver(self) -> Solver:
        """Return what updates parameters; raise for what is none."""
        rate = self.learning_rate_init
        if rate is not None and not 0.0 < _number("learning_rate_init", rate) < math.inf:
            raise ValueError(f"learning_rate_init has to be above 0, got {rate}")
        if isinstance(self.solver, Optimizer):
            raise TypeError(
                f"solver is a name or a class, such as {type(self.solver).__name__}: an optimizer "
                "has the parameters of another module"
            )
        given = None if self.solver == "auto" else self.solver
        arguments.check_optimizer(given, rate, [], self.weight_decay)
        ours = self.module is None and not callable(self.loss) and isinstance(given, str | None)
        decay = arguments.decay(self.weight_decay)
        # Numbers are those of each fit.
        key = (type(self).__name__, given, self.loss, self._multilabel) if ours else None
        return Solver(given, rate, decay, key)

    _multilabel = False

    def _going_on(self, module: Any, solver: Solver) -> Any:
        """Return the optimizer that went before, or as it was when it was stored; None for none."""
        if self._optimizer is None and self._optimizer_state is not None:
            rule = solver.rule([p for p in module.parameters() if p.requires_grad])
            rule.optimizer.load_state_dict(self._optimizer_state)
            return rule.optimizer
        return self._optimizer

    # Asking

    def _answers(self, X: Any) -> np.ndarray:
        """Return the module's outputs (samples, outputs), before any scale of targets."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **INPUTS)
        return answers(self.module_, Inputs(X, None, hasattr(X, "tocsr")), self.input_scaling_)

    @property
    def loss_curve_(self) -> list[float]:
        """The losses of all epochs."""
        check_is_fitted(self)
        return self.history_["loss"]

    @property
    def validation_scores_(self) -> list[float]:
        """The scores, after each epoch, of the samples that were held out for early stopping."""
        check_is_fitted(self)
        if "val_score" not in self.history_:
            raise AttributeError("validation_scores_ is there after early_stopping=True alone")
        return self.history_["val_score"]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "module_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # Files

    def save(self, f: Any, **options: Any) -> None:
        """Write the estimator, parameters and all that it has learned, to a ``.dit`` file.

        ``aino.load`` reads it. Parameters that are code (a loss, a class of modules) are left out,
        and have to be given anew before it learns again.

        Arguments:
            f: a path, or a file that is open for writing bytes.
            options: those of ``aino.save``.
        """
        check_is_fitted(self)
        dit.save(files.content_of(self), f, **options)

    @classmethod
    def load(cls, f: Any, **options: Any) -> Any:
        """Return the estimator in a ``.dit`` file.

        Arguments:
            f: a path, or a file that is open for reading bytes.
            options: those of ``aino.load``.

        Raises ``DitError`` for a file that holds anything else.
        """
        found = dit.load(f, **options)
        if not isinstance(found, cls):
            raise DitError(f"the file holds a {type(found).__name__}, not a {cls.__name__}")
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: what was learned as a file, wherever that can be."""
        state = super().__getstate__()
        learned = files.packed(self) if hasattr(self, "module_") else None
        if learned is None:
            return state
        parameters = self.get_params(deep=False)
        kept = {name: value for name, value in state.items() if name in parameters}
        return {**kept, "_packed": learned}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        learned = state.pop("_packed", None)
        super().__setstate__(state)
        if learned is not None:
            files.learn_again(self, files.unpacked(learned))


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a number, not {value!r}") from None
