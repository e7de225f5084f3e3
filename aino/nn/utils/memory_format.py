"""How PyTorch lays the weights of convolutions out in memory, which is no matter of users here."""

from __future__ import annotations

from typing import Any

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return the module as it is: how its weights lie in memory changes nothing here.

    Arguments:
        module: the module.
        memory_format: what PyTorch would bring the weights to; not read.
    """
    return module


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return the module as it is: how its weights lie in memory changes nothing here.

    Arguments:
        module: the module.
        memory_format: what PyTorch would bring the weights to; not read.
    """
    return module
