"""Values put, added or compared into places that an index names."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.duck import looked_up, still
from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.rules import index as rules
from aino.autograd.rules import scatter_products as product_rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.index.indexing import fitting
from aino.ops.index.masks import has_traced_mask, order_of
from aino.ops.index.subscript import explained, put_at, raw_index, split_index
from aino.ops.public import method, takes_out
from aino.ops.shape.broadcasting import atleast_1d, broadcast_shapes, broadcast_to
from aino.tracing import known

__all__ = [
    "scatter", "scatter_add", "scatter_reduce", "index_put", "put", "masked_fill",
    "masked_scatter",
]  # fmt: skip


def same_dtype(input, source, name):
    """Return ``source``; raises ``DtypeError`` where it has another dtype than ``input``."""
    if source.array.dtype != input.array.dtype:
        raise DtypeError(
            f"{name}: input and source need one dtype, got {input.array.dtype} and "
            f"{source.array.dtype}"
        )
    return source


def _place(input, dim, index, src, name):
    """Return input, index and src ready for a rule: of at least one dimension, and fitting."""
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    array = fitting(shape, dim, index, name)
    same_dtype(input, src, name)
    # A number passes as a vector of one.
    input, src = atleast_1d(input, src)
    if not array.size:
        nothing = (0,) * input.array.ndim
        array = array.reshape(nothing)
        src = shape_rules.reshape(shape_rules.reshape(src, (src.array.size,))[:0], nothing)
    array = array if array.ndim else array.reshape((1,))
    if src.array.ndim != array.ndim or any(n > m for n, m in zip(array.shape, src.array.shape)):
        raise ShapeError(
            f"{name}: an index of shape {array.shape} asks for more than src of shape "
            f"{src.array.shape} has"
        )
    if src.array.shape != array.shape:
        src = rules.getitem(src, tuple([slice(n) for n in array.shape]))
    return input, dim, array, src


def like(result, input):
    """Return a result in the shape of the input: a number passed as a vector of one."""
    shape = input.array.shape
    return result if result.array.shape == shape else shape_rules.reshape(result, shape)


@method(inplace=True)
@numpy_names
@takes_out
def scatter(
    input: Tensor,
    dim: Any,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy with values written at given indices: ``x[indexᵢⱼ, j] = srcᵢⱼ`` for dim 0.

    Of several values for one place it is not said which stays.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, of as many dimensions as the input, none longer than there but ``dim``.
        src: the values, a tensor that is nowhere shorter than ``index``; or a number.
        value: a number, in place of ``src``.
        reduce: ``"add"`` or ``"multiply"`` to combine with what is there; None replaces it.

    >>> import aino
    >>> aino.scatter(aino.zeros(2, 3), 1, aino.tensor([[0], [2]]), 1.0)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    if (src is None) == (value is None):
        raise TypeError("scatter: give either src or value: what is written at the index")
    src = value if src is None else src
    if not isinstance(src, Tensor):
        filled = np.full_like(index.array, src, dtype=input.array.dtype)
        src = make(filled)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise ArgumentError(f"scatter: reduce must be 'add' or 'multiply', not {reduce!r}")
        return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")
    whole, dim, array, src = _place(input, dim, index, src, "scatter")
    return like(rules.scatter(whole, src, array, dim), input)


@method(inplace=True)
@numpy_names
@takes_out
def scatter_add(
    input: Tensor, dim: Any, index: Tensor, src: Any, *, out: Tensor | None = None
) -> Tensor:
    """Return a copy with values added at given indices: ``x[indexᵢⱼ, j] += srcᵢⱼ`` for dim 0.

    All values for one place are added.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, of as many dimensions as the input, none longer than there but ``dim``.
        src: the values, a tensor that is nowhere shorter than ``index``.

    >>> import aino
    >>> aino.scatter_add(aino.zeros(3), 0, aino.tensor([0, 0, 2]), aino.ones(3))
    tensor([2., 0., 1.])
    """
    whole, dim, array, src = _place(input, dim, index, src, "scatter_add")
    return like(whole + rules.scatter_sum(src, array, dim, whole.array.shape, False), input)


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@method(inplace=True)
@numpy_names
@takes_out
def scatter_reduce(
    input: Tensor,
    dim: Any,
    index: Tensor,
    src: Any,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Return a copy in which the values for each place are reduced into it.

    ``x[indexᵢⱼ, j] = reduce(x[indexᵢⱼ, j], srcᵢⱼ, ...)`` for dim 0.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        dim: the dimension.
        index: the indices, of as many dimensions as the input, none longer than there but ``dim``.
        src: the values, a tensor that is nowhere shorter than ``index``.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether what is there takes part; else it stays where no values come.

    >>> import aino
    >>> x, index = aino.tensor([1.0, 2.0]), aino.tensor([0, 0, 1])
    >>> aino.scatter_reduce(x, 0, index, aino.tensor([5.0, 3.0, 1.0]), "amax")
    tensor([5., 2.])
    """
    if reduce not in _REDUCTIONS:
        raise ArgumentError(
            f"scatter_reduce: reduce must be one of {', '.join(_REDUCTIONS)}, not {reduce!r}"
        )
    whole, dim, array, src = _place(input, dim, index, src, "scatter_reduce")
    shape = whole.array.shape
    if reduce in ("amax", "amin"):
        ufunc = np.maximum if reduce == "amax" else np.minimum
        result = rules.scatter_extreme(whole, src, array, dim, ufunc, include_self)
        return like(result, input)
    if not include_self:
        neutral = np.full_like(src.array, reduce == "prod")
        whole = rules.scatter(whole, make(neutral), array, dim)
    if reduce == "prod":
        return like(product_rules.scatter_product(whole, src, array, dim), input)
    total = whole + rules.scatter_sum(src, array, dim, shape, False)
    if reduce == "mean":
        ones = np.ones_like(still(src.array))
        counts = rules.scatter_sum(ones, array, dim, shape, False)
        counts = np.maximum(counts + (1 if include_self else 0), 1)
        if total.array.dtype.kind in "iu":
            return like(make(total.array // counts), input)
        total = total / make(counts)
    return like(total, input)


# Anywhere


def number_of(input, value, name):
    """Return a number or 0-d tensor in the dtype of ``input``."""
    if isinstance(value, Tensor):
        if value.array.ndim:
            raise ShapeError(f"{name}: value must be a number or 0-d, got {value.array.shape}")
        if value.array.dtype.kind == "c" and input.array.dtype.kind != "c":
            raise DtypeError(f"{name}: a complex value does not fit into {input.array.dtype}")
        same = value.array.dtype == input.array.dtype
        return value if same else cast(value, input.array.dtype)
    if isinstance(value, complex) and input.array.dtype.kind != "c":
        raise DtypeError(f"{name}: {value!r} does not fit into {input.array.dtype}")
    return make(np.full_like(input.array, value, shape=()))


@method(inplace=True)
def index_put(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Return a copy with values at ``input[indices]``, or added there.

    Raises ``IndexError`` for an index out of bounds, ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        indices: a tuple of index tensors, broadcast together.
        values: a tensor that is broadcast to what they pick.
        accumulate: whether to add the values, all of those for one place.

    >>> import aino
    >>> aino.index_put(aino.zeros(2, 2), (aino.tensor([0, 1]), aino.tensor([1, 0])), aino.ones(2))
    tensor([[0., 1.],
            [1., 0.]])
    """
    index = raw_index(tuple([_ALL if i is None else i for i in indices]))
    same_dtype(input, values, "index_put")
    if not accumulate:
        return put_at(input, values, index)
    shape = input.array.shape
    if has_traced_mask(index):
        return input + put_at(make(np.zeros_like(input.array)), values, index)
    try:
        basic, parts = split_index(index, shape)
        flat = known(np.arange(input.array.size).reshape(shape))
        places = looked_up(flat if basic is None else flat[basic], parts)
    except IndexError as error:
        raise explained(error, input.array.ndim) from None
    values = broadcast_to(values, places.shape)
    return input + shape_rules.reshape(
        rules.take_sum(values, places, 0, input.array.size, False), shape
    )


_ALL = slice(None)


@method(inplace=True)
def put(input: Tensor, index: Tensor, source: Any, accumulate: bool = False) -> Tensor:
    """Return a copy with values at given indices of the flattened tensor, or added there.

    Raises ``IndexError`` for an index out of bounds, ``ShapeError`` where shapes do not fit,
    ``DtypeError`` where the dtypes differ.

    Arguments:
        input: a tensor.
        index: the indices; negative ones count from the end.
        source: the values, as many as indices.
        accumulate: whether to add the values, all of those for one place.

    >>> import aino
    >>> aino.put(aino.zeros(2, 2), aino.tensor([3]), aino.tensor([1.0]))
    tensor([[0., 0.],
            [0., 1.]])
    """
    flat = shape_rules.reshape(input, (input.array.size,))
    if index.array.size != source.array.size:
        raise ShapeError(
            f"put: {index.array.size} indices for a source of shape {source.array.shape}"
        )
    index, source = (shape_rules.reshape(x, (x.array.size,)) for x in (index, source))
    return like(index_put(flat, (index,), source, accumulate), input)


@method(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Return a copy with a number where a mask is True.

    Raises ``DtypeError`` unless the mask is boolean.

    Arguments:
        input: a tensor.
        mask: a tensor of booleans; both are broadcast.
        value: the number, or a 0-d tensor.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0, 3.0])
    >>> aino.masked_fill(x, x > 1, 0.0)
    tensor([1., 0., 0.])
    """
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_fill: the mask must be of booleans, not {mask.array.dtype}")
    return compare.where(mask, number_of(input, value, "masked_fill"), input)


@method(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Any) -> Tensor:
    """Return a copy with the first values of another tensor, in order, where a mask is True.

    Raises ``DtypeError`` unless the mask is boolean, ``ShapeError`` where there are too few values.

    Arguments:
        input: a tensor.
        mask: a tensor of booleans; both are broadcast.
        source: the values, of any shape.

    >>> import aino
    >>> x = aino.zeros(3)
    >>> aino.masked_scatter(x, aino.tensor([True, False, True]), aino.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_scatter: the mask must be of booleans, not {mask.array.dtype}")
    same_dtype(input, source, "masked_scatter")
    shape = tuple(broadcast_shapes(input.array.shape, mask.array.shape))
    mask = broadcast_to(mask, shape)
    tracing.checked(_check_enough, mask.array, source.array.size)
    if not source.array.size:
        return shape_rules.clone(broadcast_to(input, shape))
    values = shape_rules.reshape(source, (source.array.size,))
    return compare.where(mask, rules.take(values, order_of(mask.array), 0, False), input)


def _check_enough(mask, size: int) -> None:
    if (count := np.count_nonzero(mask)) > size:
        raise ShapeError(f"masked_scatter: the mask has {count} elements True, source only {size}")
