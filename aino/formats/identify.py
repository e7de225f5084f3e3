"""Of what kind a file is, by its first bytes; its name decides where they do not."""

from __future__ import annotations

import os
from typing import Any

from aino.dit.source import Source, is_file, text_path

#: How PyTorch's files began before they were zip archives: a pickle of one number.
OLD_PYTORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def kind_of(f: Any) -> str:
    """``"folder"``, ``"safetensors"``, ``"pytorch"``, ``"index"``, ``"onnx"``, else ``"dit"``.

    A ``.dit``'s own reader says of what it does not know what it looks like.
    """
    if not is_file(f) and os.path.isdir(text_path(f)):
        return "folder"
    with Source(f) as source:
        kind = _kind(source, suffix_of(f))
    if source.borrowed:
        source.file.seek(source.start)
    return kind


def _kind(source: Source, suffix: str) -> str:
    head = source.read(0, min(source.size, _REACH))
    if head.startswith(b"PK\3\4"):
        length = int.from_bytes(head[26:28], "little")
        first = head[30 : 30 + length]
        if first == b"dit.json" or first.endswith(b".npy"):
            return "dit"
        seen = head + source.read(source.size - len(head), len(head))
        return "pytorch" if any(mark in seen for mark in _IN_PYTORCHS) else "dit"
    if head.startswith(OLD_PYTORCH[:13]) or (suffix in _PYTORCHS and head[257:262] == b"ustar"):
        return "pytorch"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < source.size:
        return "safetensors"
    if suffix == ".safetensors" and not head.startswith((b"version https://git-lfs", b"<")):
        return "safetensors" if head else "dit"
    if suffix == ".onnx":
        return "onnx"  # which has no beginning of its own
    return "index" if suffix == ".json" else "dit"


_REACH = 1 << 16
_IN_PYTORCHS = (b"/data.pkl", b"/constants.pkl", b"/archive_format")
_PYTORCHS = (".pt", ".pth", ".bin", ".ckpt", ".tar")


def suffix_of(f: Any) -> str:
    """The suffix of a path in small letters; an open file has none, whatever its name."""
    return "" if is_file(f) else os.path.splitext(text_path(f))[1].lower()
