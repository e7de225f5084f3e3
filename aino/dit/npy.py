"""The header of a ``.npy`` member: written in one fixed form, read by a fixed pattern.

Source: NumPy, numpy.lib.format, format versions 1.0 and 2.0.
"""

import math
import re
import struct
from typing import NamedTuple

import numpy as np

DTYPES = {
    dtype.name: dtype
    for dtype in map(
        np.dtype,
        ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
         "float16", "float32", "float64", "complex64", "complex128"),
    )
}  # fmt: skip
MAX_DIMENSIONS = 64  # NumPy's own limit
LONGEST_HEADER = 4096
_MAGIC = b"\x93NUMPY"
_LARGEST = 2**63 - 1
_HEADER = re.compile(
    r"\{'descr': '([^'\n]{1,20})', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\), \} *\n"
)
_SHAPE = re.compile(r"(?:(?:0|[1-9][0-9]{0,18}), )*(?:0|[1-9][0-9]{0,18})(,?)|")
_KINDS = {
    "O": "objects", "V": "a structured or void dtype", "M": "dates", "m": "time spans",
    "U": "text", "S": "bytes", "T": "text",
}  # fmt: skip


class Header(NamedTuple):
    """What a ``.npy`` header says, and how long it is with its magic."""

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    length: int

    @property
    def nbytes(self) -> int:
        """The length of the data that follows."""
        return self.dtype.itemsize * math.prod(self.shape)


def dtype_problem(dtype: np.dtype) -> str | None:
    """Why arrays of this dtype are not stored, or None where they are."""
    if dtype.newbyteorder("=") in DTYPES.values() and dtype.names is None:
        return None
    what = _KINDS.get(dtype.kind, f"dtype {dtype}")
    return f"holds {what}, which cannot be stored; a .dit holds {', '.join(DTYPES)}"


def shape_problem(shape: object, itemsize: int) -> str | None:
    """Why a list or tuple is not the shape of an array that could exist, or None where it is."""
    if not isinstance(shape, list | tuple) or any(type(size) is not int for size in shape):
        return f"the shape {_short(shape)} is not a list of whole numbers"
    if len(shape) > MAX_DIMENSIONS:
        return f"the shape has {len(shape)} dimensions; at most {MAX_DIMENSIONS} are possible"
    if any(size < 0 for size in shape):
        return f"the shape {_short(shape)} has a negative size"
    if math.prod(max(size, 1) for size in shape) * itemsize > _LARGEST:
        return f"the shape {_short(shape)} overflows"
    return None


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a number with more digits than Python prints
        return "given"
    return text if len(text) <= 80 else f"{text[:80]}..."


def make_header(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """The header of a little-endian array in C order; its length is a multiple of 64.

    >>> make_header(np.dtype("float32"), (3, 4))[:10]
    b'\\x93NUMPY\\x01\\x00v\\x00'
    """
    descr = dtype.newbyteorder("<").str
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    padding = -(len(_MAGIC) + 5 + len(text)) % 64
    body = f"{text}{' ' * padding}\n".encode("ascii")
    return _MAGIC + struct.pack("<2BH", 1, 0, len(body)) + body


def read_header(start: bytes) -> Header | str:
    """Read a header from the first `LONGEST_HEADER` bytes of a member, or say what is wrong.

    The dtype may also be text (as it stands in files of version 1 and 2); nothing is evaluated
    and nothing of the size that the header claims is allocated.
    """
    if not start.startswith(_MAGIC):
        return "is not a NumPy array (its .npy magic is missing)"
    version = tuple(start[6:8])
    if version == (1, 0):
        length, begin = int.from_bytes(start[8:10], "little"), 10
    elif version == (2, 0):
        length, begin = int.from_bytes(start[8:12], "little"), 12
    else:
        return f"has a .npy header of unknown version {version}"
    if begin + length > min(len(start), LONGEST_HEADER):
        return f"has a .npy header that claims {length:,} bytes"
    text = start[begin : begin + length].decode("latin-1")
    match = _HEADER.fullmatch(text)
    if match is None:
        if text.startswith("{'descr': ["):
            return "has a structured dtype, which a .dit never holds"
        return f"has a .npy header that NumPy does not write: {_short(text)}"
    descr, order, sizes = match.groups()
    dtype = _read_dtype(descr)
    if isinstance(dtype, str):
        return dtype
    form = _SHAPE.fullmatch(sizes)
    shape = tuple(int(size) for size in sizes.replace(",", " ").split())
    if form is None or (len(shape) == 1) != (form.group(1) == ","):
        return f"has a shape that NumPy does not write: {_short(sizes)}"
    problem = shape_problem(shape, dtype.itemsize)
    return problem or Header(dtype, shape, order == "True", begin + length)


def _read_dtype(descr: str) -> np.dtype | str:
    if re.fullmatch(r"[<>]U[1-9][0-9]?", descr):
        return np.dtype(descr)
    code = descr[1:] if descr[:1] in ("<", ">", "|") else ""
    for dtype in DTYPES.values():
        if code == dtype.str[1:]:
            return np.dtype(descr)
    what = _KINDS.get(descr.lstrip("<>|=")[:1], f"dtype {_short(descr)}")
    return f"holds {what}, which a .dit never does"
