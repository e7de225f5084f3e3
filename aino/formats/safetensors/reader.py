"""Tensors out of a file: all of them, or one when it is asked for."""

from __future__ import annotations

import io
import mmap
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.dit.placement import placement
from aino.errors import FormatError
from aino.formats.files import File
from aino.formats.safetensors.table import BFLOAT16, DTYPES, Row, Table, read_table


def load_file(filename: Any, device: Any = "cpu", *, backend: str = "mmap") -> dict[str, Tensor]:
    """Return the tensors of a file, by name.

    Arguments:
        filename: a path, or a file that is open for reading bytes at any place in it.
        device: the CPU.
        backend: the package's way to read, ``"mmap"`` or ``"pread"``; changes nothing here.

    Raises ``FormatError`` for what is not a sound file, with the tensor and the cause.

    >>> import aino, io
    >>> from aino.formats import safetensors
    >>> data = safetensors.save({"weight": aino.ones(2)})
    >>> safetensors.load_file(io.BytesIO(data))
    {'weight': tensor([1., 1.])}
    """
    if backend not in ("mmap", "pread"):
        raise FormatError(f"backend is 'mmap' or 'pread', not {backend!r}")
    with File(filename) as source:
        return load_all(source, placement(device))


def load(data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a file that was read as ``data``, by name.

    Raises ``FormatError`` for what is not a sound file.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"load takes the bytes of a file, not {type(data).__name__}")
    return load_file(io.BytesIO(data))


def load_all(
    source: File,
    put: Callable[[np.ndarray], np.ndarray] | None = None,
    mapped: bool = False,
) -> dict[str, Tensor]:
    """All tensors of an open file; ``mapped`` leaves them in it until they are used."""
    reader = Reader(source, mapped)
    found = {}
    for name in reader.table.rows:
        array = reader.array(name)
        found[name] = make(array if put is None else put(array))
    return found


class Reader:
    """An opened file: what it holds, and its arrays on demand."""

    def __init__(self, source: File, mapped: bool = False) -> None:
        self.source = source
        self.table: Table = read_table(source)
        self._map = make_map(source) if mapped else None

    def array(self, name: str) -> np.ndarray:
        """The array of a tensor, in memory of its own, or, if mapped and aligned, in the file."""
        row = self.table.rows[name]
        stored = stored_dtype(self.source, name, row)
        if self._map is not None and row.nbytes:
            array = np.ndarray(row.shape, stored, self._map, row.offset)
        else:
            array = np.empty(row.shape, stored)
            self.source.read_into(row.offset, array.reshape(-1).view(np.uint8).data, name)
        return finished(self.source, name, row, array)


def make_map(source: File) -> mmap.mmap:
    """A private map of a file: a page that is written is copied first."""
    try:
        return mmap.mmap(source.file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError) as error:
        raise source.error(f"cannot be mapped into memory: {error}") from error


def stored_dtype(source: File, name: str, row: Row) -> np.dtype:
    """The dtype of the bytes in the file; one that NumPy does not have is refused by name."""
    if row.dtype == BFLOAT16:
        return np.dtype("<u2")
    if row.dtype not in DTYPES:
        raise source.error(
            f"holds {name!r:.100} as {row.dtype}, which NumPy does not have; convert it to float16 "
            "or bfloat16 where it was made"
        )
    dtype = DTYPES[row.dtype]
    # The very dtype object where it fits: the engine tells dtypes apart by identity.
    return dtype if sys.byteorder == "little" else dtype.newbyteorder("<")


def finished(source: File, name: str, row: Row, array: np.ndarray) -> np.ndarray:
    """An array of AINO's own dtype, aligned: float32 for bfloat16, whose numbers it all holds."""
    if row.dtype == BFLOAT16:
        wide = np.empty(array.shape, np.uint32)
        np.left_shift(array, 16, out=wide, dtype=np.uint32)
        return wide.view(np.float32)
    if row.dtype == "BOOL" and array.size and array.view(np.uint8).max() > 1:
        raise source.error(f"holds {name!r:.100} with bytes that are neither True nor False")
    return np.require(array.astype(DTYPES[row.dtype], copy=False), requirements="A")
