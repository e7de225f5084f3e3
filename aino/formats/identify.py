"""Of what kind a file is, by its first bytes; its name decides where they do not."""

from __future__ import annotations

import os
from typing import Any

from aino.dit.source import is_file, text_path
from aino.formats.files import File

#: How PyTorch's files began before they were zip archives: a pickle of one number.
OLD_PYTORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_ZIP = b"PK\x03\x04"


def kind_of(f: Any) -> str:
    """``"folder"``, ``"safetensors"``, ``"pytorch"``, ``"index"``, or ``"dit"`` for the rest.

    A ``.dit``'s own reader says of what it does not know what it looks like.
    """
    if not is_file(f) and os.path.isdir(text_path(f)):
        return "folder"
    with File(f) as source:
        head = source.read(0, min(source.size, 512))
        kind = _kind(head, source.size, suffix_of(f))
    if source.borrowed:
        source.file.seek(source.start)
    return kind


def _kind(head: bytes, size: int, suffix: str) -> str:
    if head.startswith(_ZIP):
        length = int.from_bytes(head[26:28], "little")
        name = head[30 : 30 + length]
        inside = name.rpartition(b"/")[2]
        return "pytorch" if b"/" in name and inside in _FIRST_MEMBERS else "dit"
    if head.startswith(OLD_PYTORCH[:13]) or head[257:262] == b"ustar":
        return "pytorch"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < size:
        return "safetensors"
    if suffix == ".safetensors" and head[:1] not in (b"", b"v", b"<"):
        return "safetensors"
    if suffix == ".json":
        return "index"
    return "dit"


_FIRST_MEMBERS = (b"data.pkl", b"constants.pkl", b"version", b"byteorder")


def suffix_of(f: Any) -> str:
    """The suffix of a path in small letters; an open file has none, whatever its name."""
    return "" if is_file(f) else os.path.splitext(text_path(f))[1].lower()
