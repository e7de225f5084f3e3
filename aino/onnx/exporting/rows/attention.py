"""Attention: products, a softmax, products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.rules import attention as rules
from aino.nn import functional as F
from aino.onnx.exporting.constants import array_of
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Value
from aino.onnx.exporting.table import DeclinedError, whole


@whole(F.scaled_dot_product_attention)
def _attention(
    graph: Graph, query: Any, key: Any, value: Any, attn_mask: Any, dropout_p: float,
    is_causal: bool, scale: Any, enable_gqa: bool,
) -> str:  # fmt: skip
    if dropout_p or (enable_gqa and query.shape[-3] != key.shape[-3]):
        raise DeclinedError
    if scale is None:
        scale = 1.0 / math.sqrt(max(query.shape[-1], 1))
    weights = _weights(graph, query, key, attn_mask, is_causal, scale)
    return graph.node("MatMul", [weights, value])


@whole(rules.weights_of)
def _weights_of(graph: Graph, q: Any, k: Any, mask: Any, causal: bool, scale: float) -> str:
    return _weights(graph, q, k, mask, causal, scale)


def _weights(graph: Graph, q: Value, k: Value, mask: Any, causal: bool, scale: float) -> str:
    """Return how much each query takes of each key: softmax(q kᵀ · scale + mask)."""
    dtype = q.dtype
    turned = graph.transpose(k, [*range(k.ndim - 2), k.ndim - 1, k.ndim - 2])
    scaled = graph.node("Mul", [q, graph.constant(scale, dtype)])
    scores = graph.node("MatMul", [scaled, turned])
    if causal:
        shape = (q.shape[-2], k.shape[-2])
        never = graph.constant(-math.inf, dtype)
        filled = graph.shared("Expand", [never, graph.ints(shape)])
        above = graph.shared("Trilu", [filled, graph.constant(1, np.int64)], upper=1)
        scores = graph.node("Add", [scores, above])
    if mask is None:
        return graph.node("Softmax", [scores], axis=-1)
    if mask.dtype == bool:
        never = graph.constant(-math.inf, dtype)
        mask_name = graph.node("Where", [mask, graph.constant(0, dtype), never])
    else:
        mask_name = graph.cast(mask, mask.dtype, dtype)
    scores = graph.node("Add", [scores, mask_name])
    weights = graph.node("Softmax", [scores], axis=-1)
    if not _looks_somewhere(mask):
        # Who may look nowhere takes nothing: softmax would make NaN of it.
        top = graph.reduce("ReduceMax", scores, [-1], True)
        nowhere = graph.node("Equal", [top, graph.constant(-math.inf, dtype)])
        weights = graph.node("Where", [nowhere, graph.constant(0, dtype), weights])
    return weights


def _looks_somewhere(mask: Value) -> bool:
    """Tell whether a mask is known, and lets each query look at some key."""
    if mask.memory.kind not in ("static", "constant") or not mask.is_whole:
        return False
    arrays = [array_of(region) for region in mask.regions]
    return all((a.any(-1) if a.dtype == bool else (a > -math.inf).any(-1)).all() for a in arrays)
