"""The tensors in a file as arrays: measured before memory is spent, wherever their data lies."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np

from aino.errors import OnnxError
from aino.onnx.importing.elements import NATIVE, TEXT, bits_of, dtype_of, name_of
from aino.onnx.package import onnx_package

_LARGEST = 2**62
#: How many entries of a list of numbers in the file one element takes.
_FIELDS = {
    1: "float_data", 14: "float_data", 11: "double_data", 15: "double_data", 7: "int64_data",
    12: "uint64_data", 13: "uint64_data", 8: "string_data",
}  # fmt: skip
_COMPLEX = (14, 15)


class Tensors:
    """Reads the tensors of one model.

    Arguments:
        folder: where files with further data may lie, None for a model that came without one.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._taken: dict[Path, list[tuple[int, int, str]]] = {}

    def read(self, tensor: Any, what: str) -> np.ndarray:
        """Return a tensor of the file as an array of its own.

        Arguments:
            tensor: the ``TensorProto``.
            what: what it is called in an error.
        """
        shape = shape_of(tensor, what)
        if tensor.HasField("segment"):
            raise OnnxError(f"{what} is a segment of a tensor, which AINO does not put together")
        number = tensor.data_type
        dtype = dtype_of(number)
        count = math.prod(shape)
        size = -(-count * bits_of(number) // 8)
        if tensor.data_location == tensor.EXTERNAL:
            if number == TEXT:
                raise OnnxError(f"{what} is text in another file, which ONNX does not allow")
            data = self._external(tensor, size, what)
            if number in NATIVE:
                return data.view(dtype).reshape(shape)
            tensor = onnx_package().TensorProto(
                dims=shape, data_type=number, raw_data=data.tobytes()
            )
        elif tensor.HasField("raw_data"):
            if len(tensor.raw_data) != size:
                raise OnnxError(
                    f"{what} has {len(tensor.raw_data)} bytes of data; its shape {shape} of "
                    f"{name_of(number)} takes {size}"
                )
        else:
            self._check_list(tensor, number, count, size, what)
        if number == TEXT:
            text = [_text(part, what) for part in tensor.string_data]
            return np.array(text, dtype=object).reshape(shape)
        array = onnx_package().numpy_helper.to_array(tensor)
        return np.array(array, dtype, order="C").reshape(shape)

    def _check_list(self, tensor: Any, number: int, count: int, size: int, what: str) -> None:
        """Compare the length of a list of numbers with the shape."""
        held = len(getattr(tensor, _FIELDS.get(number, "int32_data")))
        wanted = 2 * count if number in _COMPLEX else count
        if bits_of(number) < 8:
            wanted = size
        if held != wanted:
            raise OnnxError(
                f"{what} has {held} numbers; its shape {tuple(tensor.dims)} of {name_of(number)} "
                f"takes {wanted}"
            )

    def _external(self, tensor: Any, size: int, what: str) -> np.ndarray:
        """Return the bytes of a tensor that lie in another file of the model's folder."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = self._inside(entries.get("location", ""), what)
        offset = _whole(entries.get("offset", "0"), "offset", what)
        length = _whole(entries.get("length", str(size)), "length", what)
        there = path.stat().st_size
        if length != size:
            raise OnnxError(f"{what} names {length} bytes in {path.name}; its shape takes {size}")
        if offset + length > there:
            raise OnnxError(
                f"{what} lies at bytes {offset} to {offset + length} of {path.name}, which has "
                f"{there}"
            )
        if size:
            for start, end, other in self._taken.setdefault(path, []):
                if offset < end and start < offset + length:
                    raise OnnxError(f"{what} and {other} lie over one another in {path.name}")
            self._taken[path].append((offset, offset + length, what))
        data = np.fromfile(path, np.uint8, size, offset=offset)
        if data.size != size:
            raise OnnxError(f"{what} could not be read from {path.name}: the file has changed")
        return data

    def _inside(self, location: str, what: str) -> Path:
        """Return the file that a location names, which has to be one of the model's folder."""
        if self.folder is None:
            raise OnnxError(
                f"{what} lies in another file, {location!r}; give the model as a path, so that "
                "its folder is known"
            )
        parts = location.replace("\\", "/").split("/")
        if not location or "\0" in location or os.path.isabs(location) or ".." in parts:
            raise OnnxError(f"{what} lies in {location!r}, which is not inside the model's folder")
        home = self.folder.resolve()
        path = (home / location).resolve()
        if not path.is_relative_to(home) or path == home:
            raise OnnxError(f"{what} lies in {location!r}, which leads out of the model's folder")
        if not path.exists():
            raise OnnxError(f"{what} lies in {location!r}, which is not there")
        if not stat.S_ISREG(path.stat().st_mode):
            raise OnnxError(f"{what} lies in {location!r}, which is not a file")
        return path


def shape_of(tensor: Any, what: str) -> tuple[int, ...]:
    """Return the shape that a tensor of the file says it has, if memory could have it."""
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape):
        raise OnnxError(f"{what} has a negative size in its shape {shape}")
    if len(shape) > 64 or math.prod(size for size in shape if size) > _LARGEST // 16:
        raise OnnxError(f"{what} has the shape {shape}, which no memory holds")
    return shape


def _whole(text: str, key: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise OnnxError(f"{what} has the {key} {text[:30]!r}, which is no count of bytes")
    return int(text)


def _text(part: bytes, what: str) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError:
        raise OnnxError(f"{what} holds text that is not UTF-8") from None
