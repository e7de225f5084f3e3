"""``aino.onnx.load``."""

from __future__ import annotations

from typing import Any

from aino.onnx.importing.module import ONNXModule, Program, emptied
from aino.onnx.importing.reading import read_model
from aino.onnx.importing.tensors import Tensors


def load(f: Any) -> ONNXModule:
    """Return a model in ONNX as a module, which computes, differentiates, trains and saves.

    Its initializers are the parameters and buffers, under their own names. Needs the package
    ``onnx`` (``pip install 'aino[onnx]'``).

    Raises ``OnnxError`` for a file that is damaged, and one that lists all operators, versions and
    attributes that AINO does not have; ``MissingExtraError`` without the package.

    Arguments:
        f: a path, a file that is open for reading bytes, the bytes, or an ``onnx.ModelProto``.
            Weights in further files have to lie in the folder of the path.

    >>> import aino
    >>> import onnx.parser
    >>> model = aino.onnx.load(onnx.parser.parse_model('''
    ...     <ir_version: 8, opset_import: ["": 17]>
    ...     graph (float[n] x) => (float[n] y) <float[1] w = {3}> { y = Mul(x, w) }
    ... '''))
    >>> list(model.state_dict()), model(aino.ones(2)).tolist()
    (['w'], [3.0, 3.0])
    """
    model, folder = read_model(f)
    if model is f:
        model = type(f)()
        model.CopyFrom(f)
    program = Program(model, Tensors(folder))
    return ONNXModule(emptied(model, program), program=program)
