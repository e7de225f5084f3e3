"""Other shapes of the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.nn import functional as F
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import END, Graph
from aino.onnx.exporting.program import Step
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import DeclinedError, function, method, whole

INT64 = np.dtype(np.int64)


@function(np.reshape, np.ravel, np.expand_dims, np.squeeze, np.atleast_1d, np.atleast_2d)
def _reshape(graph: Graph, step: Step) -> str:
    if step.keywords.get("order", "C") not in ("C", None):
        raise OnnxExporterError("a reshape in another order of memory")
    x = step.arguments[0]
    return graph.reshape(x, x.shape, step.result.shape)


@method("reshape", "ravel", "squeeze", "flatten")
def _reshape_method(graph: Graph, step: Step) -> str:
    return _reshape(graph, step)


@whole("reshape")
def _reshape_whole(graph: Graph, x: Any, shape: Any, result: Any) -> str:
    return graph.reshape(x, x.shape, result.shape)


@function(np.broadcast_to)
def _broadcast_to(graph: Graph, step: Step) -> str:
    x = step.arguments[0]
    return graph.expand(x, x.shape, step.result.shape)


@whole("expand")
def _expand(graph: Graph, x: Any, shape: Any, result: Any) -> str:
    return graph.expand(x, x.shape, result.shape)


@function(np.transpose)
def _transpose(graph: Graph, step: Step) -> str:
    x, *rest = step.arguments
    axes = step.keywords.get("axes", rest[0] if rest else None)
    order = range(x.ndim)[::-1] if axes is None else [axis % x.ndim for axis in axes]
    return graph.transpose(x, order)


@function(np.swapaxes)
def _swapaxes(graph: Graph, step: Step) -> str:
    x, first, second = step.arguments
    order = list(range(x.ndim))
    order[first], order[second] = order[second], order[first]
    return graph.transpose(x, order)


@function(np.moveaxis)
def _moveaxis(graph: Graph, step: Step) -> str:
    x, source, target = step.arguments
    places = np.arange(x.ndim)
    sources = [axis % x.ndim for axis in np.atleast_1d(source)]
    targets = [axis % x.ndim for axis in np.atleast_1d(target)]
    rest = [axis for axis in places if axis not in sources]
    for to, axis in sorted(zip(targets, sources)):
        rest.insert(to, axis)
    return graph.transpose(x, [int(axis) for axis in rest])


def flipped(graph: Graph, x: Any, axes: Any) -> str:
    """Return an array backwards along axes."""
    axes = list(axes)
    if not axes:
        return graph.name(x)
    ones = [-1] * len(axes)
    return graph.node(
        "Slice", [x, graph.ints(ones), graph.ints([-END] * len(axes)), graph.ints(axes),
                  graph.ints(ones)],
    )  # fmt: skip


@function(np.flip)
def _flip(graph: Graph, step: Step) -> str:
    x, *rest = step.arguments
    axis = step.keywords.get("axis", rest[0] if rest else None)
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % x.ndim
    return flipped(graph, x, [int(one) for one in axes])


@whole("flip")
def _flip_whole(graph: Graph, x: Any, axes: Any) -> str:
    return flipped(graph, x, [axis % x.ndim for axis in axes])


@whole("roll")
def _roll(graph: Graph, x: Any, shifts: Any, axes: Any) -> str:
    name = graph.name(x)
    if axes is None or isinstance(shifts, int):
        raise DeclinedError
    for shift, axis in zip(shifts, axes):
        axis %= x.ndim
        length = x.shape[axis]
        if isinstance(length, Size) or isinstance(shift, Size) or not length:
            raise DeclinedError
        shift %= length
        if shift:
            first = graph.slice(name, axis, length - shift, END)
            rest = graph.slice(name, axis, 0, length - shift)
            name = graph.node("Concat", [first, rest], axis=axis)
    return name


@function(np.tile)
def _tile(graph: Graph, step: Step) -> str:
    x, counts = step.arguments
    counts = list(counts) if isinstance(counts, (tuple, list)) else [counts]
    rank = max(x.ndim, len(counts))
    counts = [1] * (rank - len(counts)) + counts
    name = graph.reshape(x, x.shape, (1,) * (rank - x.ndim) + tuple(x.shape))
    return graph.node("Tile", [name, graph.ints(counts)])


@function(np.repeat)
def _repeat(graph: Graph, step: Step) -> str:
    x, count, *rest = step.arguments
    axis = step.keywords.get("axis", rest[0] if rest else None)
    if isinstance(count, np.ndarray):
        count = count.tolist()
    if not isinstance(count, (int, Size)):
        raise OnnxExporterError("np.repeat with a count for each element")
    if axis is None:
        raise OnnxExporterError("np.repeat without an axis")
    axis %= x.ndim
    shape = (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :])
    wide = (*x.shape[: axis + 1], count, *x.shape[axis + 1 :])
    found = graph.expand(graph.reshape(x, x.shape, shape), shape, wide)
    return graph.reshape(found, wide, step.result.shape)


def _triangle(upper: bool):
    def row(graph: Graph, step: Step) -> str:
        x, *rest = step.arguments
        k = step.keywords.get("k", rest[0] if rest else 0)
        return triangle(graph, x, k, upper)

    return row


def triangle(graph: Graph, x: Any, k: Any, upper: bool) -> str:
    """Return what lies above or below a diagonal, 0 elsewhere."""
    dtype = x.dtype
    wide = dtype if dtype.kind == "f" or dtype in (INT64, np.dtype(bool)) else INT64
    name = graph.cast(x, dtype, wide)
    at = graph.constant(k, INT64) if k else None
    return graph.cast(graph.node("Trilu", [name, at], upper=int(upper)), wide, dtype)


function(np.tril)(_triangle(False))
function(np.triu)(_triangle(True))
whole("tril")(lambda graph, x, k: triangle(graph, x, k, False))
whole("triu")(lambda graph, x, k: triangle(graph, x, k, True))


# Edges


@whole("pad")
def _pad(graph: Graph, x: Any, widths: Any, value: Any) -> str:
    """Constants around an array."""
    return padded(graph, x, widths, "constant", value)


def padded(graph: Graph, x: Any, widths: Any, mode: str, value: Any = 0) -> str:
    """Return an array with more, or less, at its edges."""
    pads = [pair[0] for pair in widths] + [pair[1] for pair in widths]
    given = [x, graph.ints(pads)]
    if mode == "constant" and value:
        given.append(graph.constant(value, x.dtype))
    return graph.node("Pad", given, mode=None if mode == "constant" else mode)


@whole(F.pad)
def _pad_function(graph: Graph, input: Any, pad: Any, mode: str, value: Any) -> str:
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if mode not in modes or (mode == "circular" and graph.opset < 19):
        raise DeclinedError
    if mode != "constant" and any(not isinstance(n, int) or n < 0 for n in pad):
        raise DeclinedError
    if input.dtype.kind != "f" and mode != "constant":
        raise DeclinedError
    widths = [(0, 0)] * input.ndim
    for i in range(len(pad) // 2):
        widths[input.ndim - 1 - i] = (pad[2 * i], pad[2 * i + 1])
    return padded(graph, input, widths, modes[mode], value or 0)
