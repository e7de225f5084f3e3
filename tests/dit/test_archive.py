"""Hostile archives are refused by their cause, unread (DIT.md, lines 8 and 9)."""

import functools
import io
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

import aino.dit as dit
from aino.autograd.tensor import Tensor
from aino.dit import archive
from aino.dit.source import Source
from aino.errors import DitError
from tests.dit import forge

DATA = Path(__file__).parent.parent / "data" / "legacy"
LOCAL_FLAGS, LOCAL_METHOD, LOCAL_CRC, LOCAL_SIZE = 6, 8, 14, 22
CENTRAL_FLAGS, CENTRAL_METHOD, CENTRAL_CRC, CENTRAL_SIZE, CENTRAL_OFFSET = 8, 10, 16, 24, 42


READERS = (dit.load, dit.verify, functools.partial(dit.load, mmap=True))


def refused(path, match, data=None, readers=READERS):
    """Require all readers to refuse a file, within the memory that a reader may take."""
    if data is not None:
        path.write_bytes(data)
    limit = 2 * path.stat().st_size + (16 << 20)
    for function in readers:
        tracemalloc.start()
        try:
            with pytest.raises(DitError, match=match) as caught:
                function(path)
            assert tracemalloc.get_traced_memory()[1] < limit
        finally:
            tracemalloc.stop()
        assert str(path) in str(caught.value)
        assert "pickle" not in str(caught.value).replace(str(path), "")


def central(data, number=0):
    """The offset of a record in the directory."""
    place = -1
    for _ in range(number + 1):
        place = data.index(b"PK\x01\x02", place + 1)
    return place


def patched(data, place, form, value):
    """The data with a number written over."""
    data = bytearray(data)
    struct.pack_into(form, data, place, value)
    return bytes(data)


@pytest.fixture
def data(small):
    return small.read_bytes()


