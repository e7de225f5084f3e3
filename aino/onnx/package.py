"""The package onnx, which defines the format: imported where used, and named where missing."""

from __future__ import annotations

from typing import Any


def onnx_package() -> Any:
    """Return the package onnx, or raise ``ImportError`` that names AINO's extra."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "models as ONNX need the package onnx: pip install 'aino[onnx]'"
        ) from error
    return onnx
