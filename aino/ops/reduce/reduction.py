"""Sums, means and moments.

``dim`` is None for all dimensions, a number, or several; ``keepdim`` keeps them with length 1.
NumPy's names ``axis`` and ``keepdims`` are taken too, as by PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import reduce as rules
from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, float16, float32, float64, int64
from aino.errors import DtypeError
from aino.ops.arguments import dim_of, numpy_names, reduced, the_dim
from aino.ops.half import in_float32, widened
from aino.ops.public import method, takes_out
from aino.ops.reduce.extremes import needs_dim, not_complex
from aino.types import DType

__all__ = [
    "sum", "mean", "prod", "nansum", "nanmean",
    "var", "std", "var_mean", "std_mean", "logsumexp",
]  # fmt: skip


@method
@takes_out
def sum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Any = None,
    keepdims: bool | None = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sum over dimensions: Σ x.

    Raises ``IndexError`` when there is no such dimension.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; for None integers and booleans become int64.
        axis, keepdims: NumPy's names for ``dim`` and ``keepdim``.

    >>> import aino
    >>> x = aino.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x.sum(), x.sum(0), x.sum(1, keepdim=True).shape
    (tensor(10.), tensor([4., 6.]), aino.Size([2, 1]))
    """
    if axis is not None:
        dim = the_dim(dim, axis, "sum")
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
@takes_out
def mean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Any = None,
    keepdims: bool | None = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return the mean over dimensions, Σ x / n; nan where there is nothing to average.

    Raises ``DtypeError`` for integers and booleans: cast them, or pass ``dtype``.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; None leaves them as they are.
        axis, keepdims: NumPy's names for ``dim`` and ``keepdim``.

    >>> import aino
    >>> aino.mean(aino.tensor([[1.0, 2.0], [3.0, 6.0]]), 1)
    tensor([1.5000, 4.5000])
    """
    if axis is not None:
        dim = the_dim(dim, axis, "mean")
    array = input.array
    if dim is not None:
        dim = reduced(dim, array.ndim)
    own = array.dtype
    if dtype is not None:
        own = as_dtype(dtype)
        input = cast(input, own)
    if own is float32 or own is float64:
        return rules.mean(input, dim, keepdim or keepdims)
    only_floating(input, "mean")
    return _reduce(rules.mean, input, dim, keepdim or keepdims)


def only_floating(input, name: str) -> None:
    """Raise ``DtypeError`` for integers and booleans."""
    if input.array.dtype.kind not in "fc":
        raise DtypeError(
            f"{name}: the input must have a floating point or complex dtype, not "
            f"{input.array.dtype}; cast it, for example with .float()"
        )


@method
@numpy_names
@takes_out
def prod(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the product over a dimension: Π x.

    Its derivatives are exact where elements are zero, too.

    Arguments:
        input: a tensor.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.
        dtype: what the elements are cast to first; for None integers and booleans become int64.

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
@takes_out
def nansum(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the sum over dimensions of what is not nan.

    Raises ``DtypeError`` for complex numbers.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; for None integers and booleans become int64.

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
@takes_out
def nanmean(
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the mean over dimensions of what is not nan.

    Raises ``DtypeError`` for integers, booleans and complex numbers.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; None leaves them as they are.

    >>> import aino
    >>> aino.nanmean(aino.tensor([1.0, aino.nan, 2.0]))
    tensor(1.5000)
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    only_floating(input, "nanmean")
    not_complex(input, "nanmean")
    return _reduce(rules.nanmean, input, reduced(dim, input.array.ndim), keepdim)


# Moments


def _moment(rule, input, dim, unbiased, correction, keepdim, name):
    only_floating(input, name)
    dim, correction = _asked(name, dim, unbiased, correction, keepdim)
    return widened(rule, input, reduced(dim, input.array.ndim), correction, keepdim)


def _asked(name, dim, unbiased, correction, keepdim):
    """Return the dims and the correction of PyTorch's three ways to ask for a variance.

    They are var(dim, unbiased, keepdim), var(dim, correction=, keepdim=) and var(unbiased).
    """
    if type(dim) is bool:
        if unbiased is not None or keepdim:
            raise TypeError(f"{name}: dim is a number, several or None, not {dim}")
        dim, unbiased = None, dim
    if unbiased is None:
        return dim, 1 if correction is None else correction
    if correction is not None:
        raise TypeError(f"{name}: unbiased and correction are given; give one of them")
    if not isinstance(unbiased, (bool, np.bool_)):
        raise TypeError(
            f"{name}: unbiased is True or False, not {unbiased!r}; another correction than 1 or 0 "
            "is given by correction="
        )
    return dim, int(unbiased)


@method
@numpy_names
@takes_out
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the variance over dimensions, Σ |x - x̄|² / (n - correction).

    Of complex numbers it is real. Raises ``DtypeError`` for integers and booleans, ``TypeError``
    where the arguments contradict each other.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number, several, or None for all.
        unbiased: True for the correction 1, False for 0; it may stand alone: ``var(x, False)``.
        keepdim: whether the dimensions stay, with length 1.
        correction: what is taken from n, 1 for None; ``unbiased`` or this is given, not both.

    >>> import aino
    >>> aino.tensor([1.0, 2.0, 3.0, 4.0]).var(), aino.tensor([1.0, 3.0]).var(correction=0)
    (tensor(1.6667), tensor(1.))
    """
    return _moment(rules.var, input, dim, unbiased, correction, keepdim, "var")


@method
@numpy_names
@takes_out
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the standard deviation over dimensions, √(Σ |x - x̄|² / (n - correction)).

    Raises what ``var`` does.

    Arguments:
        input: a tensor.
        dim, unbiased, keepdim, correction: as for ``var``.

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
    """Return the variance and the mean over dimensions, as a pair.

    Raises what ``var`` does.

    Arguments:
        input: a tensor.
        dim, unbiased, keepdim, correction: as for ``var``.

    >>> import aino
    >>> aino.var_mean(aino.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    return _with_mean(var, input, dim, unbiased, keepdim, correction)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Return the standard deviation and the mean over dimensions, as a pair.

    Raises what ``var`` does.

    Arguments:
        input: a tensor.
        dim, unbiased, keepdim, correction: as for ``var``.

    >>> import aino
    >>> aino.std_mean(aino.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    return _with_mean(std, input, dim, unbiased, keepdim, correction)


def _with_mean(moment, input, dim, unbiased, keepdim, correction):
    spread = moment(input, dim, unbiased, keepdim, correction=correction)
    return spread, mean(input, None if type(dim) is bool else dim, keepdim)


@method
@numpy_names
@takes_out
def logsumexp(
    input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return ln Σ eˣ over dimensions, without overflow: the largest x is taken out first.

    Arguments:
        input: a tensor.
        dim: which dimensions: a number or several.
        keepdim: whether they stay, with length 1.

    >>> import aino
    >>> aino.logsumexp(aino.tensor([0.0, 0.0]), 0)
    tensor(0.6931)
    """
    return widened(rules.logsumexp, input, reduced(dim, input.array.ndim), keepdim)
