"""What ``aino.onnx`` raises."""

from __future__ import annotations

from aino.errors import AinoError


class OnnxExporterError(AinoError, RuntimeError):
    """A model that can't be written as ONNX; the message names what, where, and what to do."""
