"""ONNX's further domains: trees and tables of labels, and one step of an optimizer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.table import Float, Ints, Plain, Value, operator

_ML = "ai.onnx.ml"
_TRAINING = "ai.onnx.preview.training"


@operator("ArrayFeatureExtractor", domain=_ML)
def array_feature_extractor(X: Tensor, Y: Ints) -> Tensor:
    places: Any = np.array(Y, np.int64).reshape(-1)
    x = X if X.ndim > 1 else X.reshape(1, -1)
    return x.index_select(x.ndim - 1, Tensor(places))


@operator("Binarizer", domain=_ML)
def binarizer(X: Tensor, *, threshold: float) -> Tensor:
    return (threshold < X).to(X.dtype)


def _first(*options: Any) -> Any:
    return next((option for option in options if option is not None), None)


@operator("LabelEncoder", 4, domain=_ML)
def label_encoder(
    X: Value,
    *,
    default_float: float,
    default_int64: int,
    default_string: str,
    default_tensor: Any = None,
    keys_floats: list[float] | None = None,
    keys_int64s: list[int] | None = None,
    keys_strings: list[str] | None = None,
    keys_tensor: Any = None,
    values_floats: list[float] | None = None,
    values_int64s: list[int] | None = None,
    values_strings: list[str] | None = None,
    values_tensor: Any = None,
) -> np.ndarray:
    keys = _first(keys_floats, keys_int64s, keys_strings, keys_tensor)
    values = _first(values_floats, values_int64s, values_strings, values_tensor)
    if keys is None or values is None or len(keys) != len(values):
        raise OnnxError("there is not one value for each key")
    if values is values_tensor:
        default = 0 if default_tensor is None else default_tensor.reshape(-1)[0]
        dtype: Any = values_tensor.dtype
    else:
        dtype, default = (
            (np.float32, default_float) if values is values_floats
            else (np.int64, default_int64) if values is values_int64s
            else (object, default_string)
        )  # fmt: skip
    # Not a number is not equal to itself, and is found all the same.
    table = {_key(key): value for key, value in zip(keys, values)}
    array = X.detach().numpy() if isinstance(X, Tensor) else X
    found = [table.get(_key(item), default) for item in array.reshape(-1).tolist()]
    return np.array(found, dtype).reshape(array.shape)


def _key(item: Any) -> Any:
    item = item.item() if isinstance(item, np.generic) else item
    if isinstance(item, float):
        return "nan" if math.isnan(item) else float(np.float32(item))
    return item


_COMPARISONS = {
    0: np.less_equal, 1: np.less, 2: np.greater_equal, 3: np.greater, 4: np.equal, 5: np.not_equal,
}  # fmt: skip
_MEMBER = 6


@operator("TreeEnsemble", domain=_ML)
def tree_ensemble(
    X: Plain,
    *,
    aggregate_function: int,
    leaf_targetids: list[int],
    leaf_weights: Any,
    membership_values: Any = None,
    n_targets: int | None = None,
    nodes_falseleafs: list[int],
    nodes_falsenodeids: list[int],
    nodes_featureids: list[int],
    nodes_hitrates: Any = None,
    nodes_missing_value_tracks_true: list[int] | None = None,
    nodes_modes: Any,
    nodes_splits: Any,
    nodes_truenodeids: list[int],
    nodes_trueleafs: list[int],
    post_transform: int,
    tree_roots: list[int],
) -> np.ndarray:
    if post_transform:
        raise OnnxError("a transform after the trees (post_transform) is not computed")
    members = _members(nodes_modes, membership_values)
    missing = nodes_missing_value_tracks_true or [0] * len(nodes_modes)
    count = n_targets or max(leaf_targetids, default=0) + 1
    gathered: list[list[list[float]]] = [[[] for _ in range(count)] for _ in X]
    for row, found in zip(X, gathered):
        for root in tree_roots:
            node = root
            leaf: Any = (
                nodes_trueleafs[root] and nodes_falseleafs[root]
                and nodes_truenodeids[root] == nodes_falsenodeids[root]
            )  # fmt: skip
            if leaf:
                node = nodes_truenodeids[root]
            turns = 0
            while not leaf:
                turns += 1
                if turns > len(nodes_modes):
                    raise OnnxError("the nodes of a tree make a circle")
                value, mode = row[nodes_featureids[node]], int(nodes_modes[node])
                true = (
                    value in members[node] if mode == _MEMBER
                    else bool(_COMPARISONS[mode](value, nodes_splits[node]))
                )  # fmt: skip
                if true or (missing[node] and np.isnan(value)):
                    leaf, node = nodes_trueleafs[node], nodes_truenodeids[node]
                else:
                    leaf, node = nodes_falseleafs[node], nodes_falsenodeids[node]
            found[leaf_targetids[node]].append(float(leaf_weights[node]))
    trees = len(tree_roots)
    aggregate = {
        0: lambda parts: sum(parts) / trees, 1: sum, 2: lambda parts: min(parts, default=math.inf),
        3: lambda parts: max(parts, default=-math.inf),
    }[aggregate_function]  # fmt: skip
    return np.array([[aggregate(parts) for parts in row] for row in gathered], X.dtype)


def _members(modes: Any, values: Any) -> dict[int, set[float]]:
    """Return the sets that nodes ask whether a value is in; they end with what is no number."""
    found: dict[int, set[float]] = {}
    rest = iter([] if values is None else values.reshape(-1).tolist())
    for node, mode in enumerate(modes):
        if int(mode) == _MEMBER:
            members = found[node] = set()
            for value in rest:
                if math.isnan(value):
                    break
                members.add(value)
    return found


def _grouped(inputs: tuple[Tensor, ...], kinds: int) -> list[tuple[Tensor, ...]]:
    """Return what belongs to each variable: all values come first, then all gradients, ..."""
    count = len(inputs) // kinds
    return [tuple(inputs[kind * count + n] for kind in range(kinds)) for n in range(count)]


def _laid_out(results: list[Any]) -> tuple[Tensor, ...]:
    return tuple(part for parts in zip(*results) for part in parts)


@operator("Adagrad", domain=_TRAINING)
def adagrad(
    R: Tensor, T: Tensor, *inputs: Tensor, decay_factor: float, epsilon: float,
    norm_coefficient: float,
) -> tuple[Tensor, ...]:  # fmt: skip
    rate = R / (1 + T * decay_factor)
    results = []
    for x, g, h in _grouped(inputs, 3):
        g = g + x * norm_coefficient
        h = h + g * g
        results.append(((x - rate * g / (h.sqrt() + epsilon)).to(x.dtype), h))
    return _laid_out(results)


@operator("Momentum", domain=_TRAINING)
def momentum(
    R: Tensor, T: Float, *inputs: Tensor, alpha: float, beta: float, mode: str,
    norm_coefficient: float,
) -> tuple[Tensor, ...]:  # fmt: skip
    factor = beta if T > 0 else 1.0
    results = []
    for x, g, v in _grouped(inputs, 3):
        g = g + x * norm_coefficient
        v = v * alpha + g * factor
        step = g + v * alpha if mode == "nesterov" else v
        results.append(((x - R * step).to(x.dtype), v))
    return _laid_out(results)


@operator("Adam", domain=_TRAINING)
def adam(
    R: Tensor, T: Float, *inputs: Tensor, alpha: float, beta: float, epsilon: float,
    norm_coefficient: float, norm_coefficient_post: float,
) -> tuple[Tensor, ...]:  # fmt: skip
    rate = R * (math.sqrt(1 - beta**T) / (1 - alpha**T)) if T > 0 else R
    results = []
    for x, g, v, h in _grouped(inputs, 4):
        g = g + x * norm_coefficient
        v = v * alpha + g * (1 - alpha)
        h = h * beta + g * g * (1 - beta)
        new = (x - rate * (v / (h.sqrt() + epsilon))) * (1 - norm_coefficient_post)
        results.append((new.to(x.dtype), v.to(x.dtype), h.to(x.dtype)))
    return _laid_out(results)
