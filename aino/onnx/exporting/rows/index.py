"""Rows, elements and places by indices."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from aino.nn.functional.embedding_bag import bags_of
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph, product_of
from aino.onnx.exporting.memory import subscript
from aino.onnx.exporting.program import Step, Value
from aino.onnx.exporting.rows.elementwise import operand
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import CALLS, function, kernel, method, whole

INT64 = np.dtype(np.int64)


def index_of(graph: Graph, index: Any) -> str:
    """Return indices in a dtype that ONNX takes."""
    if isinstance(index, Value):
        wide = index.dtype in (INT64, np.dtype(np.int32))
        return graph.cast(index, index.dtype, index.dtype if wide else INT64)
    return graph.constant(index, INT64)


@whole("embedding")
def _embedding(graph: Graph, weight: Any, index: Any) -> str:
    return graph.node("Gather", [weight, index_of(graph, index)], axis=0)


@whole("take", "take_of")
def _take(graph: Graph, x: Any, index: Any, axis: int) -> str:
    return graph.node("Gather", [x, index_of(graph, index)], axis=axis)


@whole("gather", "gather_of")
def _gather(graph: Graph, x: Any, index: Any, axis: int) -> str:
    return graph.node("GatherElements", [x, index_of(graph, index)], axis=axis)


@function(np.take)
def _np_take(graph: Graph, step: Step) -> str:
    x, index, *rest = step.arguments
    axis = step.keywords.get("axis", rest[0] if rest else None)
    name = operand(graph, x, step.result.dtype)
    if axis is None:
        shape = x.shape if isinstance(x, Value) else np.shape(x)
        name, axis = graph.reshape(name, shape, (product_of(shape),)), 0
    return graph.node("Gather", [name, index_of(graph, index)], axis=axis)


method("take")(_np_take)


def _get(graph: Graph, step: Step) -> str:
    """``x[index]`` with indices that are computed."""
    x, index = step.arguments
    parts = list(index) if isinstance(index, tuple) else [index]
    lists = [i for i, part in enumerate(parts) if _is_list(part)]
    if any(part is None or part is Ellipsis for part in parts) or not lists:
        if any(_is_list(part) for part in parts) or not lists:
            return _with_new(graph, x, parts)
    if len(lists) == 1:
        return _along_one(graph, x, parts, lists[0])
    return _along_all(graph, x, parts)


def _is_list(part: Any) -> bool:
    return isinstance(part, Value) or (isinstance(part, np.ndarray) and part.ndim > 0)


def _with_new(graph: Graph, x: Value, parts: list) -> str:
    if any(_is_list(part) for part in parts):
        raise OnnxExporterError("indices beside new dimensions")
    return subscript(graph, graph.name(x), x.shape, tuple(parts))


def _along_one(graph: Graph, x: Value, parts: list, axis: int) -> str:
    basic = tuple(slice(None) if i == axis else part for i, part in enumerate(parts))
    if any(not isinstance(part, slice) for part in basic):
        raise OnnxExporterError("indices beside plain numbers")
    name = subscript(graph, graph.name(x), x.shape, basic)
    return graph.node("Gather", [name, index_of(graph, parts[axis])], axis=axis)


def _along_all(graph: Graph, x: Value, parts: list) -> str:
    """Several lists of indices for the first dimensions: one list of places."""
    count = len(parts)
    if not all(_is_list(part) for part in parts):
        lead = 0
        while lead < count and isinstance(parts[lead], slice) and parts[lead] == slice(None):
            lead += 1
        if not all(_is_list(part) for part in parts[lead:]):
            raise OnnxExporterError("indices beside slices")
        # Those dimensions come first for the while.
        order = [*range(lead, count), *range(lead), *range(count, x.ndim)]
        name = graph.transpose(x, order)
        found = _places(graph, name, parts[lead:])
        width = max(part.ndim for part in parts[lead:])
        after = x.ndim - count + lead
        back = [*range(width, width + lead), *range(width), *range(width + lead, width + after)]
        return graph.transpose(found, back)
    return _places(graph, graph.name(x), parts)


def _places(graph: Graph, name: str, parts: list) -> str:
    return graph.node("GatherND", [name, places_of(graph, parts)[0]])


def places_of(graph: Graph, parts: list) -> tuple[str, tuple]:
    """Return several lists of indices as one list of places, and the shape of that list."""
    shapes = [part.shape for part in parts]
    if any(isinstance(n, Size) for shape in shapes for n in shape):
        if len(set(shapes)) > 1:
            raise OnnxExporterError("indices of several dynamic shapes")
        shape = shapes[0]
    else:
        shape = np.broadcast_shapes(*shapes)
    lists = []
    for part in parts:
        one = graph.cast(
            index_of(graph, part), part.dtype if isinstance(part, Value) else INT64, INT64
        )
        one = graph.expand(one, part.shape, shape)
        lists.append(graph.node("Unsqueeze", [one, graph.constant([-1], INT64)]))
    return (graph.node("Concat", lists, axis=-1) if len(lists) > 1 else lists[0]), shape


CALLS["get", None] = _get


@function(np.take_along_axis)
def _take_along_axis(graph: Graph, step: Step) -> str:
    x, index, axis = step.arguments
    return graph.node("GatherElements", [x, index_of(graph, index)], axis=axis % x.ndim)


@kernel(inspect.unwrap(bags_of))
def _bags_of(graph: Graph, step: Step) -> str:
    """The bag of each number: how many have begun by then, less one."""
    starts, total = step.arguments
    begun = graph.cast(starts, starts.dtype, INT64) if isinstance(starts, Value) else (
        graph.constant(starts, INT64))  # fmt: skip
    length = graph.length(total) if isinstance(total, Size) else graph.constant([total], INT64)
    zero, one = graph.constant(0, INT64), graph.constant(1, INT64)
    numbers = graph.node("Range", [zero, graph.node("Squeeze", [length]), one])
    column = graph.node("Unsqueeze", [numbers, graph.constant([1], INT64)])
    before = graph.node("LessOrEqual", [begun, column])
    count = graph.reduce("ReduceSum", graph.cast(before, np.dtype(bool), INT64), [1], False)
    return graph.node("Sub", [count, one])
