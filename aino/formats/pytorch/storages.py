"""The memory of tensors: storages, which views share, laid out first and read at the end."""

from __future__ import annotations

import mmap
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.devices import check_device
from aino.dit.npy import DTYPES, shape_problem
from aino.dit.placement import placement
from aino.formats.files import File

BFLOAT16 = "bfloat16"
_CHUNK = 1 << 20


class Storage:
    """What a persistent id stands for: bytes under a key, which are numbers of some dtype."""

    __slots__ = ("dtype", "key", "location", "nbytes", "start", "whole")

    def __init__(
        self, dtype: str, key: str, location: str, whole: int, start: int, end: int
    ) -> None:
        self.dtype = dtype  # PyTorch's name, such as "float32"
        self.key = key
        self.location = location
        self.whole = whole  # bytes under the key
        self.start = start  # a view of them, which old files have
        self.nbytes = end - start


class Place(NamedTuple):
    """Where a storage's bytes are in the file, and their CRC-32 (0 where there is none)."""

    offset: int
    nbytes: int
    crc: int
    label: str


class Block(NamedTuple):
    """The memory of one storage as numbers of one dtype."""

    array: np.ndarray
    dtype: str
    storage: Storage


def itemsize(dtype: str) -> int:
    """How many bytes of a file a number takes, by PyTorch's name of its dtype."""
    return 2 if dtype == BFLOAT16 else DTYPES[dtype].itemsize