# --- what other programs write -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "name"),
    [(zipfile.ZIP_DEFLATED, "deflated"), (zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")],
)
def test_compressed_members_are_refused(small, method, name):
    members = forge.unpack(small)
    with zipfile.ZipFile(small, "w", method) as file:
        for member, content in members:
            file.writestr(member, content)
    refused(small, f"member 'dit.json': is {name}")


def test_a_compressed_bomb_is_refused_unread(small):
    members = forge.unpack(small)
    with zipfile.ZipFile(small, "w") as file:
        file.writestr(*members[0])
        file.writestr("w.npy", b"\0" * (300 << 20), zipfile.ZIP_DEFLATED)
    assert small.stat().st_size < 1 << 20
    refused(small, "member 'w.npy': is deflated")


def test_an_archive_that_was_written_to_a_pipe_is_refused(small):
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    members = forge.unpack(small)
    with zipfile.ZipFile(pipe, "w") as file:
        for member, content in members:
            file.writestr(member, content)
    refused(small, "data descriptor", pipe.data)


def test_an_archive_that_zipfile_wrote_is_not_exactly_a_dit(small):
    members = forge.unpack(small)
    with zipfile.ZipFile(small, "w") as file:
        for member, content in members:
            file.writestr(member, content)
    refused(small, "its header is damaged")


def test_comments_are_refused(small):
    members = forge.unpack(small)
    with zipfile.ZipFile(small, "w") as file:
        for member, content in members:
            file.writestr(member, content)
        file.comment = b"hello"
    refused(small, "5 bytes follow the end of the archive")


# --- one field forged --------------------------------------------------------------------------


@pytest.mark.parametrize("flag", [0x01, 0x40, 0x2001])
def test_encrypted_members_are_refused(small, data, flag):
    both = patched(data, LOCAL_FLAGS, "<H", flag)
    both = patched(both, central(data) + CENTRAL_FLAGS, "<H", flag)
    refused(small, "member 'dit.json': is encrypted", both)
    refused(small, "is encrypted", patched(data, LOCAL_FLAGS, "<H", flag))
    refused(small, "is encrypted", patched(data, central(data) + CENTRAL_FLAGS, "<H", flag))


@pytest.mark.parametrize(
    ("local", "directory", "form"),
    [
        (LOCAL_FLAGS, CENTRAL_FLAGS, "<H"),
        (LOCAL_METHOD, CENTRAL_METHOD, "<H"),
        (LOCAL_CRC, CENTRAL_CRC, "<L"),
        (LOCAL_SIZE, CENTRAL_SIZE, "<L"),
        (4, 6, "<H"),  # version needed
        (10, 12, "<H"),  # time
        (12, 14, "<H"),  # date
        (30, 46, "<B"),  # the name
    ],
)
def test_headers_that_disagree_are_refused(small, data, local, directory, form):
    for number in range(2):
        place = central(data, number)
        offset = struct.unpack_from("<L", data, place + CENTRAL_OFFSET)[0]
        for at in (offset + local, place + directory):
            (value,) = struct.unpack_from(form, data, at)
            refused(small, None, patched(data, at, form, value ^ 2))


@pytest.mark.parametrize("size", [0, 1, 1 << 20, 0xFFFF_FFFE, 0xFFFF_FFFF])
def test_forged_sizes_are_refused(small, data, size):
    place = central(data, 1)
    offset = struct.unpack_from("<L", data, place + CENTRAL_OFFSET)[0]
    for field in (-4, 0):  # packed and unpacked
        data = patched(data, place + CENTRAL_SIZE + field, "<L", size)
        data = patched(data, offset + LOCAL_SIZE + field, "<L", size)
    refused(small, "member '(w|layers.0.b).npy': (is|has|claims) ", data)


def test_a_size_of_exabytes_is_refused_before_memory_is_spent(tmp_path):
    """Zip64 sizes, an honest layout, a manifest that agrees: only the bytes are missing."""
    size = 1 << 60
    document = forge.manifest(content={"$array": 0})
    document["tensors"]["rows"] = [["w", "w.npy", "uint8", [size], size, "0" * 64]]
    text = forge.seal(document)
    header = forge.npy("|u1", f"({size},)", b"")
    members = archive.lay_out(["dit.json", "w.npy"], [len(text), len(header) + size])
    members[0] = members[0]._replace(crc=zlib.crc32(text))
    parts = [archive.local_header(members[0]), text, archive.local_header(members[1]), header]
    end = members[1].offset + sum(map(len, parts[2:]))
    entries = b"".join(map(archive.central_header, members))
    whole = b"".join(parts) + entries + archive.end_records(2, end, len(entries))
    refused(tmp_path / "big.dit", "claims 1152921504606847", whole)


def test_duplicate_members_are_refused(small, tmp_path):
    members = forge.unpack(small)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = forge.pack([*members, members[-1]])
    refused(tmp_path / "twice.dit", "is in the archive twice", data)


def test_overlapping_members_are_refused(small, data):
    first, second = central(data, 1), central(data, 2)
    offset = struct.unpack_from("<L", data, first + CENTRAL_OFFSET)[0]
    refused(small, None, patched(data, second + CENTRAL_OFFSET, "<L", offset))
    refused(small, "overlaps another", patched(data, first + CENTRAL_OFFSET, "<L", 0))
    refused(small, "begins outside|stray", patched(data, second + CENTRAL_OFFSET, "<L", len(data)))


def test_gaps_between_members_are_refused(small, data):
    place = data.index(b"PK\x03\x04", 4)
    refused(small, "has stray bytes before", gap(data, place, b"\0" * 64))
    refused(small, "stray bytes between", gap(data, central(data), b"\0" * 64))


def gap(data, place, filling):
    """The data with bytes put in at a place, all offsets behind it corrected."""
    result = bytearray(data[:place] + filling + data[place:])
    at = -1
    while (at := result.find(b"PK\x01\x02", at + 1)) >= 0:
        (offset,) = struct.unpack_from("<L", result, at + CENTRAL_OFFSET)
        if offset >= place:
            struct.pack_into("<L", result, at + CENTRAL_OFFSET, offset + len(filling))
    end = len(result) - 22
    (start,) = struct.unpack_from("<L", result, end + 16)
    struct.pack_into("<L", result, end + 16, start + len(filling))
    return bytes(result)


def test_bytes_behind_the_end_record_of_the_directory_are_refused(small, data):
    assert data[-22:-18] == b"PK\x05\x06"
    refused(small, "end record is forged", data[:-22] + b"\0" * 8 + data[-22:])


@pytest.mark.parametrize("field", [4, 6, 8, 10, 12, 16, 20])
def test_a_forged_end_record_is_refused(small, data, field):
    form = "<L" if field in (12, 16) else "<H"
    for value in (0, 1, 7, 0xFFFF, 0xFFFF_FFFF if form == "<L" else 0xFFFF):
        forged = patched(data, len(data) - 22 + field, form, value)
        if forged != data:
            refused(small, None, forged)


# --- many members, strange names ---------------------------------------------------------------


def plain_zip(members):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as file:
        warnings.simplefilter("ignore")
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


@pytest.mark.parametrize("count", [40_000, 100_000])
def test_archives_of_very_many_members_are_refused_unread(tmp_path, count):
    local = b"".join(archive.local_header(archive.Member(f"{n}.npy", 0, 0, 0, 0)) for n in range(2))
    entry = archive.central_header(archive.Member("1.npy", 0, 0, 0, 0))
    size = len(entry) * count
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, len(local))
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(local) + size, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, len(local), 0)
    refused(tmp_path / "many.dit", f"claims {count:,} members", local + entry * count + wide + end)


