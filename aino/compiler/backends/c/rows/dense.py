"""Products of matrices, layers that look rows up, normalisation, softmax."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from aino.autograd.rules import normalization
from aino.compiler.backends.c.builder import Builder, as_rows, spoken
from aino.compiler.backends.c.statements import Matrix
from aino.compiler.backends.c.table import (
    DeclinedError,
    RefusedError,
    function,
    kernel,
    ufunc,
    whole,
)
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region
from aino.nn import functional as F


@whole("linear")
def _linear(c: Builder, x: Any, weight: Any, bias: Any, result: Any) -> None:
    """y = x Wᵀ + b, for all rows of x."""
    if not isinstance(weight, Region) or weight.ndim != 2 or x.dtype.kind != "f":
        raise DeclinedError
    if c.quantized and not c.is_known(weight):
        raise DeclinedError
    outputs, inputs = weight.shape
    x, weight, filled = c.rows(x), c.rows(weight), c.filled(result)
    bias = None if bias is None else c.rows(bias)
    rows = math.prod(result.shape[:-1])
    note = f"y = x W^T + b, {inputs} -> {outputs}" + (f", {rows} rows" if rows > 1 else "")
    reads = [x, weight, *([] if bias is None else [bias])]
    c.call("linear", x.dtype, [x, Matrix(weight), bias, filled, rows, inputs, outputs], reads,
           [filled], note)  # fmt: skip
    c.settle(filled, result)


def product(c: Builder, a: Region, b: Region, result: Region, note: str = "y = A B") -> None:
    """A product of matrices, of stacks of them, or of vectors."""
    row, column = a.ndim == 1, b.ndim == 1
    lead = result.shape[: result.ndim - (not row) - (not column)]
    kept, depth, count = list(result.shape), a.shape[-1], len(lead)

    def stacked(x: Region, own: int) -> list[int | None]:
        """Return its axes along the stack: none where it has one element for all."""
        skip = count - (x.ndim - own)
        axes = [place - skip for place in range(count)]
        return [axis if axis >= 0 and x.shape[axis] != 1 else None for axis in axes]

    own_a, own_b = (1, 1) if row else (2, 2), (1, 1) if column else (2, 2)
    axes_a = [*stacked(a, own_a[0]), *([] if row else [a.ndim - 2])]
    axes_a += [None] * (not column) + [a.ndim - 1]
    axes_b = [*stacked(b, own_b[0]), *[None] * (not row)]
    axes_b += [] if column else [b.ndim - 1]
    axes_b += [b.ndim - 1 if column else b.ndim - 2]
    c.gather(result, [a, b], kept, [depth], [axes_a, axes_b], step="found += {0} * {1}", note=note)


@whole("mm", "bmm", "rows_mm", "mv", "dot")
def _mm(c: Builder, a: Any, b: Any, result: Any) -> None:
    if a.dtype.kind != "f" or a.dtype != b.dtype:
        raise DeclinedError
    product(c, a, b, result)


@ufunc(np.matmul)
def _matmul(c: Builder, call: Call) -> None:
    a, b = call.arguments
    if not isinstance(a, Region) or not isinstance(b, Region) or call.target.dtype.kind != "f":
        raise DeclinedError
    product(c, a, b, call.target, call.primitive or "y = A B")


@function(np.dot)
def _dot(c: Builder, call: Call) -> None:
    a, b = call.arguments[:2]
    if not isinstance(a, Region) or not isinstance(b, Region) or not 0 < b.ndim <= 2 or not a.ndim:
        raise DeclinedError
    if b.ndim == 2 and a.ndim > 2:
        raise DeclinedError
    product(c, a, b, call.target, call.primitive or "y = A B")


@whole("weighted")
def _weighted(c: Builder, x: Any, weights: Any, axis: int, result: Any) -> None:
    """Each element of an axis as a weighted sum of those that were there: images resized."""
    if not isinstance(weights, Region) or not c.is_known(weights) or x.dtype.kind != "f":
        raise DeclinedError
    axis %= x.ndim
    weights = c.constant(c.array(weights).astype(x.dtype), "shares")
    mine = [None if place == axis else place for place in range(x.ndim)]
    its = [0 if place == axis else None for place in range(x.ndim)]
    c.gather(result, [x, weights], result.shape, [x.shape[axis]], [[*mine, axis], [*its, 1]],
             step="found += {0} * {1}", note=f"resized along axis {axis}")  # fmt: skip


@whole("embedding")
def _embedding(c: Builder, weight: Any, index: Any, result: Any) -> None:
    """The rows of a table that are asked for; an index out of bounds fails."""
    if weight.ndim != 2 or not isinstance(index, Region) or not c.is_known(weight):
        raise DeclinedError
    weight, index, filled = c.rows(weight), c.rows(index), c.filled(result)
    if index.dtype != np.int64:
        wide = c.new(index.shape, np.int64)
        c.copy(index, wide)
        index = wide
    rows, width = weight.shape
    c.call("embedding", weight.dtype, [Matrix(weight), index, filled, index.size, rows, width],
           [weight, index], [filled], f"rows of a table, {rows} x {width}", fails=True)  # fmt: skip
    c.settle(filled, result)


def _along(x: Region, axis: int) -> tuple[int, int, int]:
    """Return how much lies before an axis, its length, and how much behind it."""
    axis %= x.ndim
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])


def _softmax_row(name: str, formula: str):
    def row(c: Builder, x: Any, axis: int, result: Any) -> None:
        if x.dtype.kind != "f" or result.dtype != x.dtype or not x.ndim:
            raise DeclinedError
        before, length, behind = _along(x, axis)
        x, filled = c.rows(x), c.filled(result)
        c.call(name, x.dtype, [x, filled, before, length, behind], [x], [filled],
               f"{formula}, over {length}", in_place=True)  # fmt: skip
        c.settle(filled, result)

    return row


whole("softmax")(_softmax_row("softmax", "y = e^x / sum e^x"))
whole("log_softmax")(_softmax_row("log_softmax", "y = x - ln sum e^x"))


@whole(F.batch_norm)
def _batch_norm(
    c: Builder, input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any,
    training: bool, eps: float, result: Any,
) -> None:  # fmt: skip
    """y = a x + b for each channel, with a and b computed now."""
    statistics = [running_mean, running_var, weight, bias]
    known = [x for x in statistics if x is not None]
    if training or not all(isinstance(x, Region) and c.is_known(x) for x in known):
        raise DeclinedError
    if input.ndim < 2 or input.dtype.kind != "f":
        raise DeclinedError
    mean, var = (c.array(x).astype(np.float64) for x in (running_mean, running_var))
    scale = 1.0 / np.sqrt(var + eps)
    if weight is not None:
        scale = scale * c.array(weight)
    shift = -mean * scale
    if bias is not None:
        shift = shift + c.array(bias)
    column = (input.shape[1], *[1] * (input.ndim - 2))
    a, b = (
        c.constant(x.astype(input.dtype).reshape(column), name)
        for x, name in ((scale, "scale"), (shift, "shift"))
    )
    c.loop(result, "{0} * {1} + {2}", input, a, b, note="y = scale x + shift, batch norm")


@kernel(inspect.unwrap(normalization._normalised))
def _normalised(c: Builder, call: Call) -> None:
    raise RefusedError("batch_norm with the moments of its batch; call model.eval() before")


@whole(F.layer_norm)
def _layer_norm(
    c: Builder, input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float, result: Any
) -> None:
    if input.dtype.kind != "f" or result.dtype != input.dtype:
        raise DeclinedError
    length = math.prod(normalized_shape)
    x, filled = c.rows(input), c.filled(result)
    own = [None if p is None else c.rows(p) for p in (weight, bias)]
    c.call("layer_norm", x.dtype, [x, *own, filled, x.size // max(length, 1), length, float(eps)],
           [x, *[p for p in own if p is not None]], [filled],
           f"y = (x - mean) / deviation, over {spoken(normalized_shape)}",
           in_place=True)  # fmt: skip
    c.settle(filled, result)


@whole(F.group_norm)
def _group_norm(
    c: Builder, input: Any, num_groups: int, weight: Any, bias: Any, eps: float, result: Any
) -> None:
    _in_groups(c, input, num_groups, weight, bias, eps, result)


@whole(F.instance_norm)
def _instance_norm(
    c: Builder, input: Any, weight: Any, bias: Any, use_input_stats: bool, eps: float, result: Any
) -> None:
    if not use_input_stats or input.ndim < 3:
        raise DeclinedError
    _in_groups(c, input, input.shape[1], weight, bias, eps, result)


def _in_groups(c: Builder, x: Any, groups: int, weight: Any, bias: Any, eps: float, result: Any):
    """Groups of channels as the rows of a layer norm, then what each channel has of its own."""
    if x.dtype.kind != "f" or result.dtype != x.dtype or not x.size:
        raise DeclinedError
    x, filled = c.rows(x), c.filled(result)
    rows = x.shape[0] * groups
    c.call("layer_norm", x.dtype, [x, None, None, filled, rows, x.size // rows, float(eps)],
           [x], [filled], f"y = (x - mean) / deviation, {groups} groups",
           in_place=True)  # fmt: skip
    column = (x.shape[1], *[1] * (x.ndim - 2))
    for value, formula in ((weight, "{0} * {1}"), (bias, "{0} + {1}")):
        if value is not None:
            c.loop(filled, formula, filled, as_rows(c.rows(value), column))
    c.settle(filled, result)
