"""The memory behind tensors, as PyTorch's code asks for it: its address, its length, its bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.tensor import Tensor
from aino.devices import CPU, Device
from aino.tracing import forbid_layout

__all__ = ["UntypedStorage", "TypedStorage", "storage", "untyped_storage", "storage_type"]


class UntypedStorage:
    """The bytes that tensors share; what holds them is ``array``, a NumPy array.

    Arguments:
        array: the array that owns the memory.
    """

    def __init__(self, array: Any) -> None:
        self.array = owner(array)

    @property
    def device(self) -> Device:
        return CPU

    def data_ptr(self) -> int:
        """Return the address of the first byte."""
        return self.array.__array_interface__["data"][0]

    def nbytes(self) -> int:
        """Return how many bytes there are."""
        return self.array.nbytes

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return 1

    def size(self) -> int:
        """Return how many elements there are."""
        return self.nbytes() // self.element_size()

    def __len__(self) -> int:
        return self.size()

    def _elements(self, dtype):
        flat = self.array.transpose(np.argsort(self.array.strides)[::-1]).reshape(-1)
        return np.ascontiguousarray(flat).view(dtype)

    def tolist(self) -> list:
        """Return the elements in the order in which they lie in memory."""
        return self._elements(np.uint8).tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, place):
        return self.tolist()[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr()

    def __hash__(self) -> int:
        return hash(self.data_ptr())

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.size()} elements, at {self.data_ptr():#x}"


class TypedStorage(UntypedStorage):
    """The elements that tensors share, of one dtype.

    Arguments:
        array: the array that owns the memory.
        dtype: the dtype of an element.
    """

    def __init__(self, array: Any, dtype: np.dtype) -> None:
        super().__init__(array)
        self.dtype = dtype

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return self.dtype.itemsize

    def untyped(self) -> UntypedStorage:
        """Return the bytes."""
        return UntypedStorage(self.array)

    def tolist(self) -> list:
        """Return the elements in the order in which they lie in memory."""
        return self._elements(self.dtype).tolist()


def untyped_storage(self: Tensor) -> Any:
    """Return the memory that this tensor and its views share, as bytes."""
    forbid_layout("untyped_storage()", "ask for it outside the compiled function")
    return UntypedStorage(self.array)


def storage(self: Tensor) -> Any:
    """Return the memory that this tensor and its views share, as elements of its dtype."""
    forbid_layout("storage()", "ask for it outside the compiled function")
    return TypedStorage(self.array, self.array.dtype)


def storage_type(self: Tensor) -> Any:
    """Return the class of ``storage()``."""
    return TypedStorage
