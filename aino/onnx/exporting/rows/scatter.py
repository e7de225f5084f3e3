"""What is put to places by indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Step, Value
from aino.onnx.exporting.rows.elementwise import operand
from aino.onnx.exporting.rows.index import INT64, index_of, places_of
from aino.onnx.exporting.table import CALLS, DeclinedError, whole


@whole("scatter_sum")
def _scatter_sum(graph: Graph, x: Any, index: Any, axis: int, shape: Any) -> str:
    zeros = graph.shared("Expand", [graph.constant(0, x.dtype), graph.ints(shape)])
    return graph.node(
        "ScatterElements", [zeros, index_of(graph, index), x], axis=axis, reduction="add"
    )


@whole("scatter")
def _scatter(graph: Graph, x: Any, values: Any, index: Any, axis: int) -> str:
    """Elements, or one number, along an axis."""
    shape = values.shape if isinstance(values, Value) else np.shape(values)
    new = graph.expand(operand(graph, values, x.dtype), shape, index.shape)
    return graph.node("ScatterElements", [x, index_of(graph, index), new], axis=axis)


@whole("scatter_extreme")
def _scatter_extreme(
    graph: Graph, x: Any, values: Any, index: Any, axis: int, ufunc: Any, include_self: bool
) -> str:
    if not include_self or graph.opset < 18 or x.dtype != values.dtype:
        raise DeclinedError
    reduction = {np.maximum: "max", np.minimum: "min"}[ufunc]
    inputs = [x, index_of(graph, index), values]
    return graph.node("ScatterElements", inputs, axis=axis, reduction=reduction)


@whole("take_sum")
def _take_sum(graph: Graph, x: Any, index: Any, axis: int, length: Any) -> str:
    """Rows added up where they belong."""
    if axis or x.dtype.kind != "f":
        raise DeclinedError
    shape = (length, *x.shape[index.ndim :])
    zeros = graph.shared("Expand", [graph.constant(0, x.dtype), graph.ints(shape)])
    places = graph.cast(index, index.dtype, INT64)
    places = graph.node("Unsqueeze", [places, graph.constant([-1], INT64)])
    return graph.node("ScatterND", [zeros, places, x], reduction="add")


def _set(graph: Graph, step: Step) -> None:
    """``x[index] = value`` with indices that are computed, of the first dimensions."""
    x, index, value = step.arguments
    parts = list(index) if isinstance(index, tuple) else [index]
    lists = all(
        isinstance(part, Value | np.ndarray) and part.ndim and part.dtype.kind in "iu"
        for part in parts
    )
    if not lists:
        raise OnnxExporterError("a write to places that are computed, beside others that are not")
    places, shape = places_of(graph, parts)
    given = value.shape if isinstance(value, Value) else np.shape(value)
    target = (*shape, *x.shape[len(parts) :])
    new = graph.expand(operand(graph, value, x.dtype), given, target)
    graph.memory.write(x, graph.node("ScatterND", [x, places, new]))


CALLS["set", None] = _set
