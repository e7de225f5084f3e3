"""Sums, means, extremes and their kin over dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.sums import sum_over
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph, product_of
from aino.onnx.exporting.program import Step, Value
from aino.onnx.exporting.rows.elementwise import operand
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import (
    DeclinedError,
    accumulation,
    function,
    method,
    reduction,
    whole,
)

INT64 = np.dtype(np.int64)


def axes_of(axis: Any, rank: int) -> list[int]:
    """Return the dimensions that are meant, in order."""
    if axis is None:
        return list(range(rank))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return sorted(one % rank for one in axes)


def reduced(graph: Graph, operator: str, x: Any, dtype: Any, axis: Any, keepdims: Any) -> str:
    """Return a reduction of a value in a dtype."""
    name = graph.cast(x, x.dtype, dtype)
    axes = axes_of(axis, x.ndim)
    return graph.reduce(operator, name, axes, bool(keepdims)) if axes else name


def _whole(name: str, operator: str) -> None:
    @whole(name)
    def row(graph: Graph, x: Any, axis: Any, keepdims: Any, result: Any) -> str:
        if x.dtype.kind == "c" or (result.dtype == bool):
            raise DeclinedError
        return reduced(graph, operator, x, result.dtype, axis, keepdims)


for _name, _operator in {
    "sum": "ReduceSum", "mean": "ReduceMean", "prod": "ReduceProd", "amax": "ReduceMax",
    "amin": "ReduceMin", "logsumexp": "ReduceLogSumExp",
}.items():  # fmt: skip
    _whole(_name, _operator)


@whole(sum_over)
def _sum_over(graph: Graph, x: Any, axis: Any, keepdims: Any, result: Any) -> str:
    """Return a sum inside of a kernel, which is made of other calls for other lengths."""
    if x.dtype.kind == "c":
        raise DeclinedError
    return reduced(graph, "ReduceSum", x, result.dtype, axis, keepdims)


@whole("mse_loss")
def _mse_loss(graph: Graph, x: Any, target: Any, result: Any) -> str:
    if result.dtype.kind != "f":
        raise DeclinedError
    names = [graph.cast(part, part.dtype, result.dtype) for part in (x, target)]
    away = graph.node("Sub", names)
    return graph.reduce("ReduceMean", graph.node("Mul", [away, away]), range(x.ndim), False)


@whole("max")
def _max(graph: Graph, x: Any) -> str:
    return graph.reduce("ReduceMax", x, range(x.ndim), False)


@whole("min")
def _min(graph: Graph, x: Any) -> str:
    return graph.reduce("ReduceMin", x, range(x.ndim), False)


@whole("norm")
def _norm(graph: Graph, x: Any, p: Any, axis: Any, keepdims: Any) -> str:
    operator = {1: "ReduceL1", 2: "ReduceL2"}.get(p)
    if operator is None or x.dtype.kind != "f":
        raise DeclinedError
    return reduced(graph, operator, x, x.dtype, axis, keepdims)


# NumPy's own


def _of_ufunc(operator: str):
    def row(graph: Graph, step: Step) -> str:
        x, *rest = step.arguments
        keywords = dict(step.keywords)
        axis = keywords.pop("axis", rest[0] if rest else 0)
        keepdims = keywords.pop("keepdims", False)
        keywords.pop("dtype", None)
        if keywords:
            raise OnnxExporterError(f"{step.function.__name__}.reduce with {', '.join(keywords)}=")
        dtype = step.result.dtype
        if dtype.kind == "b":
            raise OnnxExporterError(f"np.{step.function.__name__}.reduce of booleans")
        return reduced(graph, operator, x, dtype, axis, keepdims)

    return row


for _function, _operator in {
    np.add: "ReduceSum", np.multiply: "ReduceProd", np.maximum: "ReduceMax",
    np.minimum: "ReduceMin",
}.items():  # fmt: skip
    reduction(_function)(_of_ufunc(_operator))


def _of_logic(operator: str):
    """Return the row of ``any`` and ``all``: the largest or the least of 0 and 1."""

    def row(graph: Graph, step: Step) -> str:
        x, *rest = step.arguments
        axis = step.keywords.get("axis", rest[0] if rest else 0)
        keepdims = step.keywords.get("keepdims", False)
        return any_or_all(graph, operator, x, axis, keepdims)

    return row


def any_or_all(graph: Graph, operator: str, x: Value, axis: Any, keepdims: Any) -> str:
    """Return whether any or all are true."""
    truth = graph.cast(x, x.dtype, np.dtype(bool))
    number = graph.cast(truth, np.dtype(bool), np.dtype(np.int32))
    found = graph.reduce(operator, number, axes_of(axis, x.ndim), bool(keepdims))
    return graph.cast(found, np.dtype(np.int32), np.dtype(bool))


for _functions, _operator in [
    ((np.logical_or, np.bitwise_or), "ReduceMax"), ((np.logical_and, np.bitwise_and), "ReduceMin"),
]:  # fmt: skip
    reduction(*_functions)(_of_logic(_operator))


def _method(operator: str, logic: bool = False):
    """Return the row of a method of arrays, or of NumPy's function: all dimensions by default."""

    def row(graph: Graph, step: Step) -> str:
        x, *rest = step.arguments
        axis = step.keywords.get("axis", rest[0] if rest else None)
        keepdims = step.keywords.get("keepdims", False)
        unknown = set(step.keywords) - {"axis", "keepdims", "dtype"}
        if unknown:
            raise OnnxExporterError(f"np.{step.function} with {', '.join(unknown)}=")
        if logic:
            return any_or_all(graph, operator, x, axis, keepdims)
        return reduced(graph, operator, x, step.result.dtype, axis, keepdims)

    return row


