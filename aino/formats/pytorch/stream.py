"""The bytes of a pickle, one after the other, and never more than there are."""

from __future__ import annotations

from aino.formats.files import File

_CHUNK = 1 << 16
_LONGEST_LINE = 1000


class Stream:
    """A part of a file that is read forwards."""

    def __init__(self, source: File, start: int, end: int, member: str = "") -> None:
        self.source = source
        self.member = member
        self.end = end
        self._chunk = b""
        self._begin = start  # where the chunk stands in the file
        self._next = 0  # what is read next, in the chunk

    @property
    def position(self) -> int:
        """The place in the file of what is read next."""
        return self._begin + self._next

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        stop = self._next + count
        if stop > len(self._chunk):
            self._fill(count)
            stop = count
        data = self._chunk[self._next : stop]
        self._next = stop
        return data

    def line(self) -> str:
        """The text before the next line break."""
        for length in (100, _LONGEST_LINE):
            ahead = self._ahead(length)
            end = ahead.find(b"\n")
            if end >= 0:
                self._next += end + 1
                return ahead[:end].decode("utf-8", "backslashreplace")
        raise self.source.error("its pickle holds a name of more than 1,000 bytes", self.member)

    def _ahead(self, count: int) -> bytes:
        count = min(count, self.end - self.position)
        if self._next + count > len(self._chunk):
            self._fill(count)
        return self._chunk[self._next : self._next + count]

    def _fill(self, count: int) -> None:
        place = self.position
        if place + count > self.end:
            raise self.source.error(
                f"its pickle is cut short: {count:,} bytes are read at {place:,}, where "
                f"{self.end - place:,} are left",
                self.member,
            )
        length = min(max(count, _CHUNK), self.end - place)
        self._chunk = self.source.read(place, length, self.member)
        self._begin, self._next = place, 0
