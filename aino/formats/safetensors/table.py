"""What a file says that it holds: its tensors' dtypes, shapes and places, and its metadata.

The file begins with the length of its header in 8 bytes, and the header, which is JSON; the rest
is the tensors' bytes, without gaps. The package safetensors reads the header and checks it; what
it lets pass and AINO does not, is checked here.

Source: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from aino.dit.npy import shape_problem
from aino.errors import MissingExtraError
from aino.formats.files import File

#: The format's names of AINO's dtypes, in its own order.
DTYPES = {
    "BOOL": np.dtype(bool), "U8": np.dtype("u1"), "I8": np.dtype("i1"), "I16": np.dtype("i2"),
    "U16": np.dtype("u2"), "F16": np.dtype("f2"), "I32": np.dtype("i4"), "U32": np.dtype("u4"),
    "F32": np.dtype("f4"), "C64": np.dtype("c8"), "F64": np.dtype("f8"), "I64": np.dtype("i8"),
    "U64": np.dtype("u8"),
}  # fmt: skip
BFLOAT16 = "BF16"
#: How many bits a number takes, of those that NumPy does not have.
_BITS = {
    "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
} | {name: 8 * dtype.itemsize for name, dtype in DTYPES.items()}  # fmt: skip

LONGEST_HEADER = 100_000_000
_ENTRY = re.compile(rb'"data_offsets"\s*:\s*\[')
#: A letter or underscore that is written as an escape, which no writer does.
_DISGUISE = re.compile(rb"\\u00(?:6[1-9a-fA-F]|7[0-9aA]|5[fF])")


class Row(NamedTuple):
    """One tensor: the format's name of its dtype, its shape, and where its bytes are."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int


class Table(NamedTuple):
    """All that a header says; the rows in the order of the header's names."""

    rows: dict[str, Row]
    metadata: dict[str, str] | None


def package() -> Any:
    """The package that knows the format; raises ``MissingExtraError`` where it is missing."""
    try:
        import safetensors
    except ImportError as error:
        raise MissingExtraError(
            "a .safetensors is read by the package safetensors: pip install 'aino[safetensors]'"
        ) from error
    return safetensors


def read_table(source: File) -> Table:
    """Read and check a header. Takes memory for the header alone."""
    safetensors = package()
    header = _read_header(source)
    start = 8 + len(header)
    try:
        with _at_a_path(source, start) as path, safetensors.safe_open(path, "np") as file:
            metadata = file.metadata()
            names, placed = file.keys(), file.offset_keys()
            told = {name: file.get_slice(name) for name in placed}
            told = {name: (part.get_dtype(), part.get_shape()) for name, part in told.items()}
    except safetensors.SafetensorError as error:
        raise source.error(_in_words(str(error))) from None
    except OSError as error:
        raise source.error(f"cannot be read: {error}") from error
    # The package takes the last of two entries of one name.
    if _DISGUISE.search(header) or sum(1 for _ in _ENTRY.finditer(header)) != len(names):
        raise source.error("has a header that describes a tensor twice, or in disguise")
    rows, place = {}, start
    for name in placed:
        dtype, shape = told[name]
        bits = _BITS.get(dtype)
        if bits is None:
            raise source.error(f"holds {name!r:.100} of an unknown dtype, {dtype}")
        problem = shape_problem(shape, max(bits // 8, 1))
        if problem:
            raise source.error(f"holds {name!r:.100}, which cannot be: {problem}")
        nbytes = math.prod(shape) * bits // 8
        rows[name] = Row(dtype, tuple(shape), place, nbytes)
        place += nbytes
    if place != source.size:
        raise source.error(f"its tensors end at {place:,}, the file at {source.size:,} bytes")
    return Table({name: rows[name] for name in names}, metadata)


def _read_header(source: File) -> bytes:
    if source.size < 8:
        raise source.error(f"is too short for a safetensors file ({source.size} bytes)")
    length = int.from_bytes(source.read(0, 8), "little")
    if length > LONGEST_HEADER:
        raise source.error(
            f"claims a header of {length:,} bytes; at most {LONGEST_HEADER:,} are read, and it is "
            "perhaps no safetensors file"
        )
    if 8 + length > source.size:
        raise source.error(
            f"is cut short: its header has {length:,} bytes, the whole file {source.size:,}"
        )
    return source.read(8, length)


@contextmanager
def _at_a_path(source: File, start: int) -> Iterator[str]:
    """The path of the file, or, of one that the caller has opened, of one with its header.

    The rest of that is left empty, as the package does not look at it.
    """
    if not source.borrowed:
        yield source.path
        return
    handle, path = tempfile.mkstemp(suffix=".safetensors")
    try:
        with open(handle, "wb") as copy:
            copy.write(source.read(0, start))
            copy.truncate(source.size)
        yield path
    finally:
        os.unlink(path)


def _in_words(told: str) -> str:
    """What the package says of a file, as AINO does."""
    cause = told.partition(": ")[2] or told
    if "not fully covered" in cause:
        return "has more or fewer bytes than its tensors: cut short, or bytes were added"
    return f"is not a sound safetensors file: {cause:.300}"
