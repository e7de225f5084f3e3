"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Step, Value
from aino.onnx.exporting.rows.elementwise import operand
from aino.onnx.exporting.table import DeclinedError, function, ufunc, whole


@whole("linear")
def _linear(graph: Graph, x: Any, weight: Any, bias: Any) -> str:
    """x Wᵀ + b: one operator for matrices."""
    if not isinstance(weight, Value) or weight.ndim != 2:
        raise DeclinedError
    if x.ndim == 2 and (bias is None or bias.ndim == 1):
        return graph.node("Gemm", [x, weight, bias], transB=1)
    found = graph.node("MatMul", [x, graph.transpose(weight, [1, 0])])
    return found if bias is None else graph.node("Add", [found, bias])


def product(graph: Graph, a: Any, b: Any, ranks: list[int]) -> str:
    """Return a product of matrices; a vector beside one is a row or a column of its own.

    ONNX takes vectors as they are, but onnxruntime 1.32 multiplies wrongly where the other
    operand is turned.
    """
    if 1 not in ranks or max(ranks) == 1:
        return graph.node("MatMul", [a, b])
    if ranks[0] == 1:
        row = graph.node("Unsqueeze", [a, graph.constant([0], np.int64)])
        found = graph.node("MatMul", [row, b])
        return graph.node("Squeeze", [found, graph.constant([-2], np.int64)])
    column = graph.node("Unsqueeze", [b, graph.constant([1], np.int64)])
    found = graph.node("MatMul", [a, column])
    return graph.node("Squeeze", [found, graph.constant([-1], np.int64)])


@whole("mm", "bmm", "rows_mm", "mv", "dot")
def _product(graph: Graph, a: Any, b: Any) -> str:
    return product(graph, a, b, [a.ndim, b.ndim])


@ufunc(np.matmul)
def _matmul(graph: Graph, step: Step) -> str:
    dtype = step.result.dtype
    a, b = step.arguments
    ranks = [x.ndim if isinstance(x, Value) else np.ndim(x) for x in (a, b)]
    return product(graph, operand(graph, a, dtype), operand(graph, b, dtype), ranks)


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
    return product(graph, names[0], names[1], ranks)


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
