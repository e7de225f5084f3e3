"""Arrays side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Step, Value
from aino.onnx.exporting.rows.elementwise import operand
from aino.onnx.exporting.table import function


def _parts(graph: Graph, step: Step) -> tuple[list[Any], int]:
    parts, *rest = step.arguments
    axis = step.keywords.get("axis", rest[0] if rest else 0)
    if axis is None or set(step.keywords) - {"axis", "dtype"}:
        raise OnnxExporterError(f"np.{step.function.__name__} in this form")
    return list(parts), axis % step.result.ndim


@function(np.concatenate)
def _concatenate(graph: Graph, step: Step) -> str:
    parts, axis = _parts(graph, step)
    full = [p for p in parts if not (isinstance(p, Value) and p.shape[axis] == 0)] or parts[:1]
    names = [operand(graph, part, step.result.dtype) for part in full]
    return names[0] if len(names) == 1 else graph.node("Concat", names, axis=axis)


@function(np.stack)
def _stack(graph: Graph, step: Step) -> str:
    parts, axis = _parts(graph, step)
    at = graph.constant([axis], np.int64)
    names = [
        graph.node("Unsqueeze", [operand(graph, part, step.result.dtype), at]) for part in parts
    ]
    return names[0] if len(names) == 1 else graph.node("Concat", names, axis=axis)
