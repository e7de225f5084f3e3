"""What is minimised: a loss of outputs and targets, with weights of samples where given."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import Module
from aino.train.named import ELEMENTWISE, loss_named

_ELEMENTWISE_MODULES = (
    "MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCEWithLogitsLoss", "BCELoss",
)  # fmt: skip
_INTEGERS = "iub"


class Criterion:
    """A loss by its name, as a function or as a module, called with outputs and targets.

    A loss that compares element by element takes targets (n,) for outputs (n, 1), and whole
    numbers and booleans as the numbers that they are. Weights of samples make it Σ w l / Σ w; the
    loss has to take ``reduction="none"`` then, or ``sample_weight``.

    Raises ``ValueError`` for an unknown name and for a loss that is no mean over the samples.
    """

    def __init__(self, loss: Any) -> None:
        self.function = loss_named(loss)
        self.name = loss if isinstance(loss, str) else _name_of(loss)
        reduction = getattr(loss, "reduction", "mean")
        if reduction != "mean":
            each = "a number for each sample" if reduction == "none" else (
                "a sum, which grows with the batch"
            )  # fmt: skip
            raise ValueError(
                f'{self.name}(reduction="{reduction}") gives {each}, and training minimises the '
                'mean: leave reduction at "mean"'
            )
        self.elementwise = self.function in [*ELEMENTWISE.values(), F.binary_cross_entropy] or (
            isinstance(loss, Module) and self.name in _ELEMENTWISE_MODULES
        )

    def __call__(self, outputs: Any, targets: Any, weights: Any = None) -> Any:
        """Return the loss, a tensor of no dimensions."""
        if self.elementwise:
            targets = self._aligned(outputs, targets)
        if weights is None:
            loss = self.function(outputs, targets)
        elif self._takes_weights:
            loss = self.function(outputs, targets, sample_weight=weights)
        else:
            loss = _weighted_mean(self._each(outputs, targets), weights, self._counted(targets))
        if not isinstance(loss, Tensor) or loss.array.ndim:
            given = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise ValueError(
                f"the loss {self.name} has to give one number, a tensor of shape (), and gives "
                f"{given}"
            )
        return loss

    def _aligned(self, outputs: Any, targets: Any) -> Any:
        """Return targets in the shape and the kind of numbers of the outputs."""
        if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor):
            return targets
        shape = tuple(outputs.array.shape)
        if tuple(targets.array.shape) != shape:
            if (*targets.array.shape, 1) != shape:
                raise ValueError(
                    f"{self.name} compares outputs and targets element by element: the outputs "
                    f"are {shape}, the targets {tuple(targets.array.shape)}"
                )
            targets = targets.reshape(shape)
        if targets.array.dtype.kind in _INTEGERS:
            targets = targets.to(outputs.array.dtype)
        return targets

    def _counted(self, targets: Any) -> Any:
        """Return which classes are not those that cross entropy leaves out; None for all."""
        default = -100 if self.function in (F.cross_entropy, F.nll_loss) else None
        ignored = getattr(self.function, "ignore_index", default)
        if ignored is None or targets.array.dtype.kind not in _INTEGERS:
            return None
        return targets != ignored

    @functools.cached_property
    def _takes_weights(self) -> bool:
        return "sample_weight" in _parameters(self.function)

    @functools.cached_property
    def _each(self) -> Callable:
        """Return the loss of each sample as a function."""
        function = self.function
        if getattr(function, "weight", None) is not None:
            raise ValueError(
                f"{self.name} has weights of classes: with weights of samples, multiply these by "
                "the weights of their classes instead"
            )
        if isinstance(function, Module) and hasattr(function, "reduction"):
            function = copy.copy(function)
            function.reduction = "none"
            return function
        if "reduction" in _parameters(function):
            return functools.partial(function, reduction="none")
        raise ValueError(
            f"the loss {self.name} takes no weights of samples: it needs an argument "
            "sample_weight, or reduction"
        )


def _weighted_mean(losses: Any, weights: Any, counted: Any) -> Any:
    """Return Σ w l / Σ w, where w belongs to rows of l; 0 where all weights are 0.

    ``counted``: which of l count at all, None for all of them.
    """
    if losses.array.shape[:1] != weights.array.shape:
        raise ValueError(
            f"there are {tuple(losses.array.shape)} losses, and weights of shape "
            f"{tuple(weights.array.shape)}: one weight for each sample is wanted"
        )
    weights = weights.reshape(weights.array.shape + (1,) * (losses.array.ndim - 1))
    weights = weights.to(losses.array.dtype).expand(losses.array.shape)
    if counted is not None:
        weights = weights * counted.to(losses.array.dtype)
    total = weights.sum()
    return (losses * weights).sum() / (total + (total == 0).to(losses.array.dtype))


def _name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _parameters(function: Any) -> Any:
    try:
        called = function.forward if isinstance(function, Module) else function
        return inspect.signature(called).parameters
    except (TypeError, ValueError):
        return {}
