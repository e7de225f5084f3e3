"""Whole slices along a dimension, replaced, added or reduced where an index says."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import compare
from aino.autograd.rules import index as rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, BoundsError, ShapeError
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.index.indexing import checked
from aino.ops.index.scattering import like, number_of, same_dtype, scatter_reduce
from aino.ops.public import method, takes_out
from aino.tracing import known

__all__ = ["index_add", "index_copy", "index_fill", "index_reduce"]


def _slices(input, dim, index, source, name, negative=False):
    """Return dim, index array and source, checked against each other."""
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    if index.array.ndim > 1:
        raise BoundsError(f"{name}: the index must be a vector, got shape {index.array.shape}")
    length = shape[dim] if shape else 1
    array = checked(index, length, name, -length if negative else 0).reshape((-1,))
    if source is not None:
        same_dtype(input, source, name)
        expected = (*shape[:dim], array.size, *shape[dim + 1 :]) if shape else (array.size,)
        if source.array.shape != expected and (shape or source.array.size != array.size):
            raise ShapeError(
                f"{name}: {array.size} indices along dim {dim} of {shape} need a source of shape "
                f"{expected}, got {source.array.shape}"
            )
        source = source if shape else shape_rules.reshape(source, (array.size,))
    return shape_rules.reshape(input, (1,)) if not shape else input, dim, array, source


@method(inplace=True)
@numpy_names
@takes_out
def index_add(
    input: Tensor,
    dim: Any,
    index: Tensor,
    source: Any,
    *,
    alpha: float = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with slices added at given indices: ``x[indexᵢ] += alpha · sourceᵢ`` for dim 0.

    All slices for one place are added.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, integers, 0-d or 1-D; none may be negative.
        source: the slices, along ``dim`` as many as indices.
        alpha: what they are multiplied by.

    >>> import aino
    >>> aino.index_add(aino.zeros(3), 0, aino.tensor([0, 0]), aino.tensor([1.0, 2.0]))
    tensor([3., 0., 0.])
    """
    whole, dim, array, source = _slices(input, dim, index, source, "index_add")
    if alpha != 1:
        source = source * alpha
    added = rules.take_sum(source, array, dim, whole.array.shape[dim], False)
    return like(whole + added, input)


def _put_slices(whole, dim, array, values):
    index = (slice(None),) * dim + (array.copy(),)
    return rules.put(whole, values, (...,), index)


@method(inplace=True)
@numpy_names
@takes_out
def index_copy(
    input: Tensor, dim: Any, index: Tensor, source: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return a copy with slices replaced at given indices: ``x[indexᵢ] = sourceᵢ`` for dim 0.

    Of several slices for one place it is not said which stays.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, integers, 0-d or 1-D; none may be negative.
        source: the slices, along ``dim`` as many as indices.

    >>> import aino
    >>> aino.index_copy(aino.zeros(3), 0, aino.tensor([2]), aino.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    whole, dim, array, source = _slices(input, dim, index, source, "index_copy")
    return like(_put_slices(whole, dim, array, source), input)


@method(inplace=True)
@numpy_names
def index_fill(input: Tensor, dim: Any, index: Tensor, value: Any) -> Tensor:
    """Return a copy with a number in the slices at given indices.

    Raises ``IndexError`` for an index out of bounds.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, integers, 0-d or 1-D; negative ones count from the end.
        value: the number, or a 0-d tensor.

    >>> import aino
    >>> aino.index_fill(aino.zeros(3), 0, aino.tensor([0, 2]), 1)
    tensor([1., 0., 1.])
    """
    whole, dim, array, _ = _slices(input, dim, index, None, "index_fill", negative=True)
    # A mask: an index that comes twice is filled, and hands its gradient on, once.
    length, after = whole.array.shape[dim], whole.array.ndim - 1 - dim
    filled = rules.scatter(known(np.zeros(length, bool)), True, array, 0)
    filled = filled.reshape((length,) + (1,) * after)
    return like(compare.where(make(filled), number_of(input, value, "index_fill"), whole), input)


@method(inplace=True)
@numpy_names
@takes_out
def index_reduce(
    input: Tensor,
    dim: Any,
    index: Tensor,
    source: Any,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy in which the slices for each place are reduced into it.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, integers, 0-d or 1-D; none may be negative.
        source: the slices, along ``dim`` as many as indices.
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether what is there takes part; else it stays where no slices come.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> aino.index_reduce(x, 0, aino.tensor([0, 0]), aino.tensor([3.0, 4.0]), "prod")
    tensor([12.,  2.])
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ArgumentError(
            f"index_reduce: reduce must be one of prod, mean, amax, amin, not {reduce!r}"
        )
    whole, dim, array, source = _slices(input, dim, index, source, "index_reduce")
    shape = source.array.shape
    column = array.reshape((-1,) + (1,) * (len(shape) - 1 - dim))
    places = make(np.broadcast_to(column, shape))
    return like(
        scatter_reduce(whole, dim, places, source, reduce, include_self=include_self), input
    )
