"""The zip container: its exact bytes, and a reader that believes nothing it is told.

A ``.dit`` uses the smallest part of the zip format: members stored one after the other without
gaps, no encryption, no data descriptors, no comments. Its bytes follow from the members' names,
sizes and checksums alone, so that the reader can compute what every byte outside the members has
to be; a changed bit has no place to hide.

Source: PKWARE, APPNOTE.TXT, .ZIP File Format Specification, version 6.3.10.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aino.dit.source import Source

ALIGNMENT = 64  # of each member's content, for SIMD code and memory maps
MAX_MEMBERS = 32_768  # a file that claims more is refused unread
_LONGEST_NAME = 1024
_ZIP64_FROM = 0xFFFF_FFFF  # sizes and offsets from here on need the zip64 fields

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MAGIC, _CENTRAL_MAGIC = b"PK\x03\x04", b"PK\x01\x02"
_END64_MAGIC, _LOCATOR_MAGIC, _END_MAGIC = b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"

_ZIP64_FIELD = 0x0001
_PADDING_FIELD = 0xD935  # Android's alignment field: a 16-bit alignment, then zeros
_MADE_BY = 3 << 8 | 45  # Unix, so that unpacked files are readable
_MODE = 0o100644 << 16
_DATE = 1 << 5 | 1  # the first of January 1980, always: equal models are equal files
_METHODS = {
    1: "shrunk", 6: "imploded", 8: "deflated", 9: "deflated", 12: "bzip2-compressed",
    14: "lzma-compressed", 93: "zstd-compressed", 95: "xz-compressed",
}  # fmt: skip


class Member(NamedTuple):
    """One file inside the archive: where its header and its content begin, and what it holds."""

    name: str
    offset: int
    content: int
    size: int
    crc: int


# --- the bytes of each record -----------------------------------------------------------------


def _field(kind: int, data: bytes) -> bytes:
    return struct.pack("<2H", kind, len(data)) + data


def local_header(member: Member) -> bytes:
    """The record before a member's content, padded so that the content begins aligned."""
    name, large = member.name.encode(), member.size >= _ZIP64_FROM
    extra = _field(_ZIP64_FIELD, struct.pack("<2Q", member.size, member.size)) if large else b""
    excess = (member.offset + _LOCAL.size + len(name) + len(extra)) % ALIGNMENT
    if excess:
        padding = ALIGNMENT - excess
        padding += ALIGNMENT if padding < 6 else 0  # a field needs six bytes of its own
        extra += _field(_PADDING_FIELD, struct.pack("<H", ALIGNMENT) + bytes(padding - 6))
    size = _ZIP64_FROM if large else member.size
    need = 45 if large else 20
    head = (_LOCAL_MAGIC, need, 0, 0, 0, _DATE, member.crc, size, size, len(name), len(extra))
    return _LOCAL.pack(*head) + name + extra


def central_header(member: Member) -> bytes:
    """A member's record in the directory at the end of the archive."""
    name, large = member.name.encode(), member.size >= _ZIP64_FROM
    far = member.offset >= _ZIP64_FROM
    wide = struct.pack("<2Q", member.size, member.size) if large else b""
    wide += struct.pack("<Q", member.offset) if far else b""
    extra = _field(_ZIP64_FIELD, wide) if wide else b""
    size = _ZIP64_FROM if large else member.size
    offset = _ZIP64_FROM if far else member.offset
    need = 45 if wide else 20
    head = (_CENTRAL_MAGIC, _MADE_BY, need, 0, 0, 0, _DATE, member.crc, size, size, len(name))
    return _CENTRAL.pack(*head, len(extra), 0, 0, 0, _MODE, offset) + name + extra


def end_records(count: int, offset: int, size: int) -> bytes:
    """What stands after a directory of ``count`` members at ``offset`` that is ``size`` long."""
    wide = b""
    if offset >= _ZIP64_FROM or size >= _ZIP64_FROM:
        head = (_END64_MAGIC, _END64.size - 12, 45, 45, 0, 0, count, count, size, offset)
        wide = _END64.pack(*head) + _LOCATOR.pack(_LOCATOR_MAGIC, 0, offset + size, 1)
    narrow = min(size, _ZIP64_FROM), min(offset, _ZIP64_FROM)
    return wide + _END.pack(_END_MAGIC, 0, 0, count, count, *narrow, 0)


