"""Writing a model: one file, or one beside it for the parameters; whole, or not at all."""

from __future__ import annotations

import os
from typing import Any

from aino.errors import ArgumentError
from aino.formats.files import writing
from aino.onnx.package import onnx_package

#: ONNX's files are messages of Protocol Buffers, which are no larger.
LARGEST = (1 << 31) - 1
#: So many bytes and more of a tensor go into the other file.
_APART = 1024


def serialized(model: Any) -> bytes:
    """Return the bytes of a model, or say that they are too many."""
    if size_of(model) > LARGEST:
        raise ArgumentError(
            "the model is larger than the 2 GB that one file of ONNX holds; save it with "
            "external_data=True, and open it from there"
        )
    return model.SerializeToString()


def saved(
    model: Any, destination: Any, initializers: bool, as_inputs: bool, external_data: bool | None
) -> None:
    """Write a model as ``ONNXProgram.save`` does."""
    onnx = onnx_package()
    if as_inputs or not initializers:
        model = _with_inputs(onnx, model, initializers)
    if external_data is None:
        external_data = size_of(model) > LARGEST
    if external_data and hasattr(destination, "write"):
        raise ArgumentError("external_data needs a path to write the other file beside")
    if not external_data:
        with writing(destination) as output:
            output.write_at(0, serialized(model))
        return
    path = os.fspath(destination)
    light, apart, offset = without_initializers(onnx, model), [], 0
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) < _APART:
            light.graph.initializer.append(tensor)
            continue
        offset += -offset % 64  # so that a runtime can map them as they lie
        apart.append((offset, tensor))
        light.graph.initializer.add(
            name=tensor.name, data_type=tensor.data_type, dims=tensor.dims,
            data_location=onnx.TensorProto.EXTERNAL,
        )  # fmt: skip
        entries = {
            "location": os.path.basename(path) + ".data", "offset": str(offset),
            "length": str(len(tensor.raw_data)),
        }  # fmt: skip
        for key, value in entries.items():
            light.graph.initializer[-1].external_data.add(key=key, value=value)
        offset += len(tensor.raw_data)
    # Both are there before either takes its place.
    with writing(path + ".data") as output:
        for place, tensor in apart:
            output.write_at(place, tensor.raw_data)
        with writing(path) as main:
            main.write_at(0, serialized(light))


def size_of(model: Any) -> int:
    """Return about how many bytes a model has, be they too many for one message."""
    return sum(len(tensor.raw_data) + 100 for tensor in model.graph.initializer)


def without_initializers(onnx: Any, model: Any) -> Any:
    """Return a copy of a model without its parameters, which may be too many to be copied."""
    light = onnx.ModelProto(
        ir_version=model.ir_version, producer_name=model.producer_name,
        producer_version=model.producer_version, doc_string=model.doc_string,
        opset_import=model.opset_import,
    )  # fmt: skip
    graph, own = model.graph, light.graph
    own.name = graph.name
    for part in ("node", "input", "output", "value_info"):
        getattr(own, part).extend(getattr(graph, part))
    return light


def _with_inputs(onnx: Any, model: Any, initializers: bool) -> Any:
    """Return a copy of a model whose parameters are inputs; with ``initializers`` both."""
    changed = without_initializers(onnx, model)
    known = {port.name for port in model.graph.input}
    for tensor in model.graph.initializer:
        if tensor.name not in known:
            changed.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    if initializers:
        changed.graph.initializer.extend(model.graph.initializer)
    return changed
