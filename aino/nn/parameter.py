"""Parameters and buffers, where PyTorch's programs import them from."""

from aino.nn.base.parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter"]
