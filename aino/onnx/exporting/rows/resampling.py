"""Images of another size."""

from __future__ import annotations

from typing import Any

from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.table import whole


@whole("weighted")
def _weighted(graph: Graph, x: Any, weights: Any, axis: int) -> str:
    """Each element of an axis as a weighted sum of those that were there: a product."""
    axis += x.ndim
    last = x.ndim - 1
    order = [*[i for i in range(x.ndim) if i != axis], axis]
    back = [order.index(i) for i in range(x.ndim)]
    matrix = graph.cast(graph.transpose(weights, [1, 0]), weights.dtype, x.dtype)
    turned = graph.transpose(x, order) if axis != last else graph.name(x)
    found = graph.node("MatMul", [turned, matrix])
    return graph.transpose(found, back) if axis != last else found
