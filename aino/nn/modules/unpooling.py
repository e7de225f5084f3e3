"""Pooling by the p-norm, and max pooling the way back."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn.base.module import TensorModule
from aino.nn.functional.windows import Sizes, each

__all__ = ["LPPool1d", "LPPool2d", "LPPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _LPPool(TensorModule):
    """What all kinds of pooling by the p-norm have."""

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """Takes the p-norm of each window: (Σ xᵖ)^(1/p), the largest |x| for p = inf.

    Input (N, C, L) or (C, L). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        norm_type: p.
        kernel_size: how many elements a window has.
        stride: the distance of the windows; ``kernel_size`` for None.
        ceil_mode: windows that reach beyond the end count, if they begin before it.

    >>> import aino
    >>> aino.nn.LPPool1d(2, 2)(aino.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the norms."""
        return F.lp_pool1d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool2d(_LPPool):
    """Takes the p-norm of each window: (Σ xᵖ)^(1/p), the largest |x| for p = inf.

    Input (N, C, H, W) or (C, H, W). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        norm_type: p.
        kernel_size: how many elements a window has, one number or (rows, columns).
        stride: the distance of the windows; ``kernel_size`` for None.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the norms."""
        return F.lp_pool2d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool3d(_LPPool):
    """Takes the p-norm of each window: (Σ xᵖ)^(1/p), the largest |x| for p = inf.

    Input (N, C, D, H, W) or (C, D, H, W). Raises ``ShapeError`` in a call for another input or one
    smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        norm_type: p.
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions.
        stride: the distance of the windows; ``kernel_size`` for None.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the norms."""
        return F.lp_pool3d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class _MaxUnpool(TensorModule):
    """What all kinds of unpooling have: how the windows of the pooling lay."""

    #: How many dimensions were pooled.
    _dimensions: int

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        n, name = self._dimensions, type(self).__name__
        self.kernel_size = each(name, "kernel_size", kernel_size, n)
        self.stride = self.kernel_size if stride is None else each(name, "stride", stride, n)
        self.padding = each(name, "padding", padding, n)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Puts each element where ``MaxPool1d`` found it, among zeros.

    Input (N, C, L) or (C, L), indices of its shape. Raises ``ShapeError`` in a call for
    shapes that do not fit together, ``IndexError`` for a place that is not there, ``ValueError``
    for an ``output_size`` that pooling would not make this input of.

    Arguments:
        kernel_size: of the pooling, one number or one for each dimension, as what follows.
        stride: of the pooling; ``kernel_size`` for None.
        padding: of the pooling.

    >>> import aino
    >>> x = aino.tensor([[1.0, 3.0, 2.0, 5.0]])
    >>> y, indices = aino.nn.MaxPool1d(2, return_indices=True)(x)
    >>> aino.nn.MaxUnpool1d(2)(y, indices)
    tensor([[0., 3., 0., 5.]])
    """

    _dimensions = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Return the elements in their places; ``output_size`` is the pooling's input's."""
        return F.max_unpool1d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool2d(_MaxUnpool):
    """Puts each element where ``MaxPool2d`` found it, among zeros.

    Input (N, C, H, W) or (C, H, W), indices of its shape. Raises ``ShapeError`` in a call for
    shapes that do not fit together, ``IndexError`` for a place that is not there, ``ValueError``
    for an ``output_size`` that pooling would not make this input of.

    Arguments:
        kernel_size: of the pooling, one number or one for each dimension, as what follows.
        stride: of the pooling; ``kernel_size`` for None.
        padding: of the pooling.
    """

    _dimensions = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Return the elements in their places; ``output_size`` is the pooling's input's."""
        return F.max_unpool2d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool3d(_MaxUnpool):
    """Puts each element where ``MaxPool3d`` found it, among zeros.

    Input (N, C, D, H, W) or (C, D, H, W), indices of its shape. Raises ``ShapeError`` in a call for
    shapes that do not fit together, ``IndexError`` for a place that is not there, ``ValueError``
    for an ``output_size`` that pooling would not make this input of.

    Arguments:
        kernel_size: of the pooling, one number or one for each dimension, as what follows.
        stride: of the pooling; ``kernel_size`` for None.
        padding: of the pooling.
    """

    _dimensions = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Return the elements in their places; ``output_size`` is the pooling's input's."""
        return F.max_unpool3d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
