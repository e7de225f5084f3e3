"""Conversions between types of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.block import without_history
from aino.onnx.importing.elements import NATIVE, TEXT, dtype_of, name_of, number_of
from aino.onnx.importing.table import Value, operator
from aino.onnx.package import onnx_package

_FLOAT8 = (17, 18, 19, 20)
_FLOAT8E8M0 = 24


def convert(x: Any, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    """Return a value with elements of another type; between tensors' own a gradient flows.

    Arguments:
        x: a tensor, or an array of what no tensor has.
        to: ONNX's number for the type.
        saturate: what is too large for eight bits becomes the largest number that is not.
        round_mode: where to round the powers of two that ``FLOAT8E8M0`` holds.
    """
    dtype = dtype_of(to)
    if isinstance(x, np.ndarray) and x.dtype in NATIVE.values():
        x = Tensor(x)
    if isinstance(x, Tensor) and to in NATIVE:
        return x.to(dtype)
    array = without_history(x)
    if array.dtype.kind in "OUS":
        return _from_text(array, to, dtype)
    if to == TEXT:
        return _to_text(array)
    if to in _FLOAT8 and saturate:
        return onnx_package().numpy_helper.saturate_cast(array, dtype)
    if to == _FLOAT8E8M0:
        wide = np.asarray(array, np.float32)
        return onnx_package().numpy_helper.to_float8e8m0(wide, bool(saturate), round_mode)
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def _from_text(array: np.ndarray, to: int, dtype: np.dtype) -> np.ndarray:
    if to == TEXT:
        return array
    if to not in NATIVE:
        return array.astype(np.float32).astype(dtype)
    try:
        return array.astype(dtype)
    except (TypeError, ValueError) as error:
        raise OnnxError(f"text is no {name_of(to)}: {error}") from None


def _to_text(array: np.ndarray) -> np.ndarray:
    return array.astype(np.str_).astype(object)


@operator("Cast")
def former_cast(input: Value, *, to: str) -> Any:
    numbers = dict(onnx_package().TensorProto.DataType.items())
    if to.upper() not in numbers:
        raise OnnxError(f"{to!r} is not the name of an element type")
    return convert(input, numbers[to.upper()])


@operator("Cast", 6)
def cast(input: Value, *, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    return convert(input, to, saturate, round_mode)


@operator("CastLike")
def cast_like(
    input: Value, target_type: Value, *, saturate: int = 1, round_mode: str = "up"
) -> Any:
    return convert(input, number_of(target_type.dtype), saturate, round_mode)


@operator("BitCast")
def bit_cast(input: Value, *, to: int) -> Any:
    array, dtype = without_history(input), dtype_of(to)
    if TEXT in (to, number_of(array.dtype)) or array.dtype.itemsize != dtype.itemsize:
        raise OnnxError(f"the bits of {array.dtype} are not those of a {name_of(to)}")
    return np.ascontiguousarray(array).view(dtype).reshape(array.shape)