def test_the_most_members_that_are_read_stay_within_memory(tmp_path):
    members = [("dit.json", b"{}")] + [(f"{n}.npy", b"") for n in range(archive.MAX_MEMBERS - 1)]
    match = "does not say that it is a .dit"
    refused(tmp_path / "many.dit", match, forge.pack(members), readers=READERS[:1])


@pytest.mark.parametrize(
    "name",
    ["../x.npy", "/etc/x.npy", "a/../x.npy", "..\\x.npy", "\\x.npy", "C:x.npy", "a//b.npy",
     "./x.npy", "..", "a/", "x\n.npy", "\x1b[2J.npy", "\u202e.npy"],
)  # fmt: skip
def test_names_that_point_outside_are_refused(small, tmp_path, name):
    members = forge.unpack(small)
    path = tmp_path / "names.dit"
    refused(path, "unsafe name", plain_zip([members[0], (name, members[1][1])]))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["names.dit", "small.dit"]


@pytest.mark.parametrize(
    ("raw", "match"),
    [(b"\xff\xfe.npy", "not UTF-8"), (b"n" * 1100 + b".npy", "a name of 1104 bytes"),
     (b"", "unsafe name|forged")],
)  # fmt: skip
def test_names_that_are_no_names_are_refused(small, raw, match):
    data = bytearray(forge.pack([("dit.json", b"{}"), ("?" * len(raw) or "?", b"")]))
    mark = b"?" * len(raw)
    if not raw:
        place = central(data, 1)
        struct.pack_into("<H", data, place + 28, 0)
    refused(small, match, bytes(data).replace(mark, raw) if raw else bytes(data))


def test_the_manifest_has_to_come_first(small):
    members = forge.unpack(small)
    refused(small, "the manifest is not the first member", forge.pack(members[1:] + members[:1]))


def test_members_and_manifest_have_to_agree(small, tmp_path):
    members = forge.unpack(small)
    first, second = members[1][0], members[2][0]
    match = "lists other members than the archive has: {}$"
    missing = f"missing {members[-1][0]!r}"
    refused(tmp_path / "a.dit", match.format(missing), forge.pack(members[:-1]))
    surplus = [*members, ("more.npy", forge.npy())]
    refused(tmp_path / "b.dit", match.format("surplus 'more.npy'"), forge.pack(surplus))
    swapped = f"missing {first!r}; surplus {second!r}"
    refused(
        tmp_path / "c.dit",
        match.format(swapped),
        forge.pack([members[0], members[2], members[1], *members[3:]]),
    )
    renamed = f"missing {first!r}; surplus 'x.npy'"
    refused(
        tmp_path / "d.dit",
        match.format(renamed),
        forge.pack([members[0], ("x.npy", members[1][1]), *members[2:]]),
    )


# --- the layout that is promised ---------------------------------------------------------------


def test_the_layout_is_what_the_format_says(small):
    data = small.read_bytes()
    with zipfile.ZipFile(small) as file:
        assert file.testzip() is None
        infos = file.infolist()
    assert infos[0].filename == "dit.json"
    assert data[:2] == b"PK"
    assert data[-22:-18] == b"PK\x05\x06"
    for info in infos:
        assert (info.compress_type, info.flag_bits, info.comment) == (zipfile.ZIP_STORED, 0, b"")
    for info in infos[1:]:
        name, extra = struct.unpack_from("<2H", data, info.header_offset + 26)
        start = info.header_offset + 30 + name + extra
        header = 10 + struct.unpack_from("<H", data, start + 8)[0]
        assert (start + header) % 64 == 0
        assert data[start : start + 8] == b"\x93NUMPY\x01\x00"


def test_numpy_reads_it_without_aino(tmp_path):
    path = tmp_path / "m.dit"
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    dit.save({"layers.0.weight": Tensor(array)}, path)
    with np.load(path, allow_pickle=False) as file:
        assert np.array_equal(file["layers.0.weight"], array)


