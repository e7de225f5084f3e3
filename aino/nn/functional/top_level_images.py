"""Pooling and resampling as the ``aino`` namespace has them, in PyTorch's order of arguments."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.nn import functional as F
from aino.nn.functional.windows import Sizes

__all__ = [
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "affine_grid_generator", "avg_pool1d",
    "channel_shuffle", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool3d", "native_channel_shuffle",
    "pixel_shuffle", "pixel_unshuffle",
]  # fmt: skip

adaptive_avg_pool1d = F.adaptive_avg_pool1d
avg_pool1d = F.avg_pool1d
channel_shuffle = F.channel_shuffle
native_channel_shuffle = F.native_channel_shuffle
pixel_shuffle = F.pixel_shuffle
pixel_unshuffle = F.pixel_unshuffle


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


_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return ``nn.functional.grid_sample``, whose modes are numbers here.

    Raises ``ValueError`` for a number that is no mode's.

    Arguments:
        input, grid, align_corners: as there.
        interpolation_mode: 0 for bilinear, 1 for nearest, 2 for bicubic.
        padding_mode: 0 for zeros, 1 for border, 2 for reflection.

    >>> import aino
    >>> x = aino.tensor([[[[1.0, 3.0]]]])
    >>> aino.grid_sampler(x, aino.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[2.]]]])
    """
    for what, number in (
        ("interpolation_mode", interpolation_mode),
        ("padding_mode", padding_mode),
    ):
        if number not in (0, 1, 2):
            raise ArgumentError(f"grid_sampler: {what} is 0, 1 or 2, not {number!r}")
    return F.grid_sample(
        input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners
    )


def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return ``grid_sampler`` of images.

    Raises ``ShapeError`` for an input of another number of dimensions than four.

    Arguments:
        input, grid, interpolation_mode, padding_mode, align_corners: as there.
    """
    if input.ndim != 4:
        raise ShapeError(f"grid_sampler_2d takes (N, C, H, W), not {tuple(input.shape)}")
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return ``grid_sampler`` of volumes.

    Raises ``ShapeError`` for an input of another number of dimensions than five.

    Arguments:
        input, grid, interpolation_mode, padding_mode, align_corners: as there.
    """
    if input.ndim != 5:
        raise ShapeError(f"grid_sampler_3d takes (N, C, D, H, W), not {tuple(input.shape)}")
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """Return ``nn.functional.affine_grid``.

    Arguments:
        theta, size, align_corners: as there.

    >>> import aino
    >>> aino.affine_grid_generator(aino.eye(2, 3)[None], (1, 1, 1, 1), True)
    tensor([[[[0., 0.]]]])
    """
    return F.affine_grid(theta, size, align_corners)
