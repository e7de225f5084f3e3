"""Weighted sums."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import fused
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.ops.linalg.contraction import einsum
from aino.ops.public import operation


@operation(fused.linear, bound=False)
def linear(input: Tensor, weight: Any, bias: Any = None) -> Tensor:
    """Return x Wᵀ + b.

    A weight (in,) with a bias () is a single neuron; its output is (...). Raises ``ShapeError``
    when the features do not agree, ``DtypeError`` when the dtypes differ.

    Arguments:
        input: x: (..., in).
        weight: W: (out, in); the output is (..., out).
        bias: b: (out,); None adds nothing.

    >>> import aino
    >>> aino.nn.functional.linear(aino.ones(1, 2), aino.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 7.]])
    """


def bilinear(input1: Tensor, input2: Tensor, weight: Any, bias: Any = None) -> Tensor:
    """Return x₁ᵀ Wₖ x₂ + bₖ for each of the weight's matrices Wₖ.

    Raises ``ShapeError`` when the features do not agree, or the inputs' other dimensions.

    Arguments:
        input1: x₁: (..., in1).
        input2: x₂: (..., in2).
        weight: W: (out, in1, in2); the output is (..., out).
        bias: b: (out,); None adds nothing.

    >>> import aino
    >>> F = aino.nn.functional
    >>> F.bilinear(aino.ones(1, 2), aino.ones(1, 3), aino.ones(4, 2, 3)).shape
    aino.Size([1, 4])
    """
    if input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeError(
            f"bilinear: the inputs have the shapes {tuple(input1.shape)} and "
            f"{tuple(input2.shape)}; all but the last dimensions have to be the same"
        )
    if (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise ShapeError(
            f"bilinear: a weight of shape {tuple(weight.shape)} does not take inputs of "
            f"{input1.shape[-1]} and {input2.shape[-1]} features"
        )
    y = einsum("...i,oij,...j->...o", input1, weight, input2)
    return y if bias is None else y + bias
