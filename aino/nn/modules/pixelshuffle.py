"""Channels into pixels, and back: PixelShuffle, PixelUnshuffle."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(TensorModule):
    """Lays the channels of an image out as pixels: (*, C · r², H, W) to (*, C, H · r, W · r).

    A call raises ``ShapeError`` for channels that r² does not divide.

    Arguments:
        upscale_factor: r.

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", 2016.

    >>> import aino
    >>> aino.nn.PixelShuffle(2)(aino.zeros(1, 8, 3, 4)).shape
    aino.Size([1, 2, 6, 8])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the image of more pixels and fewer channels."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(TensorModule):
    """Makes channels of the pixels of an image: (*, C, H · r, W · r) to (*, C · r², H, W).

    A call raises ``ShapeError`` for a height or width that r does not divide.

    Arguments:
        downscale_factor: r.

    >>> import aino
    >>> aino.nn.PixelUnshuffle(2)(aino.zeros(1, 2, 6, 8)).shape
    aino.Size([1, 8, 3, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Return the image of fewer pixels and more channels."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
