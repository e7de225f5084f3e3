"""What a network learns: which loss, of which function of its last layer's weighted sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.estimators.targets import Targets, one_hot
from aino.nn import functional as F
from aino.nn.modules.activation_names import ACTIVATIONS, suggestion
from aino.train.named import ELEMENTWISE

#: The losses that ``fit`` knows by name.
LOSSES: dict[str, Callable[..., Any]] = {**ELEMENTWISE, "cross_entropy": F.cross_entropy}
_BINARY = ("bce", "binary_cross_entropy")
_PROBABILITIES = {"classes": "softmax", "one-hot": "softmax", "binary": "sigmoid"}
#: How losses grow with the scale of numbers: as squares, as distances, or in no such way.
_POWERS = {"mse": 2, "l1": 1, "mae": 1, "huber": 0, "smooth_l1": 0}


class Objective(NamedTuple):
    """``loss(sums, targets, weights)`` of the last layer's weighted sums, and its activation.

    ``kind`` is that of the targets, ``targets`` the array that the loss takes; ``weights`` is None
    or one number a sample. ``scores``: whether outputs are scores that a softmax or sigmoid turns
    into probabilities. ``power``: how the loss grows with the scale of numbers, 2 for squares, 1
    for distances, 0 where numbers can only be centred; None where the outputs have no scale.
    ``raw``: the loss is a function of the user's, which takes outputs and targets of the scale
    that they have.
    """

    kind: str
    activation: str
    loss: Callable[..., Any]
    targets: np.ndarray
    scores: bool = False
    power: int | None = None
    raw: bool = False


def check_loss(loss: Any) -> None:
    """Raise unless ``loss`` is None, a name of the table or a function."""
    if isinstance(loss, str) and loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}" + suggestion(loss, LOSSES))
    if loss is not None and not isinstance(loss, str) and not callable(loss):
        raise TypeError(f"a loss is a name or a function, not {type(loss).__name__}")


def choose(
    targets: Targets, outputs: int, loss: Any, activation: str | None, dtype: Any
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
        before = _same if direct else function
        scores = activation not in ("softmax", "log_softmax")
        values = targets.values if kind == "classes" else targets.values.astype(dtype)
        return Objective(kind, activation, _comparing(F.cross_entropy, before), values, scores)
    if not isinstance(loss, str):
        linear = kind == "numbers" and activation == "linear"
        own = _function(loss, _same if linear else function)
        values = targets.values
        if kind != "classes" and not linear:
            values = values.astype(dtype)
        return Objective(kind, activation, own, values, power=1 if linear else None, raw=linear)
    values = one_hot(targets, outputs)
    if loss in _BINARY:
        before, measure, scores = _binary_loss(activation)
        return Objective(
            kind, activation, _comparing(measure, before), values.astype(dtype), scores
        )
    power = _POWERS[loss] if activation == "linear" and kind == "numbers" else None
    if kind != "numbers":
        values = values.astype(dtype)
    return Objective(kind, activation, _comparing(LOSSES[loss], function), values, power=power)


def _same(sums: Any) -> Any:
    return sums


def _comparing(measure: Callable[..., Any], before: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of sums, weighted by sample where weights are given."""

    def loss(sums: Any, targets: Any, weights: Any = None) -> Any:
        if weights is None:
            return measure(before(sums), targets)
        each = measure(before(sums), targets, reduction="none")
        if each.ndim > 1:
            each = each.mean(-1)
        return (each * weights).mean()

    return loss


def _function(own: Callable[..., Any], before: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a loss of the user's as a function of sums; it knows no weights."""

    def loss(sums: Any, targets: Any, weights: Any = None) -> Any:
        return own(before(sums), targets)

    return loss


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


def _binary_loss(activation: str) -> tuple[Callable[[Any], Any], Callable[..., Any], bool]:
    """Return what is compared by which binary cross entropy, and whether outputs are scores."""
    function = ACTIVATIONS[activation]
    if activation in ("sigmoid", "linear"):
        return _same, F.binary_cross_entropy_with_logits, activation == "linear"
    if activation in ("softmax", "hardsigmoid"):
        return function, F.binary_cross_entropy, False
    return function, F.binary_cross_entropy_with_logits, True
