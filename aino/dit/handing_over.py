"""An archive into a file that the caller has opened: made elsewhere first, then handed over."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aino.dit.source import check_open, failure, file_name

_IN_MEMORY = 1 << 25  # a larger archive grows in a temporary file
_CHUNK = 1 << 20


class _Draft:
    """An archive that is being made, at any place in it."""

    def __init__(self, spool: Any) -> None:
        self.spool = spool

    def write_at(self, offset: int, data: bytes | memoryview) -> None:
        self.spool.seek(offset)
        self.spool.write(data)


def check_writable(file: Any) -> None:
    """Refuse a file that is closed, open as text, or open for reading alone."""
    name = file_name(file)
    check_open(file)
    try:
        writable = file.writable() if hasattr(file, "writable") else hasattr(file, "write")
    except (OSError, ValueError) as error:
        raise failure(name, f"cannot be written: {error}") from error
    if not writable:
        raise failure(name, "is not open for writing")


@contextmanager
def handing_over(file: Any) -> Iterator[_Draft]:
    """Make an archive, and write it to ``file``, from where that stands, when the block ends.

    Nothing is written before the archive is complete. ``write`` is all that the file needs, so a
    pipe or a compressed file serves. If its end is where it stands, and it refuses a part, the
    parts before that are taken back.

    Raises `DitError` for anything that the file refuses.
    """
    check_writable(file)
    name = file_name(file)
    try:
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    except OSError as error:
        raise failure(name, f"was not saved: {error}") from error
    with spool:
        try:
            yield _Draft(spool)
            spool.seek(0)
        except OSError as error:
            raise failure(name, f"was not saved: no room for a temporary file: {error}") from error
        end = _end_of(file)
        try:
            while chunk := spool.read(_CHUNK):
                _write_all(file, chunk)
            if hasattr(file, "flush"):
                file.flush()  # so that what the system refuses is known here
        except TypeError as error:
            raise failure(name, f"does not take bytes: {error}") from error
        except (OSError, ValueError) as error:
            if end is not None:
                _cut(file, end)
            raise failure(name, f"was not saved: {error}") from error
        except BaseException:
            if end is not None:
                _cut(file, end)
            raise


def _write_all(file: Any, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        count = file.write(rest)
        if count is None and isinstance(file, io.RawIOBase):
            raise BlockingIOError("it would block")
        # What is not of io may return nothing, and has taken all.
        rest = rest[count if type(count) is int else len(rest) :]


def _end_of(file: Any) -> int | None:
    """The place where a file ends if it stands there, so that it can be cut back; else None."""
    try:
        if not file.seekable():
            return None
        place = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(place)
    except (AttributeError, OSError, ValueError):
        return None
    return place if end == place else None


def _cut(file: Any, end: int) -> None:
    """Take back what was written, as well as that goes; the failure itself is what is told."""
    try:
        file.seek(end)
        file.truncate()
    except (AttributeError, OSError, ValueError):
        pass
