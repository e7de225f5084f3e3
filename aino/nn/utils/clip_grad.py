"""Limits on gradients, so that one unlucky batch cannot throw the parameters far away."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.sums import sum_over, widened
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float16
from aino.errors import GradientError
from aino.user_warnings import formerly


def _tensors(given: Any) -> list[Tensor]:
    return [given] if isinstance(given, Tensor) else list(given)


def _gradients(parameters: Any) -> list[Tensor]:
    gradients = [parameter.grad for parameter in _tensors(parameters)]
    return [gradient for gradient in gradients if gradient is not None]


def _norm(array: Any, norm_type: float) -> Any:
    """Return the norm of all elements, as an array of no dimensions; of float16 as float32."""
    axes, array = tuple(range(array.ndim)), widened(array)
    if norm_type == math.inf:
        return np.maximum.reduce(np.absolute(array), axis=axes)
    if norm_type == -math.inf:
        return np.minimum.reduce(np.absolute(array), axis=axes)
    if norm_type == 2.0:
        if array.dtype.kind == "c":
            array = np.absolute(array)
        return np.sqrt(sum_over(array * array))
    if norm_type == 0.0:
        return sum_over((array != 0).astype(array.real.dtype))
    return sum_over(np.absolute(array) ** norm_type) ** (1.0 / norm_type)


def _total_norm(listed: list[Tensor], norm_type: float, error_if_nonfinite: bool) -> Any:
    """Return the norm of all tensors, an array of no dimensions; of float16 as float32."""
    parts = [_norm(tensor.array, norm_type) for tensor in listed]
    # Of order 0 it is the number of tensors that are not zero, be it one.
    several = len(parts) > 1 or norm_type == 0.0
    total = _norm(np.stack(parts), norm_type) if several else parts[0]
    if error_if_nonfinite and not np.isfinite(total):
        raise GradientError(
            f"the total norm of order {norm_type} for gradients from `parameters` is "
            f"non-finite ({float(total)}), so it cannot be clipped"
        )
    return np.asarray(total) if isinstance(total, np.generic) else total


def _named(total: Any, listed: list[Tensor]) -> Tensor:
    """Return a norm as its tensor; of float16 alone it is float16."""
    half = all([tensor.array.dtype is float16 for tensor in listed])
    return make(total.astype(float16) if half else total)


def get_total_norm(
    tensors: Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all tensors together, as if they were one vector.

    Arguments:
        tensors: the tensors, each a part of the vector.
        norm_type: the p of the p-norm; ``inf`` for the largest element.
        error_if_nonfinite: raise where the norm is not finite, instead of going on.
        foreach: PyTorch's choice of how to compute; the result is the same.

    Raises ``GradientError`` for a norm that is not finite, if ``error_if_nonfinite``.

    >>> import aino
    >>> aino.nn.utils.get_total_norm([aino.tensor([3.0]), aino.tensor([4.0])])
    tensor(5.)
    """
    listed = _tensors(tensors)
    if not listed:
        return make(np.asarray(0.0, np.float32))
    return _named(_total_norm(listed, float(norm_type), error_if_nonfinite), listed)


def clip_grads_with_norm_(
    parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale gradients in place by max_norm / total_norm, where that is below 1.

    Arguments:
        parameters: the tensors whose gradients are meant; one, or an iterable.
        max_norm: the largest norm that is left as it is.
        total_norm: the norm of all gradients together.
        foreach: PyTorch's choice of how to compute; the result is the same.
    """
    norm = total_norm.array if isinstance(total_norm, Tensor) else np.asarray(total_norm)
    _scale(_gradients(parameters), max_norm, norm)


def _scale(gradients: list[Tensor], max_norm: Any, norm: Any) -> None:
    # A number of a running program stays what it is, so that it is read at each call.
    limit = float(max_norm) if isinstance(max_norm, (Tensor, np.generic)) else max_norm
    factor = np.minimum(limit / (widened(norm) + 1e-6), 1.0)
    for gradient in gradients:
        array = gradient.array
        np.multiply(array, factor.astype(array.real.dtype), out=array)
        stamp_write(array)


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients so that their norm together is at most ``max_norm``; return the norm.

    Arguments:
        parameters: the tensors whose gradients are meant; one, or an iterable.
        max_norm: the largest norm that is left as it is.
        norm_type: the p of the p-norm; ``inf`` for the largest element.
        error_if_nonfinite: raise where the norm is not finite, instead of going on.
        foreach: PyTorch's choice of how to compute; the result is the same.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", 2013.

    >>> import aino
    >>> w = aino.tensor([3.0, 4.0], requires_grad=True)
    >>> (0.5 * w * w).sum().backward()
    >>> aino.nn.utils.clip_grad_norm_(w, 1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    gradients = _gradients(parameters)
    if not gradients:
        return get_total_norm(gradients)
    total = _total_norm(gradients, float(norm_type), error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return _named(total, gradients)


clip_grad_norm = formerly("nn.utils", clip_grad_norm_)


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Limit every element of the gradients to [-clip_value, clip_value], in place.

    Arguments:
        parameters: the tensors whose gradients are meant; one, or an iterable.
        clip_value: the largest absolute value of an element.
        foreach: PyTorch's choice of how to compute; the result is the same.
    """
    limit = float(clip_value) if isinstance(clip_value, (Tensor, np.generic)) else clip_value
    for gradient in _gradients(parameters):
        array = gradient.array
        np.minimum(array, limit, out=array)
        np.maximum(array, -limit, out=array)
        stamp_write(array)
