"""Medians, quantiles, histograms, covariances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.rules import index as index_rules
from aino.autograd.rules import reduce as rules
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float64, get_default_dtype, int64
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.ops import return_types
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.index.selection import median_of
from aino.ops.index.sorting import sort
from aino.ops.public import method, takes_out
from aino.ops.reduce import reduction
from aino.ops.reduce.extremes import along, needs_dim
from aino.tracing import checked, data_for_shape, opaque, over_leading

__all__ = [
    "median", "nanmedian", "mode", "quantile", "nanquantile",
    "histc", "bincount", "cov", "corrcoef",
]  # fmt: skip


def _median(input, dim, keepdim, whole, name, result):
    array = input.array
    if array.dtype.kind in "bc":
        raise DtypeError(f"{name}: the input must be of real numbers, not {array.dtype}")
    if dim is None:
        needs_dim(keepdim, name)
        if not array.size:
            return make(np.full_like(array, math.nan, shape=()))
        return whole(input)
    dim = dim_of(dim, array.ndim)
    if not array.ndim:
        return along(input, dim, keepdim, np.zeros((), int64), result)
    if not array.shape[dim]:
        raise BoundsError(f"{name}: dim {dim} of shape {array.shape} has no elements")
    return along(
        input, dim, keepdim, median_of(array, dim - array.ndim, name == "nanmedian"), result
    )


@method
@numpy_names
@takes_out
def median(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """Return the median; along a dimension, ``(values, indices)``. Of an even number, the lower.

    nan where there is one. Along ``dim`` the first of equal elements is found, in a stable order.
    Raises ``DtypeError`` for booleans and complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.tensor([1.0, 4.0, 2.0, 3.0]).median()
    tensor(2.)
    """
    return _median(input, dim, keepdim, rules.median, "median", return_types.median)


@method
@numpy_names
@takes_out
def nanmedian(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """Return the median of what is not nan; along a dimension, ``(values, indices)``.

    Of an even number, the lower. Raises ``DtypeError`` for booleans and complex numbers.

    Arguments:
        input: a tensor.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.tensor([1.0, aino.nan, 2.0]).nanmedian()
    tensor(1.)
    """
    return _median(input, dim, keepdim, rules.nanmedian, "nanmedian", return_types.nanmedian)


@method
@numpy_names
@takes_out
def mode(
    input: Tensor, dim: Any = -1, keepdim: bool = False, *, out: Sequence[Tensor] | None = None
) -> Any:
    """Return ``(values, indices)`` of the most frequent element along a dimension.

    Of several as frequent the smallest; its index is that of its last occurrence.

    Arguments:
        input: a tensor.
        dim: the dimension.
        keepdim: whether it stays, with length 1.

    >>> import aino
    >>> aino.mode(aino.tensor([1, 2, 2, 3]))[0]
    tensor(2)
    """
    array = input.array
    dim = dim_of(dim, array.ndim)
    if not array.ndim:
        return along(input, dim, keepdim, np.zeros((), int64), return_types.mode)
    if not array.shape[dim]:
        raise BoundsError(f"mode: dim {dim} of shape {array.shape} has no elements")
    return along(input, dim, keepdim, _modes(array, dim - array.ndim), return_types.mode)


@opaque
@over_leading
def _modes(array, dim):
    """Return where the most frequent element of each row stands last."""
    rows = np.moveaxis(array, dim, -1)
    order = np.argsort(rows, axis=-1, kind="stable")
    ordered = np.take_along_axis(rows, order, -1)
    # How many of its equals stand before each; the first that has the most is what is wanted.
    begins = ordered != np.roll(ordered, 1, -1)
    begins[..., 0] = True
    every = np.arange(rows.shape[-1])
    before = every - np.maximum.accumulate(np.where(begins, every, 0), axis=-1)
    found = np.argmax(before, axis=-1)[..., None]
    return np.take_along_axis(order, found, -1)[..., 0].astype(int64, copy=False)


_INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


def _quantile(input, q, dim, keepdim, interpolation, ignore_nan, name):
    array = input.array
    if array.dtype.kind != "f":
        raise DtypeError(f"{name}: the input must be of a floating point dtype, not {array.dtype}")
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(
            f"{name}: interpolation must be one of {', '.join(_INTERPOLATIONS)}, "
            f"not {interpolation!r}"
        )
    places = q.array if isinstance(q, Tensor) else np.asarray(q, array.dtype)
    if places.dtype != array.dtype:
        raise DtypeError(f"{name}: q is of {places.dtype}, the input of {array.dtype}")
    if places.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or 1-D, got shape {places.shape}")
    if type(places) is np.ndarray and not np.all((places >= 0) & (places <= 1)):
        raise ArgumentError(f"{name}: q must be between 0 and 1")
    q = q if isinstance(q, Tensor) else make(places)
    if not array.size:
        raise ShapeError(f"{name}: the input has no elements")
    rank = array.ndim
    if dim is None:
        input, axis = input.reshape((-1,)), 0
        kept = (1,) * rank
    else:
        axis = dim_of(dim, rank)
        input = input.reshape((1,)) if not rank else input
        kept = array.shape[:axis] + (1,) * (rank > 0) + array.shape[axis + 1 :]
    values, _ = sort(input.movedim(axis, -1), -1)
    values = _at_ranks(values, q.reshape((-1,)), interpolation, ignore_nan).movedim(-1, 0)
    if not keepdim:
        kept = () if dim is None else array.shape[:axis] + array.shape[axis + 1 :]
    return values.reshape((q.array.shape[0], *kept) if q.array.ndim else kept)


def _at_ranks(values, q, interpolation, ignore_nan):
    """Return what stands at the quantiles q of rows sorted along the last axis."""
    array = values.array
    length = array.shape[-1]
    numbers = length - np.count_nonzero(np.isnan(array), axis=-1, keepdims=True)
    last = np.maximum(numbers - 1, 0) if ignore_nan else np.full_like(numbers, length - 1)
    ranks = q * make(last.astype(array.dtype))
    if not ignore_nan:
        # A NaN, which sorting puts last, is the answer to every question.
        tainted, end = make(numbers < length), make(np.asarray(length - 1, array.dtype))
        ranks = compare.where(tainted, end, ranks)
    place = ranks.array
    round_down: Any = {"higher": np.ceil, "nearest": np.round}.get(interpolation, np.floor)
    below = round_down(place)
    axis = array.ndim - 1
    shape = array.shape[:-1] + place.shape[-1:]

    def at(place):
        index = np.broadcast_to(place.astype(int64), shape)
        return index_rules.gather(values, index, axis, False)

    lower = at(below)
    if interpolation not in ("linear", "midpoint"):
        return lower
    weight = 0.5 if interpolation == "midpoint" else ranks - make(below)
    return lower + weight * (at(np.ceil(place)) - lower)


@method
@numpy_names
@takes_out
def quantile(
    input: Tensor,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """Return the quantiles over a dimension: below which a share q of the elements lies.

    nan where there is one. Raises ``DtypeError`` unless input and q are of one floating-point
    dtype, ``ValueError`` for a q outside [0, 1].

    Arguments:
        input: a tensor.
        q: a number, or a 1-D tensor, whose results stand on a new first dimension.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.
        interpolation: what lies between two elements: ``"linear"``, ``"lower"``, ``"higher"``,
            ``"nearest"`` or ``"midpoint"``.

    >>> import aino
    >>> aino.quantile(aino.tensor([0.0, 1.0, 2.0, 3.0]), 0.5)
    tensor(1.5000)
    """
    return _quantile(input, q, dim, keepdim, interpolation, False, "quantile")


@method
@numpy_names
@takes_out
def nanquantile(
    input: Tensor,
    q: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """Return the quantiles over a dimension of what is not nan.

    Raises what ``quantile`` does.

    Arguments:
        input: a tensor.
        q: a number, or a 1-D tensor, whose results stand on a new first dimension.
        dim: the dimension; None for all elements.
        keepdim: whether it stays, with length 1.
        interpolation: what lies between two elements: ``"linear"``, ``"lower"``, ``"higher"``,
            ``"nearest"`` or ``"midpoint"``.

    >>> import aino
    >>> aino.nanquantile(aino.tensor([0.0, aino.nan, 1.0]), 0.5)
    tensor(0.5000)
    """
    return _quantile(input, q, dim, keepdim, interpolation, True, "nanquantile")


@method
@takes_out
def histc(
    input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Tensor | None = None
) -> Tensor:
    """Return how many elements lie in each of several equal intervals.

    What lies outside is not counted. Raises ``DtypeError`` for integers, ``ValueError`` where the
    range is not finite or runs backwards.

    Arguments:
        input: a tensor.
        bins: how many intervals.
        min: where the first begins.
        max: where the last ends; if both are equal, they are the smallest and the largest element.

    >>> import aino
    >>> aino.histc(aino.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    array = input.array.reshape(-1)
    if array.dtype.kind != "f":
        raise DtypeError(f"histc: the input must be of a floating point dtype, not {array.dtype}")
    if bins < 1:
        raise ArgumentError(f"histc: bins must be positive, got {bins}")
    return make(_histc(array, int(bins), float(min), float(max)).astype(array.dtype))


@opaque
def _histc(array, bins, low, high):
    """Return how many numbers are in each interval; equal bounds stand for those of the numbers."""
    if low == high and array.size:
        low, high = float(array.min()), float(array.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"histc: the range from {low} to {high} is not finite")
    if low > high:
        raise ArgumentError(f"histc: max must not be less than min, got {low} and {high}")
    inside = array[(array >= low) & (array <= high)]
    place = ((inside - low) / (high - low) * bins).astype(np.int64)
    return np.bincount(np.minimum(place, bins - 1), minlength=bins)


@method
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """Return how often each of 0, 1, 2, ... occurs.

    Raises ``ShapeError`` for another input, ``ValueError`` for a negative minlength.

    Arguments:
        input: a 1-D tensor of integers that are not negative.
        weights: of the shape of the input: what each occurrence counts; 1 for None.
        minlength: how many counts there are at least.

    >>> import aino
    >>> aino.bincount(aino.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    array = data_for_shape(
        input.array, "bincount(x)", "add ones up, as in zeros(length).index_add(0, x, ones_like(x))"
    )
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise ShapeError("bincount: the input must be 1-D, of integers that are not negative")
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength must not be negative, got {minlength}")
    array = array.astype(int64)
    if weights is None:
        return make(np.bincount(array, minlength=minlength))
    if weights.array.shape != array.shape:
        raise ShapeError(
            f"bincount: weights of shape {weights.array.shape} for an input of {array.shape}"
        )
    if weights.array.dtype.kind == "c":
        raise DtypeError("bincount: weights are real numbers, not complex ones")
    # Added up in float64, whatever the weights are.
    dtype = weights.array.dtype if weights.array.dtype.kind == "f" else float64
    length = max(int(array.max()) + 1 if array.size else 0, minlength)
    return cast(index_rules.take_sum(cast(weights, float64), array, 0, length, False), dtype)


@method
def cov(
    input: Tensor, *, correction: float = 1, fweights: Any = None, aweights: Any = None
) -> Tensor:
    """Return the covariances of the rows, as a square matrix: Σ (x - x̄) (y - ȳ) / (n - correction).

    Each row is a variable, each column an observation. Raises ``ShapeError`` for more than two
    dimensions, ``DtypeError`` for booleans.

    Arguments:
        input: a tensor of at most two dimensions; a vector is one variable.
        correction: what is taken from the number of observations.
        fweights: how often each observation occurs: integers, 1-D.
        aweights: how much each observation counts, 1-D.

    >>> import aino
    >>> aino.cov(aino.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.array.ndim > 2:
        raise ShapeError(
            f"cov: the input must have at most two dimensions, got {input.array.shape}"
        )
    rows = input.reshape((1, -1)) if input.array.ndim < 2 else input
    if rows.array.dtype.kind == "b":
        raise DtypeError("cov: booleans are not taken; cast them, for example with .float()")
    if rows.array.dtype.kind not in "fc":
        rows = cast(rows, get_default_dtype())
    if fweights is None and aweights is None:
        total: Any = rows.array.shape[1]
        normalizer: Any = rows.array.shape[1] - correction
        average = reduction.mean(rows, 1, True)
        away = rows - average
        weighted = away
    else:
        weights = _weights(fweights, aweights, rows)
        total = reduction.sum(weights)
        average = reduction.sum(rows * weights, 1, True) / total
        if aweights is None or not correction:
            normalizer = total - correction
        elif fweights is None:
            normalizer = total - correction * reduction.sum(weights * weights) / total
        else:
            normalizer = total - correction * reduction.sum(weights * aweights) / total
        away = rows - average
        weighted = away * weights
    conjugate = away.conj() if rows.array.dtype.kind == "c" else away
    covariances = weighted @ conjugate.mT
    covariances = covariances / _not_negative(normalizer)
    return covariances.reshape(()) if len(covariances.array) == 1 else covariances


def _weights(fweights, aweights, rows):
    weights = None
    for given, name in ((fweights, "fweights"), (aweights, "aweights")):
        if given is None:
            continue
        if given.array.shape != rows.array.shape[1:]:
            raise ShapeError(
                f"cov: {name} of shape {given.array.shape} for {rows.array.shape[1]} observations"
            )
        if name == "fweights" and given.array.dtype.kind not in "iu":
            raise DtypeError(f"cov: fweights are counts, of an integer dtype, not {given.dtype}")
        checked(_check_weights, given.array, name)
        weights = given if weights is None else weights * given
    return weights


def _check_weights(weights, name: str) -> None:
    if np.any(weights < 0):
        raise ArgumentError(f"cov: {name} can't be negative")


def _not_negative(normalizer):
    if isinstance(normalizer, Tensor):
        return compare.clamp_min(normalizer, 0)
    return float(normalizer) if normalizer > 0 else 0.0


@method
def corrcoef(input: Tensor) -> Tensor:
    """Return the correlation coefficients of the rows, each a variable, as a square matrix.

    >>> import aino
    >>> aino.corrcoef(aino.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    covariances = cov(input)
    if not covariances.array.ndim:
        return covariances / covariances
    variances = covariances.diagonal()
    spread = (variances.real if variances.array.dtype.kind == "c" else variances).sqrt()
    correlations = covariances / spread.unsqueeze(1) / spread.unsqueeze(0)
    # Rounding may lead beyond 1.
    real = correlations.array.dtype.kind != "c"
    return compare.clamp(correlations, -1.0, 1.0) if real else correlations
