"""Convolutions and their transposes."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules import batch_order, columns
from aino.autograd.rules.columns import Place
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Step
from aino.onnx.exporting.rows.shape import padded
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import DeclinedError, kernel, whole


def _placed(place: Any, kernel: Any) -> dict[str, Any]:
    """Return the attributes that say how a kernel lies on its input."""
    place = Place(*place)
    pads = [pair[0] for pair in place.padding] + [pair[1] for pair in place.padding]
    return {
        "kernel_shape": list(kernel), "strides": list(place.stride), "pads": pads,
        "dilations": list(place.dilation), "group": place.groups,
    }  # fmt: skip


def _spoken(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that are not as ONNX takes them to be."""
    usual = {"strides": 1, "pads": 0, "dilations": 1}
    kept = {k: v for k, v in settings.items() if k not in usual or any(n != usual[k] for n in v)}
    if kept.get("group") == 1:
        del kept["group"]
    return kept


def _convolved(graph: Graph, x: Any, weight: Any, bias: Any, place: Any) -> str:
    settings = _placed(place, weight.shape[2:])
    return graph.node("Conv", [x, weight, bias], **_spoken(settings))


whole("convolution")(_convolved)


@whole("convolution_transpose")
def _convolution_transpose(
    graph: Graph, x: Any, weight: Any, bias: Any, size: Any, place: Any
) -> str:
    """The size says how much of the end is kept."""
    return _spread(graph, x, x.shape[2:], weight, bias, size, place)


def _spread(
    graph: Graph, x: Any, lengths: Any, weight: Any, bias: Any, size: Any, place: Any
) -> str:
    settings = _placed(place, weight.shape[2:])
    pads, dims = settings["pads"], len(weight.shape) - 2
    extra = []
    for i in range(dims):
        reach = settings["dilations"][i] * (weight.shape[2 + i] - 1) + 1
        full = (lengths[i] - 1) * settings["strides"][i] + reach
        end = full - pads[i] - size[i]
        if isinstance(end, Size) or pads[i] < 0:
            raise DeclinedError
        pads[dims + i] = max(end, 0)
        extra.append(max(-end, 0))
    if any(more and more >= stride for more, stride in zip(extra, settings["strides"])):
        # Nothing reaches so far behind the end: there is the bias alone.
        found = graph.node("ConvTranspose", [x, weight], **_spoken(settings))
        widths = [(0, 0), (0, 0), *[(0, more) for more in extra]]
        found = padded(graph, found, widths, "constant")
        if bias is None:
            return found
        shift = graph.reshape(bias, bias.shape, (*bias.shape, *[1] * dims))
        return graph.node("Add", [found, shift])
    settings["output_padding"] = extra if any(extra) else None
    return graph.node("ConvTranspose", [x, weight, bias], **_spoken(settings))


# The kernels themselves, which work with the batch as the last axis


def _first(graph: Graph, x: Any) -> str:
    return graph.transpose(x, [x.ndim - 1, *range(x.ndim - 1)])


def _last(graph: Graph, name: str, rank: int) -> str:
    return graph.transpose(name, [*range(1, rank), 0])


@kernel(columns.convolved)
def _convolved_last(graph: Graph, step: Step) -> str:
    x, weight, bias, place = step.arguments
    return _last(graph, _convolved(graph, _first(graph, x), weight, bias, place), x.ndim)


@kernel(columns.spread_back)
def _spread_last(graph: Graph, step: Step) -> str:
    x, weight, bias, size, place = step.arguments
    try:
        found = _spread(graph, _first(graph, x), x.shape[1:-1], weight, bias, size, place)
    except DeclinedError:
        raise OnnxExporterError("a transposed convolution to a dynamic size") from None
    return _last(graph, found, x.ndim)


@kernel(batch_order.lay_batch_last)
def _batch_last(graph: Graph, step: Step) -> str:
    x = step.arguments[0]
    return _last(graph, graph.name(x), x.ndim)


@kernel(batch_order.lay_batch_first)
def _batch_first(graph: Graph, step: Step) -> str:
    return _first(graph, step.arguments[0])
