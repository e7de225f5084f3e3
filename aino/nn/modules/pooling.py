"""Pooling: the largest or the mean of each window."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import Module, TensorModule
from aino.nn.functional.windows import Sizes
from aino.nn.modules.adaptive_pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    FractionalMaxPool2d,
    FractionalMaxPool3d,
)
from aino.nn.modules.unpooling import (
    LPPool1d,
    LPPool2d,
    LPPool3d,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
)

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d",
    "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip


class _MaxPool(Module):
    """What all kinds of max pooling have: how their windows lie."""

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
        dilation: Sizes = 1, return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """Takes the largest element of each window.

    Input (N, C, L) or (C, L). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        kernel_size: how many elements a window has.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; -inf is there.
        dilation: the distance of the elements of a window.
        return_indices: also return where each of them stands, as ``MaxUnpool1d`` takes it.
        ceil_mode: windows that reach beyond the end count, if they begin before it.

    >>> import aino
    >>> aino.nn.MaxPool1d(2)(aino.tensor([[1.0, 3.0, 2.0, 5.0]]))
    tensor([[3., 5.]])
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.max_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool2d(_MaxPool):
    """Takes the largest element of each window of an image.

    Input (N, C, H, W) or (C, H, W). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        kernel_size: how many elements a window has, one number or (rows, columns), as all
            that follow.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; -inf is there.
        dilation: the distance of the elements of a window.
        return_indices: also return where each of them stands, as ``MaxUnpool2d`` takes it.
        ceil_mode: windows that reach beyond the end count, if they begin before it.

    >>> import aino
    >>> aino.nn.MaxPool2d(2)(aino.zeros(8, 16, 28, 28)).shape
    aino.Size([8, 16, 14, 14])
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool3d(_MaxPool):
    """Takes the largest element of each window of a volume.

    Input (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions, as all that follow.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; -inf is there.
        dilation: the distance of the elements of a window.
        return_indices: also return where each of them stands, as ``MaxUnpool3d`` takes it.
        ceil_mode: windows that reach beyond the end count, if they begin before it.

    >>> import aino
    >>> aino.nn.MaxPool3d(2)(aino.zeros(8, 16, 4, 28, 28)).shape
    aino.Size([8, 16, 2, 14, 14])
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.max_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class _AvgPool(TensorModule):
    """What all kinds of average pooling have."""

    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _single(value: Sizes) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


class AvgPool1d(_AvgPool):
    """Takes the mean of each window.

    Input (N, C, L) or (C, L). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        kernel_size: how many elements a window has.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; zeros are there.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        count_include_pad: whether the zeros of the padding are counted.

    >>> import aino
    >>> aino.nn.AvgPool1d(2)(aino.tensor([[1.0, 3.0, 2.0, 5.0]]))
    tensor([[2.0000, 3.5000]])
    """

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = _single(stride if stride is not None else kernel_size)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class AvgPool2d(_AvgPool):
    """Takes the mean of each window of an image.

    Input (N, C, H, W) or (C, H, W). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        kernel_size: how many elements a window has, one number or (rows, columns), as all
            that follow.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; zeros are there.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        count_include_pad: whether the zeros of the padding are counted.
        divisor_override: what the sums are divided by, instead of how many elements there are.

    >>> import aino
    >>> aino.nn.AvgPool2d(2)(aino.zeros(8, 16, 28, 28)).shape
    aino.Size([8, 16, 14, 14])
    """

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class AvgPool3d(_AvgPool):
    """Takes the mean of each window of a volume.

    Input (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions, as all that follow.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; zeros are there.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        count_include_pad: whether the zeros of the padding are counted.
        divisor_override: what the sums are divided by, instead of how many elements there are.

    >>> import aino
    >>> aino.nn.AvgPool3d(2)(aino.zeros(8, 16, 4, 28, 28)).shape
    aino.Size([8, 16, 2, 14, 14])
    """

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.avg_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip
