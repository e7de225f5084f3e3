"""What a metric is: sums over batches, and the figure that is computed from them."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.errors import ShapeError
from aino.train.metrics.inputs import as_array, as_weight, check_pair


class Metric(ABC):
    """A figure that is summed up batch by batch, whatever their order and sizes.

    ``update`` takes a batch, ``compute`` gives the figure of all batches since ``reset``, NaN where
    there were none. What is summed up stands in ``state``, a dictionary of numbers, arrays, lists
    and dictionaries; ``merge`` adds another metric's to it, as after several processes have each
    seen a part of the data. No graph is recorded.

    A metric of one's own defines ``reset``, which fills ``state``, ``add`` and ``compute``; where
    its state is merged otherwise than by adding sums and joining lists, ``merge``, too.

    Arguments:
        name: what histories and logs call it; None is the name of its kind.

    >>> from aino.train.metrics import Accuracy
    >>> metric = Accuracy()
    >>> metric.update([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    >>> metric.update([[0.3, 0.7]], [1])
    >>> round(metric.compute(), 4)
    0.6667
    """

    #: What the metric is called unless ``name`` says otherwise.
    default_name = "metric"
    #: Whether more is better; None where neither is.
    higher_is_better: bool | None = True

    def __init__(self, name: str | None = None) -> None:
        self.name = self.default_name if name is None else name
        self.state: dict[str, Any] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {}

    def update(self, outputs: Any, targets: Any, weight: Any = None) -> None:
        """Add a batch; what is wrong with it raises before anything is added.

        Arguments:
            outputs: what the model said, one row or number a sample.
            targets: what is right, as many.
            weight: how much each sample counts; None is 1.
        """
        given, right = as_array("outputs", outputs), as_array("targets", targets)
        samples = check_pair(given, right)
        weights = as_weight(weight, samples)
        if samples:
            self.add(given, right, weights)

    @abstractmethod
    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        """Add a batch of one sample at least.

        Arguments:
            outputs: an array of what the model said.
            targets: an array of what is right, as long.
            weight: one float64 a sample; None is 1.
        """

    @abstractmethod
    def compute(self) -> Any:
        """Return the figure of all batches since the last ``reset``."""

    def merge(self, other: Metric) -> Metric:
        """Add what another metric of the same kind has seen; return this one."""
        self._check_like(other)
        self.state = {
            key: _added(value, other.state[key]) if key in other.state else value
            for key, value in self.state.items()
        }
        return self

    def _check_like(self, other: Metric) -> None:
        """Raise unless another metric is of the same kind, and has the same settings."""
        if type(other) is not type(self):
            raise TypeError(f"{self!r} adds up with its own kind, not with {other!r}")
        for key, value in vars(self).items():
            its = vars(other).get(key)
            nan = value != value and its != its
            if key not in ("state", "name") and value != its and not nan:
                raise ValueError(
                    f"{self.name} has {key}={value!r}, and the metric to add {key}={its!r}: they "
                    "do not count the same"
                )

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of what has been summed up."""
        return deepcopy(self.state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` returned."""
        if set(state_dict) != set(self.state):
            raise ValueError(
                f"the state of {self.name} has {sorted(self.state)}, not {sorted(state_dict)}"
            )
        self.state = deepcopy(state_dict)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class Mean(Metric):
    """A metric that is the weighted mean of one value a sample (n,), or of one row (n, k)."""

    def reset(self) -> None:
        """Forget all batches."""
        self.state = {"total": 0.0, "weight": 0.0}

    def _add_values(self, values: np.ndarray, weight: np.ndarray | None) -> None:
        """Add the values of a batch."""
        if weight is None:
            total, seen = np.add.reduce(values, axis=0, dtype=np.float64), float(len(values))
        else:
            total, seen = weight @ values, float(weight.sum())
        self.state["total"] = self.state["total"] + total
        self.state["weight"] += seen

    def _mean(self) -> Any:
        """Return the mean: NaN where nothing was seen, or nothing that counts."""
        if not self.state["weight"]:
            return np.full(np.shape(self.state["total"]), np.nan)[()]
        return self.state["total"] / self.state["weight"]

    def compute(self) -> Any:
        """Return the mean over all samples."""
        return float(self._mean())


class MeanOf(Mean):
    """The mean of a function of outputs and targets, such as a loss.

    A function that gives one value a sample is averaged over samples. One that gives a single
    number for a batch counts as often as the batch has samples, which is the mean over all samples
    where the number itself is one.

    Arguments:
        function: takes outputs and targets as they come.
        name: what the metric is called; None is the function's own name.
        higher_is_better: whether more is better; None where neither is.

    >>> import aino
    >>> from aino.nn import functional as F
    >>> from aino.train.metrics import MeanOf
    >>> metric = MeanOf(F.l1_loss)
    >>> metric.update(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 4.0]))
    >>> metric.name, metric.compute()
    ('l1_loss', 1.0)
    """

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        name: str | None = None,
        higher_is_better: bool | None = None,
    ) -> None:
        self.function = function
        self.higher_is_better = higher_is_better
        super().__init__(getattr(function, "__name__", type(function).__name__) if name is None
                         else name)  # fmt: skip

    def update(self, outputs: Any, targets: Any, weight: Any = None) -> None:
        """Add a batch.

        Arguments:
            outputs: what the model said, as the function takes it.
            targets: what is right, as the function takes it.
            weight: how much each sample counts; None is 1.
        """
        samples = len(as_array("targets", targets))
        weights = as_weight(weight, samples)
        if not samples:
            return
        with no_grad():
            values = as_array(f"what {self.name} gives", self.function(outputs, targets))
        if values.ndim and len(values) == samples:
            self._add_values(values.reshape(samples, -1).mean(axis=1, dtype=np.float64), weights)
        elif values.size != 1:
            raise ShapeError(
                f"{self.name} gives shape {values.shape} for {samples} samples: a metric gives one "
                "number, or one a sample"
            )
        elif weights is not None:
            raise ValueError(
                f"{self.name} gives one number for a batch, so that samples can't be weighted: let "
                "it give one a sample (a loss does with reduction='none')"
            )
        else:
            self._add_values(np.full(samples, float(values.reshape(()))), None)

    def add(self, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray | None) -> None:
        self.update(outputs, targets, weight)


def in_one_call(kind: Callable[..., Metric]) -> Callable[..., Any]:
    """Return the function that computes a metric of its whole data: ``f1(outputs, targets)``.

    It takes outputs, targets and weight, then the settings of the class by name.
    """

    @functools.wraps(kind, updated=())
    def function(outputs: Any, targets: Any, weight: Any = None, **settings: Any) -> Any:
        metric = kind(**settings)
        metric.update(outputs, targets, weight)
        return metric.compute()

    own = list(inspect.signature(function, follow_wrapped=False).parameters.values())[:3]
    settings = [
        parameter if parameter.kind is inspect.Parameter.VAR_KEYWORD
        else parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(kind).parameters.values()
        if parameter.name != "name"
    ]  # fmt: skip
    function.__name__ = function.__qualname__ = kind.default_name  # type: ignore[attr-defined]
    function.__signature__ = inspect.Signature([*own, *settings])  # type: ignore[attr-defined]
    return function


def _added(value: Any, other: Any) -> Any:
    """Return the sum of two parts of a state: numbers are added, lists joined, key by key."""
    if isinstance(value, dict):
        return {
            key: _added(value[key], other[key]) if key in value and key in other
            else deepcopy(value.get(key, other.get(key)))
            for key in [*value, *(key for key in other if key not in value)]
        }  # fmt: skip
    arrays = isinstance(value, np.ndarray) and isinstance(other, np.ndarray)
    if arrays and value.shape != other.shape:
        raise ShapeError(f"sums of shapes {value.shape} and {other.shape} can't be added")
    return value + other
