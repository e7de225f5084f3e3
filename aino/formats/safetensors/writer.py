"""Tensors into a file, each once, in the order and the bytes of the package safetensors."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dit.source import file_name, is_file, text_path
from aino.dit.values import waits_for_shape
from aino.dit.writer import chunks
from aino.errors import FormatError
from aino.formats.files import writing
from aino.formats.safetensors.table import DTYPES, LONGEST_HEADER

_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_ORDER = {dtype: place for place, dtype in enumerate(_NAMES)}
_METADATA = "__metadata__"


def save_file(
    tensors: Mapping[str, Any], filename: Any, metadata: Mapping[str, str] | None = None
) -> None:
    """Write named tensors to a file, whole or not at all.

    Arguments:
        tensors: tensors or arrays by name, such as a ``state_dict()``. Each is written in C order,
            however it lies in memory.
        filename: a path, or a file that is open for writing bytes.
        metadata: strings by name. Readers of Hugging Face's expect ``{"format": "pt"}``.

    Raises ``FormatError``, before the file is touched, for what is no tensor, for a dtype that
    the format does not have, and for two names of one memory, which would come back as two.

    >>> import aino, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> aino.save(aino.nn.Linear(2, 1).state_dict(), path, metadata={"format": "pt"})
    >>> sorted(aino.load(path))
    ['bias', 'weight']
    """
    target = file_name(filename) if is_file(filename) else text_path(filename)
    arrays = arrays_of(tensors, target)
    check_apart(arrays, target)
    write(filename, arrays, metadata, target)


def save(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of the file that ``save_file`` would write.

    Arguments:
        tensors: tensors or arrays by name.
        metadata: strings by name.
    """
    file = io.BytesIO()
    save_file(tensors, file, metadata)
    return file.getvalue()


def arrays_of(tensors: Any, target: str) -> dict[str, np.ndarray]:
    """The arrays of named tensors, each checked."""
    if not isinstance(tensors, Mapping):
        raise FormatError(
            f"{target}: a .safetensors holds named tensors; {_told(tensors)} is none: give a dict, "
            "such as a state_dict()"
        )
    return {name: _array_of(name, value, target) for name, value in tensors.items()}


def _told(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1] in 'aeiouAEIOU' else 'a'} {kind}"


def _array_of(name: Any, value: Any, target: str) -> np.ndarray:
    if not isinstance(name, str) or name == _METADATA:
        raise FormatError(f"{target}: {name!r:.100} cannot be the name of a tensor in it")
    check_text(name, target)
    if waits_for_shape(value):
        raise FormatError(
            f"{target}: {name!r:.100} waits for its shape: call the lazy module once before"
        )
    array = value.array if isinstance(value, Tensor) else value
    if not isinstance(array, np.ndarray | np.generic):
        raise FormatError(
            f"{target}: {name!r:.100} is {_told(value)}; a .safetensors holds tensors alone, "
            "under names without nesting: save a .dit, or put text into metadata"
        )
    array = np.asarray(array)
    if array.dtype.newbyteorder("=") not in _NAMES:
        raise FormatError(
            f"{target}: {name!r:.100} has dtype {array.dtype}, which the format does not have; it "
            f"has {', '.join(dtype.name for dtype in _NAMES)}"
        )
    return array


def check_text(text: str, target: str) -> None:
    """Refuse a string that UTF-8 cannot hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError(f"{target}: {text!r:.80} holds half of a character") from None


def check_apart(arrays: Mapping[str, np.ndarray], target: str) -> None:
    """Refuse two names of one memory."""
    for one, other in overlapping(arrays):
        raise FormatError(
            f"{target}: {one!r:.100} and {other!r:.100} share memory, and would come back as two; "
            "aino.save(module, f), or safetensors.save_model, writes such weights once; "
            "or clone() one of them"
        )


def overlapping(arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[str, str]]:
    """Pairs of names whose arrays have memory in common."""
    spans = []
    for name, array in arrays.items():
        if array.size:
            low, high = np.lib.array_utils.byte_bounds(array)
            spans.append((low, high, name))
    spans.sort()
    reach: list[tuple[int, str]] = []
    for low, high, name in spans:
        reach = [(end, other) for end, other in reach if end > low]
        for _, other in reach:
            if _share(arrays[other], arrays[name]):
                yield other, name
        reach.append((high, name))


def _share(one: np.ndarray, other: np.ndarray) -> bool:
    try:
        return bool(np.shares_memory(one, other, max_work=10_000))  # type: ignore[arg-type]
    except (np.exceptions.TooHardError, OverflowError):
        return True  # nobody weaves tensors so that it is hard to tell


def write(
    f: Any, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None, target: str
) -> None:
    """Write arrays that are known to be sound."""
    dtypes = {name: array.dtype.newbyteorder("=") for name, array in arrays.items()}
    # As the package orders them, widest first: so each lies aligned.
    names = sorted(arrays, key=lambda name: (-_ORDER[dtypes[name]], name))
    entries: dict[str, Any] = {}
    if metadata is not None:
        entries[_METADATA] = checked_metadata(metadata, target)
    place = 0
    for name in names:
        end = place + arrays[name].nbytes
        entries[name] = {
            "dtype": _NAMES[dtypes[name]],
            "shape": list(arrays[name].shape),
            "data_offsets": [place, end],
        }
        place = end
    header = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > LONGEST_HEADER:
        raise FormatError(f"{target}: the names, shapes and metadata are too long for a header")
    with writing(f) as output:
        output.write_at(0, len(header).to_bytes(8, "little") + header)
        place = 8 + len(header)
        for name in names:
            for chunk in chunks(arrays[name]):
                output.write_at(place, chunk)
                place += len(chunk)


def checked_metadata(metadata: Any, target: str) -> dict[str, str]:
    """Metadata as a dict of strings."""
    if not isinstance(metadata, Mapping):
        raise FormatError(f"{target}: metadata have to be a mapping of strings to strings")
    for text in (*metadata, *metadata.values()):
        if type(text) is not str:
            raise FormatError(
                f"{target}: metadata hold {_told(text)}; only strings can be: {text!r:.60}"
            )
        check_text(text, target)
    return dict(metadata)
