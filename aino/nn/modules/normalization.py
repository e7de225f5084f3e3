"""Normalisation over the last dimensions, over groups of channels, by channels around."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import empty_parameter
from aino.nn.functional.local_response import divided_by_neighbours

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _shape_of(normalized_shape: Any) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class LayerNorm(TensorModule):
    """Gives the last dimensions mean 0 and variance 1: y = (x - E[x]) / √(Var[x] + ε) · γ + β.

    ``weight`` γ starts as ones and ``bias`` β as zeros, both of ``normalized_shape``. Input and
    output (..., *normalized_shape); ``ShapeError`` for another. The variance divides by the number
    of elements.

    Arguments:
        normalized_shape: the lengths of the last dimensions, which are normalised; or one length.
        eps: ε, which keeps the denominator from 0.
        elementwise_affine: learn γ and β; without it both are None.
        bias: learn β; without it ``bias`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> import aino
    >>> aino.nn.LayerNorm(2)(aino.tensor([[1.0, 3.0]]))
    tensor([[-1.0000,  1.0000]], grad_fn=<LayerNormBackward0>)
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.weight = empty_parameter(shape, device, dtype) if elementwise_affine else None
        self.bias = empty_parameter(shape, device, dtype) if elementwise_affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make the weight ones and the bias zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(TensorModule):
    """Divides by the root of the mean square of the last dimensions: y = x / √(E[x²] + ε) · γ.

    ``weight`` γ, of ``normalized_shape``, starts as ones. Input and output (...,
    *normalized_shape); ``ShapeError`` for another.

    Arguments:
        normalized_shape: the lengths of the last dimensions, which are normalised; or one length.
        eps: ε, which keeps the denominator from 0; the input's machine epsilon for None.
        elementwise_affine: learn γ; without it ``weight`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> import aino
    >>> aino.nn.RMSNorm(2, elementwise_affine=False)(aino.tensor([[1.0, 7.0]]))
    tensor([[0.2000, 1.4000]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.weight = empty_parameter(shape, device, dtype) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make the weight ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised input."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(TensorModule):
    """Gives groups of channels mean 0 and variance 1: y = (x - E[x]) / √(Var[x] + ε) · γ + β.

    ``weight`` γ starts as ones and ``bias`` β as zeros, both (C,). Each sample is normalised by
    itself. Input and output (N, C, ...); ``ShapeError`` for another.

    Arguments:
        num_groups: how many groups of neighbouring channels there are.
        num_channels: C, which must be divisible by that.
        eps: ε, which keeps the denominator from 0.
        affine: learn γ and β; without it both are None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        bias: learn β; without it ``bias`` is None.

    Source: Wu and He, "Group normalization", 2018.

    >>> import aino
    >>> aino.nn.GroupNorm(2, 4, affine=False)(aino.tensor([[1.0, 3.0, 5.0, 5.0]]))
    tensor([[-1.0000,  1.0000,  0.0000,  0.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ShapeError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        shape = (num_channels,)
        self.weight = empty_parameter(shape, device, dtype) if affine else None
        self.bias = empty_parameter(shape, device, dtype) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make the weight ones and the bias zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(TensorModule):
    """Divides by the channels around: y = x / (k + α · mean of x² over ``size`` channels)^β.

    Channels beyond the first and the last count as zeros. Input and output (N, C, ...), of three
    dimensions or more; ``ShapeError`` for another.

    Arguments:
        size: how many neighbouring channels there are, this one among them.
        alpha: α.
        beta: β.
        k: what is added, so that the denominator stays from 0.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
    neural networks", 2012.

    >>> import aino
    >>> layer = aino.nn.LocalResponseNorm(2, alpha=2.0, beta=1.0)
    >>> layer(aino.ones(1, 2, 1)).reshape(-1)
    tensor([0.5000, 0.3333])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(TensorModule):
    """Divides images by the channels around: y = x / (k + α / size · Σ x²)^β.

    The sum goes over as many channels before this one as behind it, ``(size - 1) // 2``. Input and
    output (N, C, H, W); ``ShapeError`` for another.

    Arguments:
        size: how many neighbouring channels there are, this one among them.
        alpha: α.
        beta: β.
        k: what is added, so that the denominator stays from 0.

    >>> import aino
    >>> layer = aino.nn.CrossMapLRN2d(3, alpha=3.0, beta=1.0)
    >>> layer(aino.ones(1, 2, 1, 1)).reshape(-1)
    tensor([0.3333, 0.3333])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        if input.dim() != 4:
            raise ShapeError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        around = (self.size - 1) // 2
        return divided_by_neighbours(
            input, around, around, self.alpha / self.size, self.beta, self.k
        )

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
