"""The zip archive that PyTorch writes: where each member is, found without believing its headers.

Members are stored as they are, one after the other; nothing is unpacked, and no name in the
archive ever becomes the name of a file.

Source: PKWARE, APPNOTE.TXT, .ZIP File Format Specification, version 6.3.10.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from aino.formats.files import File

MAX_MEMBERS = 1 << 18
_LONGEST_NAME = 1024
_WIDE = 0xFFFF_FFFF  # a size or an offset that stands in the zip64 field
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


class Member(NamedTuple):
    """One file in the archive: where its bytes are, and their checksum (0 where there is none).

    ``method`` says how it is compressed: 0 for not at all.
    """

    name: str
    content: int
    size: int
    crc: int
    method: int


def read_members(source: File) -> dict[str, Member]:
    """The members of an archive by name; those that overlap, or leave the file, are refused."""
    count, start, size = _read_end(source)
    entries = source.read(start, size)
    members: dict[str, Member] = {}
    spans = []
    for name, offset, length, crc, method in _directory(source, entries, count):
        if name in members:
            raise source.error("is in the archive twice", name)
        content = _content(source, name, offset, start)
        if content + length > start:
            raise source.error(f"claims {length:,} bytes, more than the file has", name)
        members[name] = Member(name, content, length, crc, method)
        spans.append((offset, content + length, name))
    spans.sort()
    for (_, end, one), (begin, _, other) in pairwise(spans):
        if begin < end:
            raise source.error(f"overlaps {one!r:.100}", other)
    return members


def _read_end(source: File) -> tuple[int, int, int]:
    """How many members the directory has, where it begins, and how long it is."""
    end = source.size - _END.size
    record = source.read(end, _END.size) if end >= 0 else b""
    if not record.startswith(b"PK\5\6"):
        raise source.error("is cut short: the end of the zip archive is missing")
    _, _, _, _, count, size, start, comment = _END.unpack(record)
    if comment:
        raise source.error("has a comment behind the zip archive, or is cut short")
    before = end - _LOCATOR.size
    if before >= 0 and source.read(before, 4) == b"PK\6\7":
        _, _, end, _ = _LOCATOR.unpack(source.read(before, _LOCATOR.size))
        wide = source.read(end, _END64.size) if end + _END64.size <= before else b""
        if not wide.startswith(b"PK\6\6"):
            raise source.error("has a damaged end of its zip archive")
        *_, count, size, start = _END64.unpack(wide)
    if count > MAX_MEMBERS:
        raise source.error(f"claims {count:,} members; at most {MAX_MEMBERS:,} are read")
    if start + size > end or size < count * _CENTRAL.size:
        raise source.error(
            f"has a damaged zip directory: {count} members in {size} bytes at {start} of {end}"
        )
    return count, start, size


def _directory(
    source: File, entries: bytes, count: int
) -> Iterator[tuple[str, int, int, int, int]]:
    place = 0
    for number in range(count):
        if place + _CENTRAL.size > len(entries):
            raise source.error(f"has a zip directory that ends before member {number}")
        (magic, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length,
         comment_length, _, _, _, offset) = _CENTRAL.unpack_from(entries, place)  # fmt: skip
        place += _CENTRAL.size
        rest = entries[place : place + name_length + extra_length + comment_length]
        place += len(rest)
        if magic != b"PK\1\2" or len(rest) != name_length + extra_length + comment_length:
            raise source.error(f"has a zip directory that is damaged at member {number}")
        name = rest[:name_length].decode("utf-8", "backslashreplace")
        if name_length > _LONGEST_NAME:
            raise source.error(f"holds a member with a name of {name_length} bytes")
        if flags & 0x41:
            raise source.error("is encrypted", name)
        wide = _wide(rest[name_length : name_length + extra_length])
        size, packed, offset = (
            next(wide, -1) if number == _WIDE else number for number in (size, packed, offset)
        )
        if packed < 0 or offset < 0 or (size != packed and not method):
            raise source.error(f"is {size:,} bytes in {packed:,}, and not compressed", name)
        yield name, offset, packed, crc, method


def check_stored(source: File, member: Member) -> None:
    """Refuse a member that would have to be unpacked, whatever its size may be then."""
    if member.method:
        raise source.error(
            f"is compressed (by method {member.method}); PyTorch stores members as they are: unzip "
            "the file, and zip it with -0",
            member.name,
        )


def _wide(extra: bytes) -> Iterator[int]:
    """The 64-bit numbers among a header's further fields."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        place += 4
        if kind == 1:
            field = extra[place : place + length]
            yield from (n for (n,) in struct.iter_unpack("<Q", field[: len(field) // 8 * 8]))
        place += length


def _content(source: File, name: str, offset: int, limit: int) -> int:
    """Where a member's bytes begin, behind a header of its own."""
    if offset + _LOCAL.size > limit:
        raise source.error(f"begins outside the archive (at {offset:,})", name)
    magic, *_, name_length, extra_length = _LOCAL.unpack(source.read(offset, _LOCAL.size))
    content = offset + _LOCAL.size + name_length + extra_length
    if magic != b"PK\3\4" or content > limit:
        raise source.error("there is no member where the directory says", name)
    if source.read(offset + _LOCAL.size, name_length).decode("utf-8", "backslashreplace") != name:
        raise source.error("has another name in its own header", name)
    return content
