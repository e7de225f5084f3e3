"""Convolutions and their transposes."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules.columns import Place
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import DeclinedError, whole


def _placed(place: Any, kernel: Any) -> dict[str, Any]:
    """Return the attributes that say how a kernel lies on its input."""
    place = Place(*place)
    pads = [pair[0] for pair in place.padding] + [pair[1] for pair in place.padding]
    return {
        "kernel_shape": list(kernel), "strides": list(place.stride), "pads": pads,
        "dilations": list(place.dilation), "group": place.groups,
    }  # fmt: skip


@whole("convolution")
def _convolution(graph: Graph, x: Any, weight: Any, bias: Any, place: Any) -> str:
    settings = _placed(place, weight.shape[2:])
    return graph.node("Conv", [x, weight, bias], **settings)


@whole("convolution_transpose")
def _convolution_transpose(
    graph: Graph, x: Any, weight: Any, bias: Any, size: Any, place: Any
) -> str:
    """The size says how much of the end is kept."""
    settings = _placed(place, weight.shape[2:])
    pads, dims = settings["pads"], len(weight.shape) - 2
    extra = []
    for i in range(dims):
        reach = settings["dilations"][i] * (weight.shape[2 + i] - 1) + 1
        full = (x.shape[2 + i] - 1) * settings["strides"][i] + reach - pads[i] - pads[dims + i]
        more = size[i] - full
        if isinstance(more, Size):
            raise DeclinedError
        if pads[dims + i] < pads[i]:  # what is kept of the end counts from the same padding
            more += pads[i] - pads[dims + i]
            pads[dims + i] = pads[i]
        extra.append(more)
    if any(more < 0 for more in extra) or any(pad < 0 for pad in pads):
        raise DeclinedError
    return graph.node(
        "ConvTranspose", [x, weight, bias], **settings,
        output_padding=extra if any(extra) else None,
    )  # fmt: skip
