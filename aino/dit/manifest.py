"""The manifest ``dit.json``: what is in the file, as JSON that is read strictly.

The manifest is the first member. It carries its own SHA-256, taken over its text with the 64
digits of that sum replaced by zeros.
"""

import hashlib
import json
import math
import re
from typing import Any, NamedTuple, NoReturn

import numpy as np

from aino.dit.npy import DTYPES, shape_problem
from aino.dit.source import Source

NAME = "dit.json"
VERSION = 3
KINDS = ("model", "state", "checkpoint")
LONGEST_INTEGER = 1300  # digits
MAX_DEPTH = 64  # of values inside values
_HEAD = '{{"format": "dit",\n "version": {},\n "sha256": "{}",\n'
_NO_SUM = "0" * 64
_SLACK = 12 << 20  # memory that a manifest may take beyond twice the size of its file
_FIELDS = ("format", "version", "sha256", "aino", "kind", "metadata", "architecture", "content",
           "tensors")  # fmt: skip
_COLUMNS = ["name", "member", "dtype", "shape", "bytes", "sha256"]
_SUM = re.compile(r"[0-9a-f]{64}")
_SEALED = re.compile(_HEAD.format(VERSION, "([0-9a-f]{64})").replace("{", r"\{", 1).encode())


class Tensor(NamedTuple):
    """One row of the table of tensors."""

    name: str
    member: str
    dtype: np.dtype
    shape: tuple[int, ...]
    nbytes: int
    sha256: str


class Manifest(NamedTuple):
    """All that a manifest says; ``architecture`` and ``content`` are still plain JSON."""

    aino: str
    kind: str
    metadata: dict[str, str]
    architecture: list[Any]
    content: Any
    tensors: list[Tensor]


# --- writing ----------------------------------------------------------------------------------


def dump(manifest: Manifest) -> bytes:
    """The manifest's text, one tensor a line, in plain ASCII (which is UTF-8)."""

    def text(value: object) -> str:
        return json.dumps(value, allow_nan=False)

    rows = ",\n  ".join(
        text([row.name, row.member, row.dtype.name, list(row.shape), row.nbytes, row.sha256])
        for row in manifest.tensors
    )
    designs = ",\n  ".join(map(text, manifest.architecture))
    body = (
        f' "aino": {text(manifest.aino)},\n "kind": {text(manifest.kind)},\n'
        f' "metadata": {text(manifest.metadata)},\n "architecture": [\n  {designs}],\n'
        f' "content": {text(manifest.content)},\n'
        f' "tensors": {{"columns": {text(_COLUMNS)}, "rows": [\n  {rows}]}}}}\n'
    )
    whole = _HEAD.format(VERSION, _NO_SUM) + body
    digest = hashlib.sha256(whole.encode("ascii")).hexdigest()
    return (_HEAD.format(VERSION, digest) + body).encode("ascii")


def memory_needed(raw: bytes) -> int:
    """An upper bound of the memory that reading this JSON takes, from counts of its marks."""
    width = 1 if raw.isascii() else 4  # one wide character widens the whole decoded text
    objects, arrays, commas = raw.count(b"{"), raw.count(b"["), raw.count(b",")
    strings = raw.count(b'"') // 2
    values = commas + objects + arrays
    text = 2 * width * len(raw)  # as a whole, and cut into strings
    return text + 64 * strings + 250 * objects + 100 * arrays + 40 * values


def memory_allowed(file_size: int) -> int:
    """The memory that the manifest of a file of this size may take."""
    return 2 * file_size + _SLACK


# --- reading ----------------------------------------------------------------------------------


class _Refused(ValueError):
    """What is wrong with a piece of JSON."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _Refused(f"the key {_short(key)} stands twice in one object")
        result[key] = value
    return result


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise _Refused(f"a number has {len(digits):,} digits")
    return int(digits)


def _real(digits: str) -> float:
    if len(digits) > LONGEST_INTEGER:
        raise _Refused(f"a number has {len(digits):,} digits")
    value = float(digits)
    if not math.isfinite(value):
        raise _Refused(f"the number {_short(digits)} is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}..."


def _told(value: object) -> str:
    if type(value) is int:
        text = str(value)
        return text if len(text) <= 30 else f"{text[:30]}... ({len(text)} digits)"
    return _short(value) if type(value) is str else type(value).__name__


def _check_text(document: object) -> None:
    """Refuse halves of characters, which JSON can write as escapes and no file should name."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if type(value) is str:
            value.encode("utf-8")
        elif type(value) is list:
            waiting.extend(value)
        elif type(value) is dict:
            waiting.extend(value)
            waiting.extend(value.values())


