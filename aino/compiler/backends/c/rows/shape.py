"""Arrays side by side, in other shapes, with edges, and elements at known places."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.backends.c.builder import Builder, as_rows, in_shape, part
from aino.compiler.backends.c.table import (
    CALLS,
    DeclinedError,
    RefusedError,
    function,
    method,
    whole,
)
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region


def _parts(call: Call) -> tuple[list[Any], int]:
    parts, *rest = call.arguments
    axis = call.keywords.get("axis", rest[0] if rest else 0)
    if axis is None or set(call.keywords) - {"axis", "dtype"}:
        raise RefusedError(f"np.{call.function.__name__} in this form")
    return list(parts), axis % call.target.ndim


@function(np.concatenate)
def _concatenate(c: Builder, call: Call) -> None:
    parts, axis = _parts(call)
    target, start = call.target, 0
    for number, one in enumerate(parts):
        if not isinstance(one, Region):
            raise DeclinedError
        starts = [start if i == axis else 0 for i in range(target.ndim)]
        note = f"part {number + 1} of {len(parts)}, side by side"
        c.copy(one, part(target, starts, one.shape), note)
        start += one.shape[axis]


@function(np.stack)
def _stack(c: Builder, call: Call) -> None:
    parts, axis = _parts(call)
    target = call.target
    for number, one in enumerate(parts):
        if not isinstance(one, Region):
            raise DeclinedError
        starts = [number if i == axis else 0 for i in range(target.ndim)]
        shape = [1 if i == axis else n for i, n in enumerate(target.shape)]
        layer = part(target, starts, shape)
        others = [i for i in range(target.ndim) if i != axis]
        layer = in_shape(layer, [shape[i] for i in others], [layer.strides[i] for i in others])
        c.copy(one, layer, f"part {number + 1} of {len(parts)}, one upon the other")


@method("reshape", "ravel", "flatten", "squeeze")
def _reshape(c: Builder, call: Call) -> None:
    """Another shape that takes a copy."""
    source, target = call.arguments[0], call.target
    if call.keywords.get("order", "C") not in ("C", None) or not isinstance(source, Region):
        raise RefusedError("a reshape in another order of memory")
    filled = c.filled(target)
    c.copy(source, as_rows(filled, source.shape), "in another shape")
    c.settle(filled, target)


function(np.reshape, np.ravel)(_reshape)


@whole("pad")
def _pad(c: Builder, x: Any, widths: Any, value: Any, result: Any) -> None:
    """Constants around an array."""
    if any(n < 0 for pair in widths for n in pair):
        raise DeclinedError
    c.copy(value or 0, result, "the edges")
    c.copy(x, part(result, [first for first, _ in widths], x.shape), "what they are around")


@whole("take", "take_of")
def _take(c: Builder, x: Any, index: Any, axis: int, result: Any) -> None:
    _taken(c, x, index, axis, result)


@function(np.take)
def _np_take(c: Builder, call: Call) -> None:
    x, index, *rest = call.arguments
    axis = call.keywords.get("axis", rest[0] if rest else None)
    if axis is None:
        raise DeclinedError
    _taken(c, x, index, axis, call.target)


method("take")(_np_take)


def _taken(c: Builder, x: Any, index: Any, axis: int, result: Region) -> None:
    """Elements along an axis, at places that are known."""
    if isinstance(index, Region):
        if not c.is_known(index):
            raise RefusedError("a choice by indices that are computed (take)")
        index = c.array(index)
    if not isinstance(x, Region):
        raise DeclinedError
    axis %= x.ndim
    places = np.asarray(index) % max(x.shape[axis], 1)
    strides = x.strides[axis]
    lead, rest = result.shape[:axis], result.shape[axis + places.ndim :]
    flat = places.reshape(-1).tolist()
    inner = result.strides[axis : axis + places.ndim]
    for number, (first, count, step) in enumerate(_runs(flat)):
        if places.ndim != 1 and len(flat) != count:
            raise RefusedError("a choice by indices of several dimensions (take)")
        source = in_shape(
            part(x, [0] * axis + [first] + [0] * (x.ndim - axis - 1), x.shape),
            (*lead, count, *rest),
            (*x.strides[:axis], strides * step, *x.strides[axis + 1 :]),
        )
        begun = sum(n for _, n, _ in _runs(flat)[:number])
        target = part(result, [0] * axis + [begun] + [0] * len(rest), (*lead, count, *rest))
        if not inner:
            source = in_shape(source, (*lead, *rest), (*x.strides[:axis], *x.strides[axis + 1 :]))
            target = result
        c.copy(source, target, "elements at known places")


def _runs(places: list[int]) -> list[tuple[int, int, int]]:
    """Return indices as runs: (first, how many, step)."""
    runs: list[tuple[int, int, int]] = []
    for place in places:
        if runs:
            first, count, step = runs[-1]
            if count == 1 or place == first + count * step:
                runs[-1] = (first, count + 1, place - first if count == 1 else step)
                continue
        runs.append((place, 1, 1))
    return runs


def _get(c: Builder, call: Call) -> None:
    """``x[index]``, where one index along one axis is a list that is known."""
    x, index = call.arguments
    parts = list(index) if isinstance(index, tuple) else [index]
    lists = [i for i, one in enumerate(parts) if isinstance(one, (Region, np.ndarray))]
    if len(lists) != 1 or any(one != slice(None) for i, one in enumerate(parts) if i not in lists):
        raise RefusedError("indices in this form")
    array = parts[lists[0]]
    if (array.dtype.kind if hasattr(array, "dtype") else "") not in "iu":
        raise RefusedError("a choice by a mask")
    _taken(c, x, array, lists[0], call.target)


CALLS["get", None] = _get
