"""What ``aino.onnx.export`` returns: the model, which can be saved, printed and run."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, MissingExtraError
from aino.onnx.exporting.arguments import Given
from aino.onnx.exporting.saving import saved, serialized
from aino.onnx.package import onnx_package
from aino.pytree import is_plain, parts_of


class ONNXProgram:
    """A model as ONNX, as ``aino.onnx.export`` returns it.

    ``save(path)`` writes a file; a call runs the model by onnxruntime; ``print`` shows the graph.

    Arguments:
        model_proto: ONNX's own object, which is kept under this name.
        given: what the model was exported with.
    """

    def __init__(self, model_proto: Any, given: Given) -> None:
        self.model_proto = model_proto
        self._given = given
        self._session: Any = None

    @property
    def input_names(self) -> list[str]:
        """The names of the graph's inputs, in order."""
        return [port.name for port in self.model_proto.graph.input][: len(self._given.names)]

    @property
    def output_names(self) -> list[str]:
        """The names of the graph's outputs, in order."""
        return [port.name for port in self.model_proto.graph.output]

    def save(
        self, destination: str | os.PathLike[str], *, include_initializers: bool = True,
        keep_initializers_as_inputs: bool = False, external_data: bool | None = None,
    ) -> None:  # fmt: skip
        """Write the model to a file, which appears whole or not at all.

        Arguments:
            destination: the path of the file; or an open file, which gets the bytes.
            include_initializers: write the parameters; False writes the graph alone.
            keep_initializers_as_inputs: parameters are inputs, too, which may be given at a run.
            external_data: write the parameters into a file beside it, ``destination`` with
                ``.data`` behind it; None does so where they are too many for one file of ONNX, 2
                GB.
        """
        saved(self.model_proto, destination, include_initializers, keep_initializers_as_inputs,
              external_data)  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """Return what onnxruntime gives for other arguments of the same form, as tensors.

        Raises ``ImportError`` where onnxruntime is not installed.
        """
        if self._session is None:
            try:
                import onnxruntime
            except ImportError as error:
                raise MissingExtraError(
                    "an exported model is run by onnxruntime: pip install onnxruntime"
                ) from error
            self._session = onnxruntime.InferenceSession(
                serialized(self.model_proto), providers=["CPUExecutionProvider"]
            )
        arrays = [x.detach().numpy() for x in _tensors((args, kwargs))]
        names = self.input_names
        if len(arrays) != len(names):
            raise ArgumentError(
                f"the model takes {len(names)} tensors ({', '.join(names)}), and {len(arrays)} "
                "were given"
            )
        found = self._session.run(None, dict(zip(names, arrays)))
        return tuple([make(np.asarray(array)) for array in found])

    def __str__(self) -> str:
        return str(onnx_package().printer.to_text(self.model_proto))

    def __repr__(self) -> str:
        graph = self.model_proto.graph
        return (
            f"<ONNXProgram {graph.name}: {len(graph.node)} nodes, "
            f"{', '.join(self.input_names)} -> {', '.join(self.output_names)}>"
        )


def _tensors(item: Any) -> list[Tensor]:
    if isinstance(item, Tensor):
        return [item]
    return [x for part in parts_of(item) for x in _tensors(part)] if is_plain(item) else []
