"""What a network learns: which loss, of which function of its last layer's weighted sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.estimators.data import Targets, one_hot
from aino.nn import functional as F
from aino.nn.modules.activation_names import ACTIVATIONS, suggestion

#: The losses that ``fit`` knows by name.
LOSSES = {
    "mse": F.mse_loss, "l1": F.l1_loss, "mae": F.l1_loss, "huber": F.huber_loss,
    "smooth_l1": F.smooth_l1_loss, "cross_entropy": F.cross_entropy,
    "bce": F.binary_cross_entropy_with_logits,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
}  # fmt: skip
_BINARY = ("bce", "binary_cross_entropy")
_PROBABILITIES = {"classes": "softmax", "one-hot": "softmax", "binary": "sigmoid"}


class Objective(NamedTuple):
    """``loss(sums, targets)`` of the last layer's weighted sums, and that layer's activation.

    ``kind`` is that of the targets, ``targets`` the array that the loss takes. ``scores``:
    whether outputs are scores that a softmax or sigmoid turns into probabilities. ``power``: how
    the loss grows with the scale of numbers, 2 for squares, 1 for distances, None where it does
    not follow a scale.
    """

    kind: str
    activation: str
    loss: Callable[[Any, Any], Any]
    targets: np.ndarray
    scores: bool = False
    power: int | None = None


def check_loss(loss: Any) -> None:
    """Raise unless ``loss`` is None, a name of the table or a function."""
    if isinstance(loss, str) and loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}" + suggestion(loss, LOSSES))
    if loss is not None and not isinstance(loss, str) and not callable(loss):
        raise TypeError(f"a loss is a name or a function, not {type(loss).__name__}")


def choose(
    targets: Targets, outputs: int, loss: Any, activation: str | None, dtype: np.dtype
) -> Objective:
    """Return the objective for these targets; what is not given is chosen by their kind.

    Class indices and one-hot rows: cross entropy of a softmax. Zeros and ones: binary cross
    entropy of a sigmoid. Numbers: mean squared error of linear outputs.
    """
    if loss == "cross_entropy" and outputs == 1:
        raise ValueError("cross_entropy compares classes; with one output there is only one")
    kind = _kind(targets, loss)
    if loss is None:
        loss = _default_loss(kind, activation)
    if activation is None:
        activation = "sigmoid" if loss in _BINARY else _PROBABILITIES.get(kind, "linear")
    function = ACTIVATIONS[activation]
    if loss == "cross_entropy":
        direct = activation in ("softmax", "log_softmax", "linear")

        def cross_entropy(sums: Any, target: Any) -> Any:
            return F.cross_entropy(sums if direct else function(sums), target)

        scores = activation not in ("softmax", "log_softmax")
        return Objective(kind, activation, cross_entropy, targets.values, scores)
    values = one_hot(targets, outputs, dtype)
    if loss in _BINARY:
        binary, scores = _binary_loss(activation)
        return Objective(kind, activation, binary, values, scores)
    if not isinstance(loss, str):
        values = targets.values
    measure: Any = LOSSES[loss] if isinstance(loss, str) else loss

    def compare(sums: Any, target: Any) -> Any:
        return measure(function(sums), target)

    power = {"mse": 2, "l1": 1, "mae": 1}.get(loss) if isinstance(loss, str) else None
    return Objective(
        kind, activation, compare, values, power=power if activation == "linear" else None
    )


def _kind(targets: Targets, loss: Any) -> str:
    """Return the kind of the targets, where the loss knows it better than their values."""
    kind, values = targets.kind, targets.values
    if loss in _BINARY and kind in ("numbers", "one-hot"):
        if ((values < 0) | (values > 1)).any():
            raise ValueError("binary cross entropy needs targets between 0 and 1")
        return "binary"
    if loss == "cross_entropy" and kind in ("numbers", "binary"):
        if (values < 0).any() or not np.allclose(values.sum(axis=1), 1.0, atol=1e-3):
            raise ValueError("cross_entropy needs class indices, or rows of probabilities")
        return "one-hot"
    return kind


def _default_loss(kind: str, activation: str | None) -> str:
    if kind == "numbers":
        return "mse"
    if activation in (None, "linear"):
        return "bce" if kind == "binary" else "cross_entropy"
    if activation == "sigmoid":
        return "bce"
    if activation in ("softmax", "log_softmax"):
        return "cross_entropy" if kind != "binary" else "bce"
    return "mse"


def _binary_loss(activation: str) -> tuple[Callable[[Any, Any], Any], bool]:
    """Return the binary cross entropy of outputs, and whether they are scores."""
    function = ACTIVATIONS[activation]
    if activation in ("sigmoid", "linear"):
        return F.binary_cross_entropy_with_logits, activation == "linear"
    if activation in ("softmax", "hardsigmoid"):
        return lambda sums, target: F.binary_cross_entropy(function(sums), target), False
    return lambda sums, target: F.binary_cross_entropy_with_logits(function(sums), target), True
