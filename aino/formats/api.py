"""Saving and loading: the name of a file says how it is written, its content how it is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aino import dit
from aino.dit.placement import placement
from aino.dit.source import file_name, is_file, text_path
from aino.dit.values import is_module
from aino.errors import DitError, FormatError
from aino.formats import folders
from aino.formats.files import File
from aino.formats.identify import kind_of, suffix_of
from aino.formats.pytorch import reader as pytorch
from aino.formats.safetensors import reader as safetensors
from aino.formats.safetensors.models import save_model
from aino.formats.safetensors.writer import save_file


def save(
    obj: Any,
    f: Any,
    metadata: Mapping[str, str] | None = None,
    *,
    pickle_module: Any = None,
    pickle_protocol: Any = None,
) -> None:
    """Save a model, a checkpoint or a state, whole or not at all: as ``.dit``, or safetensors.

    Arguments:
        obj: a module whose class is registered, or dicts, lists and tuples of modules, tensors,
            arrays, numbers, strings and None. At a path that ends in ``.safetensors``, a dict of
            tensors, or a module, of which its ``state_dict()`` is saved.
        f: a path, or a file that is open for writing bytes (an `io.BytesIO`, a pipe). An open
            file is written from where it stands, and stays open; it becomes a ``.dit``.
        metadata: text about ``obj``, for people: a mapping of strings to strings.
        pickle_module, pickle_protocol: PyTorch's; nothing is pickled, so they change nothing.

    Everything is checked before the file is touched. At a path there is the old file or the
    complete new one afterwards, whatever happens; an open file is written when it is complete.
    Raises `DitError` or `FormatError`, which names by its path what cannot be stored.

    >>> import aino, io
    >>> file = io.BytesIO()
    >>> aino.save({"step": 7, "weight": aino.ones(2)}, file)
    >>> position = file.seek(0)
    >>> aino.load(file)
    {'step': 7, 'weight': tensor([1., 1.])}
    """
    if isinstance(obj, (str, os.PathLike)) and is_module(f):
        raise DitError("what is saved comes first: aino.save(model, path)")
    if suffix_of(f) != ".safetensors":
        dit.save(obj, f, metadata, pickle_module=pickle_module, pickle_protocol=pickle_protocol)
    elif is_module(obj):
        save_model(obj, f, metadata)
    else:
        save_file(obj, f, metadata)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Load what `save` saved, or what others did: a model, or nested containers of tensors.

    What the file is, its content says:

    - a ``.dit``: models come back, architecture and all, as objects of the classes that are
      registered under the names in the file. Every tensor is checked against its SHA-256. Files
      of AINO 1 and 2 give a `NeuralNetwork`.
    - a ``.safetensors`` (``pip install 'aino[safetensors]'``): a dict of tensors. The folder of a
      model in several files, or its index, gives those of all of them.
    - PyTorch's ``.pt`` and ``.pth``: tensors, numbers, strings and containers, as
      ``torch.load(weights_only=True)`` gives them. No pickle is run, whatever is in it.

    Nothing is ever imported or run by a name in a file.

    Arguments:
        f: a path, or a file that is open for reading bytes at any place in it. An open file is
            read from where it stands to its end, and stays open.
        map_location: where tensors go, as PyTorch has it: a device, a dict from devices to
            devices, or a function of a tensor and its device that gives the tensor or None.
            All of AINO's are on the CPU, so only what would move them elsewhere is refused.
        pickle_module: PyTorch's; nothing is unpickled, so it changes nothing.
        weights_only: True refuses files in which models stand, as PyTorch does.
        mmap: True leaves tensors in the file until they are used, whatever their size; checksums
            are not compared then (`verify` does that). A write goes to a private copy, never to
            the file. It takes a path.

    Raises `DitError` or `FormatError` for anything but a sound file, with the place and the cause.
    """
    for name, value in (("weights_only", weights_only), ("mmap", mmap)):
        if value is not None and type(value) is not bool:
            raise TypeError(f"{name} is True, False or None, not {value!r}")
    kind = kind_of(f)
    if kind == "onnx":
        raise FormatError(f"{text_path(f)}: is read by aino.onnx.load")
    if kind == "dit":
        return dit.load(f, map_location, pickle_module, weights_only=weights_only, mmap=mmap)
    if mmap and is_file(f):
        raise FormatError(f"{file_name(f)}: mmap=True takes a path, not an open file")
    put = placement(map_location)

    def load_one(part: Any) -> Any:
        known = kind_of(part)
        with File(part) as source:
            if known == "pytorch":
                return pytorch.load_all(source, map_location, bool(mmap))
            return safetensors.load_all(source, put, bool(mmap))

    if kind == "folder":
        f = folders.find(text_path(f))
        kind = "index" if os.fsdecode(f).endswith(folders.INDEX) else kind_of(f)
    return folders.load_index(f, load_one) if kind == "index" else load_one(f)