class Storages:
    """All storages of a file. Nothing is read before `fill`: the whole pickle is checked first."""

    def __init__(self, source: File, places: Mapping[str, Place] | None, location: Any) -> None:
        self.source = source
        self.places = places  # None in old files, which say it behind the pickle
        self.location = location
        self.put = placement(location)
        self.map: mmap.mmap | None = None
        self.bytes: dict[str, np.ndarray] = {}
        self.blocks: dict[tuple[str, str], Block] = {}
        self.turned: list[tuple[Tensor, bool, bool]] = []
        self._total = 0

    def array(self, storage: Storage, dtype: str) -> np.ndarray:
        """A storage as a flat array of a dtype, by PyTorch's name of it."""
        block = self.blocks.get((storage.key, dtype)) or self._new_block(storage, dtype)
        size = itemsize(dtype)
        start, count = storage.start // size, storage.nbytes // size
        if start + count > block.array.size:
            raise self.source.error(
                f"storage {storage.key!r:.60} has room for {block.array.size:,} numbers of "
                f"{dtype}, and {start + count:,} are said to be in it"
            )
        return block.array[start : start + count]

    def _new_block(self, storage: Storage, dtype: str) -> Block:
        key = storage.key
        self._check_location(storage)
        if dtype == BFLOAT16:
            count = self._nbytes(storage) // 2
            self._spend(4 * count)
            array = np.empty(count, np.float32)
        else:
            if key not in self.bytes:
                self.bytes[key] = self._new_bytes(storage, itemsize(dtype))
            raw, size = self.bytes[key], itemsize(dtype)
            array = raw[: raw.size // size * size].view(DTYPES[dtype])
        self.blocks[key, dtype] = Block(array, dtype, storage)
        return self.blocks[key, dtype]

    def _nbytes(self, storage: Storage) -> int:
        if self.places is None:
            return storage.whole
        if storage.key not in self.places:
            raise self.source.error(f"names storage {storage.key!r:.60}, which is not there")
        return self.places[storage.key].nbytes

    def _new_bytes(self, storage: Storage, size: int) -> np.ndarray:
        nbytes = self._nbytes(storage)
        if self.map is not None and self.places is not None:
            offset = self.places[storage.key].offset
            if not offset % size and nbytes:
                return np.ndarray(nbytes, np.uint8, self.map, offset)
        self._spend(nbytes)
        return np.empty(nbytes, np.uint8)

    def _spend(self, nbytes: int) -> None:
        """Give out no more memory than the file has bytes (twice that: as bfloat16 is widened)."""
        self._total += nbytes
        if self._total > 2 * self.source.size:
            raise self.source.error("claims more bytes of tensors than it has")

    def _check_location(self, storage: Storage) -> None:
        """Refuse to put tensors elsewhere than on the CPU, where all go if nobody says where."""
        if isinstance(self.location, Mapping):
            for key, place in self.location.items():
                if str(key) == storage.location:
                    check_device(place)

    # Reading

    def fill(self, places: Mapping[str, Place], little: bool) -> None:
        """Read the bytes of all storages that a tensor uses."""
        for block in self.blocks.values():
            key, whole = block.storage.key, self._nbytes(block.storage)
            if places[key].nbytes != whole:
                raise self.source.error(
                    f"has {places[key].nbytes:,} bytes, where the pickle says {whole:,}",
                    places[key].label,
                )
        for key, raw in self.bytes.items():
            self._read(key, raw, places[key], little)
        for (key, dtype), block in self.blocks.items():
            if dtype == BFLOAT16:
                self._widen(block.array, places[key], little)
            elif dtype == "bool" and block.array.size and block.array.view(np.uint8).max() > 1:
                raise self.source.error("holds bytes that are neither True nor False",
                                        places[key].label)  # fmt: skip
            if self.put is not None:
                placed = self.put(block.array, block.storage.location)
                if placed is not block.array:
                    block.array[...] = placed
        for tensor, conjugate, negative in self.turned:
            array = np.conj(tensor.array) if conjugate else tensor.array
            tensor.array = np.negative(array) if negative else array

    def _read(self, key: str, raw: np.ndarray, place: Place, little: bool) -> None:
        if raw.flags.owndata:  # else it is the file itself
            crc = 0
            for start in range(0, raw.size, _CHUNK):
                part = raw[start : start + _CHUNK]
                self.source.read_into(place.offset + start, part.data, place.label)
                crc = zlib.crc32(part.data, crc)
            self._check(crc, place)
        if little != (sys.byteorder == "little"):
            kinds = [block for block in self.blocks.values() if block.storage.key == key]
            kinds = [block for block in kinds if block.dtype != BFLOAT16]
            if len(kinds) > 1:
                raise self.source.error("reads big-endian numbers as two dtypes", place.label)
            kinds[0].array.byteswap(inplace=True)

    def _widen(self, array: np.ndarray, place: Place, little: bool) -> None:
        """Read bfloat16: it is the upper half of a float32."""
        bits, crc, done = array.view(np.uint32), 0, 0
        for data in self._chunks(place, 2 * array.size):
            crc = zlib.crc32(data, crc)
            part = np.frombuffer(data, "<u2" if little else ">u2")
            np.left_shift(part, 16, out=bits[done : done + part.size], dtype=np.uint32)
            done += part.size
        if 2 * array.size == place.nbytes:
            self._check(crc, place)

    def _chunks(self, place: Place, length: int) -> Iterator[bytes]:
        for start in range(0, length, _CHUNK):
            count = min(_CHUNK, length - start)
            yield self.source.read(place.offset + start, count, place.label)

    def _check(self, crc: int, place: Place) -> None:
        if place.crc not in (0, crc):
            raise self.source.error("is damaged: its CRC-32 is not the stored one", place.label)

    def map_file(self) -> None:
        """Leave tensors in the file until they are used; what is written is copied first."""
        try:
            self.map = mmap.mmap(self.source.file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise self.source.error(f"cannot be mapped into memory: {error}") from error

    # Tensors

    def tensor(self, storage: Storage, dtype: str, offset: Any, size: Any, stride: Any) -> Tensor:
        """A view of a storage, which must not leave it."""
        problem = shape_problem(size, itemsize(dtype)) or shape_problem(stride, 1)
        if problem or type(offset) is not int or len(size) != len(stride) or offset < 0:
            raise self.source.error(
                f"describes a tensor wrongly: {problem or ''} (offset {offset!r:.40}, size "
                f"{size!r:.200}, stride {stride!r:.200})"
            )
        flat = self.array(storage, dtype)
        empty = 0 in size
        end = offset + 1 + sum((n - 1) * step for n, step in zip(size, stride))
        if not empty and end > flat.size:
            raise self.source.error(
                f"describes a tensor that leaves its storage: offset {offset}, size "
                f"{[*size]!r:.200} and stride {[*stride]!r:.200} reach number {end:,} of "
                f"{flat.size:,}"
            )
        if empty:
            return make(np.empty(size, flat.dtype))
        if _in_order(size, stride):
            return make(flat[offset:end].reshape(size))
        steps = [step * flat.itemsize for step in stride]
        array = np.ndarray(size, flat.dtype, flat[offset:end], 0, steps)
        if any(n > 1 and not step for n, step in zip(size, stride)):
            array.flags.writeable = False  # one number stands in several places
        return make(array)


def _in_order(size: Any, stride: Any) -> bool:
    """Whether the numbers lie one after the other, as most do."""
    expected = 1
    for n, step in zip(reversed(size), reversed(stride)):
        if n != 1:
            if step != expected:
                return False
            expected *= n
    return True
