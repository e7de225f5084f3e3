"""A file that appears whole or not at all."""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from aino.dit.source import failure, text_path

_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Output:
    """A new file that is written at any place in it, through plain system calls."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def write_at(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of ``data`` from ``offset`` on."""
        os.lseek(self.descriptor, offset, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]


def resolve_target(path: object) -> str:
    """The place where a file can be put; links are followed, so that they stay links."""
    text = text_path(path)
    try:
        target = os.path.realpath(text)
        os.stat(folder := os.path.dirname(target))
        status = _status(target)
    except FileNotFoundError as error:
        raise failure(
            text, f"cannot be written: there is no folder {folder!r}, make it first"
        ) from error
    except (OSError, ValueError) as error:
        raise failure(text, f"cannot be written: {error}") from error
    if not os.path.basename(text) or (status and not stat.S_ISREG(status.st_mode)):
        raise failure(text, "is not the path of a regular file")
    if os.access(target, os.F_OK) and not os.access(target, os.W_OK):
        raise failure(text, "is write-protected")
    return target


def _status(target: str) -> os.stat_result | None:
    try:
        return os.stat(target)
    except FileNotFoundError:
        return None


@contextmanager
def replacing(path: object) -> Iterator[Output]:
    """Write a new file, and put it at ``path`` when the block ends without an error.

    The new file grows beside the target, is flushed to the disk, and takes the target's name in
    one step; then the folder is flushed. Whoever reads, or loses power, at any moment finds the
    old file or the new one. After an error the old file stands and the new one is gone.

    Raises `DitError` for anything that the operating system refuses.
    """
    target = resolve_target(path)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".dit-{os.getpid()}-{os.urandom(8).hex()}.tmp")
    descriptor = -1
    try:
        before = _status(target)
        mode = 0o666 if before is None else stat.S_IMODE(before.st_mode) & 0o700
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | _BINARY, mode)
        _keep_mode(before, descriptor)
        yield Output(descriptor)
        _keep_mode(_status(target), descriptor)  # it may have been tightened meanwhile
        os.fsync(descriptor)
        closing, descriptor = descriptor, -1
        os.close(closing)
        os.replace(temporary, target)
    except OSError as error:
        _discard(temporary, descriptor)
        raise failure(text_path(path), f"was not saved: {error}") from error
    except BaseException:
        _discard(temporary, descriptor)
        raise
    _flush_folder(folder)


def _keep_mode(before: os.stat_result | None, descriptor: int) -> None:
    """Give the new file the group and the permissions of the one that it replaces.

    Where the system does not let it have that group, the group that it has may do no more than
    everybody.
    """
    if before is None or not hasattr(os, "fchmod"):
        return
    mode = stat.S_IMODE(before.st_mode)
    if os.fstat(descriptor).st_gid != before.st_gid:
        try:
            os.fchown(descriptor, -1, before.st_gid)
        except OSError:
            mode = mode & ~0o070 | mode & (mode & 0o007) << 3
    os.fchmod(descriptor, mode)


def _discard(temporary: str, descriptor: int) -> None:
    """Remove what a failed save left; the failure itself is what the caller hears of."""
    try:
        if descriptor >= 0:
            os.close(descriptor)
    except OSError:
        pass
    try:
        os.unlink(temporary)
    except OSError:
        pass


def _flush_folder(folder: str) -> None:
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        warnings.warn(
            f"saved, but the folder {folder!r} could not be flushed ({error}): after a power "
            "failure the old file may be back",
            RuntimeWarning,
            stacklevel=4,
        )
