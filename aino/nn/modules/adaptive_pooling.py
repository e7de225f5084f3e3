"""Pooling to a size that is given: adaptive windows, and windows that lie at random."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import Module, TensorModule
from aino.nn.functional.adaptive_pooling import OutputSize
from aino.nn.functional.windows import Sizes, each

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
]  # fmt: skip


class _AdaptiveAvgPool(TensorModule):
    """What all kinds of adaptive average pooling have: the size of the output."""

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveMaxPool(Module):
    """What all kinds of adaptive max pooling have: the size of the output."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Takes the means of as many windows as the output is to have elements.

    Input (N, C, L) or (C, L). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for a size that cannot be.

    Arguments:
        output_size: how many elements the output has; as many as the input for None.

    >>> import aino
    >>> aino.nn.AdaptiveAvgPool1d(2)(aino.tensor([[1.0, 3.0, 2.0, 5.0]]))
    tensor([[2.0000, 3.5000]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Takes the means of as many windows as the output is to have elements.

    Input (N, C, H, W) or (C, H, W). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for a size that cannot be.

    Arguments:
        output_size: the output's height and width, or one number for both; None for the input's.

    >>> import aino
    >>> aino.nn.AdaptiveAvgPool2d(1)(aino.zeros(8, 16, 7, 5)).shape
    aino.Size([8, 16, 1, 1])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Takes the means of as many windows as the output is to have elements.

    Input (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for a size that cannot be.

    Arguments:
        output_size: the output's depth, height and width, or one number for all; None for the
            input's.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Takes the largest elements of as many windows as the output is to have elements.

    Input (N, C, L) or (C, L). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for a size that cannot be.

    Arguments:
        output_size: how many elements the output has; as many as the input for None.
        return_indices: also return where each of them stands, as ``MaxUnpool1d`` takes it.

    >>> import aino
    >>> aino.nn.AdaptiveMaxPool1d(2)(aino.tensor([[1.0, 3.0, 2.0, 5.0]]))
    tensor([[3., 5.]])
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Takes the largest elements of as many windows as the output is to have elements.

    Input (N, C, H, W) or (C, H, W). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for a size that cannot be.

    Arguments:
        output_size: the output's height and width, or one number for both; None for the input's.
        return_indices: also return where each of them stands, as ``MaxUnpool2d`` takes it.

    >>> import aino
    >>> aino.nn.AdaptiveMaxPool2d((1, None))(aino.zeros(8, 16, 7, 5)).shape
    aino.Size([8, 16, 1, 5])
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Takes the largest elements of as many windows as the output is to have elements.

    Input (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for a size that cannot be.

    Arguments:
        output_size: the output's depth, height and width, or one number for all; None for the
            input's.
        return_indices: also return where each of them stands, as ``MaxUnpool3d`` takes it.
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPool(Module):
    """What both kinds of fractional max pooling have."""

    #: How many dimensions are pooled.
    _dimensions: int
    _random_samples: Tensor | None

    def __init__(
        self, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        n, name = self._dimensions, type(self).__name__
        self.kernel_size = each(name, "kernel_size", kernel_size, n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{name}: give one of output_size and output_ratio")
        self.output_size = (
            None if output_size is None else each(name, "output_size", output_size, n)
        )
        self.output_ratio = None
        if output_ratio is not None:
            ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else [output_ratio] * n
            self.output_ratio = tuple(ratios)
            if len(self.output_ratio) != n or not all(0 < ratio < 1 for ratio in self.output_ratio):
                raise ValueError(f"{name}: output_ratio lies between 0 and 1, not {output_ratio!r}")


class FractionalMaxPool2d(_FractionalMaxPool):
    """Takes the largest element of each of windows that lie at random, as many as are wanted.

    Input (N, C, H, W) or (C, H, W). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for sizes that do not fit, or unless one of size and ratio is given.

    Arguments:
        kernel_size: how many elements a window has, one number or (rows, columns).
        output_size: the output's height and width, or one number for both.
        output_ratio: the same as a fraction of the input's.
        return_indices: also return where each of them stands, as ``MaxUnpool2d`` takes it.
        _random_samples: numbers in [0, 1), (N, C, 2), in place of those that are drawn.

    Source: Graham, "Fractional max-pooling", 2014.

    >>> import aino
    >>> aino.nn.FractionalMaxPool2d(2, output_ratio=0.7)(aino.zeros(1, 9, 9)).shape
    aino.Size([1, 6, 6])
    """

    _dimensions = 2

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip


class FractionalMaxPool3d(_FractionalMaxPool):
    """Takes the largest element of each of windows that lie at random, as many as are wanted.

    Input (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` in a call for another input,
    ``ValueError`` for sizes that do not fit, or unless one of size and ratio is given.

    Arguments:
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions.
        output_size: the output's depth, height and width, or one number for all.
        output_ratio: the same as a fraction of the input's.
        return_indices: also return where each of them stands, as ``MaxUnpool3d`` takes it.
        _random_samples: numbers in [0, 1), (N, C, 3), in place of those that are drawn.

    Source: Graham, "Fractional max-pooling", 2014.
    """

    _dimensions = 3

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and where they stand if that was asked for."""
        return F.fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip
