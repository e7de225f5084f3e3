"""Probabilities of scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import activation as rules
from aino.autograd.rules.elementwise import log
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype, float16
from aino.errors import DtypeError
from aino.ops.arguments import dim_of, the_dim
from aino.ops.half import in_float32
from aino.ops.public import method, takes_out
from aino.ops.random.generator import draw
from aino.types import DType
from aino.user_warnings import warn

__all__ = ["softmax", "log_softmax", "softmin", "gumbel_softmax"]


def _along(rule, name, input, dim, dtype):
    """Apply a rule along a dimension, to the input in another dtype where one is asked for."""
    if dim is None:
        raise TypeError(f"{name}: say along which dimension the probabilities sum to 1 (dim=)")
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    elif input.array.dtype.kind not in "f":
        raise DtypeError(f"{name}: expected a floating-point tensor, got {input.array.dtype}")
    rank = input.array.ndim
    dim = dim_of(dim, rank)
    if input.array.dtype is float16:
        return in_float32(_along, rule, name, input, dim, None)
    return rule(input, dim) if rank else rule(input.reshape((1,)), 0).reshape(())


@method
@takes_out
def softmax(
    input: Tensor,
    dim: Any = None,
    dtype: DType | None = None,
    *,
    axis: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return probabilities along a dimension: ``eˣ / Σ eˣ``, without overflow.

    Raises ``TypeError`` without ``dim``, ``DtypeError`` for integers without a ``dtype``.

    Arguments:
        input: a tensor of scores.
        dim: the dimension along which the results sum to 1; it has to be given.
        dtype: what the input is cast to first, and that of the result; None leaves it as it is.
        axis: NumPy's name for ``dim``.

    >>> import aino
    >>> aino.softmax(aino.tensor([0.0, 1000.0, 1000.0]), 0)
    tensor([0.0000, 0.5000, 0.5000])
    """
    return _along(rules.softmax, "softmax", input, the_dim(dim, axis, "softmax"), dtype)


@method
@takes_out
def log_softmax(
    input: Tensor,
    dim: Any = None,
    dtype: DType | None = None,
    *,
    axis: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the logarithms of probabilities along a dimension: ``x - ln Σ eˣ``.

    There is no overflow. Raises ``TypeError`` without ``dim``, ``DtypeError`` for integers without
    a ``dtype``.

    Arguments:
        input: a tensor of scores.
        dim: the dimension along which the probabilities sum to 1; it has to be given.
        dtype: what the input is cast to first, and that of the result; None leaves it as it is.
        axis: NumPy's name for ``dim``.

    >>> import aino
    >>> aino.log_softmax(aino.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    dim = the_dim(dim, axis, "log_softmax")
    return _along(rules.log_softmax, "log_softmax", input, dim, dtype)


def softmin(
    input: Tensor, dim: Any = None, dtype: DType | None = None, *, axis: Any = None
) -> Tensor:
    """Return probabilities along a dimension, the highest for the lowest score: ``softmax(-x)``.

    Raises what ``softmax`` does.

    Arguments:
        input: a tensor of scores.
        dim: the dimension along which the results sum to 1; it has to be given.
        dtype: what the input is cast to first, and that of the result; None leaves it as it is.
        axis: NumPy's name for ``dim``.

    >>> import aino
    >>> aino.nn.functional.softmin(aino.tensor([0.0, 1000.0]), 0)
    tensor([1., 0.])
    """
    return softmax(-input, the_dim(dim, axis, "softmin"), dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1.0, hard: bool = False, eps: Any = 1e-10, dim: Any = -1
) -> Tensor:
    """Return a sample of a class, made differentiable: ``softmax((x + Gumbel noise) / tau)``.

    Jang et al., "Categorical Reparameterization with Gumbel-Softmax" (2017).

    Arguments:
        logits: a tensor of scores, the logarithms of probabilities up to a constant.
        tau: the temperature: the lower, the nearer is the sample to one class.
        hard: whether the sample is one-hot, with the gradient of the soft one.
        eps: has no effect, here as in PyTorch.
        dim: the dimension of the classes.

    >>> import aino
    >>> aino.nn.functional.gumbel_softmax(aino.zeros(3), hard=True).sum()
    tensor(1.)
    """
    if eps != 1e-10:
        warn("gumbel_softmax: eps is deprecated and has no effect")
    array = logits.array
    noise = log(make(draw(None, "exponential", array.shape, array.dtype)))
    soft = softmax((logits - noise) / tau, dim)
    if not hard:
        return soft
    sample = np.zeros_like(soft.array)
    chosen = np.expand_dims(np.argmax(soft.array, axis=dim), dim)
    np.put_along_axis(sample, chosen, 1, dim)
    return (make(sample) - soft.detach()) + soft
