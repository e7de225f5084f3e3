"""An open file that is read without trust: every read is bounded by the file's real size."""

import os
import stat
from types import TracebackType
from typing import IO

from aino.errors import DitError


class MissingFileError(DitError, FileNotFoundError):
    """A path at which there is no file."""


def failure(path: str, cause: str, member: str = "") -> DitError:
    """The error for one file: its path, the member concerned if any, and the cause."""
    return DitError(f"{path}: {f'member {_shown(member)}: ' if member else ''}{cause}")


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 100 else f"{name[:80]!r}... ({len(name):,} characters)"


def text_path(path: object) -> str:
    """The path as text; anything that is not a path is refused before it is used."""
    try:
        return os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        raise DitError(f"expected a path (str or os.PathLike), got {type(path).__name__}") from None


class Source:
    """A regular file opened for reading, with its size at that moment."""

    def __init__(self, path: object) -> None:
        self.path = text_path(path)
        try:
            # Opening a named pipe would wait for a writer, so its kind is asked for first.
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise OSError("it is not a regular file")
            self.file: IO[bytes] = open(self.path, "rb", buffering=0)  # noqa: SIM115
        except FileNotFoundError as error:
            raise MissingFileError(f"{self.path}: no such file") from error
        except (OSError, ValueError) as error:
            raise failure(self.path, f"cannot be opened: {error}") from error
        self.size = os.fstat(self.file.fileno()).st_size

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def error(self, cause: str, member: str = "") -> DitError:
        """A `DitError` that names this file."""
        return failure(self.path, cause, member)

    def read(self, offset: int, length: int, member: str = "") -> bytes:
        """Exactly ``length`` bytes from ``offset``; memory is taken only for bytes that exist."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise self.error("the file is cut short", member)
        try:
            self.file.seek(offset)
            data = self.file.read(length)
        except OSError as error:
            raise self.error(f"cannot be read: {error}", member) from error
        if len(data) != length:
            raise self.error("the file was cut short while it was read", member)
        return data

    def read_into(self, offset: int, target: memoryview, member: str = "") -> None:
        """Fill ``target`` with the bytes from ``offset``."""
        done = 0
        try:
            self.file.seek(offset)
            while done < len(target):
                count = self.file.readinto(target[done:])  # type: ignore[attr-defined]
                if not count:
                    raise self.error("the file was cut short while it was read", member)
                done += count
        except OSError as error:
            raise self.error(f"cannot be read: {error}", member) from error
