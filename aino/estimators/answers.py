"""What a network that has learned says: outputs, labels, probabilities, scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.estimators.data import Inputs
from aino.estimators.targets import Targets
from aino.nn import functional as F
from aino.train.evaluation import asking

_PROBABILITIES = ("softmax", "sigmoid", "hardsigmoid")
#: How many samples of a sparse matrix are asked about at once.
_AT_ONCE = 1024


def wrapped(X: Any, answer: Any) -> Any:
    """Return an answer as a tensor where X was one and the answer is no text."""
    return make(answer) if isinstance(X, Tensor) and answer.dtype.kind != "O" else answer


def sums(layers: Any, input: Any) -> Any:
    """Return the weighted sums of the last layer, before its activation, of scaled inputs."""
    *hidden, last = layers
    for layer in hidden:
        input = layer(input)
    return F.linear(input, last.weight, last.bias)


def outputs_of(network: Any, inputs: Inputs) -> np.ndarray:
    """Return the outputs for checked inputs, as they are after ``eval()``."""
    return _run(network, network, inputs)


def sums_of(network: Any, inputs: Inputs) -> np.ndarray:
    """Return the weighted sums of the last layer for checked inputs; of numbers, in their scale."""

    def answer(rows: Tensor) -> Tensor:
        if network.input_scaling is not None:
            rows = network.input_scaling(rows).to(network.dtype)
        found = sums(network.layers, rows)
        return found if network.output_scaling is None else network.output_scaling(found)

    return _run(network, answer, inputs)


def _run(network: Any, function: Any, inputs: Inputs) -> np.ndarray:
    with asking(network):
        if not inputs.sparse:
            return function(_as_given_to(network, inputs.rows)).array
        starts = range(0, max(1, len(inputs)), _AT_ONCE)
        return np.concatenate([
            function(_as_given_to(network, inputs.take(slice(start, start + _AT_ONCE)))).array
            for start in starts
        ])  # fmt: skip


def _as_given_to(network: Any, rows: np.ndarray) -> Tensor:
    """Return samples as a tensor: rounded only where the network does not scale them itself."""
    if network.input_scaling is not None:
        return make(rows)
    return make(rows.astype(network.dtype, copy=False))


def labels(network: Any) -> np.ndarray | None:
    """Return the labels that the network gives; None where it gives outputs."""
    classes = network.classes
    if isinstance(classes, list):
        found = np.empty(len(classes), object)
        found[:] = classes
        return found
    return classes


def classes_told_apart(network: Any) -> np.ndarray:
    """Return the classes in the order of probabilities; ``AttributeError`` where there are none."""
    if network.kind in (None, "numbers"):
        raise AttributeError("a network that has learned no classes has no classes_")
    classes = labels(network)
    several = network.sizes[-1] > 1
    if network.kind == "one-hot" or (several and (network.kind == "binary" or classes is None)):
        return np.arange(network.sizes[-1])
    return np.arange(2) if classes is None else classes


def predictions(network: Any, outputs: np.ndarray) -> np.ndarray:
    """Return what ``predict`` makes of outputs."""
    classes = labels(network)
    if network.kind == "classes":
        chosen = outputs.argmax(axis=1)
        return chosen if classes is None else classes[chosen]
    if classes is None:
        return outputs[:, 0] if network.flat and outputs.shape[1] == 1 else outputs
    if network.kind == "one-hot":
        rows = np.zeros(outputs.shape, np.int64)
        rows[np.arange(len(rows)), outputs.argmax(axis=1)] = 1
        return classes[rows]
    said = classes[(outputs > middle(network)).astype(np.int64)]
    return said[:, 0] if said.shape[1] == 1 else said


def middle(network: Any) -> float:
    """Return what lies half-way between no and yes: a probability of 0.5 is a score of 0."""
    return 0.0 if network.scores else 0.5


def probabilities(network: Any, outputs: np.ndarray) -> np.ndarray:
    """Return what ``predict_proba`` makes of outputs."""
    activation = network.layers[-1].activation
    if network.scores:
        several = network.kind in ("classes", "one-hot")
        sums = make(outputs)
        outputs = (F.softmax(sums, -1) if several else F.sigmoid(sums)).array
    elif activation == "log_softmax":
        outputs = np.exp(outputs)
    elif activation not in _PROBABILITIES:
        raise ValueError(
            f"the outputs of this network ({activation}) are no probabilities; predict() gives them"
        )
    if outputs.shape[1] > 1:
        return outputs
    if network.kind == "binary" and labels(network) is not None:
        return np.column_stack([1.0 - outputs, outputs])
    return outputs[:, 0] if network.flat else outputs


def score(
    network: Any, outputs: np.ndarray, targets: Targets, weights: np.ndarray | None = None
) -> float:
    """Return the share of samples that are classified correctly; for numbers, R²."""
    kind = targets.kind if network.kind is None else network.kind
    values = targets.values
    if kind in ("classes", "one-hot"):
        right = values if values.ndim == 1 else values.argmax(axis=1)
        return float(np.average(outputs.argmax(axis=1) == right, weights=weights))
    if kind == "binary":
        right = ((outputs > middle(network)) == (values > 0.5)).all(axis=1)
        return float(np.average(right, weights=weights))
    rest = np.average((values - outputs) ** 2, axis=0, weights=weights)
    away = values - np.average(values, axis=0, weights=weights)
    total = np.average(away**2, axis=0, weights=weights)
    shares = np.where(total > 0, 1.0 - rest / np.where(total > 0, total, 1.0), rest == 0)
    return float(shares.mean())
