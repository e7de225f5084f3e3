"""Distances and similarities of vectors, and the losses made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.inplace import store
from aino.autograd.mode import mode
from aino.autograd.rules.index import take
from aino.autograd.rules.reduce import distance, norm
from aino.autograd.tensor import Tensor
from aino.dtypes import float16
from aino.errors import ArgumentError, GradientError, ShapeError
from aino.nn.functional.reduction import named_reduction, reduced
from aino.ops.arguments import reduced as axis_of
from aino.ops.half import in_float32
from aino.ops.shape.broadcasting import broadcast_tensors


def _length(x: Any, p: float, dim: int, keepdim: bool = False) -> Any:
    return norm(x, float(p), axis_of(dim, x.ndim), keepdim)


def normalize(
    input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Return x / max(‖x‖ₚ, ε): each vector along ``dim`` with the norm 1.

    Arguments:
        input: a tensor of any shape.
        p: which norm.
        dim: along which dimension, or dimensions, the vectors lie.
        eps: ε: no norm counts as less, so that zeros stay zeros.
        out: a tensor to write the result into, which is then not differentiated.

    >>> import aino
    >>> aino.nn.functional.normalize(aino.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    if input.array.dtype is float16:
        result = in_float32(normalize, input, p, dim, eps)
    else:
        result = input / _length(input, p, dim, True).clamp(min=eps)
    if out is None:
        return result
    if result.requires_grad or (out.requires_grad and mode.level):
        raise GradientError("normalize: what is written with out= has no gradient; leave it out")
    store(out, result, "normalize", False)
    return out


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return x₁ · x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε)): the cosine of the angle between vectors.

    The result has the shape of the inputs, which are broadcast, without ``dim``.

    Arguments:
        x1: vectors along ``dim``.
        x2: vectors to compare them with.
        dim: along which dimension the vectors lie.
        eps: ε: no length counts as less.

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
    """Return ‖x₁ - x₂ + ε‖ₚ: the distance of vectors, which lie along the last dimension.

    Arguments:
        x1: vectors (..., D).
        x2: vectors (..., D); the two are broadcast.
        p: which norm.
        eps: ε, which keeps the slope finite where the vectors are the same.
        keepdim: keep the last dimension, with length 1: (..., 1) instead of (...).

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
    """Return the mean of 1 - cos(x₁, x₂) where the target is 1, else max(0, cos(x₁, x₂) - margin).

    Raises ``ShapeError`` unless the inputs have one dimension more than the target.

    Arguments:
        input1: x₁: vectors (N, D), or (D,) for one.
        input2: x₂: vectors of the same shape.
        target: 1 for pairs that should point the same way, -1 for others: (N,), or ().
        margin: which cosine is small enough for the others: -1 to 1.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each pair.

    >>> import aino
    >>> x, y = aino.tensor([[1.0, 0.0], [1.0, 0.0]]), aino.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> aino.nn.functional.cosine_embedding_loss(x, y, aino.tensor([1, -1]), reduction="none")
    tensor([1., 1.])
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
    """Return the mean of max(0, -t (x₁ - x₂) + margin).

    Raises ``ShapeError`` unless all three have as many dimensions.

    Arguments:
        input1: x₁: scores, of any shape.
        input2: x₂: scores to rank against them.
        target: t: 1 where x₁ should be the higher one, -1 where x₂ should.
        margin: by how much it should be higher.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each element.

    >>> import aino
    >>> high, low, t = aino.tensor([2.0]), aino.tensor([0.5]), aino.tensor([-1])
    >>> aino.nn.functional.margin_ranking_loss(high, low, t)
    tensor(1.5000)
    """
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

    d is ``pairwise_distance``. Raises ``ValueError`` unless the margin is positive, ``ShapeError``
    unless all three have as many dimensions.

    Arguments:
        anchor: vectors (N, D), or (D,) for one.
        positive: vectors that should be near to them.
        negative: vectors that should be further away.
        margin: by how much they should be further away.
        p: which norm the distance is.
        eps: what is added to each difference, so that the slope stays finite.
        swap: take the negative's distance to the positive where that is the shorter one.
        size_average, reduce: the older way to choose the reduction; both deprecated.
        reduction: "mean", "sum", or "none" for the loss of each triplet.

    Source: Balntas et al., "Learning shallow convolutional feature descriptors with triplet
    losses", 2016.

    >>> import aino
    >>> a, near, far = aino.zeros(1, 2), aino.tensor([[3.0, 4.0]]), aino.tensor([[0.0, 5.5]])
    >>> aino.nn.functional.triplet_margin_loss(a, near, far)
    tensor(0.5000)
    """
    reduction = named_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ArgumentError(f"margin must be greater than 0, got {margin}")

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return the mean of max(0, d(anchor, positive) - d(anchor, negative) + margin) for your own d.

    Raises ``ValueError`` unless the margin is positive, ``ShapeError`` unless all three have as
    many dimensions.

    Arguments:
        anchor: what is compared, in the shapes that the distance takes.
        positive: what should be near to it.
        negative: what should be further away.
        distance_function: d: takes two tensors; ``pairwise_distance`` for None.
        margin: by how much the negative should be further away.
        swap: take the negative's distance to the positive where that is the shorter one.
        reduction: "mean", "sum", or "none" for the loss of each triplet.

    >>> import aino
    >>> a, near, far = aino.zeros(1, 2), aino.tensor([[3.0, 4.0]]), aino.tensor([[0.0, 5.5]])
    >>> aino.nn.functional.triplet_margin_with_distance_loss(
    ...     a, near, far, distance_function=lambda x, y: (x - y).abs().sum(-1))
    tensor(2.5000)
    """
    reduction = named_reduction(None, None, reduction)
    if margin <= 0:
        raise ArgumentError(f"margin must be greater than 0, got {margin}")
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
    """Return the distances ‖xᵢ - xⱼ‖ₚ of all pairs of rows i < j.

    (N, M) gives N (N - 1) / 2 numbers, in the order (0, 1), (0, 2), ..., (1, 2), ... Raises
    ``ShapeError`` unless the input is a matrix.

    Arguments:
        input: the rows: (N, M).
        p: which norm.

    >>> import aino
    >>> aino.nn.functional.pdist(aino.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    if input.ndim != 2:
        raise ShapeError(f"pdist takes a matrix, got shape {tuple(input.shape)}")
    if input.array.dtype is float16:
        return in_float32(pdist, input, p)
    first, second = np.triu_indices(input.shape[0], 1)
    rows = [take(input, index, 0, False) for index in (first, second)]
    return distance(rows[0] - rows[1], float(p), 1)
