"""Activations with bounds and thresholds, and those that compare elements with one another."""

from __future__ import annotations

from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn import functional as F
from aino.nn.base.module import TensorModule
from aino.user_warnings import warn

__all__ = [
    "Hardtanh", "Hardshrink", "Softshrink", "Threshold", "GLU", "Softmax", "Softmin", "LogSoftmax",
    "Softmax2d",
]  # fmt: skip


class Hardtanh(TensorModule):
    """y = x within [min_val, max_val], with slope 0 at both bounds.

    The input may have any shape; the output has the same. Raises ``ValueError`` unless the upper
    bound is the larger one.

    Arguments:
        min_val: the lower bound.
        max_val: the upper bound.
        inplace: write the result into the input, which is returned.
        min_value, max_value: the older names of the bounds; deprecated.

    >>> import aino
    >>> aino.nn.Hardtanh()(aino.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None or max_value is not None:
            warn(
                "Hardtanh: min_value and max_value are deprecated, please use min_val and max_val",
                FutureWarning,
            )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise ValueError(
                f"max_val must be larger than min_val, got {self.max_val} and {self.min_val}"
            )

    def forward(self, input: Tensor) -> Tensor:
        """Return x within the bounds."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (
            ", inplace=True" if self.inplace else ""
        )


class Hardshrink(TensorModule):
    """y = x where |x| > λ, else 0. ``lambd`` is λ.

    >>> import aino
    >>> aino.nn.Hardshrink()(aino.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Return x where |x| > λ, else 0."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(TensorModule):
    """y = x moved by λ towards 0, and 0 where |x| ≤ λ. ``lambd`` is λ, which is not negative.

    >>> import aino
    >>> aino.nn.Softshrink()(aino.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Return x moved by λ towards 0."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Threshold(TensorModule):
    """y = x where x > threshold, else value.

    The input may have any shape; the output has the same.

    Arguments:
        threshold: x stays where it is above this.
        value: what stands in the other places.
        inplace: write the result into the input, which is returned.

    >>> import aino
    >>> aino.nn.Threshold(0.5, -7.0)(aino.tensor([-1.0, 2.0]))
    tensor([-7.,  2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > threshold, else value."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (
            ", inplace=True" if self.inplace else ""
        )


class GLU(TensorModule):
    """y = a σ(b), a and b the halves of x along ``dim``.

    Input (..., 2n, ...), output (..., n, ...). Raises ``ShapeError`` for an odd length.

    Source: Dauphin et al., "Language modeling with gated convolutional networks", 2016.

    >>> import aino
    >>> aino.nn.GLU()(aino.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the first half, gated by the second."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(TensorModule):
    """yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along ``dim``: positive, with sum 1.

    >>> import aino
    >>> aino.nn.Softmax(dim=0)(aino.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the softmax of x."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(TensorModule):
    """yᵢ = exp(-xᵢ) / Σⱼ exp(-xⱼ) along ``dim``: the highest number for the lowest input.

    >>> import aino
    >>> aino.nn.Softmin(dim=0)(aino.tensor([0.0, 1000.0]))
    tensor([1., 0.])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the softmax of -x."""
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(TensorModule):
    """yᵢ = xᵢ - ln Σⱼ exp(xⱼ) along ``dim``: the logarithm of the softmax, without overflow.

    >>> import aino
    >>> aino.nn.LogSoftmax(dim=0)(aino.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the logarithm of the softmax of x."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(TensorModule):
    """The softmax over the channels of (N, C, H, W) or (C, H, W), at each place.

    Raises ``ShapeError`` for another number of dimensions.

    >>> import aino
    >>> aino.nn.Softmax2d()(aino.zeros(4, 1, 1)).flatten()
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the softmax over channels."""
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d takes 3 or 4 dimensions, got shape {tuple(input.shape)}")
        return F.softmax(input, -3)
