"""Channels into pixels, pixels into channels, and channels of groups mixed."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, ShapeError
from aino.ops.arguments import whole

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _image(name: str, input: Tensor, factor: int, what: str) -> tuple:
    shape = input.array.shape
    if len(shape) < 3:
        raise ShapeError(f"{name} takes an input of shape (*, C, H, W), not {shape}")
    if whole(factor, f"{name}: {what}") < 1:
        raise ArgumentError(f"{name}: {what} is at least 1, not {factor}")
    return shape


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return the channels of an image as pixels: (*, C · r², H, W) to (*, C, H · r, W · r).

    Raises ``ShapeError`` for channels that r² does not divide, or fewer than three dimensions.

    Arguments:
        input: a tensor (*, C · r², H, W).
        upscale_factor: r.

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", 2016.

    >>> import aino
    >>> aino.nn.functional.pixel_shuffle(aino.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    *lead, channels, height, width = _image("pixel_shuffle", input, r, "upscale_factor")
    if channels % (r * r):
        raise ShapeError(f"pixel_shuffle: {r * r} does not divide the {channels} channels")
    n = len(lead)
    parts = input.reshape((*lead, channels // (r * r), r, r, height, width))
    parts = parts.permute((*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return parts.reshape((*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return the pixels of an image as channels: (*, C, H · r, W · r) to (*, C · r², H, W).

    It undoes ``pixel_shuffle``. Raises ``ShapeError`` for a height or width that r does not divide,
    or fewer than three dimensions.

    Arguments:
        input: a tensor (*, C, H · r, W · r).
        downscale_factor: r.

    >>> import aino
    >>> aino.nn.functional.pixel_unshuffle(aino.arange(4.0).reshape(1, 2, 2), 2).ravel()
    tensor([0., 1., 2., 3.])
    """
    r = downscale_factor
    *lead, channels, height, width = _image("pixel_unshuffle", input, r, "downscale_factor")
    if height % r or width % r:
        raise ShapeError(f"pixel_unshuffle: {r} does not divide the image of {height} x {width}")
    n = len(lead)
    parts = input.reshape((*lead, channels, height // r, r, width // r, r))
    parts = parts.permute((*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return parts.reshape((*lead, channels * r * r, height // r, width // r))


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return the channels in another order: the first of each group, then the second, and so on.

    Raises ``ShapeError`` for channels that the groups do not divide, and for less than three
    dimensions.

    Arguments:
        input: a tensor (N, C, *).
        groups: how many groups of channels there are.

    Source: Zhang et al., "ShuffleNet: an extremely efficient convolutional neural network for
    mobile devices", 2018.

    >>> import aino
    >>> aino.nn.functional.channel_shuffle(aino.arange(4.0).reshape(1, 4, 1), 2).ravel()
    tensor([0., 2., 1., 3.])
    """
    shape = input.array.shape
    if len(shape) < 3:
        raise ShapeError(f"channel_shuffle takes an input of shape (N, C, *), not {shape}")
    if whole(groups, "channel_shuffle: groups") < 1:
        raise ArgumentError(f"channel_shuffle: groups is at least 1, not {groups}")
    batch, channels, *rest = shape
    if channels % groups:
        raise ShapeError(f"channel_shuffle: {groups} groups do not divide {channels} channels")
    parts = input.reshape((batch, groups, channels // groups, *rest))
    return parts.transpose(1, 2).reshape(shape)


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return ``channel_shuffle``, of which this is the name in the kernels of PyTorch.

    Arguments:
        input, groups: as there.
    """
    return channel_shuffle(input, groups)
