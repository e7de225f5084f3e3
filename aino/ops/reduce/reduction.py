"""Sums, means, moments, norms, and counts.

``dim`` is None for all dimensions, a number, or several; ``keepdim`` keeps them with length 1.
NumPy's names ``axis`` and ``keepdims`` are taken too, as by PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import reduce as rules
from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, float16, float32, float64, int64, uint8
from aino.errors import DtypeError
from aino.ops.arguments import dim_of, numpy_names, reduced, wrapped
from aino.ops.half import in_float32
from aino.ops.linalg.spectral import spectral_norm
from aino.ops.public import method
from aino.ops.reduce.extremes import needs_dim, nonempty, not_complex
from aino.types import DType

__all__ = [
    "sum", "mean", "prod", "nansum", "nanmean",
    "var", "std", "var_mean", "std_mean", "logsumexp", "norm",
    "any", "all", "count_nonzero",
]  # fmt: skip


@method
def sum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Any = None,
    keepdims: bool | None = False,
) -> Tensor:
    """Return the sum over ``dim``; integers and booleans are summed as int64.

    ``dtype``: what the elements are cast to first. Raises ``IndexError`` when there is no such
    dimension.

    >>> import aino
    >>> x = aino.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x.sum(), x.sum(0), x.sum(1, keepdim=True).shape
    (tensor(10.), tensor([4., 6.]), aino.Size([2, 1]))
    """
    if axis is not None:
        dim = axis
    array = input.array
    if dim is not None:
        dim = reduced(dim, array.ndim)
    own = array.dtype
    if dtype is not None:
        own = as_dtype(dtype)
        input = cast(input, own)
    if own is float32 or own is float64:
        return rules.sum(input, dim, keepdim or keepdims)
    if own.kind not in "fc" and dtype is None:
        input = cast(input, int64)
    return _reduce(rules.sum, input, dim, keepdim or keepdims)


def _reduce(function, input, *parameters):
    """Call ``function``, and keep the dtype; float16 goes by way of float32."""
    if input.array.dtype is float16:
        return in_float32(function, input, *parameters)
    result = function(input, *parameters)
    return result if result.dtype is input.array.dtype else cast(result, input.array.dtype)


@method
def mean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Any = None,
    keepdims: bool | None = False,
) -> Tensor:
    """Return the mean over ``dim``, Σ x / n; NaN where there is nothing to average.

    Raises ``DtypeError`` for integers and booleans: cast them, or pass ``dtype``.

    >>> import aino
    >>> aino.mean(aino.tensor([[1.0, 2.0], [3.0, 6.0]]), 1)
    tensor([1.5000, 4.5000])
    """
    if axis is not None:
        dim = axis
    array = input.array
    if dim is not None:
        dim = reduced(dim, array.ndim)
    own = array.dtype
    if dtype is not None:
        own = as_dtype(dtype)
        input = cast(input, own)
    if own is float32 or own is float64:
        return rules.mean(input, dim, keepdim or keepdims)
    _only_floating(input, "mean")
    return _reduce(rules.mean, input, dim, keepdim or keepdims)


def _only_floating(input, name: str) -> None:
    if input.array.dtype.kind not in "fc":
        raise DtypeError(
            f"{name}: the input must have a floating point or complex dtype, not "
            f"{input.array.dtype}; cast it, for example with .float()"
        )


@method
@numpy_names
def prod(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the product of all elements, or along one dimension; of integers as int64.

    Its derivatives are exact where elements are zero, too.

    >>> import aino
    >>> x = aino.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    elif input.array.dtype.kind not in "fc":
        input = cast(input, int64)
    if dim is None:
        needs_dim(keepdim, "prod")
    elif dim_of(dim, input.array.ndim) == 0 and not input.array.ndim:
        dim = None
    else:
        dim = dim_of(dim, input.array.ndim)
    return _reduce(rules.prod, input, dim, keepdim)


@method
@numpy_names
def nansum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the sum over ``dim``, counting NaN as zero.

    >>> import aino
    >>> aino.nansum(aino.tensor([1.0, aino.nan, 2.0]))
    tensor(3.)
    """
    not_complex(input, "nansum")
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    if input.array.dtype.kind != "f":
        return sum(input, dim, keepdim, dtype=dtype)
    return _reduce(rules.nansum, input, reduced(dim, input.array.ndim), keepdim)


@method
@numpy_names
def nanmean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the mean over ``dim`` of what is not NaN.

    >>> import aino
    >>> aino.nanmean(aino.tensor([1.0, aino.nan, 2.0]))
    tensor(1.5000)
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    _only_floating(input, "nanmean")
    not_complex(input, "nanmean")
    return _reduce(rules.nanmean, input, reduced(dim, input.array.ndim), keepdim)


# Moments


