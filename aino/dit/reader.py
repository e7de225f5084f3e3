"""An opened ``.dit``: its manifest, and its tensors on demand, each checked as it is read."""

import hashlib
import mmap
import sys
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from aino.dit import archive, manifest, npy
from aino.dit.archive import Member
from aino.dit.identify import looks_like
from aino.dit.manifest import Manifest
from aino.dit.source import Source

_CHUNK = 1 << 20
_SHOWN = 20  # members that an error lists
_NOT_BOOL = "holds bytes that are neither True nor False"


def open_archive(source: Source) -> list[Member]:
    """The members of a ``.dit`` of any version; of another file an error says what kind it is."""
    problem = looks_like(source)
    if problem:
        raise source.error(problem)
    members = archive.read_members(source)
    if any(member.name == manifest.NAME for member in members[1:]):
        raise source.error("the manifest is not the first member", manifest.NAME)
    return members


class Reader:
    """The tensors of one version 3 file; each array is made once."""

    def __init__(
        self,
        source: Source,
        members: list[Member],
        mapped: bool = False,
        put: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.source = source
        self.members = members
        self.manifest = self._read_manifest()
        archive.check_canonical(source, members)
        self._check_members()
        self._arrays: dict[int, np.ndarray] = {}
        self._map = self._make_map() if mapped else None
        self._put = put

    def _read_manifest(self) -> Manifest:
        first = self.members[0]
        raw = self.source.read(first.content, first.size, manifest.NAME)
        if zlib.crc32(raw) != first.crc:
            raise self.source.error("is damaged: its CRC-32 is not the stored one", manifest.NAME)
        text, sound = manifest.decode(self.source, raw)
        del raw
        return manifest.parse(self.source, text, sound)

    def _check_members(self) -> None:
        """Require each tensor to have its member, with the header that follows from its row."""
        rows, members = self.manifest.tensors, self.members[1:]
        listed, there = [row.member for row in rows], [member.name for member in members]
        if listed != there:
            raise self.source.error(_why_other_members(listed, there), manifest.NAME)
        for row, member in zip(rows, members, strict=True):
            expected = npy.make_header(row.dtype, row.shape)
            if member.size != len(expected) + row.nbytes:
                raise self.source.error(
                    f"is {member.size} bytes long; {row.dtype} of shape {row.shape} takes "
                    f"{len(expected)} + {row.nbytes}",
                    member.name,
                )
            if self.source.read(member.content, len(expected), member.name) != expected:
                raise self.source.error(self._why_other_header(member), member.name)

    def _why_other_header(self, member: Member) -> str:
        start = self.source.read(member.content, min(member.size, npy.LONGEST_HEADER))
        header = npy.read_header(start)
        if isinstance(header, str):
            return header
        if header.fortran:
            return "is in Fortran order"
        if header.dtype.byteorder == ">":
            return "is big-endian"
        return f"says {header.dtype} of shape {header.shape}, the manifest does not"

    def _make_map(self) -> mmap.mmap:
        try:
            # Private: a page that is written is copied first, and never reaches the file.
            return mmap.mmap(self.source.file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise self.source.error(f"cannot be mapped into memory: {error}") from error

    def array(self, index: int) -> np.ndarray:
        """The array of a row of the table; `DitError` when its bytes are not those written."""
        if not 0 <= index < len(self.manifest.tensors):
            raise self.source.error(f"refers to tensor {index}, which is not there", manifest.NAME)
        if index not in self._arrays:
            array = self._make_array(index)
            self._arrays[index] = array if self._put is None else self._put(array)
        return self._arrays[index]

    def _make_array(self, index: int) -> np.ndarray:
        row, member = self.manifest.tensors[index], self.members[index + 1]
        place = member.content + member.size - row.nbytes
        # The very dtype object where it fits: the engine tells dtypes apart by identity.
        little = row.dtype if sys.byteorder == "little" else row.dtype.newbyteorder("<")
        try:
            if self._map is not None:
                return np.ndarray(row.shape, little, self._map, place)
            array = np.empty(row.shape, little)
        except (ValueError, MemoryError) as error:
            raise self.source.error(f"has no room in memory: {error}", member.name) from error
        data = array.reshape(-1).view(np.uint8).data
        self.source.read_into(place, data, member.name)
        self._check(member.name, hashlib.sha256(data).hexdigest(), row.sha256)
        if row.dtype == bool and (array.view(np.uint8) > 1).any():
            raise self.source.error(_NOT_BOOL, member.name)
        return array.astype(row.dtype, copy=False)

    def _check(self, name: str, found: str, expected: str) -> None:
        if found != expected:
            raise self.source.error(
                f"is damaged: its SHA-256 is {found[:16]}..., written was {expected[:16]}...", name
            )

    def check_tensors(self) -> None:
        """Check all data in bounded memory, and keep nothing."""
        for row, member in zip(self.manifest.tensors, self.members[1:], strict=True):
            digest, crc, skip = hashlib.sha256(), 0, member.size - row.nbytes
            for chunk in self._chunks(member):
                crc = zlib.crc32(chunk, crc)
                data = chunk[skip:]
                skip = max(skip - len(chunk), 0)
                digest.update(data)
                if row.dtype == bool and data.translate(None, b"\0\1"):
                    raise self.source.error(_NOT_BOOL, member.name)
            self._check(member.name, digest.hexdigest(), row.sha256)
            if crc != member.crc:
                raise self.source.error("is damaged: its CRC-32 is not the stored one", member.name)

    def _chunks(self, member: Member) -> Iterator[bytes]:
        for start in range(0, member.size, _CHUNK):
            length = min(_CHUNK, member.size - start)
            yield self.source.read(member.content + start, length, member.name)


def _why_other_members(listed: list[str], there: list[str]) -> str:
    """Name the members that the manifest and the archive do not both have."""
    missing = [name for name in listed if name not in {*there}]
    surplus = [name for name in there if name not in {*listed}]
    if not missing and not surplus:  # the same in another order
        place = next(i for i, pair in enumerate(zip(listed, there)) if pair[0] != pair[1])
        missing, surplus = listed[place : place + 1], there[place : place + 1]
    problems = [f"missing {name!r:.100}" for name in missing]
    problems += [f"surplus {name!r:.100}" for name in surplus]
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"lists other members than the archive has: {'; '.join(problems[:_SHOWN])}{more}"