def lay_out(names: Sequence[str], sizes: Sequence[int]) -> list[Member]:
    """Place members of these sizes one after the other; their checksums are not yet known."""
    members, offset = [], 0
    for name, size in zip(names, sizes, strict=True):
        header = len(local_header(Member(name, offset, 0, size, 0)))
        members.append(Member(name, offset, offset + header, size, 0))
        offset += header + size
    return members


def directory(members: Sequence[Member]) -> bytes:
    """Everything that follows the last member's content."""
    entries = b"".join(map(central_header, members))
    end = members[-1].content + members[-1].size
    return entries + end_records(len(members), end, len(entries))


# --- reading ----------------------------------------------------------------------------------


def read_members(source: Source) -> list[Member]:
    """The members of an archive, each checked against its own header and against its neighbours.

    Raises `DitError` for whatever a ``.npz`` written by `numpy.savez` doesn't contain: bytes
    before, between or after members, compression, encryption, data descriptors, comments,
    duplicate or unsafe names, headers that disagree.
    """
    count, start, size = _read_end(source)
    entries = source.read(start, size)
    members: list[Member] = []
    names: set[str] = set()
    position = 0
    for member in _read_directory(source, entries, count):
        if member.name in names:
            raise source.error("is in the archive twice", member.name)
        if member.offset != position:
            relation = "overlaps another" if member.offset < position else "has stray bytes before"
            raise source.error(f"{relation} (begins at {member.offset}, not {position})",
                               member.name)  # fmt: skip
        content = _check_local(source, member, start)
        position = content + member.size
        names.add(member.name)
        members.append(member._replace(content=content))
    if position != start:
        raise source.error(f"{start - position} stray bytes between the members and the directory")
    return members


def check_canonical(source: Source, members: Sequence[Member]) -> None:
    """Require each byte outside the members' contents to be the one that AINO writes there."""
    for member in members:
        expected = local_header(member)
        if source.read(member.offset, member.content - member.offset) != expected:
            raise source.error("its header is damaged (not the one a version 3 file has)",
                               member.name)  # fmt: skip
    start = members[-1].content + members[-1].size
    if source.read(start, source.size - start) != directory(members):
        raise source.error("the zip directory is damaged (not the one a version 3 file has)")


def _read_end(source: Source) -> tuple[int, int, int]:
    """The directory's number of entries, its offset and its size."""
    end = source.size - _END.size
    if end < 0:
        raise source.error(f"too short for an archive ({source.size} bytes)")
    record = source.read(end, _END.size)
    if not record.startswith(_END_MAGIC):
        raise source.error(_why_no_end(source))
    _, disk, first_disk, here, count, size, start, comment = _END.unpack(record)
    if comment:
        raise source.error("the archive has a comment or is cut short")
    if 0xFFFF in (here, count) or _ZIP64_FROM in (size, start):
        end -= _LOCATOR.size + _END64.size
        wide = source.read(end, _END64.size + _LOCATOR.size) if end >= 0 else b""
        if not wide.startswith(_END64_MAGIC) or wide[_END64.size :][:4] != _LOCATOR_MAGIC:
            raise source.error("the zip64 end record is missing")
        head = _END64.unpack(wide[: _END64.size])
        _, length, _, _, disk, first_disk, here, count, size, start = head
        _, disk64, where, disks = _LOCATOR.unpack(wide[_END64.size :])
        if (length, disk64, where, disks) != (_END64.size - 12, 0, end, 1):
            raise source.error("the zip64 end record is damaged")
    if disk or first_disk or here != count:
        raise source.error("is a part of an archive in several parts")
    if count > MAX_MEMBERS:
        raise source.error(f"claims {count:,} members; at most {MAX_MEMBERS:,} are read")
    if not count or size < count * (_CENTRAL.size + 1) or start + size != end:
        raise source.error(
            f"the end record is forged or bytes were added: a directory of {size} bytes for "
            f"{count} members at {start} cannot end at {end}"
        )
    return count, start, size


def _why_no_end(source: Source) -> str:
    reach = min(source.size, 1 << 16)
    tail = source.read(source.size - reach, reach)
    found = tail.rfind(_END_MAGIC)
    extra = reach - found - _END.size
    if found < 0 or extra < 0:
        return "is truncated: the end of the archive is missing"
    return f"{extra} bytes follow the end of the archive"


