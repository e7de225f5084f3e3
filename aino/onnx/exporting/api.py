"""``torch.onnx``'s names: models are not written as ONNX yet."""

from __future__ import annotations

from aino.refusals import refused

__all__ = ["export", "is_in_onnx_export"]

export = refused(
    "onnx.export",
    "models are not written as ONNX yet; aino.save(module, path) saves one, and a function "
    "compiled by aino.compile saves itself as a NumPy program",
)


def is_in_onnx_export() -> bool:
    """Return False: nothing is being exported."""
    return False


def __dir__() -> list[str]:
    return __all__
