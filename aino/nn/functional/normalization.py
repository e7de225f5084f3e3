"""Normalisation over the last dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.duck import moves
from aino.autograd.rules import fused
from aino.autograd.tensor import Tensor
from aino.dtypes import float16
from aino.errors import ShapeError
from aino.ops.half import in_float32


def _rank(name: str, input: Any, normalized_shape: Any, *tensors: Any) -> int:
    """Return how many dimensions are normalised, after checking that all shapes fit."""
    shape = tuple(normalized_shape)
    rank = len(shape)
    if not rank:
        raise ShapeError(f"{name}: normalized_shape needs at least one dimension")
    if tuple(input.array.shape[-rank:]) != shape:
        raise ShapeError(
            f"{name}: given normalized_shape={shape}, expected an input whose last dimensions "
            f"are these, but got shape {tuple(input.shape)}"
        )
    for tensor in tensors:
        if tensor is not None and tensor.array.shape != shape:
            raise ShapeError(
                f"{name}: weight and bias have the shape {shape} that is normalised, got "
                f"{tuple(tensor.shape)}"
            )
    return rank


def layer_norm(
    input: Tensor, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Return (x - E[x]) / √(Var[x] + ε) · weight + bias over the last dimensions.

    The variance divides by the number of elements. Raises ``ShapeError`` when the input does not
    end in ``normalized_shape``, or weight or bias have another shape.

    Arguments:
        input: x: (..., *normalized_shape).
        normalized_shape: the lengths of the last dimensions, over which x is normalised.
        weight: what is multiplied, of ``normalized_shape``; 1 for None.
        bias: what is added, of ``normalized_shape``; 0 for None.
        eps: ε, which keeps the denominator from 0.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> import aino
    >>> aino.nn.functional.layer_norm(aino.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    rank = _rank("layer_norm", input, normalized_shape, weight, bias)
    if input.array.dtype is float16:
        return in_float32(layer_norm, input, normalized_shape, weight, bias, eps)
    if moves(input.array):
        definition = fused.layer_norm.primitive.definition
        return definition(input, weight, bias, None, None, rank, eps)
    z, scale = fused.standardised(input.array, rank, eps)
    return fused.layer_norm(input, weight, bias, z, scale, rank, eps)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Tensor:
    """Return x / √(E[x²] + ε) · weight, the mean of the squares over the last dimensions.

    Raises ``ShapeError`` when the input does not end in ``normalized_shape``, or the weight has
    another shape.

    Arguments:
        input: x: (..., *normalized_shape).
        normalized_shape: the lengths of the last dimensions, over which x is normalised.
        weight: what is multiplied, of ``normalized_shape``; 1 for None.
        eps: ε, which keeps the denominator from 0; the input's machine epsilon for None.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> import aino
    >>> aino.nn.functional.rms_norm(aino.tensor([[1.0, 7.0]]), (2,))
    tensor([[0.2000, 1.4000]])
    """
    rank = _rank("rms_norm", input, normalized_shape, weight)
    if eps is None:
        eps = float(np.finfo(input.array.dtype).eps)
    if input.array.dtype is float16:
        return in_float32(rms_norm, input, normalized_shape, weight, eps)
    if moves(input.array):
        return fused.rms_norm.primitive.definition(input, weight, None, None, rank, eps)
    z, scale = fused.rescaled(input.array, rank, eps)
    return fused.rms_norm(input, weight, z, scale, rank, eps)
