"""The base of all modules, where PyTorch's programs import it from."""

from aino.nn.base.module import Module

__all__ = ["Module"]
