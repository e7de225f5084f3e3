"""Exchange of memory with other libraries, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.ops.tensor.conversion import from_dlpack as _from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """Return a capsule over a tensor's memory, which another library may take, once."""
    return tensor.__dlpack__()


def from_dlpack(ext_tensor: Any) -> Tensor:
    """Return a tensor that shares the memory of another library's array, or of a capsule's.

    >>> import numpy as np
    >>> from aino.utils.dlpack import from_dlpack, to_dlpack
    >>> from_dlpack(to_dlpack(from_dlpack(np.ones(2)))).tolist()
    [1.0, 1.0]
    """
    has_protocol = hasattr(ext_tensor, "__dlpack__")
    return _from_dlpack(ext_tensor if has_protocol else _Array(ext_tensor))


class _Array:
    """A capsule as the array that it came from."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **settings: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the CPU