def decode(source: Source, raw: bytes) -> tuple[str, bool]:
    """A manifest's text, and whether its bytes have the checksum that stands in them.

    The bytes can be let go before the text is parsed.
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw[:4]:
        raise source.error("is not UTF-8 (it looks like UTF-16 or UTF-32)", NAME)
    if memory_needed(raw) > memory_allowed(source.size):
        raise source.error("holds more values than a file of this size has reason to", NAME)
    match = _SEALED.match(raw)
    sound = match is not None and _digest(raw, match.end()) == match.group(1).decode()
    try:
        return raw.decode("utf-8"), sound
    except UnicodeDecodeError as error:
        raise source.error(f"is not UTF-8 (byte {error.start})", NAME) from None


def parse(source: Source, text: str, sound: bool) -> Manifest:
    """Read and check a manifest; every surprise is a `DitError`.

    Its own checksum comes after the version, so that a file from the future can be recognised
    whatever its rules are.
    """
    document = _parse_json(source, text)
    if not isinstance(document, dict) or document.get("format") != "dit":
        raise source.error("does not say that it is a .dit", NAME)
    version = document.get("version")
    if type(version) is not int or version < VERSION:
        raise source.error(f"has no valid version ({_told(version)})", NAME)
    if version > VERSION:
        raise source.error(
            f"the file has version {_told(version)} of the format, written by AINO "
            f"{_told(document.get('aino'))}; this AINO reads versions 1 to {VERSION}",
            NAME,
        )
    if not sound:
        raise source.error("is damaged: its SHA-256 is not the one it was written with", NAME)
    if tuple(document) != _FIELDS:
        raise source.error(f"has other entries than {', '.join(_FIELDS)}", NAME)
    kind, metadata, table = document["kind"], document["metadata"], document["tensors"]
    if not isinstance(document["aino"], str) or kind not in KINDS:
        raise source.error("has an unknown kind or writer", NAME)
    if not isinstance(metadata, dict) or any(type(value) is not str for value in metadata.values()):
        raise source.error("has metadata that are not text", NAME)
    if not isinstance(document["architecture"], list):
        raise source.error("has an architecture that is not a list", NAME)
    if (
        not isinstance(table, dict)
        or list(table) != ["columns", "rows"]
        or table["columns"] != _COLUMNS
        or not isinstance(table["rows"], list)
    ):
        raise source.error("has a damaged table of tensors", NAME)
    tensors = [_parse_row(source, row) for row in table["rows"]]
    if len({row.name for row in tensors}) != len(tensors):
        raise source.error("gives two tensors one name", NAME)
    return Manifest(
        document["aino"], kind, metadata, document["architecture"], document["content"], tensors
    )


def _is_sum(value: object) -> bool:
    return type(value) is str and _SUM.fullmatch(value) is not None


def _digest(raw: bytes, head: int) -> str:
    sum_ = hashlib.sha256(_HEAD.format(VERSION, _NO_SUM).encode())
    sum_.update(memoryview(raw)[head:])
    return sum_.hexdigest()


def _parse_json(source: Source, text: str) -> object:
    try:
        document = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_int=_integer,
            parse_float=_real,
            parse_constant=_constant,
        )
        if "\\ud" in text or "\\uD" in text:
            _check_text(document)
        return document
    except UnicodeEncodeError:
        raise source.error("holds half of a character (a lone surrogate)", NAME) from None
    except RecursionError:
        raise source.error("is nested too deeply", NAME) from None
    except ValueError as error:
        raise source.error(f"is not sound JSON: {error}", NAME) from None


def _parse_row(source: Source, row: object) -> Tensor:
    def fail(cause: str) -> NoReturn:
        raise source.error(f"describes a tensor wrongly: {cause}", NAME)

    if not isinstance(row, list) or len(row) != len(_COLUMNS):
        fail("a row of the table has other columns")
    name, member, dtype_name, shape, nbytes, digest = row
    if type(name) is not str or type(member) is not str:
        fail("a name is not text")
    if type(dtype_name) is not str or dtype_name not in DTYPES:
        fail(f"{_short(name)} has the dtype {_told(dtype_name)}")
    dtype = DTYPES[dtype_name]
    problem = shape_problem(shape, dtype.itemsize)
    if problem or not isinstance(shape, list):
        fail(f"{_short(name)}: {problem}")
    if type(nbytes) is not int or nbytes != math.prod(shape) * dtype.itemsize:
        fail(f"{_short(name)} claims {_told(nbytes)} bytes for {shape} of {dtype_name}")
    if not _is_sum(digest):
        fail(f"{_short(name)} has no SHA-256")
    return Tensor(name, member, dtype, tuple(shape), nbytes, digest)
