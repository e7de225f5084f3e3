"""Normalisation by means and variances."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import normalization as rules
from aino.nn import functional as F
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Step
from aino.onnx.exporting.rows.reduce import axes_of
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import DeclinedError, kernel, whole


def _or_full(graph: Graph, value: Any, number: int, shape: Any, dtype: Any) -> Any:
    """Return a vector, or one of equal numbers where there is none."""
    return graph.constant(np.full(shape, number), dtype) if value is None else value


@whole(F.layer_norm)
def _layer_norm(
    graph: Graph, input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float
) -> str:
    shape = tuple(normalized_shape)
    if any(isinstance(length, Size) for length in shape):
        raise DeclinedError
    gain = _or_full(graph, weight, 1, shape, input.dtype)
    return graph.node(
        "LayerNormalization", [input, gain, bias], axis=-len(shape), epsilon=float(eps)
    )


@whole(F.rms_norm)
def _rms_norm(graph: Graph, input: Any, normalized_shape: Any, weight: Any, eps: Any) -> str:
    """An operator from version 23 on, which few runtimes have yet: five nodes."""
    dtype = input.dtype
    axes = list(range(-len(tuple(normalized_shape)), 0))
    if eps is None:
        eps = float(np.finfo(dtype).eps)
    square = graph.reduce("ReduceMean", graph.node("Mul", [input, input]), axes, True)
    size = graph.node("Sqrt", [graph.node("Add", [square, graph.constant(eps, dtype)])])
    found = graph.node("Div", [input, size])
    return found if weight is None else graph.node("Mul", [found, weight])


@whole(F.batch_norm)
def _batch_norm(
    graph: Graph, input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any,
    training: bool, eps: float,
) -> str:  # fmt: skip
    if training or input.ndim < 2:
        raise DeclinedError
    return _with_statistics(graph, input, running_mean, running_var, weight, bias, eps)


def _with_statistics(graph: Graph, x: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps):
    channels = x.shape[1]
    gain = _or_full(graph, weight, 1, channels, x.dtype)
    shift = _or_full(graph, bias, 0, channels, x.dtype)
    return graph.node("BatchNormalization", [x, gain, shift, mean, variance], epsilon=float(eps))


@kernel(getattr(rules._normalised, "__wrapped__", rules._normalised))
def _normalised(graph: Graph, step: Step) -> list[str]:
    """A batch with its own moments, which are handed out as well."""
    x, weight, bias, eps = step.arguments
    dtype = x.dtype
    axes = [0, *range(2, x.ndim)]
    mean = graph.reduce("ReduceMean", x, axes, True)
    d = graph.node("Sub", [x, mean])
    variance = graph.reduce("ReduceMean", graph.node("Mul", [d, d]), axes, True)
    scale = graph.node("Sqrt", [graph.node("Add", [variance, graph.constant(eps, dtype)])])
    y = graph.node("Div", [d, scale])
    column = (x.shape[1], *([1] * (x.ndim - 2)))
    if weight is not None:
        y = graph.node("Mul", [y, graph.reshape(weight, weight.shape, column)])
    if bias is not None:
        y = graph.node("Add", [y, graph.reshape(bias, bias.shape, column)])
    flat = (x.shape[1],)
    wide = (1, x.shape[1], *([1] * (x.ndim - 2)))
    return [y, graph.reshape(mean, wide, flat), graph.reshape(variance, wide, flat)]


@whole(F.instance_norm)
def _instance_norm(
    graph: Graph, input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any,
    use_input_stats: bool, eps: float,
) -> str:  # fmt: skip
    if input.ndim < 3:
        raise DeclinedError
    if not use_input_stats:
        return _with_statistics(graph, input, running_mean, running_var, weight, bias, eps)
    channels = input.shape[1]
    gain = _or_full(graph, weight, 1, channels, input.dtype)
    shift = _or_full(graph, bias, 0, channels, input.dtype)
    return graph.node("InstanceNormalization", [input, gain, shift], epsilon=float(eps))


@whole(F.group_norm)
def _group_norm(
    graph: Graph, input: Any, num_groups: int, weight: Any, bias: Any, eps: float
) -> str:
    dtype, shape = input.dtype, input.shape
    channels = shape[1]
    if graph.opset >= 21:
        gain = _or_full(graph, weight, 1, channels, dtype)
        shift = _or_full(graph, bias, 0, channels, dtype)
        return graph.node(
            "GroupNormalization", [input, gain, shift], num_groups=num_groups, epsilon=float(eps)
        )
    to = graph.constant([0, num_groups, -1], np.int64)
    grouped = graph.node("Reshape", [input, to])
    ones, zeros = graph.constant([1] * num_groups, dtype), graph.constant([0] * num_groups, dtype)
    found = graph.node("InstanceNormalization", [grouped, ones, zeros], epsilon=float(eps))
    dynamic = any(isinstance(length, Size) for length in shape[2:])
    back = graph.node("Shape", [input]) if dynamic else graph.constant([0, *shape[1:]], np.int64)
    found = graph.node("Reshape", [found, back])
    column = (channels, *([1] * (input.ndim - 2)))
    if weight is not None:
        found = graph.node("Mul", [found, graph.reshape(weight, weight.shape, column)])
    if bias is not None:
        found = graph.node("Add", [found, graph.reshape(bias, bias.shape, column)])
    return found


@whole(F.normalize)
def _normalize(graph: Graph, input: Any, p: Any, dim: Any, eps: float, out: Any) -> str:
    operator = {1: "ReduceL1", 2: "ReduceL2"}.get(p)
    if operator is None or input.dtype.kind != "f" or out is not None:
        raise DeclinedError
    size = graph.reduce(operator, input, axes_of(dim, input.ndim), True)
    size = graph.node("Clip", [size, graph.constant(eps, input.dtype)])
    return graph.node("Div", [input, size])


@whole(F.local_response_norm)
def _local_response_norm(
    graph: Graph, input: Any, size: int, alpha: float, beta: float, k: float
) -> str:
    if size % 2 == 0 or input.ndim != 4:  # which is all that onnxruntime takes
        raise DeclinedError
    return graph.node(
        "LRN", [input], size=size, alpha=float(alpha), beta=float(beta), bias=float(k)
    )
