"""Writing a model: one file, or one beside it for the parameters; whole, or not at all."""

from __future__ import annotations

import os
from typing import Any

from aino.dit.atomic import replacing
from aino.errors import ArgumentError
from aino.onnx.package import onnx_package

#: ONNX's files are messages of Protocol Buffers, which are no larger.
LARGEST = (1 << 31) - 1
#: So many bytes and more of a tensor go into the other file.
_APART = 1024


def serialized(model: Any) -> bytes:
    """Return the bytes of a model, or say that they are too many."""
    if model.ByteSize() > LARGEST:
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
    if not initializers or as_inputs:
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        model = changed
        known = {port.name for port in model.graph.input}
        for tensor in model.graph.initializer:
            if tensor.name not in known:
                model.graph.input.append(
                    onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                )
        if not initializers:
            del model.graph.initializer[:]
    if external_data is None:
        external_data = model.ByteSize() > LARGEST
    if hasattr(destination, "write"):
        if external_data:
            raise ArgumentError("external_data needs a path to write the other file beside")
        destination.write(serialized(model))
        return
    path = os.fspath(destination)
    if not external_data:
        _write(path, [serialized(model)])
        return
    light, parts, offset = onnx.ModelProto(), [], 0
    light.CopyFrom(model)
    for tensor in light.graph.initializer:
        if len(tensor.raw_data) < _APART:
            continue
        gap = -offset % 64  # so that a runtime can map them as they lie
        parts += [bytes(gap), tensor.raw_data]
        entries = {
            "location": os.path.basename(path) + ".data", "offset": str(offset + gap),
            "length": str(len(tensor.raw_data)),
        }  # fmt: skip
        offset += gap + len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
    _write(path + ".data", parts)
    _write(path, [serialized(light)])


def _write(path: str, parts: list[bytes]) -> None:
    with replacing(path) as output:
        offset = 0
        for part in parts:
            output.write_at(offset, part)
            offset += len(part)
