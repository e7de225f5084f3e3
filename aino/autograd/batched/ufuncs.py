"""Ufuncs and their methods over all samples at once."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.batched.array import BatchedArray
from aino.autograd.batched.indexing import Place
from aino.autograd.batched.registry import UFUNCS
from aino.autograd.batched.samples import (
    aligned,
    axes_in,
    axis_in,
    belongs,
    spread,
    unbatched_memory,
)


def call(level, ufunc, inputs, keywords):
    """Apply a ufunc to operands whose axes are brought together."""
    if "where" in keywords and keywords["where"] is not True:
        *inputs, keywords["where"] = aligned(level, (*inputs, keywords["where"]))
        found = ufunc(*inputs, **keywords)
    elif len(inputs) == 1:
        found = ufunc(inputs[0].values, **keywords)
    else:
        found = ufunc(*aligned(level, inputs), **keywords)
    if type(found) is tuple:
        return tuple([BatchedArray(y, level) for y in found])
    return BatchedArray(found, level)


def matmul(level, ufunc, inputs, keywords):
    """Multiply matrices: vectors become matrices of one row or column in between."""
    a, b = inputs
    return BatchedArray(product(level, a, b, **keywords), level)


def product(level, a, b, **keywords):
    """Return all samples of ``a @ b``."""
    first, second = len(a.shape), len(b.shape)
    if not first or not second:
        raise ValueError("matmul: an operand has no dimension; use * for a product with a number")
    inner = a.shape[-1], b.shape[max(second - 2, 0)]
    if inner[0] != inner[1]:
        raise ValueError(f"matmul: shapes {tuple(a.shape)} and {tuple(b.shape)} do not fit")
    own, other = belongs(a, level), belongs(b, level)
    if own and not other and second == 2:
        # Every row by one matrix: one large product.
        values = a.values
        rows = values.reshape((math.prod(values.shape[:-1]), values.shape[-1]))
        return np.matmul(rows, b, **keywords).reshape((*values.shape[:-1], b.shape[-1]))
    if own and not other and second == 1:
        return np.matmul(a.values, b, **keywords)
    if own and not other and first == 2 and second == 3 and not keywords:
        return _rows_by_stack(a.values, b)
    left = a.values if own else a
    right = b.values if other else b
    if first == 1:
        left = left[..., None, :]
    if second == 1:
        right = right[..., None]
    if own:
        left = _stacked(left, max(first, 2), max(first, second, 2))
    if other:
        right = _stacked(right, max(second, 2), max(first, second, 2))
    # A column by a row is no sum: one multiplication, where matmul calls BLAS for each sample.
    ufunc = np.multiply if inner[0] == 1 and not keywords else np.matmul
    found = ufunc(left, right, **keywords)
    if first == 1:
        found = found[..., 0, :]
    return found[..., 0] if second == 1 else found


def _rows_by_stack(values, stack):
    """Return the rows of all samples by each matrix of a stack, in as few products as there are."""
    size, rows, inner = values.shape
    found = np.matmul(values.reshape((1, size * rows, inner)), stack)
    found = found.reshape((stack.shape[0], size, rows, stack.shape[-1]))
    return found.transpose((1, 0, 2, 3))


def _stacked(values, rank: int, wanted: int):
    if rank == wanted:
        return values
    return values.reshape((values.shape[0], *(1,) * (wanted - rank), *values.shape[1:]))


def reduce(level, ufunc, inputs, keywords):
    """Reduce along axes of one sample."""
    (x, *rest) = inputs
    keywords = dict(keywords)
    if rest:
        keywords["axis"] = rest[0]
    ndim = len(x.shape)
    where = keywords.get("where", True)
    axis = axes_in(keywords.get("axis", 0), ndim)
    if belongs(where, level):
        x, where = aligned(level, (np.broadcast_to(x, x.shape), where))
        keywords["where"] = where
        x = x if len(x.shape) == ndim + 1 else np.broadcast_to(x, (level.size, *x.shape))
    else:
        x = spread(x, level)
    return BatchedArray(ufunc.reduce(x, **{**keywords, "axis": axis}), level)


def accumulate(level, ufunc, inputs, keywords):
    x, *rest = inputs
    axis = rest[0] if rest else keywords.get("axis", 0)
    options = {**keywords, "axis": axis_in(axis, len(x.shape))}
    return BatchedArray(ufunc.accumulate(spread(x, level), **options), level)


def reduceat(level, ufunc, inputs, keywords):
    x, indices, *rest = inputs
    axis = rest[0] if rest else keywords.get("axis", 0)
    options = {**keywords, "axis": axis_in(axis, len(x.shape))}
    return BatchedArray(ufunc.reduceat(spread(x, level), indices, **options), level)


def outer(level, ufunc, inputs, keywords):
    a, b = inputs
    a = spread(a, level) if belongs(a, level) else a
    if not belongs(b, level):
        return BatchedArray(ufunc.outer(a, b, **keywords), level)
    b = b.values
    lead = a.shape[1:] if belongs(inputs[0], level) else a.shape
    a = a.reshape((*a.shape, *(1,) * (b.ndim - 1)))
    b = b.reshape((b.shape[0], *(1,) * len(lead), *b.shape[1:]))
    return BatchedArray(ufunc(a, b, **keywords), level)


def at(level, ufunc, inputs, keywords):
    """Do ``ufunc.at(target, index, values)`` in each sample."""
    target, index, *operands = inputs
    if not belongs(target, level):
        raise unbatched_memory(level)
    place = Place(target, index)
    if place.moved is not None or not operands:
        raise unbatched_memory(level)
    (values,) = operands
    if belongs(values, level):
        shape = target.values[place.index].shape
        values = values.values
        values = values.reshape(
            (values.shape[0], *(1,) * (len(shape) - values.ndim), *values.shape[1:])
        )
    ufunc.at(target.values, place.index, values)


UFUNCS.update(
    {
        (None, "__call__"): call,
        (None, "reduce"): reduce,
        (None, "accumulate"): accumulate,
        (None, "reduceat"): reduceat,
        (None, "outer"): outer,
        (None, "at"): at,
        (np.matmul, "__call__"): matmul,
    }
)
