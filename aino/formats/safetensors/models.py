"""A module's state to a file and back, weights that are tied once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dit.source import file_name, is_file, text_path
from aino.errors import FormatError, StateDictError
from aino.formats.safetensors.reader import load_file
from aino.formats.safetensors.writer import arrays_of, overlapping, save_file


def save_model(
    model: Any,
    filename: Any,
    metadata: Mapping[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:
    """Write a module's state to a file; of names for one memory, the first of the alphabet.

    The metadata say of each name that is left out which one it is tied to.

    Arguments:
        model: a module.
        filename: a path, or a file that is open for writing bytes.
        metadata: strings by name.
        force_contiguous: changes nothing: tensors are written in C order always.

    Raises ``FormatError`` for a state that holds more than tensors, or tensors of which each
    shares only a part of its memory with another.
    """
    target = file_name(filename) if is_file(filename) else text_path(filename)
    state = _state_of(model, target)
    kept = tied(arrays_of(state, target), target)
    if kept:
        metadata = {**kept, **({} if metadata is None else metadata)}
        state = {name: value for name, value in state.items() if name not in kept}
    save_file(state, filename, metadata)


def load_model(
    model: Any, filename: Any, strict: bool = True, device: Any = "cpu", *, backend: str = "mmap"
) -> tuple[list[str], list[str]]:
    """Load a file into a module; return the names that it lacked, and those of no use.

    A name that is tied to one in the file is not missing.

    Arguments:
        model: a module.
        filename: a path, or a file that is open for reading bytes.
        strict: whether missing and unexpected names are an error.
        device: the CPU.
        backend: the package's way to read; changes nothing here.

    Raises ``FormatError`` for what is not a sound file, ``StateDictError`` for one that does not
    fit, and changes nothing then.
    """
    state: dict[str, Any] = dict(load_file(filename, device, backend=backend))
    target = file_name(filename) if is_file(filename) else text_path(filename)
    own = _state_of(model, target)
    given = sorted(state)
    tensors = {name: value for name, value in own.items() if isinstance(value, Tensor)}
    missing = sorted(own.keys() - state.keys())
    if missing:
        kept = tied(arrays_of(tensors, target), target, preferred=state.keys())
        missing = [name for name in missing if kept.get(name) not in state]
    unexpected = [name for name in given if name not in own]
    if strict and (missing or unexpected):
        raise StateDictError(
            f"{target}: does not fit {type(model).__name__}"
            + (f"; it lacks {_listed(missing)}" if missing else "")
            + (f"; the model has no {_listed(unexpected)}" if unexpected else "")
        )
    model.load_state_dict(state, strict=False)
    return missing, unexpected


def _state_of(model: Any, target: str) -> dict[str, Any]:
    if not callable(getattr(model, "state_dict", None)) or isinstance(model, type):
        raise FormatError(f"{target}: expected a module, got {type(model).__name__}")
    return dict(model.state_dict())


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"{name!r:.100}" for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def tied(
    arrays: Mapping[str, np.ndarray], target: str, preferred: Any = frozenset()
) -> dict[str, str]:
    """The names that can be left out, each with the one whose memory holds theirs.

    The one that is kept is the first of the alphabet, of those that are preferred if there are.
    """
    groups: dict[str, set[str]] = {}
    for one, other in overlapping(arrays):
        both = groups.get(one, {one}) | groups.get(other, {other})
        groups |= dict.fromkeys(both, both)
    left_out: dict[str, str] = {}
    for group in {id(names): names for names in groups.values()}.values():
        whole = [name for name in sorted(group) if _covers(arrays, name, group)]
        if not whole:
            names = _listed(sorted(group))
            raise FormatError(
                f"{target}: {names} share parts of their memory, and none holds all of it; "
                "clone() them, or save a .dit"
            )
        kept = next((name for name in whole if name in preferred), whole[0])
        left_out |= dict.fromkeys(group - {kept}, kept)
    return left_out


def _covers(arrays: Mapping[str, np.ndarray], name: str, group: set[str]) -> bool:
    """Whether a tensor is one piece of memory, with all of a group's in it."""
    array = arrays[name]
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        low, high = np.lib.array_utils.byte_bounds(array)
        if high - low != array.nbytes:
            return False
    low, high = np.lib.array_utils.byte_bounds(array)
    bounds = [np.lib.array_utils.byte_bounds(arrays[other]) for other in group]
    return all(low <= start and end <= high for start, end in bounds)