def _read_directory(source: Source, entries: bytes, count: int) -> Iterator[Member]:
    place = 0
    for index in range(count):
        label = f"number {index} of the directory"
        if place + _CENTRAL.size > len(entries):
            raise source.error(f"the directory ends before {label}")
        head = _CENTRAL.unpack_from(entries, place)
        (magic, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length,
         comment_length, disk, _, _, offset) = head  # fmt: skip
        if magic != _CENTRAL_MAGIC:
            raise source.error(f"{label} is damaged")
        place += _CENTRAL.size
        raw_name = entries[place : place + name_length]
        place += name_length
        extra = entries[place : place + extra_length]
        place += extra_length
        if place > len(entries):
            raise source.error(f"{label} reaches beyond the directory")
        name = _safe_name(source, raw_name, label)
        _check_plain(source, name, flags, method)
        if comment_length or disk:
            raise source.error("has a comment or lies on another disk", name)
        wide = _wide_fields(source, name, extra)
        if size == _ZIP64_FROM:
            size = next(wide, -1)
        if packed == _ZIP64_FROM:
            packed = next(wide, -1)
        if offset == _ZIP64_FROM:
            offset = next(wide, -1)
        if size != packed or size < 0 or offset < 0:
            raise source.error(f"is {size} bytes in {packed} bytes: forged or compressed", name)
        yield Member(name, offset, 0, size, crc)
    if place != len(entries):
        raise source.error(f"{len(entries) - place} stray bytes in the directory")


def _check_local(source: Source, member: Member, limit: int) -> int:
    """Where a member's content begins, after its own header was found to agree."""
    name = member.name
    if member.offset < 0 or member.offset + _LOCAL.size > limit:
        raise source.error(f"begins outside the archive (at {member.offset})", name)
    head = _LOCAL.unpack(source.read(member.offset, _LOCAL.size))
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = head
    if magic != _LOCAL_MAGIC:
        raise source.error("there is no member where the directory says", name)
    _check_plain(source, name, flags, method)
    content = member.offset + _LOCAL.size + name_length + extra_length
    if content > limit:
        raise source.error("its header reaches beyond the members", name)
    rest = source.read(member.offset + _LOCAL.size, name_length + extra_length)
    if rest[:name_length] != name.encode():
        raise source.error("has another name in its own header", name)
    wide = _wide_fields(source, name, rest[name_length:])
    if size == _ZIP64_FROM:
        size = next(wide, -1)
    if packed == _ZIP64_FROM:
        packed = next(wide, -1)
    if (crc, size, packed) != (member.crc, member.size, member.size):
        raise source.error("its header and the directory disagree about size or checksum", name)
    if content + size > limit:
        raise source.error(f"claims {size} bytes, more than the file has", name)
    return content


def _check_plain(source: Source, name: str, flags: int, method: int) -> None:
    if flags & 0x41:
        raise source.error("is encrypted", name)
    if method:
        how = _METHODS.get(method, f"compressed by method {method}")
        raise source.error(f"is {how}; the members of a .dit are stored as they are", name)
    if flags & 0x08:
        raise source.error("has a data descriptor (was written to a pipe)", name)
    if flags & ~0x800:  # that one says that the name is UTF-8
        raise source.error(f"has flags that no .dit uses ({flags:#06x})", name)


def _safe_name(source: Source, raw: bytes, label: str) -> str:
    if len(raw) > _LONGEST_NAME:
        raise source.error(f"{label} has a name of {len(raw)} bytes")
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise source.error(f"{label} has a name that is not UTF-8") from None
    parts = name.replace("\\", "/").split("/")
    if not name.isprintable() or name[1:2] == ":" or "" in parts or {".", ".."} & {*parts}:
        raise source.error(f"{label} has an unsafe name", name or "(empty)")
    return name


def _wide_fields(source: Source, name: str, extra: bytes) -> Iterator[int]:
    """The 64-bit numbers in a header's extra field; fields of unknown kinds are refused."""
    place = 0
    numbers = b""
    while place < len(extra):
        kind, length = struct.unpack_from("<2H", extra.ljust(place + 4, b"\0"), place)
        place += 4 + length
        if place > len(extra) or kind not in (_ZIP64_FIELD, _PADDING_FIELD):
            raise source.error("has an extra field that no .dit uses", name)
        if kind == _ZIP64_FIELD:
            numbers = extra[place - length : place]
    if len(numbers) % 8:
        raise source.error("its zip64 sizes are damaged", name)
    return (number for (number,) in struct.iter_unpack("<Q", numbers))