def test_equal_objects_are_equal_files(tmp_path):
    for name in "ab":
        dit.save({"w": np.arange(5), "n": {"x": 1.5}}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_zip64_where_sizes_need_it(tmp_path):
    big = tmp_path / "big.dit"
    large = (1 << 32) + 5
    members = archive.lay_out(["dit.json", "w.npy", "v.npy"], [100, large, 3])
    assert members[2].offset > large
    raw = archive.local_header(members[1])
    assert struct.unpack_from("<2L", raw, 18) == (0xFFFF_FFFF, 0xFFFF_FFFF)
    with big.open("wb") as file:  # mostly a hole: no 4 GiB are written
        for member in members:
            file.seek(member.offset)
            file.write(archive.local_header(member))
        file.seek(members[2].content + 3)
        file.write(archive.directory(members))
    with zipfile.ZipFile(big) as file:
        infos = file.infolist()
    assert [info.file_size for info in infos] == [100, large, 3]
    assert [info.header_offset for info in infos] == [member.offset for member in members]
    with Source(big) as source:
        assert archive.read_members(source) == members
        archive.check_canonical(source, members)


# --- old files, whose bytes are not known exactly, are held to the same rules --------------------


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.dit"
    path.write_bytes((DATA / "v1-relu.dit").read_bytes())
    assert dit.verify(path).version == 1
    return path


def test_old_files_with_forged_headers_are_refused(old):
    data = old.read_bytes()
    readers = (dit.verify,)
    place = central(data)
    end = len(data) - 22

    def patched_to(at, form, value, match):
        refused(old, match, patched(data, at, form, value), readers)

    patched_to(end + 20, "<H", 7, "has a comment or is cut short")
    patched_to(end + 4, "<H", 1, "a part of an archive in several parts")
    patched_to(place + CENTRAL_FLAGS, "<H", 0x10, "flags that no .dit uses")
    patched_to(LOCAL_FLAGS, "<H", 0x10, "flags that no .dit uses")
    patched_to(place + CENTRAL_METHOD, "<H", 8, "'config.npy': is deflated")
    patched_to(LOCAL_METHOD, "<H", 99, "compressed by method 99")
    patched_to(place + 32, "<H", 3, "reaches beyond|has a comment|is damaged")
    patched_to(place + 34, "<H", 1, "lies on another disk")
    patched_to(30, "<B", ord("k"), "has another name in its own header")
    patched_to(LOCAL_CRC, "<L", 1, "disagree about size or checksum")
    patched_to(place + CENTRAL_CRC, "<L", 1, "disagree about size or checksum")
    patched_to(place + CENTRAL_SIZE, "<L", 1, "forged or compressed")
    patched_to(place + CENTRAL_SIZE, "<L", 0xFFFF_FFFF, "forged or compressed")
    patched_to(place + CENTRAL_OFFSET, "<L", 0xFFFF_FFFF, "forged or compressed|outside")
    patched_to(40, "<H", 0x9999, "an extra field that no .dit uses")
    patched_to(42, "<H", 0xFFFF, "an extra field that no .dit uses")
    both = patched(data, place + CENTRAL_SIZE, "<L", 0xFFFF_FFFF)
    both = patched(both, place + CENTRAL_SIZE - 4, "<L", 0xFFFF_FFFF)
    refused(old, "is -1 bytes in -1 bytes", both, readers)


def test_stray_bytes_in_the_directory_of_an_old_file_are_refused(old):
    data = bytearray(old.read_bytes())
    end = len(data) - 22
    (size,) = struct.unpack_from("<L", data, end + 12)
    struct.pack_into("<L", data, end + 12, size + 50)
    data[end:end] = bytes(50)
    refused(old, "50 stray bytes in the directory", bytes(data), (dit.verify,))


def test_forged_zip64_records_are_refused(old):
    data = old.read_bytes()
    end = len(data) - 22
    record = struct.unpack_from("<4s4H2LH", data, end)
    count, size, start = record[4:7]
    short = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, start, 0)
    fields = [b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start]
    locator = [b"PK\6\7", 0, end, 1]

    def rebuilt(number=None, value=None):
        wide = [*fields, *locator]
        if number is not None:
            wide[number] = value
        records = struct.pack("<4sQ2H2L4Q", *wide[:10]) + struct.pack("<4sLQL", *wide[10:])
        return data[:end] + records + short

    old.write_bytes(rebuilt())
    assert dit.verify(old).version == 1
    for number, value in ((0, b"PK\6\0"), (10, b"PK\6\0")):
        refused(old, "the zip64 end record is missing", rebuilt(number, value), (dit.verify,))
    for number, value in ((1, 45), (11, 1), (12, end - 1), (13, 2)):
        refused(old, "the zip64 end record is damaged", rebuilt(number, value), (dit.verify,))
    for number, value in ((4, 1), (5, 1), (6, count + 1)):
        refused(old, "in several parts", rebuilt(number, value), (dit.verify,))
    for number, value in ((8, size - 1), (9, start + 1), (8, 2**63), (9, 2**64 - 1)):
        refused(old, "is forged|cut short", rebuilt(number, value), (dit.verify,))
    refused(old, "zip64 end record is missing", data[:end] + short, (dit.verify,))
    refused(old, "zip64|truncated|too short|empty zip", short, (dit.verify,))
