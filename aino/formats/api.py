"""Saving and loading: the name of a file says how it is written, its content how it is read."""

import os
from collections.abc import Mapping
from typing import Any

from aino import dit
from aino.dit.source import is_file
from aino.errors import FormatError

_PYTORCH = (".pt", ".pth")


def save(
    obj: Any,
    f: Any,
    metadata: Mapping[str, str] | None = None,
    *,
    pickle_module: Any = None,
    pickle_protocol: Any = None,
) -> None:
    """Save a model, a checkpoint or a state, whole or not at all: a ``.dit`` file.

    Arguments:
        obj: a module whose class is registered, or dicts, lists and tuples of modules, tensors,
            arrays, numbers, strings and None.
        f: a path, or a file that is open for writing bytes (an `io.BytesIO`, a pipe). An open
            file is written from where it stands, and stays open.
        metadata: text about ``obj``, for people: a mapping of strings to strings.
        pickle_module, pickle_protocol: PyTorch's; nothing is pickled, so they change nothing.

    Everything is checked before the file is touched. At a path there is the old file or the
    complete new one afterwards, whatever happens; an open file is written when it is complete.
    Raises `DitError`, which names by its path what cannot be stored, and `FormatError` for the
    names of files that others write (``.pt``).

    >>> import aino, io
    >>> file = io.BytesIO()
    >>> aino.save({"step": 7, "weight": aino.ones(2)}, file)
    >>> position = file.seek(0)
    >>> aino.load(file)
    {'step': 7, 'weight': tensor([1., 1.])}
    """
    if suffix_of(f) in _PYTORCH:
        raise FormatError(
            f"{os.fsdecode(f)}: PyTorch's files are read, not written; save a .dit, which holds "
            "all of it, or a .safetensors, which PyTorch's users read as well"
        )
    dit.save(obj, f, metadata, pickle_module=pickle_module, pickle_protocol=pickle_protocol)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Load what `save` saved: a model, architecture and all, or the nested containers.

    Models come back as objects of the classes that are registered under the names in the file;
    nothing is imported or run by name. Every tensor is checked against its SHA-256. Files of
    AINO 1 and 2 give a `NeuralNetwork`.

    Arguments:
        f: a path, or a file that is open for reading bytes at any place in it. An open file is
            read from where it stands to its end, and stays open.
        map_location: where tensors go, as PyTorch has it: a device, a dict from devices to
            devices, or a function of a tensor and its device that gives the tensor or None.
            All of AINO's are on the CPU, so only what would move them elsewhere is refused.
        pickle_module: PyTorch's; nothing is unpickled, so it changes nothing.
        weights_only: True refuses files in which models stand, as PyTorch does.
        mmap: True leaves tensors in the file until they are used, whatever their size; their
            checksums are not compared then (`verify` does). A write goes to a private copy,
            never to the file. It takes a path.

    Raises `DitError` for anything but a sound file, with the member and the cause.
    """
    return dit.load(f, map_location, pickle_module, weights_only=weights_only, mmap=mmap)


def suffix_of(f: Any) -> str:
    """The suffix of a path in small letters; an open file has none, whatever its name."""
    if is_file(f):
        return ""
    try:
        return os.path.splitext(os.fsdecode(f))[1].lower()
    except TypeError:
        return ""  # what is no path is refused by who opens it