def _moment(rule, input, dim, unbiased, correction, keepdim, name):
    _only_floating(input, name)
    if type(dim) is bool:
        # PyTorch's older form: var(unbiased).
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(unbiased)
    elif correction is None:
        correction = 1
    axis = reduced(dim, input.array.ndim)
    return _reduce_to_real(rule, input, axis, correction, keepdim)


def _reduce_to_real(rule, input, *parameters):
    """Call a rule whose result is real, on float16 by way of float32."""
    if input.array.dtype is float16:
        return in_float32(rule, input, *parameters)
    return rule(input, *parameters)


@method
@numpy_names
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Return the variance over ``dim``, Σ (x − x̄)² / (n − correction).

    ``correction`` is 1 unless given; ``unbiased`` False makes it 0. Of complex numbers it is
    the real Σ |x − x̄|² / (n − correction).

    >>> import aino
    >>> aino.tensor([1.0, 2.0, 3.0, 4.0]).var(), aino.tensor([1.0, 3.0]).var(correction=0)
    (tensor(1.6667), tensor(1.))
    """
    return _moment(rules.var, input, dim, unbiased, correction, keepdim, "var")


@method
@numpy_names
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Return the standard deviation over ``dim``, the root of ``var``.

    >>> import aino
    >>> aino.tensor([1.0, 3.0]).std(correction=0)
    tensor(1.)
    """
    return _moment(rules.std, input, dim, unbiased, correction, keepdim, "std")


@numpy_names
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Return the variance and the mean over ``dim``."""
    spread = var(input, dim, unbiased, keepdim, correction=correction)
    return spread, mean(input, None if type(dim) is bool else dim, keepdim)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Return the standard deviation and the mean over ``dim``."""
    spread = std(input, dim, unbiased, keepdim, correction=correction)
    return spread, mean(input, None if type(dim) is bool else dim, keepdim)


@method
@numpy_names
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """Return ln Σ exp x over ``dim``, without overflow: the largest x is taken out first.

    >>> import aino
    >>> aino.logsumexp(aino.tensor([0.0, 0.0]), 0)
    tensor(0.6931)
    """
    return _reduce_to_real(rules.logsumexp, input, reduced(dim, input.array.ndim), keepdim)


_ORDERS = {None: 2.0, "fro": 2.0, "inf": math.inf, "-inf": -math.inf}


@method
@numpy_names
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """Return the vector norm over ``dim``, (Σ |x|ᵖ)^(1/p); 'fro' is p = 2.

    'nuc', of a matrix or of two axes, is the sum of the singular values.
    p = ∞ gives the largest |x|, −∞ the smallest, 0 the number of elements that are not zero.
    The gradient is 0 where the norm is. Raises ``DtypeError`` for integers.

    >>> import aino
    >>> aino.norm(aino.tensor([3.0, -4.0])), aino.norm(aino.tensor([3.0, -4.0]), 1)
    (tensor(5.), tensor(7.))
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    _only_floating(input, "norm")
    if p == "nuc":
        return spectral_norm("norm", input, p, dim, keepdim)
    if isinstance(p, str) and p not in _ORDERS:
        raise ValueError(f"norm: p must be a number, 'fro', 'nuc', inf or -inf, not {p!r}")
    order = _ORDERS[p] if p in _ORDERS else float(p)  # type: ignore[arg-type]
    axis = reduced(dim, input.array.ndim)
    if order in (math.inf, -math.inf):
        nonempty(input, axis, "norm")
    return _reduce_to_real(rules.norm, input, order, axis, keepdim)


# Truth


def _truth(input, dim, keepdim, ufunc):
    array = input.array
    # No dimensions, (), mean none here, unlike in a sum: so it is in PyTorch.
    axis = () if dim == () else reduced(dim, array.ndim)
    result = ufunc.reduce(array, axis=axis, keepdims=keepdim)
    # PyTorch answers bytes in bytes.
    return wrapped(result.astype(uint8) if array.dtype is uint8 else result)


@method
@numpy_names
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Tell whether any element over ``dim`` is not zero.

    >>> import aino
    >>> aino.any(aino.tensor([[False, True], [False, False]]), 1)
    tensor([ True, False])
    """
    return _truth(input, dim, keepdim, np.logical_or)


@method
@numpy_names
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Tell whether all elements over ``dim`` are not zero.

    >>> import aino
    >>> aino.all(aino.tensor([1.0, 0.0]))
    tensor(False)
    """
    return _truth(input, dim, keepdim, np.logical_and)


@method
@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """Return how many elements over ``dim`` are not zero.

    >>> import aino
    >>> aino.count_nonzero(aino.tensor([[0, 1], [2, 3]]), 0)
    tensor([1, 2])
    """
    axis = reduced(dim, input.array.ndim)
    return wrapped(np.count_nonzero(input.array, axis))
