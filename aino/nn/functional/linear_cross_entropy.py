"""Scores by a linear map, and their cross-entropy, in one call."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.nn.functional.classification import cross_entropy
from aino.nn.functional.linear import linear


def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: Any = None,
) -> Tensor:  # fmt: skip
    """Return ``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    Raises ``ShapeError`` for shapes that do not fit, ``ValueError`` for ``ignore_index`` beside
    probabilities.

    Arguments:
        input: (N, in), or (in,) for one sample.
        linear_weight: (C, in), or (C, d₁, ..., in) for several losses of a sample.
        target: classes (N, d₁, ...), or probabilities (N, C, d₁, ...).
        linear_bias: (C, d₁, ...), or None.
        weight: how much each class counts: (C,).
        reduction: "mean", "sum", or "none" for the loss of each sample.
        ignore_index: samples of this class are left out; -100 for None.
        label_smoothing: as for ``cross_entropy``.
        options: ``nn.LinearCrossEntropyOptions``: has no effect on the numbers, and the scores are
            computed as a whole.

    >>> import aino
    >>> F = aino.nn.functional
    >>> F.linear_cross_entropy(aino.ones(1, 2), aino.zeros(2, 2), aino.tensor([0]))
    tensor(0.6931)
    """
    if input.ndim not in (1, 2):
        raise ShapeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if linear_weight.ndim < 2:
        raise ShapeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}"
        )
    features = input.shape[-1]
    if linear_weight.shape[-1] != features:
        raise ShapeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{features} and {linear_weight.shape[-1]}, respectively"
        )
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise ShapeError(f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}")
    if len(outputs) > 1 and input.ndim == 1:
        raise ShapeError(
            f"several losses of a sample, by linear_weight of shape {tuple(linear_weight.shape)}, "
            f"need an input (N, {features}), got {tuple(input.shape)}"
        )
    shape = (*input.shape[:-1], *outputs)
    if ignore_index is not None and tuple(target.shape) == shape:
        raise ArgumentError("ignore_index cannot be specified when target contains probabilities")
    flat = math.prod(outputs)
    scores = linear(
        input, linear_weight.reshape(flat, features),
        None if linear_bias is None else linear_bias.reshape(flat),
    ).reshape(shape)  # fmt: skip
    return cross_entropy(
        scores, target, weight, ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction, label_smoothing=label_smoothing,
    )  # fmt: skip
