"""Convolutions and their transposes, along one, two or three dimensions."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.modules.conv_shared import _ConvNd, _ConvTransposeNd

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
]  # fmt: skip


class Conv1d(_ConvNd):
    """Convolution of signals: y = x ∗ w + b, ``nn.functional.conv1d``.

    ``weight`` w (out_channels, in_channels / groups, K) and ``bias`` b (out_channels,)
    start in U(-1/√n, 1/√n), n = in_channels / groups times the size of the kernel. Input
    (N, C, L) or (C, L). Raises ``ShapeError`` for an input of other channels, or smaller than
    the kernel.

    Arguments:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the kernel; a number, as what follows.
        stride: how far it moves from one element of the output to the next.
        padding: how much is put at both ends; "valid" for nothing, "same" for what keeps the size.
        dilation: how far the kernel's elements are apart.
        groups: into how many parts channels are divided that do not see one another.
        bias: add b; without it ``bias`` is None.
        padding_mode: what is put there: "zeros", or "reflect", "replicate", "circular" as for
            ``nn.functional.pad``.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.Conv1d(3, 16, 3)(aino.zeros(1, 3, 20)).shape
    aino.Size([1, 16, 18])
    """

    _dims = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """Return x ∗ w + b."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        input, padding = self._framed(input)
        return F.conv1d(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_ConvNd):
    """Convolution of images: y = x ∗ w + b, ``nn.functional.conv2d``.

    ``weight`` w (out_channels, in_channels / groups, KH, KW) and ``bias`` b (out_channels,)
    start in U(-1/√n, 1/√n), n = in_channels / groups times the size of the kernel. Input
    (N, C, H, W) or (C, H, W). Raises ``ShapeError`` for an input of other channels, or smaller than
    the kernel.

    Arguments:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the kernel; a number for both dimensions or a pair, as what
            follows.
        stride: how far it moves from one element of the output to the next.
        padding: how much is put at both ends; "valid" for nothing, "same" for what keeps the size.
        dilation: how far the kernel's elements are apart.
        groups: into how many parts channels are divided that do not see one another.
        bias: add b; without it ``bias`` is None.
        padding_mode: what is put there: "zeros", or "reflect", "replicate", "circular" as for
            ``nn.functional.pad``.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.Conv2d(3, 16, 3)(aino.zeros(1, 3, 9, 8)).shape
    aino.Size([1, 16, 7, 6])
    """

    _dims = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """Return x ∗ w + b."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        input, padding = self._framed(input)
        return F.conv2d(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(_ConvNd):
    """Convolution of volumes: y = x ∗ w + b, ``nn.functional.conv3d``.

    ``weight`` w (out_channels, in_channels / groups, KD, KH, KW) and ``bias`` b (out_channels,)
    start in U(-1/√n, 1/√n), n = in_channels / groups times the size of the kernel. Input
    (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` for an input of other channels, or
    smaller than the kernel.

    Arguments:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the kernel; a number for all dimensions or three, as what
            follows.
        stride: how far it moves from one element of the output to the next.
        padding: how much is put at both ends; "valid" for nothing, "same" for what keeps the size.
        dilation: how far the kernel's elements are apart.
        groups: into how many parts channels are divided that do not see one another.
        bias: add b; without it ``bias`` is None.
        padding_mode: what is put there: "zeros", or "reflect", "replicate", "circular" as for
            ``nn.functional.pad``.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.Conv3d(3, 16, 3)(aino.zeros(1, 3, 5, 6, 7)).shape
    aino.Size([1, 16, 3, 4, 5])
    """

    _dims = 3

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """Return x ∗ w + b."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        input, padding = self._framed(input)
        return F.conv3d(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of a convolution of signals, and a shift: ``nn.functional.conv_transpose1d``.

    ``weight`` (in_channels, out_channels / groups, K) and ``bias`` (out_channels,)
    start in U(-1/√n, 1/√n), n = out_channels / groups times the size of the kernel. Input
    (N, C, L) or (C, L). Raises ``ShapeError`` for an input of other channels.

    Arguments:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the kernel; a number, as what follows.
        stride: how far it moves from one element of the input to the next.
        padding: how much is cut off at both ends.
        output_padding: how much is put after the last.
        groups: into how many parts channels are divided that do not see one another.
        bias: add a shift; without it ``bias`` is None.
        dilation: how far the kernel's elements are apart.
        padding_mode: "zeros", and no other.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.ConvTranspose1d(3, 16, 3, stride=2)(aino.zeros(1, 3, 20)).shape
    aino.Size([1, 16, 41])
    """

    _dims = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Return the transpose; ``output_size`` chooses among the sizes that it can have."""
        return F.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding,
            self._extra(input, output_size), self.groups, self.dilation,
        )  # fmt: skip


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of a convolution of images, and a shift: ``nn.functional.conv_transpose2d``.

    ``weight`` (in_channels, out_channels / groups, KH, KW) and ``bias`` (out_channels,)
    start in U(-1/√n, 1/√n), n = out_channels / groups times the size of the kernel. Input
    (N, C, H, W) or (C, H, W). Raises ``ShapeError`` for an input of other channels.

    Arguments:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the kernel; a number for both dimensions or a pair, as what
            follows.
        stride: how far it moves from one element of the input to the next.
        padding: how much is cut off at both ends.
        output_padding: how much is put after the last.
        groups: into how many parts channels are divided that do not see one another.
        bias: add a shift; without it ``bias`` is None.
        dilation: how far the kernel's elements are apart.
        padding_mode: "zeros", and no other.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.ConvTranspose2d(3, 16, 3, stride=2)(aino.zeros(1, 3, 9, 8)).shape
    aino.Size([1, 16, 19, 17])
    """

    _dims = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Return the transpose; ``output_size`` chooses among the sizes that it can have."""
        return F.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding,
            self._extra(input, output_size), self.groups, self.dilation,
        )  # fmt: skip


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of a convolution of volumes, and a shift: ``nn.functional.conv_transpose3d``.

    ``weight`` (in_channels, out_channels / groups, KD, KH, KW) and ``bias`` (out_channels,)
    start in U(-1/√n, 1/√n), n = out_channels / groups times the size of the kernel. Input
    (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` for an input of other channels.

    Arguments:
        in_channels: the channels of the input.
        out_channels: the channels of the output.
        kernel_size: the size of the kernel; a number for all dimensions or three, as what
            follows.
        stride: how far it moves from one element of the input to the next.
        padding: how much is cut off at both ends.
        output_padding: how much is put after the last.
        groups: into how many parts channels are divided that do not see one another.
        bias: add a shift; without it ``bias`` is None.
        dilation: how far the kernel's elements are apart.
        padding_mode: "zeros", and no other.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.ConvTranspose3d(3, 16, 3, stride=2)(aino.zeros(1, 3, 5, 6, 7)).shape
    aino.Size([1, 16, 11, 13, 15])
    """

    _dims = 3

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
            dilation, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Return the transpose; ``output_size`` chooses among the sizes that it can have."""
        return F.conv_transpose3d(
            input, self.weight, self.bias, self.stride, self.padding,
            self._extra(input, output_size), self.groups, self.dilation,
        )  # fmt: skip
