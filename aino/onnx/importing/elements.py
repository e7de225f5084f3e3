"""Element types: ONNX's numbers for them, and NumPy's dtypes.

Tensors have those that AINO has. What it has not (text, bfloat16, the floats and integers of a byte
and less, which the package ``ml_dtypes`` gives NumPy) is *foreign*: such values travel as plain
NumPy arrays, which operators that move or convert elements take. With bfloat16 the others compute,
too: in float32, rounded after each of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.dtypes import ALL
from aino.errors import OnnxError
from aino.onnx.package import onnx_package

#: The dtypes of tensors by ONNX's numbers.
NATIVE = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64",
    15: "complex128",
}  # fmt: skip
TEXT, BFLOAT16 = 8, 16
#: How many bits an element has, of those that are packed into bytes.
PACKED = {21: 4, 22: 4, 23: 4, 25: 2, 26: 2}
_NATIVE_DTYPES = frozenset(ALL)


def is_foreign(array: np.ndarray) -> bool:
    """Tell whether no tensor can have the dtype of an array."""
    return array.dtype not in _NATIVE_DTYPES


def dtype_of(number: int) -> np.dtype:
    """Return the dtype for ONNX's number; raises ``OnnxError`` for a number that means none."""
    if number in NATIVE:
        return np.dtype(NATIVE[number])
    if number == TEXT:
        return np.dtype(object)
    onnx = onnx_package()
    try:
        return onnx.helper.tensor_dtype_to_np_dtype(number)
    except KeyError:
        raise OnnxError(f"{number} is not the number of an element type") from None


def name_of(number: int) -> str:
    """Return what ONNX calls an element type: ``FLOAT8E4M3FN``."""
    names = onnx_package().TensorProto.DataType
    return names.Name(number) if number in names.values() else str(number)


def number_of(dtype: np.dtype) -> int:
    """Return ONNX's number for a dtype."""
    if dtype.kind in "OUS":
        return TEXT
    return onnx_package().helper.np_dtype_to_tensor_dtype(dtype)


def bits_of(number: int) -> int:
    """Return how many bits an element takes in a file."""
    return PACKED.get(number) or dtype_of(number).itemsize * 8


def foreign_name(array: Any) -> str:
    """Return what a foreign array holds, for an error."""
    return "text" if array.dtype.kind in "OUS" else str(array.dtype)
