"""What is in a file of any kind that is read, as text for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aino import dit
from aino.autograd.tensor import Tensor
from aino.dit.info import safe, table
from aino.dit.source import file_name, is_file, text_path
from aino.errors import FormatError
from aino.formats import folders
from aino.formats.api import load
from aino.formats.files import File
from aino.formats.identify import kind_of
from aino.formats.safetensors.table import BFLOAT16, DTYPES, read_table

_MOST_LINES = 10_000
_DEEPEST = 100


def describe(f: Any) -> str:
    """Return a text with a file's tensors, their sizes, and what else it holds.

    Of a ``.dit`` it tells the architecture, too. It reads no tensors, but for those of an open
    file of PyTorch's, or of an old one.

    Arguments:
        f: a path, or a file that is open for reading bytes at any place in it.

    Raises ``FormatError`` for what `aino.load` does not read.

    >>> import aino, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> aino.save({"weight": aino.ones(2, 2)}, path, metadata={"run": "first"})
    >>> print(describe(path).replace(path, "model.safetensors"))  # doctest: +ELLIPSIS
    model.safetensors: a safetensors file, ... bytes
    metadata
      run: first
    tensors: 1, of 4 values in 16 bytes
      weight  float32  (2, 2)  16 bytes
    """
    kind = kind_of(f)
    if kind == "dit":
        return dit.describe(f)
    if kind == "onnx":
        raise FormatError(f"{text_path(f)}: is read by aino.onnx.load")
    if kind == "folder":
        return describe(folders.find(text_path(f)))
    name = file_name(f) if is_file(f) else text_path(f)
    if kind == "index":
        return "\n".join(_of_index(name))
    with File(f) as source:
        size = source.size
        if kind == "safetensors":
            return "\n".join(_of_safetensors(source))
    if source.borrowed:
        source.file.seek(source.start)
    values = load(f, mmap=_mappable(f))
    return "\n".join([f"{name}: a checkpoint of PyTorch, {size:,} bytes", *_of_values(values)])


def _mappable(f: Any) -> bool:
    if is_file(f):
        return False
    with File(f) as source:
        return source.read(0, min(4, source.size)) == b"PK\3\4"


def _of_safetensors(source: File) -> list[str]:
    found = read_table(source)
    lines = [f"{source.path}: a safetensors file, {source.size:,} bytes"]
    if found.metadata:
        lines.append("metadata")
        lines += [f"  {safe(key)}: {safe(text)}" for key, text in found.metadata.items()]
    rows = [(name, _dtype(row.dtype), row.shape, row.nbytes) for name, row in found.rows.items()]
    return lines + table(rows)


def _dtype(code: str) -> str:
    if code == BFLOAT16:
        return "bfloat16"
    return DTYPES[code].name if code in DTYPES else code


def _of_index(path: str) -> list[str]:
    files = folders.read_index(path)
    parts: dict[str, int] = {}
    for file in files.values():
        parts[file] = parts.get(file, 0) + 1
    lines = [f"{path}: an index of {len(parts)} files with {len(files)} tensors"]
    return lines + [f"  {safe(file)}: {count} tensors" for file, count in parts.items()]


def _of_values(value: Any) -> list[str]:
    rows: list[tuple[str, str, tuple[int, ...], int]] = []
    lines = []
    for number, (name, part) in enumerate(_leaves(value, "", 0)):
        if number >= _MOST_LINES:
            lines.append("  ...")
            break
        if isinstance(part, Tensor):
            rows.append((name, part.dtype.name, tuple(part.shape), part.nbytes))
        else:
            lines.append(f"  {safe(name)}: {safe(repr(part))}" if name else f"  {safe(repr(part))}")
    return [*(["content"] if lines else []), *lines, *table(rows)]


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """All that is no container, under names such as ``optimizer.state.0.step``."""
    dot = f"{name}." if name else ""
    if isinstance(value, dict) and value and depth < _DEEPEST:
        for key, part in value.items():
            yield from _leaves(part, f"{dot}{key}", depth + 1)
    elif (
        isinstance(value, list | tuple)
        and depth < _DEEPEST
        and any(isinstance(part, dict | list | tuple | Tensor) for part in value)
    ):
        for number, part in enumerate(value):
            yield from _leaves(part, f"{dot}{number}", depth + 1)
    else:
        yield name, value
