"""ONNX's own interface for what runs its models: ``onnx.backend.base``'s names.

``prepare(model).run(inputs)`` gives NumPy arrays for NumPy arrays, without a history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.onnx.importing.api import load
from aino.onnx.importing.module import ONNXModule
from aino.onnx.package import onnx_package

__all__ = ["Prepared", "is_compatible", "prepare", "run_model", "run_node", "supports_device"]


class Prepared:
    """A model that is ready to run.

    Arguments:
        module: the model.
    """

    def __init__(self, module: ONNXModule) -> None:
        self.module = module

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the graph's outputs as NumPy arrays.

        Arguments:
            inputs: the inputs in order, or one array, or a dict by their names.
            kwargs: nothing that is used.
        """
        if isinstance(inputs, np.ndarray):
            inputs = [inputs]
        with no_grad():
            if isinstance(inputs, dict):
                results = self.module(**inputs)
            else:
                results = self.module(*inputs)
        if len(self.module.outputs) == 1:
            results = (results,)
        return tuple(map(_plain, results))


def is_compatible(model: Any, device: str = "CPU", **kwargs: Any) -> bool:
    """Tell whether AINO runs a model.

    Arguments:
        model: an ``onnx.ModelProto``.
        device: where.
        kwargs: nothing that is used.
    """
    try:
        prepare(model, device)
    except (ValueError, RuntimeError):
        return False
    return True


def prepare(model: Any, device: str = "CPU", **kwargs: Any) -> Prepared:
    """Return a model that is ready to run; raises ``OnnxError`` for one that AINO does not run.

    Arguments:
        model: an ``onnx.ModelProto``.
        device: where; ``ValueError`` for any but the CPU.
        kwargs: nothing that is used.
    """
    if not supports_device(device):
        raise ValueError(f"AINO runs models on the CPU, not on {device!r}")
    return Prepared(load(model))


def run_model(model: Any, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
    """Return the outputs of a model.

    Arguments:
        model: an ``onnx.ModelProto``.
        inputs: its inputs in order.
        device: where.
        kwargs: nothing that is used.
    """
    return prepare(model, device).run(inputs)


def run_node(
    node: Any,
    inputs: Any,
    device: str = "CPU",
    outputs_info: Sequence[tuple[Any, tuple[int, ...]]] | None = None,
    **kwargs: Any,
) -> tuple[Any, ...]:
    """Return the outputs of a single node.

    Arguments:
        node: an ``onnx.NodeProto``.
        inputs: its inputs in order, without those that are left out.
        device: where.
        outputs_info: the dtypes and shapes of the outputs, which AINO finds out itself.
        kwargs: ``opset_version``, the newest that the package ``onnx`` has by default.
    """
    onnx = onnx_package()
    helper = onnx.helper
    version = kwargs.get("opset_version", onnx.defs.onnx_opset_version())
    names = [name for name in node.input if name]
    arrays = [np.asarray(array) for array in inputs]
    typed = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in zip(names, arrays)
    ]
    wanted = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    graph = helper.make_graph([node], "node", typed, wanted)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(node.domain, version)])
    return run_model(model, arrays, device)


def supports_device(device: str) -> bool:
    """Tell whether AINO runs on a device: on the CPU.

    Arguments:
        device: its name, as ``"CPU"`` or ``"CUDA:1"``.
    """
    return device.split(":")[0].upper() == "CPU"


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    return [_plain(part) for part in value] if isinstance(value, list) else value
