"""The p-norm of each window of an input."""

from __future__ import annotations

import math

from aino.autograd.tensor import Tensor
from aino.nn.functional.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from aino.nn.functional.windows import Sizes, each
from aino.ops.pointwise import sign
from aino.ops.pointwise.activation import relu

__all__ = ["lp_pool1d", "lp_pool2d", "lp_pool3d"]

_AVG = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}
_MAX = {1: max_pool1d, 2: max_pool2d, 3: max_pool3d}


def _lp_pool(n, input, norm_type, kernel_size, stride, ceil_mode):
    if norm_type == math.inf:
        return _MAX[n](abs(input), kernel_size, stride, 0, 1, ceil_mode)
    if norm_type == -math.inf:
        return -_MAX[n](-abs(input), kernel_size, stride, 0, 1, ceil_mode)
    size = math.prod(each(f"lp_pool{n}d", "kernel_size", kernel_size, n))
    mean = _AVG[n](input**norm_type, kernel_size, stride, 0, ceil_mode)
    # As it stands, but for the slope at 0, which is to be 0 where that of the root is infinite.
    return (sign(mean) * relu(abs(mean)) * size) ** (1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Return (Σ xᵖ)^(1/p) of each window; the largest |x| for p = inf.

    No absolute values are taken: of an odd p the sum may be negative, and then has no root. Raises
    ``ShapeError`` for an input of another number of dimensions or smaller than a window,
    ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        norm_type: p.
        kernel_size: how many elements a window has.
        stride: the distance of the windows; ``kernel_size`` for None.
        ceil_mode: windows that reach beyond the end count, if they begin before it.

    >>> import aino
    >>> aino.nn.functional.lp_pool1d(aino.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Return (Σ xᵖ)^(1/p) of each window; the largest |x| for p = inf.

    Raises ``ShapeError`` for an input of another number of dimensions or smaller than a window,
    ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, H, W) or (C, H, W).
        norm_type: p.
        kernel_size: how many elements a window has, one number or (rows, columns).
        stride: the distance of the windows; ``kernel_size`` for None.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Return (Σ xᵖ)^(1/p) of each window; the largest |x| for p = inf.

    Raises ``ShapeError`` for an input of another number of dimensions or smaller than a window,
    ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        norm_type: p.
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions.
        stride: the distance of the windows; ``kernel_size`` for None.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
