"""A state in files of bounded size, with an index, under Hugging Face's names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.dit.source import text_path
from aino.dit.values import is_module
from aino.errors import FormatError
from aino.formats.files import writing
from aino.formats.folders import INDEX
from aino.formats.safetensors.models import tied
from aino.formats.safetensors.writer import arrays_of, check_apart, checked_metadata, write

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(i?)B", re.IGNORECASE)
_WHOLE = "model.safetensors"
_SHARD = "model-{:05d}-of-{:05d}.safetensors"
_OLD = re.compile(r"model-[0-9]{5}-of-[0-9]{5}\.safetensors")


def save_sharded(
    tensors: Any,
    folder: Any,
    max_shard_size: int | str = "5GB",
    metadata: Mapping[str, str] | None = None,
) -> list[str]:
    """Write a state into a folder, in files of at most a given size; return their names.

    What fits into one file is ``model.safetensors``; else there are
    ``model-00001-of-00003.safetensors`` and so on, and ``model.safetensors.index.json``, which
    says which tensor is where. `aino.load` takes the folder or the index. A tensor that is larger
    than a file may be has one for itself. What such a folder held of an earlier model goes.

    Arguments:
        tensors: tensors by name, or a module, whose ``state_dict()`` is saved, each of its
            weights once.
        folder: a path; the folder is made if it is not there.
        max_shard_size: how many bytes of tensors a file holds at most: ``"5GB"``, ``"200MiB"``
            or a number.
        metadata: strings by name, into each file.

    While it writes, the folder has the old files or no index: a mixture of two models is never
    loaded. Raises ``FormatError``, before anything is written, for what cannot be stored.
    """
    path, limit = text_path(folder), _size_of(max_shard_size)
    if is_module(tensors):
        state = dict(tensors.state_dict())
        kept = tied(arrays_of(state, path), path)
        tensors = {name: value for name, value in state.items() if name not in kept}
    arrays = arrays_of(tensors, path)
    check_apart(arrays, path)
    if metadata is not None:
        metadata = checked_metadata(metadata, path)
    parts = _split(arrays, limit)
    names = [_SHARD.format(i + 1, len(parts)) for i in range(len(parts))]
    if len(parts) == 1:
        names = [_WHOLE]
    try:
        os.makedirs(path, exist_ok=True)
        drafts = [os.path.join(path, f".{name}.new") for name in names]
        try:
            for draft, part in zip(drafts, parts, strict=True):
                write(draft, part, metadata, path)
            _remove(os.path.join(path, _WHOLE + INDEX))
            for draft, name in zip(drafts, names, strict=True):
                os.replace(draft, os.path.join(path, name))
        finally:
            for draft in drafts:
                _remove(draft)
        if len(parts) > 1:
            _write_index(path, names, parts)
        for old in os.listdir(path):
            if old not in names and (old == _WHOLE or _OLD.fullmatch(old)):
                _remove(os.path.join(path, old))
    except OSError as error:
        raise FormatError(f"{path}: was not saved: {error}") from error
    return [*names, _WHOLE + INDEX] if len(parts) > 1 else names


def _size_of(size: int | str) -> int:
    if type(size) is int and size > 0:
        return size
    found = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    if found is None or not float(found[1]):
        raise FormatError(f"max_shard_size is a number of bytes or text as '5GB', not {size!r:.60}")
    number, unit, binary = found.groups()
    factor = _UNITS[unit.upper()]
    if binary:
        factor = 1024 ** [*_UNITS].index(unit.upper())
    return max(int(float(number) * factor), 1)


def _split(arrays: Mapping[str, np.ndarray], limit: int) -> list[dict[str, np.ndarray]]:
    """The arrays in their order, cut where the next would be too much."""
    parts: list[dict[str, np.ndarray]] = [{}]
    size = 0
    for name, array in arrays.items():
        if parts[-1] and size + array.nbytes > limit:
            parts.append({})
            size = 0
        parts[-1][name] = array
        size += array.nbytes
    return parts


def _write_index(path: str, names: list[str], parts: list[dict[str, np.ndarray]]) -> None:
    sizes = [array.nbytes for part in parts for array in part.values()]
    files = {key: name for name, part in zip(names, parts, strict=True) for key in part}
    document = {"metadata": {"total_size": sum(sizes)}, "weight_map": files}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    with writing(os.path.join(path, _WHOLE + INDEX)) as output:
        output.write_at(0, text.encode())


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
