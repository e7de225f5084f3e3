"""Parameters and buffers, where PyTorch's programs import them from."""

from aino.nn.base.parameter import Buffer, Parameter
from aino.nn.base.uninitialized import (
    UninitializedBuffer,
    UninitializedParameter,
    UninitializedTensorMixin,
    is_lazy,
)

__all__ = [
    "Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter",
    "UninitializedTensorMixin", "is_lazy",
]  # fmt: skip
