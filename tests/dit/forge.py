"""Files as an attacker would write them: sound but for the one thing that the test is about."""

import hashlib
import json
import struct
import zipfile
import zlib

import numpy as np

from aino.dit import archive
from aino.dit.archive import Member

NO_SUM = "0" * 64


def pack(members, wrong=None):
    """An archive of (name, content) pairs in exactly the layout that AINO writes.

    The member called ``wrong`` gets a wrong CRC-32.
    """
    names, contents = zip(*members, strict=True)
    placed = archive.lay_out(names, [len(content) for content in contents])
    placed = [
        member._replace(crc=zlib.crc32(content) ^ (member.name == wrong))
        for member, content in zip(placed, contents, strict=True)
    ]
    parts = [archive.local_header(m) + c for m, c in zip(placed, contents, strict=True)]
    return b"".join(parts) + archive.directory(placed)


def unpack(path):
    """The members of a file as (name, content) pairs."""
    with zipfile.ZipFile(path) as file:
        return [(info.filename, file.read(info)) for info in file.infolist()]


def seal(text):
    """Put the right SHA-256 into a manifest's text, wherever its field stands."""
    if isinstance(text, dict):
        text = render(text)
    if isinstance(text, str):
        text = text.encode()
    before, mark, rest = text.partition(b'"sha256": "')
    assert mark
    blank = before + mark + NO_SUM.encode() + rest[64:]
    digest = hashlib.sha256(blank).hexdigest().encode()
    return before + mark + digest + rest[64:]


def render(document):
    """A manifest's JSON, its head as AINO writes it."""
    parts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    return "{" + ",\n ".join(parts) + "}\n"


def document_of(path):
    """A file's manifest as Python values."""
    return json.loads(dict(unpack(path))["dit.json"])


def with_manifest(path, target, change):
    """Copy a file, its manifest changed by a function (in place, or by what it returns)."""
    members = dict(unpack(path))
    document = json.loads(members["dit.json"])
    changed = change(document)
    members["dit.json"] = seal(document if changed is None else changed)
    target.write_bytes(pack(list(members.items())))
    return target


def npy(descr="<f4", shape="(2,)", data=b"\0" * 8, order="False", version=(1, 0), text=None):
    """A `.npy` member with whatever header is asked for."""
    if text is None:
        text = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    raw = text.encode("latin-1")
    raw += b" " * (-(len(raw) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(raw))
    return b"\x93NUMPY" + bytes(version) + length + raw + data


def row(name="w", dtype="float32", shape=(2,), data=b"\0" * 8, member=None):
    """A row of the table of tensors."""
    digest = hashlib.sha256(data).hexdigest()
    return [name, member or f"{name}.npy", dtype, list(shape), len(data), digest]


def manifest(rows=(), content=None, **changes):
    """A manifest's document for a state."""
    columns = ["name", "member", "dtype", "shape", "bytes", "sha256"]
    return {
        "format": "dit",
        "version": 3,
        "sha256": NO_SUM,
        "aino": "3.0.0",
        "kind": "state",
        "metadata": {},
        "architecture": [],
        "content": content,
        "tensors": {"columns": columns, "rows": list(rows)},
    } | changes


def old_file(path, compress=False, **arrays):
    """A file of version 1 or 2."""
    with path.open("wb") as file:
        (np.savez_compressed if compress else np.savez)(file, **arrays)
    return path


__all__ = [
    "Member", "document_of", "manifest", "npy", "old_file", "pack", "row", "seal", "unpack",
    "with_manifest",
]  # fmt: skip
