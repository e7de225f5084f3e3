"""Dtypes of the array standard: what holds what, and what becomes of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.array_api.given import checked, promoted
from aino.autograd.tensor import Tensor
from aino.devices import Device, check_device
from aino.dtypes import as_dtype

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]


@dataclass(frozen=True)
class FloatLimits:
    """The limits of a floating-point dtype."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype


@dataclass(frozen=True)
class IntegerLimits:
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: np.dtype


def astype(
    x: Tensor, dtype: Any, /, *, copy: bool = True, device: Device | str | None = None
) -> Tensor:
    """Return a tensor in another dtype.

    Arguments:
        x: a tensor.
        dtype: the dtype of the result.
        copy: False returns ``x`` itself where it has the dtype already.
        device: the CPU, if any is named.
    """
    check_device(device)
    dtype = as_dtype(dtype)
    x = checked("astype", x)
    if x.dtype.kind == "c" and dtype.kind != "c":
        raise TypeError(f"astype: complex numbers are no {dtype}; take real() or imag() first")
    return x.to(dtype, copy=copy)


def can_cast(from_: Any, to: Any, /) -> bool:
    """Tell whether promotion leads from one dtype to another.

    Arguments:
        from_: a dtype, or a tensor.
        to: a dtype.
    """
    dtype = from_.dtype if isinstance(from_, Tensor) else as_dtype(from_)
    try:
        return promoted(dtype, as_dtype(to)) == as_dtype(to)
    except TypeError:
        return False


def finfo(type: Any, /) -> FloatLimits:
    """Return the limits of a floating-point dtype, of a complex one those of its parts."""
    dtype = type.dtype if isinstance(type, Tensor) else as_dtype(type)
    if dtype.kind not in "fc":
        raise TypeError(f"finfo is of floating-point dtypes; of {dtype} ask iinfo")
    found = np.finfo(dtype)
    return FloatLimits(
        int(found.bits), float(found.eps), float(found.max), float(found.min),
        float(found.smallest_normal), np.dtype(found.dtype),
    )  # fmt: skip


def iinfo(type: Any, /) -> IntegerLimits:
    """Return the limits of an integer dtype."""
    dtype = type.dtype if isinstance(type, Tensor) else as_dtype(type)
    if dtype.kind not in "iu":
        raise TypeError(f"iinfo is of integer dtypes; of {dtype} ask finfo")
    found = np.iinfo(dtype)
    return IntegerLimits(int(found.bits), int(found.max), int(found.min), dtype)


def isdtype(dtype: Any, kind: Any) -> bool:
    """Tell whether a dtype is of a kind.

    Arguments:
        dtype: a dtype.
        kind: a dtype, 'bool', 'signed integer', 'unsigned integer', 'integral', 'real floating',
            'complex floating', 'numeric', or a tuple of such.
    """
    return bool(np.isdtype(as_dtype(dtype), kind))


def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """Return the dtype that tensors, dtypes and Python numbers come to.

    Arguments:
        arrays_and_dtypes: at least one tensor or dtype.
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, (bool, int, float, complex))]
    dtypes = [
        x.dtype if isinstance(x, Tensor) else as_dtype(x)
        for x in arrays_and_dtypes
        if not isinstance(x, (bool, int, float, complex))
    ]
    if not dtypes:
        raise ValueError("result_type: give at least one tensor or dtype")
    return np.result_type(promoted(*dtypes), *numbers)
