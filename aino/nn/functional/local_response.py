"""Normalisation by the channels around."""

from __future__ import annotations

import math

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.ops.shape.joining import cat


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return x / (k + α · mean of x² over ``size`` channels around)^β.

    Channels beyond the first and the last count as zeros. Raises ``ShapeError`` for fewer than
    three dimensions, ``ArgumentError`` for a size below 1.

    Arguments:
        input: x: (N, C, ...), C the channels.
        size: how many neighbouring channels there are, this one among them.
        alpha: α.
        beta: β.
        k: what is added, so that the denominator stays from 0.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
    neural networks", 2012.

    >>> import aino
    >>> x = aino.ones(1, 2, 1)
    >>> aino.nn.functional.local_response_norm(x, 2, alpha=2.0, beta=1.0).reshape(-1)
    tensor([0.5000, 0.3333])
    """
    if input.ndim < 3:
        raise ShapeError(
            f"local_response_norm expects 3 dimensions or more, got shape {tuple(input.shape)}"
        )
    if size < 1:
        raise ArgumentError(f"local_response_norm takes a size of at least 1, got {size}")
    if not math.prod(input.shape):
        return input
    return divided_by_neighbours(input, size // 2, (size - 1) // 2, alpha / size, beta, k)


def divided_by_neighbours(input, before: int, after: int, alpha: float, beta: float, k: float):
    """Return x / (k + α Σ x²)^β, the sum over channels from ``before`` this one to ``after``."""
    channels = input.shape[1]
    squares = input * input
    total = squares
    for shift in range(1, min(max(before, after), channels - 1) + 1):
        edge = squares[:, :shift] * 0.0
        if shift <= before:
            total = total + cat((edge, squares[:, : channels - shift]), 1)
        if shift <= after:
            total = total + cat((squares[:, shift:], edge), 1)
    return input / (total * alpha + k) ** beta
