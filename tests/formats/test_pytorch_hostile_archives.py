"""Files around PyTorch's pickles that lie, archives and old ones: refused in words."""

import io
import os
import struct
import zipfile

import pytest

import aino
from aino.errors import FormatError
from tests.formats import pickles as p
from tests.formats.test_pytorch_hostile import FOUR, load, peak_of

# --- archives -----------------------------------------------------------------------------------


def edited(data, old, new, place=-1):
    """The bytes with one of the places of ``old`` changed."""
    places = [n for n in range(len(data)) if data.startswith(old, n)]
    at = places[place]
    return data[:at] + new + data[at + len(old) :]


def with_number(data, magic, offset, form, value):
    """An archive with a number in its last record of a kind changed."""
    at = data.rindex(magic) + offset
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


GOOD = p.archive(p.tensor())


def two_names():
    buffer = io.BytesIO(GOOD)
    with zipfile.ZipFile(buffer, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("archive/data/0", bytes(16))
    return buffer.getvalue()


ARCHIVES = {
    "compressed": (p.archive(p.tensor(), compression=zipfile.ZIP_DEFLATED), "is compressed"),
    "a bomb": (p.archive(p.tensor(), {"0": bytes(1 << 24)}, compression=zipfile.ZIP_DEFLATED),
               "is compressed"),
    "one byte more": (GOOD + b"x", "the end of the zip archive is missing"),
    "a comment": (with_number(GOOD, b"PK\5\6", 20, "<H", 1), "comment"),
    "no pickle": (edited(GOOD, b"data.pkl", b"data.pkx", 1), "another name in its own header"),
    "neither": (GOOD.replace(b"data.pkl", b"data.pkx").replace(b"version", b"ata.pkl"),
                "is a zip archive without data.pkl|something else"),
    "a pickle that is empty": (p.archive(b"")[:0] + p.archive(b""), "does not end with one value"),
    "TorchScript": (p.archive(p.tensor(), **{"constants.pkl": b"x"}), "is a TorchScript program"),
    "TorchScript, compressed": (
        p.archive(p.tensor(), compression=zipfile.ZIP_DEFLATED, **{"code/a.py": b"x" * 100}),
        "TorchScript",
    ),
    "TorchScript's code": (p.archive(p.tensor(), **{"code/__torch__.py": b"x"}), "TorchScript"),
    "a count of members": (with_number(GOOD, b"PK\5\6", 10, "<H", 9), "damaged|ends before"),
    "a million members": (with_number(GOOD, b"PK\5\6", 10, "<H", 65535), "damaged"),
    "a directory elsewhere": (with_number(GOOD, b"PK\5\6", 16, "<I", 7), "damaged"),
    "a directory beyond": (with_number(GOOD, b"PK\5\6", 12, "<I", 2**31), "damaged zip directory"),
    "a member elsewhere": (with_number(GOOD, b"PK\1\2", 42, "<I", 3), "no member where"),
    "a member beyond": (with_number(GOOD, b"PK\1\2", 42, "<I", 2**31), "begins outside"),
    "a size of 2**31": (with_number(with_number(GOOD, b"PK\1\2", 20, "<I", 2**31), b"PK\1\2", 24,
                                    "<I", 2**31), "more than the file has"),
    "two sizes": (with_number(GOOD, b"PK\1\2", 24, "<I", 1), "and not compressed"),
    "encrypted": (with_number(GOOD, b"PK\1\2", 8, "<H", 1), "is encrypted"),
    "a name twice": (None, "is in the archive twice"),
    "a changed number": (edited(GOOD, FOUR.tobytes(), FOUR[::-1].tobytes()), "is damaged: its CRC"),
    "an unknown byte order": (p.archive(p.tensor(), byteorder=b"middle"), "neither little nor big"),
}  # fmt: skip


@pytest.mark.parametrize("what", ARCHIVES)
def test_archives_that_lie(what):
    data, match = ARCHIVES[what]
    data = two_names() if data is None else data

    def refused():
        with pytest.raises(FormatError, match=match):
            load(data)

    assert peak_of(refused) < 1 << 20


def test_overlapping_members_are_refused():
    """A member inside another: its header and bytes are those of a whole one."""
    name = b"archive/data/1"
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 16, 16, len(name), 0)
    inner = header + name + FOUR.tobytes()
    value = p.lst(p.tensor(), p.tensor(p.storage("1")))
    data = p.archive(value, {"0": inner, "1": FOUR})
    at = data.rindex(name) - 46  # its entry in the directory
    assert load(data)[1].tolist() == [0, 1, 2, 3]
    forged = data[: at + 42] + struct.pack("<I", data.index(inner)) + data[at + 46 :]
    with pytest.raises(FormatError, match="'archive/data/1': overlaps 'archive/data/0'"):
        load(forged)


def test_paths_in_an_archive_are_only_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = p.archive(p.tensor(p.storage("../../etc/passwd")), {"../../etc/passwd": FOUR})
    assert load(data).tolist() == [0, 1, 2, 3]
    assert os.listdir(tmp_path) == []


# --- old files ----------------------------------------------------------------------------------

SOUND = p.old(p.tensor(), [("0", FOUR)])
OLD = {
    "a huge storage": (p.old(p.tensor(p.storage(size=2**40)), [("0", FOUR)]), "claims more bytes"),
    "a larger one than told": (p.old(p.tensor(p.storage(size=5)), [("0", FOUR)]), "bytes"),
    "a count of 2**62": (SOUND[:-24] + struct.pack("<q", 2**62) + SOUND[-16:], "is cut short"),
    "a negative count": (SOUND[:-24] + struct.pack("<q", -1) + SOUND[-16:], "is cut short"),
    "a storage that is not listed": (p.old(p.tensor(), [("0", FOUR)], keys=[]), "other storages"),
    "a storage that is listed twice": (p.old(p.tensor(), [("0", FOUR)], keys=["0", "0"]), "other"),
    "an unknown storage": (p.old(p.tensor(), [("0", FOUR)], keys=["0", "1"]), "other storages"),
    "bytes behind": (SOUND + b"x", "1 bytes behind its last storage"),
    "cut short": (SOUND[:-1], "is cut short"),
    "another version": (SOUND.replace(b"J\xe9\x03\0\0.", b"J\xea\x03\0\0.", 1), "has version 1002"),
    "two dtypes": (p.old(p.lst(p.storage(), p.storage("0", "torch.LongStorage", 2)),
                         [("0", FOUR)]), "two dtypes"),
    "a list of other things": (
        p.old(p.number(1), keys=[])[:-6] + p.program(p.lst(b"]")),
        "lists other",
    ),
    "no list of storages": (p.old(p.number(1), keys=[])[:-6] + p.program(b"N"), "lists other"),
}  # fmt: skip


@pytest.mark.parametrize("what", OLD)
def test_old_files_that_lie(what):
    data, match = OLD[what]

    def refused():
        with pytest.raises(FormatError, match=match):
            load(data)

    assert peak_of(refused) < 1 << 20


def test_the_tar_files_of_before_are_told_of(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(b"sys_info".ljust(257, b"\0") + b"ustar" + bytes(1000))
    with pytest.raises(FormatError, match=r"tar file of PyTorch before version 0\.1\.10"):
        aino.load(path)
