"""Limits on gradients, so that one unlucky batch cannot throw the parameters far away."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor, make
from aino.errors import GradientError


def _tensors(given: Any) -> list[Tensor]:
    return [given] if isinstance(given, Tensor) else list(given)


def _gradients(parameters: Any) -> list[Tensor]:
    gradients = [parameter.grad for parameter in _tensors(parameters)]
    return [gradient for gradient in gradients if gradient is not None]


def _norm(array: Any, norm_type: float) -> Any:
    """Return the norm of all elements, as an array of no dimensions."""
    axes = tuple(range(array.ndim))
    if norm_type == math.inf:
        return np.maximum.reduce(np.absolute(array), axis=axes)
    if norm_type == 2.0:
        if array.dtype.kind == "c":
            array = np.absolute(array)
        return np.sqrt(np.add.reduce(array * array, axis=axes))
    if norm_type == 0.0:
        return np.add.reduce((array != 0).astype(array.real.dtype), axis=axes)
    return np.add.reduce(np.absolute(array) ** norm_type, axis=axes) ** (1.0 / norm_type)


def get_total_norm(
    tensors: Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all tensors together, as if they were one vector.

    Raises ``GradientError`` for a norm that is not finite, if ``error_if_nonfinite``.

    >>> import aino
    >>> aino.nn.utils.get_total_norm([aino.tensor([3.0]), aino.tensor([4.0])])
    tensor(5.)
    """
    norm_type = float(norm_type)
    listed = _tensors(tensors)
    if not listed:
        return make(np.asarray(0.0, np.float32))
    parts = [_norm(tensor.array, norm_type) for tensor in listed]
    total = parts[0]
    if len(parts) > 1:
        total = _norm(np.stack(parts), norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise GradientError(
            f"the total norm of order {norm_type} for gradients from `parameters` is "
            f"non-finite ({float(total)}), so it cannot be clipped"
        )
    return make(np.asarray(total) if isinstance(total, np.generic) else total)


def clip_grads_with_norm_(
    parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale gradients in place by max_norm / total_norm, where that is below 1."""
    norm = total_norm.array if isinstance(total_norm, Tensor) else np.asarray(total_norm)
    # A number of a running program stays what it is, so that it is read at each call.
    limit = float(max_norm) if isinstance(max_norm, (Tensor, np.generic)) else max_norm
    factor = np.minimum(limit / (norm + 1e-6), 1.0)
    for gradient in _gradients(parameters):
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
    parameters = _tensors(parameters)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Limit every element of the gradients to [-clip_value, clip_value], in place."""
    limit = float(clip_value) if isinstance(clip_value, (Tensor, np.generic)) else clip_value
    for gradient in _gradients(parameters):
        array = gradient.array
        np.minimum(array, limit, out=array)
        np.maximum(array, -limit, out=array)
        stamp_write(array)
