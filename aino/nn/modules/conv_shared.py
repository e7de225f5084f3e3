"""What convolutions and their transposes share, whatever their dimensions."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import empty_parameter
from aino.nn.functional.conv import frame

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _numbers(value: Any, dims: int) -> tuple[int, ...]:
    """Return a setting as a number for each dimension, as it is shown."""
    if hasattr(value, "__iter__"):
        return tuple(value)
    return (value,) * dims


class _ConvNd(TensorModule):
    """What all convolutions share: their settings, a kernel and a shift of each channel."""

    #: How many dimensions there are besides batch and channels.
    _dims = 0
    _transposed = False

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
        groups, bias, padding_mode, device, dtype,
    ) -> None:  # fmt: skip
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, not {groups!r}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups: {channels} by {groups}")
        if padding_mode not in _PADDING_MODES:
            known = "', '".join(_PADDING_MODES)
            raise ValueError(f"padding_mode must be one of '{known}', not {padding_mode!r}")
        dims = self._dims
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _numbers(kernel_size, dims)
        self.stride = _numbers(stride, dims)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"padding is a number, 'same' or 'valid', not {padding!r}")
            if padding == "same" and set(self.stride) != {1}:
                raise ValueError(f"padding='same' is for stride=1, not {self.stride}")
        self.padding = padding if isinstance(padding, str) else _numbers(padding, dims)
        self.dilation = _numbers(dilation, dims)
        self.transposed = self._transposed
        self.output_padding = _numbers(output_padding, dims)
        self.groups = groups
        self.padding_mode = padding_mode
        outer, inner = in_channels, out_channels
        if not self._transposed:
            outer, inner = inner, outer
        shape = (outer, inner // groups, *self.kernel_size)
        self.weight = empty_parameter(shape, device, dtype)
        self.bias = empty_parameter((out_channels,), device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            count = math.prod(self.weight.shape[1:])
            if count:
                init.uniform_(self.bias, -1.0 / math.sqrt(count), 1.0 / math.sqrt(count))

    def _framed(self, input: Tensor) -> tuple[Tensor, Any]:
        """Return the input in its frame, where that is not of zeros, and what padding is left."""
        if self.padding_mode == "zeros":
            return input, self.padding
        widths = frame(
            type(self).__name__, self.padding, self.kernel_size, self.stride, self.dilation
        )
        flat = [side for pair in reversed(widths) for side in pair]
        return F.pad(input, flat, mode=self.padding_mode), 0

    def extra_repr(self) -> str:
        none = (0,) * self._dims
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != none:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self._dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != none:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _ConvTransposeNd(_ConvNd):
    """What all transposes share: of several sizes that a convolution makes equal, one is chosen."""

    _transposed = True

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
        dilation, padding_mode, device, dtype,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name} has padding_mode='zeros' alone, not {padding_mode!r}")
        if isinstance(padding, str):
            raise DtypeError(f"{name}: padding is an integer or several, not {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _extra(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """Return the output_padding that leads to a size."""
        if output_size is None:
            return self.output_padding
        name, dims, shape = type(self).__name__, self._dims, tuple(input.shape)
        size = tuple([index(length) for length in output_size])
        if len(size) == len(shape):
            size = size[-dims:]
        if len(size) != dims:
            raise ShapeError(
                f"{name}: output_size is {dims} numbers, or {len(shape)} with those of batch and "
                f"channels, not {tuple(output_size)}"
            )
        places: Any = (shape[-dims:], self.stride, self.padding, self.dilation, self.kernel_size)
        smallest = tuple([
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(*places)
        ])  # fmt: skip
        largest = tuple([n + s - 1 for n, s in zip(smallest, self.stride)])
        if any([not a <= n <= b for a, n, b in zip(smallest, size, largest)]):
            raise ArgumentError(
                f"{name}: an input of the size {shape[-dims:]} has outputs of sizes from "
                f"{smallest} to {largest}, not {size}"
            )
        return tuple([n - a for n, a in zip(size, smallest)])
