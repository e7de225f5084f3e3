"""Weighted sums: Linear, Bilinear, and Identity, which leaves everything as it is."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import empty_parameter

__all__ = ["Linear", "Bilinear", "Identity"]


class Linear(TensorModule):
    """A linear map and a shift: y = x Wᵀ + b.

    ``weight`` W (out_features, in_features) and ``bias`` b (out_features,) start in
    U(-1/√in_features, 1/√in_features). Input (..., in_features), output (..., out_features). Raises
    ``ShapeError`` for an input of other features.

    Arguments:
        in_features: how many numbers a sample has.
        out_features: how many the output has.
        bias: add b; without it ``bias`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> layer = aino.nn.Linear(3, 2)
    >>> layer(aino.zeros(5, 3)).shape
    aino.Size([5, 2])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = empty_parameter((out_features, in_features), device, dtype)
        self.bias = empty_parameter((out_features,), device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1.0 / math.sqrt(self.in_features) if self.in_features > 0 else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Return x Wᵀ + b."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """Linear, under the name that PyTorch gives to the last projection of attention."""


class Bilinear(TensorModule):
    """A form that is linear in each of two inputs: yₖ = x₁ᵀ Wₖ x₂ + bₖ.

    ``weight`` W (out, in1, in2) and ``bias`` b (out,) start in U(-1/√in1, 1/√in1). Inputs (...,
    in1) and (..., in2), output (..., out). Raises ``ShapeError`` for inputs of other features.

    Arguments:
        in1_features: how many numbers a sample of the first input has, at least 1.
        in2_features: how many one of the second has.
        out_features: how many the output has.
        bias: add b; without it ``bias`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.Bilinear(3, 4, 2)(aino.zeros(5, 3), aino.zeros(5, 4)).shape
    aino.Size([5, 2])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = empty_parameter(shape, device, dtype)
        self.bias = empty_parameter((out_features,), device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1.0 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Return x₁ᵀ W x₂ + b."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(TensorModule):
    """Returns what it is given: y = x. Takes any arguments, so that it can replace any module.

    >>> import aino
    >>> aino.nn.Identity(54, unused=True)(aino.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return the input."""
        return input
