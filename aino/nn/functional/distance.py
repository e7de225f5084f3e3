"""Distances and similarities of vectors, and the losses made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.rules.index import take
from aino.autograd.rules.reduce import distance, norm
from aino.autograd.tensor import Tensor
from aino.dtypes import float16
from aino.errors import ShapeError
from aino.nn.functional.reduction import named_reduction, reduced
from aino.ops.arguments import dim_of
from aino.ops.half import in_float32
from aino.ops.shape.shaping import broadcast_tensors


def _length(x: Any, p: float, dim: int, keepdim: bool = False) -> Any:
    return norm(x, float(p), dim_of(dim, x.ndim), keepdim)


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Return x / max(‖x‖ₚ, ε), the norm taken along ``dim``.

    >>> import aino
    >>> aino.nn.functional.normalize(aino.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    if input.array.dtype is float16:
        return in_float32(normalize, input, p, dim, eps)
    return input / _length(input, p, dim, True).clamp(min=eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return x₁ · x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)), along ``dim``.

    >>> import aino
    >>> aino.nn.functional.cosine_similarity(aino.tensor([[1.0, 0]]), aino.tensor([[1.0, 1]]))
    tensor([0.7071])
    """
    if x1.array.dtype is float16 and x2.array.dtype is float16:
        return in_float32(cosine_similarity, x1, x2, dim, eps)
    if x1.shape != x2.shape:
        x1, x2 = broadcast_tensors(x1, x2)
    first = x1 / _length(x1, 2.0, dim, True).clamp(min=eps)
    second = x2 / _length(x2, 2.0, dim, True).clamp(min=eps)
    return (first * second).sum(dim)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return ‖x₁ - x₂ + ε‖ₚ along the last dimension.

    >>> import aino
    >>> aino.nn.functional.pairwise_distance(aino.zeros(1, 2), aino.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    if x1.array.dtype is float16 and x2.array.dtype is float16:
        return in_float32(pairwise_distance, x1, x2, p, eps, keepdim)
    return _length(x1 - x2 + eps, p, -1, keepdim)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of 1 - cos(x₁, x₂) where the target is 1, max(0, cos - margin) where -1.

    Inputs (N, D) and target (N,), or (D,) and ().
    """
    reduction = named_reduction(size_average, reduce, reduction)
    if target.ndim not in (0, 1) or input1.ndim != target.ndim + 1 or input2.ndim != input1.ndim:
        raise ShapeError(
            f"cosine_embedding_loss: inputs of shapes {tuple(input1.shape)} and "
            f"{tuple(input2.shape)} do not fit a target of shape {tuple(target.shape)}"
        )
    if input1.array.dtype is float16 and input2.array.dtype is float16:
        return in_float32(
            cosine_embedding_loss, input1, input2, target, margin, None, None, reduction
        )
    # As in PyTorch, ε stands under the root here.
    product = (input1 * input2).sum(-1)
    squares = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    cosine = product / squares.sqrt()
    zero = cosine * 0.0
    like = np.where(target == 1, 1.0 - cosine, zero)
    unlike = np.where(target == -1, (cosine - margin).clamp(min=0.0), zero)
    return reduced(like + unlike, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean of max(0, -t (x₁ - x₂) + margin): t is 1 where x₁ should rank higher."""
    reduction = named_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            f"margin_ranking_loss: inputs of shapes {tuple(input1.shape)} and "
            f"{tuple(input2.shape)} do not fit a target of shape {tuple(target.shape)}"
        )
    return reduced((-target * (input1 - input2) + margin).clamp(min=0.0), reduction)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of max(0, d(anchor, positive) - d(anchor, negative) + margin).

    d is ``pairwise_distance``. With ``swap`` the negative's distance to the positive counts
    where it is the shorter.

    Source: Balntas et al., "Learning shallow convolutional feature descriptors with triplet
    losses", 2016.
    """
    reduction = named_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the triplet loss with a distance of one's own; ``pairwise_distance`` by default."""
    reduction = named_reduction(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or pairwise_distance
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(anchor, positive, negative, distance, margin, swap, reduction):
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            f"the anchor, positive and negative should have as many dimensions, got shapes "
            f"{tuple(anchor.shape)}, {tuple(positive.shape)} and {tuple(negative.shape)}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp(min=0.0), reduction)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """Return the distances of all pairs of rows: (N, M) gives N (N - 1) / 2 numbers."""
    if input.ndim != 2:
        raise ShapeError(f"pdist takes a matrix, got shape {tuple(input.shape)}")
    if input.array.dtype is float16:
        return in_float32(pdist, input, p)
    first, second = np.triu_indices(input.shape[0], 1)
    rows = [take(input, index, 0, False) for index in (first, second)]
    return distance(rows[0] - rows[1], float(p), 1)
