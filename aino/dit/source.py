"""An open file that is read without trust: every read is bounded by the file's real size."""

import io
import os
import stat
from types import TracebackType
from typing import IO, Any, Self

from aino.errors import DitError, FormatError


class MissingFileError(DitError, FileNotFoundError):
    """A path at which there is no file."""


def failure(
    path: str, cause: str, member: str = "", kind: type[FormatError] = DitError
) -> FormatError:
    """The error for one file: its path, the member concerned if any, and the cause."""
    return kind(f"{path}: {f'member {_shown(member)}: ' if member else ''}{cause}")


def with_article(kind: str) -> str:
    """Return the name of a class with the word before it: ``an Adam``."""
    return f"{'an' if kind[:1] in 'aeiouAEIOU' else 'a'} {kind}"


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 100 else f"{name[:80]!r}... ({len(name):,} characters)"


def text_path(path: object) -> str:
    """The path as text; anything that is not a path is refused before it is used."""
    try:
        return os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        raise DitError(
            "expected a path (str or os.PathLike) or an open binary file, got "
            f"{type(path).__name__}"
        ) from None


def is_file(target: object) -> bool:
    """Whether this is an open file, or behaves like one, rather than a path."""
    if isinstance(target, str | bytes | os.PathLike):
        return False
    return hasattr(target, "read") or hasattr(target, "write")


def file_name(file: Any) -> str:
    """What an error calls an open file: its name where it has one, else its type."""
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and name else f"<{type(file).__name__}>"


def check_open(file: Any) -> None:
    """Refuse a file that is closed, or open as text."""
    if getattr(file, "closed", False):
        raise failure(file_name(file), "is closed")
    # Wrappers, such as those of tempfile, are no TextIOBase but have an encoding as one has.
    if isinstance(file, io.TextIOBase) or isinstance(getattr(file, "encoding", None), str):
        raise failure(file_name(file), "is open as text; open it in binary mode ('rb', 'wb')")


class Source:
    """A regular file opened for reading, or one that the caller has opened, with its size then.

    Of an open file, what is read begins at its position and ends at its end. Afterwards it stands
    at its end, or, after an error, where it stood before. It stays open.
    """

    file: Any
    #: The class of its errors: a reader of another format has another.
    refusal: type[FormatError] = DitError

    def __init__(self, path: object) -> None:
        self.start = 0
        self.borrowed = is_file(path)
        if self.borrowed:
            self._borrow(path)
        else:
            self._open(path)

    def _open(self, path: object) -> None:
        self.path = text_path(path)
        try:
            # Opening a named pipe would wait for a writer, so its kind is asked for first.
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise OSError("it is not a regular file")
            self.file: IO[bytes] = open(self.path, "rb", buffering=0)  # noqa: SIM115
        except FileNotFoundError as error:
            raise MissingFileError(f"{self.path}: no such file") from error
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be opened: {error}") from error
        self.size = os.fstat(self.file.fileno()).st_size

    def _borrow(self, file: Any) -> None:
        self.path, self.file = file_name(file), file
        check_open(file)
        try:
            if not file.readable():
                raise self.error("is not open for reading")
        except AttributeError:
            pass  # whether it can be read will show
        try:
            if not getattr(file, "seekable", bool)() and hasattr(file, "seekable"):
                raise io.UnsupportedOperation("it is a pipe or a stream")
            self.start = file.tell()
            self.size = file.seek(0, os.SEEK_END)
            if self.size is None:  # as some that are not of io say nothing
                self.size = file.tell()
            self.size -= self.start
            file.seek(self.start)
        except (AttributeError, OSError, ValueError) as error:
            raise self.error(
                f"cannot be read at any place in it ({error}); read it into an io.BytesIO first"
            ) from error
        if self.size < 0:
            raise self.error("stands behind its end")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.borrowed:
            self.file.close()
            return
        try:
            self.file.seek(self.start + (self.size if kind is None else 0))
        except (OSError, ValueError):
            pass  # the reading itself has said what is wrong

    def error(self, cause: str, member: str = "") -> FormatError:
        """An error that names this file."""
        return failure(self.path, cause, member, self.refusal)

    def read(self, offset: int, length: int, member: str = "") -> bytes:
        """Exactly ``length`` bytes from ``offset``; memory is taken only for bytes that exist."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise self.error("the file is cut short", member)
        try:
            self.file.seek(self.start + offset)
            data = self.file.read(length)
            while 0 < len(data) < length:
                more = self.file.read(length - len(data))
                if not more:
                    break
                data += more
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be read: {error}", member) from error
        if type(data) is not bytes:
            raise self.error(f"gives {type(data).__name__} where bytes are read", member)
        if len(data) != length:
            raise self.error("the file was cut short while it was read", member)
        return data

    def read_into(self, offset: int, target: memoryview, member: str = "") -> None:
        """Fill ``target`` with the bytes from ``offset``."""
        fill = getattr(self.file, "readinto", None) or self._fill
        done = 0
        try:
            self.file.seek(self.start + offset)
            while done < len(target):
                count = fill(target[done:])
                if not count:
                    raise self.error("the file was cut short while it was read", member)
                done += count
        except OSError as error:
            raise self.error(f"cannot be read: {error}", member) from error

    def _fill(self, target: memoryview) -> int:
        """What ``readinto`` does, for files that have none."""
        data = self.file.read(len(target))
        target[: len(data)] = data
        return len(data)
