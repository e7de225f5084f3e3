"""What a file that is not a ``.dit`` looks like, for an error that helps."""

import re

from aino.dit.source import Source

_BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer: the file itself is missing (git lfs pull)"),
    (b"\x93NUMPY", "a single NumPy array (.npy): numpy.load reads it"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PK\x07\x08", "a part of a zip archive in several parts"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ", "xz-compressed data"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GGUF", "a GGUF model"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
)
_INSIDE_ZIP = (
    (b"data.pkl", "a PyTorch checkpoint, which aino.load reads"),
    (b"[Content_Types].xml", "an Office document"),
    (b"META-INF/", "a Java archive"),
    (b"model.weights.h5", "a Keras model"),
    (b".dist-info/", "a Python wheel"),
)
_PICKLE = re.compile(
    rb"\x80[\2-\5]|[\]})]q\0|\([dil]p[0-9]|c[A-Za-z_][A-Za-z0-9_.]*\n[A-Za-z_][A-Za-z0-9_.]*\n"
)
_REACH = 1 << 16


def looks_like(source: Source) -> str | None:
    """Say what the file looks like, or None where it could be a ``.dit`` (a zip of arrays)."""
    if source.size == 0:
        return "the file is empty"
    head = source.read(0, min(source.size, 512))
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(source, head)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return f"looks like {kind}"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "looks like an HTML page: perhaps a download that asked for a login"
    if text.startswith((b"<?xml", b"<")):
        return "looks like XML"
    if text.startswith((b"{", b"[")):
        return "looks like JSON"
    if _PICKLE.match(head):
        return "looks like a Python pickle, which can run any code when it is read: not opened"
    if len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < source.size:
        return "looks like a safetensors file, which aino.load reads"
    if not any(head):
        return "begins with zeros: perhaps a copy or download that was never finished"
    if b"PK\x01\x02" in _tail(source):
        return "bytes stand before the archive"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return "looks like text"
    return "looks like nothing known"


def _tail(source: Source) -> bytes:
    reach = min(source.size, _REACH)
    return source.read(source.size - reach, reach)


def _kind_of_zip(source: Source, head: bytes) -> str | None:
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length]
    if first == b"dit.json" or first.endswith(b".npy"):
        return None
    seen = source.read(0, min(source.size, _REACH)) + _tail(source)
    for mark, kind in _INSIDE_ZIP:
        if mark in seen:
            return f"looks like {kind}"
    shown = first.decode("utf-8", "replace")
    return f"looks like a zip archive of something else (its first member is {shown!r})"
