"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.joining import Step, Value
from aino.onnx.exporting.rows.elementwise import operand
from aino.onnx.exporting.table import DeclinedError, function, whole


@whole("linear")
def _linear(graph: Graph, x: Any, weight: Any, bias: Any) -> str:
    """x Wᵀ + b: one operator for matrices."""
    if not isinstance(weight, Value) or weight.ndim != 2:
        raise DeclinedError
    if x.ndim == 2 and (bias is None or bias.ndim == 1):
        return graph.node("Gemm", [x, weight, bias], transB=1)
    found = graph.node("MatMul", [x, graph.transpose(weight, [1, 0])])
    return found if bias is None else graph.node("Add", [found, bias])


@whole("mm", "bmm", "rows_mm", "mv", "dot")
def _product(graph: Graph, a: Any, b: Any) -> str:
    return graph.node("MatMul", [a, b])


@function(np.dot)
def _dot(graph: Graph, step: Step) -> str:
    a, b = step.arguments[:2]
    ranks = [x.ndim if isinstance(x, Value) else np.ndim(x) for x in (a, b)]
    dtype = step.result.dtype
    names = [operand(graph, a, dtype), operand(graph, b, dtype)]
    if 0 in ranks:
        return graph.node("Mul", names)
    if ranks[1] > 2:
        raise OnnxExporterError("np.dot of more than two dimensions")
    return graph.node("MatMul", names)


@function(np.einsum)
def _einsum(graph: Graph, step: Step) -> str:
    equation, *operands = step.arguments
    if not isinstance(equation, str) or set(step.keywords) - {"optimize"}:
        raise OnnxExporterError("np.einsum in this form")
    dtype = step.result.dtype
    return graph.node(
        "Einsum", [operand(graph, x, dtype) for x in operands], equation=equation.replace(" ", "")
    )


@function(np.outer)
def _outer(graph: Graph, step: Step) -> str:
    a, b = step.arguments[:2]
    dtype = step.result.dtype
    rows, columns = step.result.shape
    left = graph.reshape(operand(graph, a, dtype), (), (rows, 1))
    right = graph.reshape(operand(graph, b, dtype), (), (1, columns))
    return graph.node("Mul", [left, right])
