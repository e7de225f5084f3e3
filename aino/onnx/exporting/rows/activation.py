"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.nn import functional as F
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.rows.elementwise import clipped
from aino.onnx.exporting.table import DeclinedError, whole


def _one(operator: str, **attributes: Any):
    """Return the row of a function of one array that is one operator."""
    return lambda graph, x: graph.node(operator, [x], **attributes)


def _relu(graph: Graph, x: Any) -> str:
    return graph.node("Relu", [x])


whole("relu")(_relu)
whole("sigmoid")(lambda graph, x: graph.node("Sigmoid", [x]))
whole("softsign")(lambda graph, x: graph.node("Softsign", [x]))
whole("hardswish")(lambda graph, x: graph.node("HardSwish", [x]))
whole("hardsigmoid")(lambda graph, x: graph.node("HardSigmoid", [x], alpha=1 / 6, beta=0.5))
whole("elu")(lambda graph, x, alpha: graph.node("Elu", [x], alpha=float(alpha)))
whole("celu")(lambda graph, x, alpha: graph.node("Celu", [x], alpha=float(alpha)))
whole("hardtanh")(lambda graph, x, low, high: clipped(graph, x, low, high, x.dtype))
whole("leaky_relu")(lambda graph, x, slope: graph.node("LeakyRelu", [x], alpha=float(slope)))
whole("softmax")(lambda graph, x, axis: graph.node("Softmax", [x], axis=axis))
whole("log_softmax")(lambda graph, x, axis: graph.node("LogSoftmax", [x], axis=axis))


@whole("silu")
def _silu(graph: Graph, x: Any) -> str:
    return graph.node("Mul", [x, graph.node("Sigmoid", [x])])


@whole("mish")
def _mish(graph: Graph, x: Any) -> str:
    if graph.opset >= 18:
        return graph.node("Mish", [x])
    return graph.node("Mul", [x, graph.node("Tanh", [graph.node("Softplus", [x])])])


@whole("softplus")
def _softplus(graph: Graph, x: Any, beta: float, threshold: float) -> str:
    # Beyond a threshold of 20 nothing of it can be seen.
    if threshold < 20 or beta <= 0:
        raise DeclinedError
    if beta == 1:
        return graph.node("Softplus", [x])
    number = graph.constant(beta, x.dtype)
    return graph.node("Div", [graph.node("Softplus", [graph.node("Mul", [x, number])]), number])


@whole("logsigmoid")
def _logsigmoid(graph: Graph, x: Any) -> str:
    return graph.node("Neg", [graph.node("Softplus", [graph.node("Neg", [x])])])


@whole("prelu")
def _prelu(graph: Graph, x: Any, weight: Any) -> str:
    return graph.node("PRelu", [x, weight])


@whole(F.selu)
def _selu(graph: Graph, input: Any, inplace: bool) -> str:
    if inplace:
        raise DeclinedError
    return graph.node("Selu", [input])


@whole("hardshrink")
def _hardshrink(graph: Graph, x: Any, bound: float) -> str:
    return graph.node("Shrink", [x], lambd=float(bound), bias=0.0)


@whole("softshrink")
def _softshrink(graph: Graph, x: Any, bound: float) -> str:
    return graph.node("Shrink", [x], lambd=float(bound), bias=float(bound))


@whole(F.gelu)
def _gelu(graph: Graph, input: Any, approximate: str) -> str:
    """x times the normal distribution at x: an operator from version 20 on."""
    if graph.opset >= 20:
        return graph.node("Gelu", [input], approximate=approximate)
    dtype = input.dtype
    if approximate == "tanh":
        raise DeclinedError
    inner = graph.node("Div", [input, graph.constant(math.sqrt(2), dtype)])
    rest = graph.node("Add", [graph.node("Erf", [inner]), graph.constant(1, dtype)])
    half = graph.node("Mul", [input, graph.constant(0.5, dtype)])
    return graph.node("Mul", [half, rest])


@whole("gelu_tanh")
def _gelu_tanh(graph: Graph, x: Any) -> str:
    dtype = x.dtype
    c = lambda number: graph.constant(number, dtype)  # noqa: E731
    square = graph.node("Mul", [x, x])
    slope = graph.node("Mul", [square, c(0.044715 * math.sqrt(2 / math.pi))])
    inner = graph.node("Mul", [x, graph.node("Add", [slope, c(math.sqrt(2 / math.pi))])])
    rest = graph.node("Add", [graph.node("Tanh", [inner]), c(1)])
    return graph.node("Mul", [graph.node("Mul", [x, c(0.5)]), rest])


@whole("normal_cdf")
def _normal_cdf(graph: Graph, x: Any) -> str:
    dtype = x.dtype
    inner = graph.node("Div", [x, graph.constant(math.sqrt(2), dtype)])
    rest = graph.node("Add", [graph.node("Erf", [inner]), graph.constant(1, dtype)])
    return graph.node("Mul", [rest, graph.constant(0.5, dtype)])


@whole("clamp_min")
def _clamp_min(graph: Graph, x: Any, low: Any) -> str:
    return clipped(graph, x, low, None, np.dtype(x.dtype))


@whole("clamp_max")
def _clamp_max(graph: Graph, x: Any, high: Any) -> str:
    return clipped(graph, x, None, high, np.dtype(x.dtype))
