"""A model in several files, and the index that says which tensor is in which of them.

The names are Hugging Face's: ``model-00001-of-00003.safetensors`` and its kin beside
``model.safetensors.index.json``; and ``pytorch_model.bin`` for PyTorch's files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from aino.dit.source import text_path
from aino.errors import FormatError
from aino.formats.files import File

_WHOLE = ("model.safetensors", "pytorch_model.bin")
INDEX = ".index.json"
_LONGEST_INDEX = 100_000_000


def find(folder: str) -> str:
    """The file in a folder that a model begins with; ``FormatError`` where there is none."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise FormatError(f"{folder}: cannot be read: {error}") from error
    for whole in _WHOLE:
        for name in (whole, whole + INDEX):
            if name in names:
                return os.path.join(folder, name)
    alone = [name for name in names if name.endswith(".safetensors" + INDEX)]
    alone = alone or [name for name in names if name.endswith(".safetensors")]
    if len(alone) == 1:
        return os.path.join(folder, alone[0])
    raise FormatError(
        f"{folder}: is a folder without {' or '.join(_WHOLE)} and their indexes"
        + (f", and with {len(alone)} .safetensors of other names; name one" if alone else "")
    )


def load_index(path: Any, load_one: Callable[[str], Any]) -> dict[str, Any]:
    """The tensors of all files that an index names; ``load_one`` reads one file."""
    text = text_path(path)
    files = read_index(text)
    by_file: dict[str, list[str]] = {}
    for name, file in files.items():
        by_file.setdefault(file, []).append(name)
    places = {file: _place(text, file) for file in by_file}  # all of them, before one is read
    found: dict[str, Any] = {}
    for file, names in by_file.items():
        part = load_one(places[file])
        if not isinstance(part, dict):
            raise FormatError(f"{places[file]}: holds no named tensors, as {text} says it does")
        missing = [name for name in names if name not in part]
        surplus = [name for name in part if files.get(name) != file]
        for problem, where in ((missing, "is not in it"), (surplus, "is in it")):
            if problem:
                raise FormatError(
                    f"{text}: disagrees with {file!r:.100}: {problem[0]!r:.100} {where}"
                    + (f", and {len(problem) - 1} more" if len(problem) > 1 else "")
                )
        found |= part
    return {name: found[name] for name in files}


def read_index(path: str) -> dict[str, str]:
    """Which tensor is in which file, as an index says."""
    with File(path) as source:
        if source.size > _LONGEST_INDEX:
            raise source.error(
                f"is {source.size:,} bytes long; at most {_LONGEST_INDEX:,} are read"
            )
        raw = source.read(0, source.size)
        try:
            document = json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs)
        except (ValueError, RecursionError) as error:
            raise source.error(f"is not the JSON of an index: {error!s:.200}") from None
        files = document.get("weight_map") if isinstance(document, dict) else None
        if not isinstance(files, dict):
            raise source.error("is not an index of a model's files: it has no weight_map")
        for name, file in files.items():
            if type(file) is not str or not _is_plain(file):
                raise source.error(
                    f"says that {name!r:.100} is in {file!r:.100}, which is no file beside it"
                )
    return files


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _is_plain(file: str) -> bool:
    """Whether this is the name of a file in the same folder, on any system."""
    return (
        file.isprintable()
        and file not in ("", ".", "..")
        and not {*file} & {*'/\\:*?"<>|'}
        and len(file.encode("utf-8", "replace")) <= 255
    )


def _place(index: str, file: str) -> str:
    """The path of a file beside an index; a link may lead only where Hugging Face's caches do.

    Such a cache keeps contents in ``blobs``, and in ``snapshots/REVISION`` links to them.
    """
    folder = os.path.dirname(index)
    path = os.path.join(folder, file)
    real, home = os.path.realpath(path), os.path.realpath(folder or ".")
    allowed = [home]
    above, name = os.path.split(os.path.dirname(home))
    if name == "snapshots":
        allowed.append(os.path.join(above, "blobs"))
    if os.path.dirname(real) not in allowed:
        raise FormatError(f"{index}: {file!r:.100} is a link that leads out of the folder")
    return path
