"""Running sums, products and extremes along a dimension, and differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.duck import still
from aino.autograd.primitive import cast
from aino.autograd.rules import index as index_rules
from aino.autograd.rules import join as join_rules
from aino.autograd.rules import scan as rules
from aino.autograd.rules.shape import clone
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype, int64
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops import return_types
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.public import method, takes_out
from aino.types import DType

__all__ = ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "diff"]


def _scan(rule, input, dim, dtype, *parameters):
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    elif input.array.dtype.kind in "biu":
        input = cast(input, int64)
    dim = dim_of(dim, input.array.ndim)
    if not input.array.ndim:
        return rule(input.reshape((1,)), dim, *parameters).reshape(())
    result = rule(input, dim, *parameters)
    # NumPy scans float16 in wider numbers where it has no loop of its own.
    return result if result.dtype is input.array.dtype else cast(result, input.array.dtype)


@method(inplace=True)
@numpy_names
@takes_out
def cumsum(
    input: Tensor, dim: Any, *, dtype: DType | None = None, out: Tensor | None = None
) -> Tensor:
    """Return the running sum along a dimension: yᵢ = x₀ + ... + xᵢ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        dtype: what the elements are cast to first; for None integers and booleans become int64.

    >>> import aino
    >>> aino.cumsum(aino.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _scan(rules.cumsum, input, dim, dtype, False)


@method(inplace=True)
@numpy_names
@takes_out
def cumprod(
    input: Tensor, dim: Any, *, dtype: DType | None = None, out: Tensor | None = None
) -> Tensor:
    """Return the running product along a dimension: yᵢ = x₀ · ... · xᵢ.

    Its derivatives are exact where elements are zero, too.

    Arguments:
        input: a tensor.
        dim: the dimension.
        dtype: what the elements are cast to first; for None integers and booleans become int64.

    >>> import aino
    >>> aino.cumprod(aino.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    return _scan(rules.cumprod, input, dim, dtype)


@method
@numpy_names
@takes_out
def logcumsumexp(input: Tensor, dim: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the running logarithm of a sum of exponentials along a dimension, without overflow.

    yᵢ = ln(e^x₀ + ... + e^xᵢ). Raises ``DtypeError`` for integers and booleans.

    Arguments:
        input: a tensor.
        dim: the dimension.

    >>> import aino
    >>> aino.logcumsumexp(aino.tensor([0.0, 0.0]), 0)
    tensor([0.0000, 0.6931])
    """
    if input.array.dtype.kind not in "fc":
        raise DtypeError(
            f"logcumsumexp: the input must be floating point or complex, not {input.array.dtype}"
        )
    return _scan(rules.logcumsumexp, input, dim, input.array.dtype)


def _running_extreme(input, dim, ufunc, name):
    """Return running extremes and where they stand: of equal ones the last."""
    array = still(input.array)
    dim = dim_of(dim, array.ndim)
    if array.dtype.kind == "c":
        raise DtypeError(f"{name}: complex numbers have no order")
    result = getattr(return_types, name)
    if not array.ndim:
        return result(input.clone(), make(np.zeros((), int64)))
    best = ufunc.accumulate(array, axis=dim)
    reached = (array == best) | ((array != array) & (best != best))
    places = np.arange(array.shape[dim]).reshape((-1,) + (1,) * (array.ndim - 1 - dim))
    index = np.maximum.accumulate(np.where(reached, places, 0), axis=dim)
    return result(index_rules.gather(input, index, dim, False), make(index))


@method
@numpy_names
@takes_out
def cummax(input: Tensor, dim: Any, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return ``(values, indices)`` of the running maximum along a dimension.

    Of equal elements the index is that of the last. Raises ``DtypeError`` for complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension.

    >>> import aino
    >>> aino.cummax(aino.tensor([1.0, 3.0, 2.0]), 0).values
    tensor([1., 3., 3.])
    """
    return _running_extreme(input, dim, np.maximum, "cummax")


@method
@numpy_names
@takes_out
def cummin(input: Tensor, dim: Any, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return ``(values, indices)`` of the running minimum along a dimension.

    Of equal elements the index is that of the last. Raises ``DtypeError`` for complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension.

    >>> import aino
    >>> aino.cummin(aino.tensor([2.0, 3.0, 1.0]), 0).indices
    tensor([0, 0, 2])
    """
    return _running_extreme(input, dim, np.minimum, "cummin")


@method
@numpy_names
@takes_out
def diff(
    input: Tensor,
    n: int = 1,
    dim: Any = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the n-th differences xᵢ₊₁ - xᵢ along a dimension, of booleans whether they differ.

    Raises ``ShapeError`` for a 0-d tensor, ``ValueError`` for a negative n.

    Arguments:
        input: a tensor.
        n: how often differences are taken; 0 times copies the input alone.
        dim: the dimension.
        prepend: a tensor that is joined to the input in front.
        append: a tensor that is joined to it behind.

    >>> import aino
    >>> aino.diff(aino.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    array = input.array
    if not array.ndim:
        raise ShapeError("diff: the input must have at least one dimension")
    if n < 0:
        raise ArgumentError(f"diff: n must not be negative, got {n}")
    dim = dim_of(dim, array.ndim)
    if not n:
        return clone(input)
    parts = [part for part in (prepend, input, append) if part is not None]
    if len(parts) > 1:
        input = join_rules.cat(parts, dim)
    lead = (slice(None),) * dim
    for _ in range(min(n, input.array.shape[dim])):
        later, earlier = input[(*lead, slice(1, None))], input[(*lead, slice(None, -1))]
        input = later != earlier if input.array.dtype.kind == "b" else later - earlier
    return input
