"""Normalisation over the last dimensions: LayerNorm and RMSNorm."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import empty_parameter

__all__ = ["LayerNorm", "RMSNorm"]


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
