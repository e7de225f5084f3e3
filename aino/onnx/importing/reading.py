"""The bytes of a file as ONNX's messages, or an error that says why they are none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from aino.errors import OnnxError
from aino.onnx.package import onnx_package


def read_model(f: Any) -> tuple[Any, Path | None]:
    """Return a model as a ``ModelProto``, and the folder that it lies in.

    Arguments:
        f: a path, a file that is open for reading bytes, the bytes, or a ``ModelProto``.
    """
    onnx = onnx_package()
    if isinstance(f, onnx.ModelProto):
        return f, None
    folder = None
    if isinstance(f, (str, os.PathLike)):
        folder = Path(f).parent
        content = Path(f).read_bytes()
    elif isinstance(f, (bytes, bytearray, memoryview)):
        content = bytes(f)
    elif hasattr(f, "read"):
        content = f.read()
    else:
        raise TypeError(
            f"expected a path, an open file, bytes or an onnx.ModelProto, not {type(f).__name__}"
        )
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:
        raise OnnxError(f"this is not a whole model in ONNX: {error}") from None
    return model, folder


def imports_of(opset_import: Any, what: str) -> dict[str, int]:
    """Return the version of each domain of operators that a model or a function asks for."""
    found: dict[str, int] = {}
    for entry in opset_import:
        domain = plain_domain(entry.domain)
        if found.setdefault(domain, entry.version) != entry.version:
            raise OnnxError(
                f"{what} asks for two versions of {domain or 'ONNX'}'s operators: "
                f"{found[domain]} and {entry.version}"
            )
    return found


def plain_domain(domain: str) -> str:
    """Return a domain as it is written shortest: ONNX's own has two names."""
    return "" if domain == "ai.onnx" else domain
