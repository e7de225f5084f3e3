"""Values put, added or compared into places that an index names."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.primitive import cast
from aino.autograd.rules import compare
from aino.autograd.rules import index as rules
from aino.autograd.rules import join as join_rules
from aino.autograd.rules import scan as scan_rules
from aino.autograd.rules import shape as shape_rules
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, ShapeError
from aino.ops.arguments import dim_of, numpy_names
from aino.ops.index.indexing import checked, fitting
from aino.ops.index.masks import has_traced_mask, order_of
from aino.ops.index.subscript import explained, put_at, raw_index, split_index
from aino.ops.public import method
from aino.ops.shape.broadcasting import atleast_1d, broadcast_shapes, broadcast_to
from aino.tracing import known

__all__ = [
    "scatter", "scatter_add", "scatter_reduce", "index_add", "index_copy", "index_fill",
    "index_reduce", "index_put", "put", "masked_fill", "masked_scatter",
]  # fmt: skip


def _same_dtype(input, source, name):
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
    _same_dtype(input, src, name)
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


def _like(result, input):
    shape = input.array.shape
    return result if result.array.shape == shape else shape_rules.reshape(result, shape)


@method(inplace=True)
@numpy_names
def scatter(
    input: Tensor,
    dim: Any,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """Return a copy of ``input`` with ``src`` at ``index`` along ``dim``.

    x[indexᵢⱼ, j] = srcᵢⱼ for dim 0. ``src`` may be a number, and larger than ``index``.
    ``reduce`` 'add' or 'multiply' combines instead of replacing.

    >>> import aino
    >>> aino.scatter(aino.zeros(2, 3), 1, aino.tensor([[0], [2]]), 1.0)
    tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    src = value if src is None else src
    if not isinstance(src, Tensor):
        filled = np.full_like(index.array, src, dtype=input.array.dtype)
        src = make(filled)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise ValueError(f"scatter: reduce must be 'add' or 'multiply', not {reduce!r}")
        return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")
    whole, dim, array, src = _place(input, dim, index, src, "scatter")
    return _like(rules.scatter(whole, src, array, dim), input)