for _name, _operator, _logic in [
    ("sum", "ReduceSum", False), ("mean", "ReduceMean", False), ("prod", "ReduceProd", False),
    ("max", "ReduceMax", False), ("min", "ReduceMin", False), ("any", "ReduceMax", True),
    ("all", "ReduceMin", True),
]:  # fmt: skip
    _row = _method(_operator, _logic)
    method(_name)(_row)
    function(getattr(np, _name))(_row)


def _extreme(operator: str):
    def row(graph: Graph, step: Step) -> str:
        x, *rest = step.arguments
        axis = step.keywords.get("axis", rest[0] if rest else None)
        keepdims = step.keywords.get("keepdims", False)
        if axis is None:
            flat = graph.reshape(x, x.shape, (product_of(x.shape),))
            return graph.node(operator, [flat], axis=0, keepdims=0)
        return graph.node(operator, [x], axis=axis % x.ndim, keepdims=int(keepdims))

    return row


for _name, _operator in (("argmax", "ArgMax"), ("argmin", "ArgMin")):
    method(_name)(_extreme(_operator))
    function(getattr(np, _name))(_extreme(_operator))


def ordered(graph: Graph, x: Value, axis: int) -> list[str]:
    """Return the values in rising order along an axis, and where they stood."""
    axis %= x.ndim
    length = x.shape[axis]
    count = graph.length(length) if isinstance(length, Size) else graph.constant([length], INT64)
    return graph.node("TopK", [x, count], count=2, axis=axis, largest=0)


@function(np.sort)
def _sort(graph: Graph, step: Step) -> str:
    x, *rest = step.arguments
    return ordered(graph, x, step.keywords.get("axis", rest[0] if rest else -1))[0]


@function(np.argsort)
def _argsort(graph: Graph, step: Step) -> str:
    x, *rest = step.arguments
    return ordered(graph, x, step.keywords.get("axis", rest[0] if rest else -1))[1]


method("argsort")(_argsort)


@accumulation(np.add)
def _cumsum(graph: Graph, step: Step) -> str:
    x, *rest = step.arguments
    axis = step.keywords.get("axis", rest[0] if rest else 0)
    dtype = step.result.dtype
    return graph.node(
        "CumSum", [graph.cast(x, x.dtype, dtype), graph.constant(axis % x.ndim, INT64)]
    )


@accumulation(np.logical_and)
def _all_so_far(graph: Graph, step: Step) -> str:
    """Whether none has been false so far."""
    x, *rest = step.arguments
    axis = step.keywords.get("axis", rest[0] if rest else 0)
    truth = np.dtype(bool)
    false = graph.node("Not", [graph.cast(x, x.dtype, truth)])
    count = graph.node(
        "CumSum", [graph.cast(false, truth, INT64), graph.constant(axis % x.ndim, INT64)]
    )
    return graph.node("Equal", [count, graph.constant(0, INT64)])


@function(np.cumsum)
def _cumsum_function(graph: Graph, step: Step) -> str:
    x, *rest = step.arguments
    if step.keywords.get("axis", rest[0] if rest else None) is not None:
        return _cumsum(graph, step)
    dtype = step.result.dtype
    flat = graph.reshape(graph.cast(x, x.dtype, dtype), x.shape, (product_of(x.shape),))
    return graph.node("CumSum", [flat, graph.constant(0, INT64)])


method("cumsum")(_cumsum_function)


@whole("cumsum")
def _cumsum_whole(graph: Graph, x: Any, axis: int, reverse: bool, result: Any) -> str:
    name = operand(graph, x, result.dtype)
    at = graph.constant(axis % x.ndim, INT64)
    return graph.node("CumSum", [name, at], reverse=int(reverse) or None)
