"""Columns of what a kernel covers, and images of columns: Unfold and Fold."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule

__all__ = ["Fold", "Unfold"]


class Fold(TensorModule):
    """Makes images (N, C, H, W) of columns (N, C · |K|, T): what came from one place is summed.

    Raises ``ShapeError`` for columns that are not of that form.

    Arguments:
        output_size: the size (H, W) of the images.
        kernel_size: the size of the kernel; a number for both dimensions or a pair, as what
            follows.
        dilation: how far its elements are apart.
        padding: how many zeros stood at all sides.
        stride: how far it moves from one position to the next.

    >>> import aino
    >>> aino.nn.Fold((4, 5), (2, 2))(aino.zeros(1, 12, 12)).shape
    aino.Size([1, 3, 4, 5])
    """

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the images."""
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class Unfold(TensorModule):
    """Makes columns (N, C · |K|, T) of images (N, C, H, W): what a kernel covers at each position.

    Raises ``ShapeError`` for images that are smaller than the kernel.

    Arguments:
        kernel_size: the size of the kernel; a number for both dimensions or a pair, as what
            follows.
        dilation: how far its elements are apart.
        padding: how many zeros are put at all sides.
        stride: how far it moves from one position to the next.

    >>> import aino
    >>> aino.nn.Unfold((2, 2))(aino.zeros(1, 3, 4, 5)).shape
    aino.Size([1, 12, 12])
    """

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Return the columns."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )
