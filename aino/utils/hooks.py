"""What registering a hook returns, under PyTorch's name."""

from aino.autograd.node import HookHandle as RemovableHandle

__all__ = ["RemovableHandle"]
