"""ONNX: models from elsewhere and for elsewhere, by its package: ``pip install 'aino[onnx]'``."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aino.onnx.errors import OnnxExporterError as OnnxExporterError
    from aino.onnx.exporting.api import export as export
    from aino.onnx.exporting.api import is_in_onnx_export as is_in_onnx_export
    from aino.onnx.exporting.result import ONNXProgram as ONNXProgram
    from aino.onnx.importing.api import load as load
    from aino.onnx.importing.module import ONNXModule as ONNXModule

#: What is loaded when it is first asked for.
_LAZY = {
    "ONNXProgram": "aino.onnx.exporting.result",
    "OnnxExporterError": "aino.onnx.errors",
    "export": "aino.onnx.exporting.api",
    "is_in_onnx_export": "aino.onnx.exporting.api",
    "load": "aino.onnx.importing.api",
    "ONNXModule": "aino.onnx.importing.module",
}

__all__ = ["ONNXModule", "ONNXProgram", "OnnxExporterError", "export", "is_in_onnx_export", "load"]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module 'aino.onnx' has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(_LAZY[name]), name)
        return value
