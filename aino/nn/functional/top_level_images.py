"""Pooling and resampling as the ``aino`` namespace has them, in PyTorch's order of arguments."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.functional.windows import Sizes

__all__ = [
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool3d",
]  # fmt: skip

adaptive_avg_pool1d = F.adaptive_avg_pool1d
avg_pool1d = F.avg_pool1d


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """Return ``nn.functional.adaptive_max_pool1d``, and the index of each winner.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        output_size: how many windows there are.

    >>> import aino
    >>> aino.adaptive_max_pool1d(aino.tensor([[1.0, 3.0]]), 1)
    (tensor([[3.]]), tensor([[1]]))
    """
    return F.adaptive_max_pool1d(input, output_size, True)


def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes = (), padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Return the largest element of each window: ``nn.functional.max_pool1d``.

    Arguments:
        input, kernel_size, padding, dilation, ceil_mode: as there.
        stride: the distance of the windows; ``kernel_size`` for none.

    >>> import aino
    >>> aino.max_pool1d(aino.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return F.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes = (), padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Return the largest element of each window of an image: ``nn.functional.max_pool2d``.

    Arguments:
        input, kernel_size, padding, dilation, ceil_mode: as there.
        stride: the distance of the windows; ``kernel_size`` for none.

    >>> import aino
    >>> aino.max_pool2d(aino.tensor([[[1.0, 3.0], [2.0, 5.0]]]), 2)
    tensor([[[5.]]])
    """
    return F.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes = (), padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """Return the largest element of each window of a volume: ``nn.functional.max_pool3d``.

    Arguments:
        input, kernel_size, padding, dilation, ceil_mode: as there.
        stride: the distance of the windows; ``kernel_size`` for none.
    """
    return F.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes = (), padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return ``max_pool1d``, and the index of each winner.

    Arguments:
        input, kernel_size, padding, dilation, ceil_mode: as there.
        stride: the distance of the windows; ``kernel_size`` for none.
    """
    return F.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
