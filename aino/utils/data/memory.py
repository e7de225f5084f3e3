"""Memory that processes share: a worker writes batches there, and the loader reads them in place.

A worker makes a piece of memory, hands its file over with the first batch in it, and uses it again
when the loader says that nobody looks at it any more. The file has no name, so nothing is left
behind, whoever dies.
"""

from __future__ import annotations

import math
import mmap
import os
import pickle
import sys
import tempfile
import weakref
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

#: Arrays of fewer bytes are sent through the pipe: that is as fast.
SMALL = 4096
#: How many pieces that nobody looks at are kept for the next batches.
KEPT = 32
#: Whether open files can be handed over here; where not, everything goes through the pipe.
SHARES = sys.platform != "win32"


class Packed(NamedTuple):
    """A batch on its way: ``data`` is what is left of it without its arrays.

    ``places``: the number of the piece of each array, and its bytes. ``new``: the number and size
    of the pieces that the receiver does not know, ``dropped``: those that it may forget.
    """

    data: bytes
    places: list[tuple[int, int]]
    new: list[tuple[int, int]]
    dropped: list[int]


class Piece:
    """A stretch of shared memory, as its worker sees it."""

    __slots__ = ("number", "mapped", "size", "address", "sent", "reader")

    def __init__(self, number: int, mapped: mmap.mmap, size: int) -> None:
        self.number = number
        self.mapped = mapped
        self.size = size
        self.address = address(mapped)
        #: Whether the loader may look at it, and the array through which this process does.
        self.sent = False
        self.reader: weakref.ref | None = None

    def is_free(self) -> bool:
        """Tell whether nobody looks at it."""
        return not self.sent and (self.reader is None or self.reader() is None)


class Sender:
    """A worker's shared memory: arrays that are made in it are sent without being copied."""

    def __init__(self) -> None:
        self.pieces: dict[int, Piece] = {}
        self.made = 0
        self.new: list[tuple[int, int]] = []
        #: The files of the new pieces, to be handed over and closed.
        self.files: list[int] = []
        self.dropped: list[int] = []

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an array in shared memory, which is to be filled."""
        size = math.prod(shape) * dtype.itemsize
        if size < SMALL or not SHARES:
            return np.empty(shape, dtype)
        return self._memory(size)[1][:size].view(dtype).reshape(shape)

    def _memory(self, size: int) -> tuple[Piece, np.ndarray]:
        """Return a piece of at least so many bytes that nobody looks at, and an array over it."""
        for piece in self.pieces.values():
            if size <= piece.size <= 2 * size + SMALL and piece.is_free():
                break
        else:
            piece = self._make(-(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
        array = np.frombuffer(piece.mapped, np.uint8)
        piece.reader = weakref.ref(array)
        return piece, array

    def _make(self, size: int) -> Piece:
        known = [number for number, _ in self.new]
        free = [n for n, piece in self.pieces.items() if piece.is_free() and n not in known]
        for number in free[: max(0, len(free) - KEPT + 1)]:
            del self.pieces[number]
            self.dropped.append(number)
        file = _nameless_file()
        os.truncate(file, size)
        piece = self.pieces[self.made] = Piece(self.made, mmap.mmap(file, size), size)
        self.made += 1
        self.new.append((piece.number, size))
        self.files.append(file)
        return piece

    def release(self, numbers: Iterable[int]) -> None:
        """Take note that the loader no longer looks at these pieces."""
        for number in numbers:
            self.pieces[number].sent = False

    def pack(self, batch: Any) -> Packed:
        """Return a batch ready to be sent; its arrays are in shared memory."""
        places: list[tuple[int, int]] = []
        own = {piece.address: piece for piece in self.pieces.values() if not piece.sent}

        def place(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < SMALL or not SHARES:
                return True
            piece = own.pop(address(raw), None)
            if piece is None or piece.size < raw.nbytes:
                piece, array = self._memory(raw.nbytes)
                array[: raw.nbytes] = np.frombuffer(raw, np.uint8)
                own.pop(piece.address, None)
            piece.sent = True
            places.append((piece.number, raw.nbytes))
            return False

        try:
            data = pickle.dumps(batch, protocol=5, buffer_callback=place)
        except BaseException:
            self.release(number for number, _ in places)
            raise
        packed = Packed(data, places, self.new, self.dropped)
        self.new, self.dropped = [], []
        return packed

    def take_files(self) -> list[int]:
        """Return the files of the pieces that are new in what was packed last."""
        files, self.files = self.files, []
        return files


class Receiver:
    """The loader's view of one worker's shared memory."""

    def __init__(self) -> None:
        self.mapped: dict[int, mmap.mmap] = {}
        self._readers: dict[int, weakref.ref] = {}
        #: The pieces that nobody looks at any more, which the worker has not been told of.
        self.released: deque[int] = deque()

    def learn(self, new: list[tuple[int, int]], files: list[int], dropped: list[int]) -> None:
        """Get to know new pieces by their files, and forget those that are used no longer."""
        for (number, size), file in zip(new, files, strict=True):
            self.mapped[number] = mmap.mmap(file, size)
            os.close(file)
        for number in dropped:
            del self.mapped[number]

    def unpack(self, packed: Packed) -> Any:
        """Return a batch; each of its arrays says when it is no longer looked at."""
        return pickle.loads(packed.data, buffers=[self._watched(*at) for at in packed.places])

    def skip(self, packed: Packed) -> None:
        """Leave a batch unread that nobody waits for."""
        self.released.extend(number for number, _ in packed.places)

    def _watched(self, number: int, size: int) -> np.ndarray:
        array = np.frombuffer(self.mapped[number], np.uint8, size)
        released = self.released
        self._readers[number] = weakref.ref(array, lambda _: released.append(number))
        return array

    def take_released(self) -> list[int]:
        """Return the pieces that the worker may use again, once."""
        return [self.released.popleft() for _ in range(len(self.released))]


class _Place:
    """Where collating makes its arrays: in shared memory in a worker, else anywhere."""

    sender: Sender | None = None


place = _Place()


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return an array for a batch, which is to be filled."""
    return np.empty(shape, dtype) if place.sender is None else place.sender.empty(shape, dtype)


def address(buffer: Any) -> int:
    """Return where in memory a buffer begins."""
    return np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]


def _nameless_file() -> int:
    """Return a new file in memory, or one on the disk that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aino-batch")
    file, path = tempfile.mkstemp()
    os.unlink(path)
    return file