@method(inplace=True)
@numpy_names
def scatter_add(input: Tensor, dim: Any, index: Tensor, src: Any) -> Tensor:
    """Return ``input`` with ``src`` added at ``index`` along ``dim``; what meets is summed.

    >>> import aino
    >>> aino.scatter_add(aino.zeros(3), 0, aino.tensor([0, 0, 2]), aino.ones(3))
    tensor([2., 0., 1.])
    """
    whole, dim, array, src = _place(input, dim, index, src, "scatter_add")
    return _like(whole + rules.scatter_sum(src, array, dim, whole.array.shape, False), input)


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@method
@numpy_names
def scatter_reduce(
    input: Tensor, dim: Any, index: Tensor, src: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return ``input`` with what ``src`` holds for each place reduced into it.

    ``reduce``: 'sum', 'prod', 'mean', 'amax' or 'amin'. Without ``include_self`` the element of
    ``input`` counts only where nothing is scattered to.

    >>> import aino
    >>> x, index = aino.tensor([1.0, 2.0]), aino.tensor([0, 0, 1])
    >>> aino.scatter_reduce(x, 0, index, aino.tensor([5.0, 3.0, 1.0]), "amax")
    tensor([5., 2.])
    """
    if reduce not in _REDUCTIONS:
        raise ValueError(
            f"scatter_reduce: reduce must be one of {', '.join(_REDUCTIONS)}, not {reduce!r}"
        )
    whole, dim, array, src = _place(input, dim, index, src, "scatter_reduce")
    shape = whole.array.shape
    if reduce in ("amax", "amin"):
        ufunc = np.maximum if reduce == "amax" else np.minimum
        result = rules.scatter_extreme(whole, src, array, dim, ufunc, include_self)
        return _like(result, input)
    if not include_self:
        neutral = np.full_like(src.array, reduce == "prod")
        whole = rules.scatter(whole, make(neutral), array, dim)
    if reduce == "prod":
        return _like(_scattered_product(whole, dim, array, src), input)
    total = whole + rules.scatter_sum(src, array, dim, shape, False)
    if reduce == "mean":
        ones = np.ones_like(src.array)
        counts = rules.scatter_sum(ones, array, dim, shape, False)
        counts = np.maximum(counts + (1 if include_self else 0), 1)
        if total.array.dtype.kind in "iu":
            return _like(make(total.array // counts), input)
        total = total / make(counts)
    return _like(total, input)


def _scattered_product(input, dim, index, src):
    """Multiply by running products over what is sorted by its place.

    Nothing is divided by, so that zeros and their derivatives are exact.
    """
    shape = input.array.shape
    size = input.array.size
    every = known(np.arange(size))
    places = rules.gather(every.reshape(shape), index, dim, False).reshape(-1)
    places = np.concatenate([every, places])
    factors = [shape_rules.reshape(x, (x.array.size,)) for x in (input, src)]
    by_place = np.argsort(places, kind="stable")
    places = places[by_place]
    factors = rules.take(join_rules.cat(factors, 0), by_place, 0, True)
    dtype = factors.array.dtype
    if dtype.kind in "fc":
        factors = scan_rules.doubled(factors)
    follows = np.concatenate([[False], places[1:] == places[:-1]])
    goes_on = make(follows.astype(factors.array.dtype))
    starts = make((~follows).astype(factors.array.dtype))
    running = scan_rules.recurrence(factors * goes_on, factors * starts, 0, False)
    ends = np.searchsorted(places, every, "right") - 1
    products = shape_rules.reshape(rules.take(running, ends, 0, True), shape)
    return products if products.array.dtype is dtype else cast(products, dtype)


# Whole slices


def _slices(input, dim, index, source, name):
    """Return dim, index array and source, checked against each other."""
    shape = input.array.shape
    dim = dim_of(dim, len(shape))
    if index.array.ndim > 1:
        raise IndexError(f"{name}: the index must be a vector, got shape {index.array.shape}")
    array = checked(index, shape[dim] if shape else 1, name).reshape((-1,))
    if source is not None:
        _same_dtype(input, source, name)
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
def index_add(input: Tensor, dim: Any, index: Tensor, source: Any, *, alpha: float = 1) -> Tensor:
    """Return ``input`` with alpha · ``source`` added to the slices at ``index`` along ``dim``.

    >>> import aino
    >>> aino.index_add(aino.zeros(3), 0, aino.tensor([0, 0]), aino.tensor([1.0, 2.0]))
    tensor([3., 0., 0.])
    """
    whole, dim, array, source = _slices(input, dim, index, source, "index_add")
    if alpha != 1:
        source = source * alpha
    added = rules.take_sum(source, array, dim, whole.array.shape[dim], False)
    return _like(whole + added, input)


def _put_slices(whole, dim, array, values):
    index = (slice(None),) * dim + (array.copy(),)
    return rules.put(whole, values, (...,), index)


@method(inplace=True)
@numpy_names
def index_copy(input: Tensor, dim: Any, index: Tensor, source: Any) -> Tensor:
    """Return a copy of ``input`` with ``source`` in place of the slices at ``index``.

    >>> import aino
    >>> aino.index_copy(aino.zeros(3), 0, aino.tensor([2]), aino.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    whole, dim, array, source = _slices(input, dim, index, source, "index_copy")
    return _like(_put_slices(whole, dim, array, source), input)


@method(inplace=True)
@numpy_names
def index_fill(input: Tensor, dim: Any, index: Tensor, value: Any) -> Tensor:
    """Return a copy of ``input`` with a number in the slices at ``index`` along ``dim``.

    >>> import aino
    >>> aino.index_fill(aino.zeros(3), 0, aino.tensor([0, 2]), 1)
    tensor([1., 0., 1.])
    """
    whole, dim, array, _ = _slices(input, dim, index, None, "index_fill")
    # A mask: an index that comes twice is filled, and hands its gradient on, once.
    shape = (whole.array.shape[dim],) + (1,) * (whole.array.ndim - 1 - dim)
    filled = known(np.zeros(shape, bool)).copy()
    filled[array] = True
    return _like(compare.where(make(filled), _number(input, value, "index_fill"), whole), input)


def _number(input, value, name):
    """Return a number or 0-d tensor in the dtype of ``input``."""
    if isinstance(value, Tensor):
        if value.array.ndim:
            raise ShapeError(f"{name}: value must be a number or 0-d, got {value.array.shape}")
        same = value.array.dtype == input.array.dtype
        return value if same else cast(value, input.array.dtype)
    if isinstance(value, complex) and input.array.dtype.kind != "c":
        raise DtypeError(f"{name}: {value!r} does not fit into {input.array.dtype}")
    return make(np.full_like(input.array, value, shape=()))


@method
@numpy_names
def index_reduce(
    input: Tensor, dim: Any, index: Tensor, source: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return ``input`` with the slices of ``source`` reduced into those at ``index``.

    ``reduce``: 'prod', 'mean', 'amax' or 'amin'; as ``scatter_reduce``.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> aino.index_reduce(x, 0, aino.tensor([0, 0]), aino.tensor([3.0, 4.0]), "prod")
    tensor([12.,  2.])
    """
    whole, dim, array, source = _slices(input, dim, index, source, "index_reduce")
    shape = source.array.shape
    column = array.reshape((-1,) + (1,) * (len(shape) - 1 - dim))
    places = make(np.broadcast_to(column, shape))
    return _like(
        scatter_reduce(whole, dim, places, source, reduce, include_self=include_self), input
    )


# Anywhere


@method(inplace=True)
def index_put(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Return a copy of ``input`` with ``values`` at ``input[indices]``, or added there.

    ``indices`` is a tuple of index tensors; ``values`` is broadcast to what they pick.

    >>> import aino
    >>> aino.index_put(aino.zeros(2, 2), (aino.tensor([0, 1]), aino.tensor([1, 0])), aino.ones(2))
    tensor([[0., 1.],
            [1., 0.]])
    """
    index = raw_index(tuple([_ALL if i is None else i for i in indices]))
    _same_dtype(input, values, "index_put")
    if not accumulate:
        return put_at(input, values, index)
    shape = input.array.shape
    if has_traced_mask(index):
        return input + put_at(make(np.zeros_like(input.array)), values, index)
    try:
        basic, parts = split_index(index, shape)
        flat = known(np.arange(input.array.size).reshape(shape))
        places = (flat if basic is None else flat[basic])[parts]
    except IndexError as error:
        raise explained(error, input.array.ndim) from None
    values = broadcast_to(values, places.shape)
    return input + shape_rules.reshape(
        rules.take_sum(values, places, 0, input.array.size, False), shape
    )


_ALL = slice(None)


@method
def put(input: Tensor, index: Tensor, source: Any, accumulate: bool = False) -> Tensor:
    """Return a copy of ``input`` with ``source`` at ``index`` of the flattened tensor.

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
    return _like(index_put(flat, (index,), source, accumulate), input)


@method(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Return ``input`` with a number (or a 0-d tensor) where ``mask`` is True; both broadcast.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0, 3.0])
    >>> aino.masked_fill(x, x > 1, 0.0)
    tensor([1., 0., 0.])
    """
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_fill: the mask must be of booleans, not {mask.array.dtype}")
    return compare.where(mask, _number(input, value, "masked_fill"), input)


@method(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Any) -> Tensor:
    """Return ``input`` with the first elements of ``source``, in order, where ``mask`` is True.

    >>> import aino
    >>> x = aino.zeros(3)
    >>> aino.masked_scatter(x, aino.tensor([True, False, True]), aino.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    if mask.array.dtype.kind != "b":
        raise DtypeError(f"masked_scatter: the mask must be of booleans, not {mask.array.dtype}")
    _same_dtype(input, source, "masked_scatter")
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
