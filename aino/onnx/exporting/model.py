"""A graph as ONNX's own ModelProto, looked over by ONNX's checker and shape inference."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph, Node, onnx_type
from aino.onnx.exporting.saving import without_initializers
from aino.onnx.package import onnx_package

#: Initializers of more bytes are not looked at by the checker.
_LARGE = 1 << 10


@dataclass
class Port:
    """An input or an output: its name, its dtype, and its lengths, names among them."""

    name: str
    dtype: Any
    shape: list[int | str | None]


def proto_of(graph: Graph, inputs: list[Port], outputs: list[Port], name: str) -> Any:
    """Return the ModelProto of a graph, which ONNX's checker has accepted."""
    onnx = onnx_package()
    helper = onnx.helper
    nodes = needed(graph.nodes, {port.name for port in outputs})
    read = {item for node in nodes for item in node.inputs} | {port.name for port in outputs}
    made = helper.make_graph(
        [
            helper.make_node(n.operator, n.inputs, n.outputs, name=n.name, **n.attributes)
            for n in nodes
        ],
        name, [_port(helper, port) for port in inputs], [_port(helper, port) for port in outputs],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", graph.opset)]
    model = helper.make_model(
        made, producer_name="aino", producer_version=_version(),
        opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets),
    )  # fmt: skip
    for label, array in graph.initializers.items():  # last, as whole models are copied
        if label in read:
            model.graph.initializer.append(_tensor(onnx, label, array))
    _check(onnx, model)
    return model


def _version() -> str:
    return sys.modules["aino"].__version__


def needed(nodes: list[Node], outputs: set[str]) -> list[Node]:
    """Return the nodes that lead to the outputs."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]


def _tensor(onnx: Any, name: str, array: np.ndarray) -> Any:
    return onnx.numpy_helper.from_array(np.array(array, order="C"), name)


def _port(helper: Any, port: Port) -> Any:
    return helper.make_tensor_value_info(port.name, onnx_type(port.dtype), port.shape)


def _check(onnx: Any, model: Any) -> None:
    """Check a model, and write the shapes between its nodes into it.

    Large weights are left out meanwhile, so that a model of any size is looked at in no time.
    """
    light = without_initializers(onnx, model)
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > _LARGE:
            light.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
        else:
            light.graph.initializer.append(tensor)
    try:
        onnx.checker.check_model(light)
        inferred = onnx.shape_inference.infer_shapes(light, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise OnnxExporterError(f"ONNX does not accept what was written: {error}") from error
    model.graph.value_info.extend(inferred.graph.value_info)
