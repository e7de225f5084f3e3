"""What numbers a dtype holds: ``finfo`` and ``iinfo``, by PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.dtypes import as_dtype, get_default_dtype

__all__ = ["finfo", "iinfo"]


class _Info:
    """What is equal where the dtype is, and prints its numbers."""

    shown: tuple[str, ...] = ()

    def __init__(self, dtype: np.dtype) -> None:
        #: The dtype's name.
        self.dtype = dtype.name

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), self.dtype))

    def __repr__(self) -> str:
        parts = [f"{name}={self._text(getattr(self, name))}" for name in self.shown]
        return f"{type(self).__name__}({', '.join(parts)}, dtype={self.dtype})"

    def _text(self, value) -> str:
        return f"{value:g}" if isinstance(value, float) else str(value)


class finfo(_Info):
    """The limits of a floating-point dtype, of a complex one those of its parts.

    ``bits`` a number has; ``eps``, the distance from 1 to the next; ``max`` and ``min``, the
    largest and the lowest; ``tiny`` = ``smallest_normal``, the least positive of full precision;
    ``resolution``, that of its decimal digits.

    Arguments:
        type: the dtype; the default dtype for None.

    >>> import aino
    >>> aino.finfo(aino.float32).eps
    1.1920928955078125e-07
    """

    shown = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")

    def __init__(self, type: Any = None) -> None:
        dtype = get_default_dtype() if type is None else as_dtype(type)
        if dtype.kind not in "fc":
            raise TypeError(f"finfo is of floating-point dtypes; of {dtype} ask aino.iinfo")
        limits = np.finfo(dtype)
        super().__init__(np.dtype(limits.dtype))
        self.bits = int(limits.bits)
        self.eps = float(limits.eps)
        self.max = float(limits.max)
        self.min = float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(f"1e{-limits.precision}")


class iinfo(_Info):
    """The limits of a dtype of integers: ``bits``, ``max`` and ``min``.

    Arguments:
        type: the dtype.

    >>> import aino
    >>> aino.iinfo(aino.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    shown = ("min", "max")

    def __init__(self, type: Any) -> None:
        dtype = as_dtype(type)
        if dtype.kind not in "iu":
            what = "; of that ask aino.finfo" if dtype.kind in "fc" else ""
            raise TypeError(f"iinfo is of dtypes of integers, not of {dtype}{what}")
        limits = np.iinfo(dtype)
        super().__init__(dtype)
        self.bits = int(limits.bits)
        self.max = int(limits.max)
        self.min = int(limits.min)
