"""How arrays lie in memory, and which part of which memory they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.native.trials import stand_in


class _Memory:
    """A part of an array's memory, as NumPy is told of it; it keeps the array."""

    def __init__(self, array: np.ndarray, offset: int, form: Form) -> None:
        self.array = array
        start = array.__array_interface__["data"][0] + offset
        self.__array_interface__ = {
            "version": 3, "shape": form.shape, "strides": form.strides, "typestr": form.dtype.str,
            "data": (start, not array.flags.writeable),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """How an array lies in memory."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    @classmethod
    def of(cls, x: Any) -> Form:
        return cls(x.shape, x.strides, x.dtype)

    def at(self, array: np.ndarray, offset: int) -> np.ndarray:
        """Return the array of this form that begins so many bytes behind another one."""
        if array.flags.c_contiguous and 0 not in self.shape and min(self.strides, default=0) >= 0:
            return np.ndarray(self.shape, self.dtype, array, offset, self.strides)
        return np.asarray(_Memory(array, offset, self))

    def stand_in(self) -> np.ndarray:
        return stand_in(self.shape, self.strides, self.dtype)


@dataclass(frozen=True, slots=True)
class Part:
    """An operand: a part of one of the recording's memories, which have numbers."""

    memory: int
    offset: int
    form: Form
