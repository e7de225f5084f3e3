"""Saving, loading and checking ``.dit`` files."""

import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from aino.dit import archive, legacy, manifest
from aino.dit.atomic import resolve_target
from aino.dit.design import Describer
from aino.dit.handing_over import check_writable
from aino.dit.manifest import Manifest, Tensor
from aino.dit.npy import DTYPES
from aino.dit.placement import placement
from aino.dit.reader import Reader, open_archive
from aino.dit.rebuild import Rebuilder
from aino.dit.registry import revived
from aino.dit.source import Source, file_name, is_file, text_path
from aino.dit.survey import survey
from aino.dit.values import is_module
from aino.dit.writer import member_names, write
from aino.errors import DitError, FormatError

_HOLDS_MODEL = (
    "holds {}, and weights_only=True takes only containers of tensors; leave it out, or save the "
    "state_dict()"
)
#: Names that say that others write such files, and how AINO's users do.
_OF_OTHERS = {
    ".pt": "PyTorch's files are read, not written",
    ".pth": "PyTorch's files are read, not written",
    ".onnx": "ONNX is written by aino.onnx.export, from a module and its inputs",
    ".safetensors": "such a file holds tensors alone",
}


class Report(NamedTuple):
    """What `verify` found in a sound file."""

    path: str
    version: int
    kind: str
    written_by: str
    tensors: int
    nbytes: int
    unknown_classes: list[str]


def save(
    obj: Any,
    f: Any,
    metadata: Mapping[str, str] | None = None,
    *,
    pickle_module: Any = None,
    pickle_protocol: Any = None,
) -> None:
    """Save a model, a checkpoint or a state as a ``.dit`` file, whole or not at all.

    Arguments:
        obj: a module whose class is registered, or dicts, lists and tuples of modules, tensors,
            arrays, numbers, strings and None.
        f: a path, or a file that is open for writing bytes (an `io.BytesIO`, a pipe). An open
            file is written from where it stands, and stays open.
        metadata: text about ``obj``, for people: a mapping of strings to strings.
        pickle_module, pickle_protocol: PyTorch's; nothing is pickled, so they change nothing.

    Everything is checked before the file is touched. At a path there is the old file or the
    complete new one afterwards, whatever happens; an open file is written when the archive is
    complete. Raises `DitError`, which names by its path what cannot be stored, and `FormatError`
    for a path that ends as another format's files do.

    >>> import aino, io
    >>> file = io.BytesIO()
    >>> aino.save({"step": 7, "weight": aino.ones(2)}, file)
    >>> position = file.seek(0)
    >>> aino.load(file)
    {'step': 7, 'weight': tensor([1., 1.])}
    """
    opened = is_file(f)
    target = file_name(f) if opened else text_path(f)

    def fail(cause: str, place: str) -> FormatError:
        shown = place if len(place) <= 200 else f"{place[:200]}..."
        return DitError(f"{target}: {shown or 'the object'} {cause}")

    if opened:
        check_writable(f)
    else:
        _check_name(target)
        resolve_target(f)
    describer = Describer(fail)
    content = describer.encode_all(obj)
    checked = _check_metadata(metadata, describer)
    if is_module(obj):
        kind = "model"
    else:
        kind = "checkpoint" if describer.designs else "state"
    arrays, names = describer.tensors.arrays, describer.tensors.names
    rows = [
        Tensor(name, member, DTYPES[array.dtype.name], array.shape, array.nbytes, "0" * 64)
        for name, member, array in zip(names, member_names(names), arrays, strict=True)
    ]
    version = sys.modules["aino"].__version__  # this floor must not import the one above
    contents = Manifest(version, kind, checked, describer.designs, content, rows)
    if len(rows) >= archive.MAX_MEMBERS:
        raise fail(f"holds {len(rows)} tensors; at most {archive.MAX_MEMBERS - 1} fit", "")
    text = manifest.dump(contents)
    file_size = len(text) + _total(rows) + 200 * len(rows)  # or a little more
    if manifest.memory_needed(text) > manifest.memory_allowed(file_size):
        raise fail("holds too many single numbers and strings; store long lists as arrays", "")
    write(f, contents, arrays)


def _check_name(path: str) -> None:
    """Refuse to write a ``.dit`` under a name that says it were another format's file."""
    cause = _OF_OTHERS.get(os.path.splitext(path)[1].lower())
    if cause is not None:
        raise FormatError(
            f"{path}: {cause}; aino.save writes a .dit, which holds all of a model or a "
            "checkpoint, or the tensors of a state dict as .safetensors, which PyTorch's users read"
        )


def _check_metadata(metadata: Any, describer: Describer) -> dict[str, str]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise describer.fail("have to be a mapping of strings to strings", "metadata")
    for text in (*metadata, *metadata.values()):
        if type(text) is not str:
            raise describer.fail(f"hold {type(text).__name__}; only strings can be", "metadata")
        describer.text(text, "metadata")
    return dict(metadata)


def _total(rows: list[Tensor]) -> int:
    return sum(row.nbytes for row in rows)


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
        weights_only: True refuses files in which models or dataclasses stand, as PyTorch does.
        mmap: True leaves tensors in the file until they are used, whatever their size; their
            checksums are not compared then (`verify` does). A write goes to a private copy,
            never to the file. It takes a path.

    Raises `DitError` for anything but a sound file, with the member and the cause.
    """
    put = placement(map_location)
    for name, value in (("weights_only", weights_only), ("mmap", mmap)):
        if value is not None and type(value) is not bool:
            raise TypeError(f"{name} is True, False or None, not {value!r}")
    if mmap and is_file(f):
        raise DitError(f"{file_name(f)}: mmap=True takes a path, not an open file")
    with Source(f) as source:
        members = open_archive(source)
        if members[0].name != manifest.NAME:
            if weights_only:
                raise source.error(_HOLDS_MODEL.format("a model (NeuralNetwork)"))
            return legacy.load(source, members, put)
        reader = Reader(source, members, mapped=bool(mmap), put=put)
        contents = reader.manifest

        def fail(cause: str) -> FormatError:
            return source.error(cause, manifest.NAME)

        unknown, dataclasses = survey(source, contents)
        if weights_only and contents.architecture:
            named = ", ".join(sorted({item["design"]["class"] for item in contents.architecture}))
            raise source.error(_HOLDS_MODEL.format(f"models ({named:.100})"))
        if weights_only and dataclasses:
            raise source.error(_HOLDS_MODEL.format(f"dataclasses ({', '.join(dataclasses):.100})"))
        if unknown:
            names = ", ".join(f"{name[:100]!r}" for name in unknown[:20])
            raise fail(
                f"names classes that are not registered here: {names}; import the module that "
                "defines them, and put @aino.register above each class"
            )
        rebuilder = Rebuilder(fail, reader.array, contents.architecture)
        return revived(rebuilder.decode(contents.content))


def verify(path: Any) -> Report:
    """Check everything in a file: its structure, each checksum, each description; load nothing.

    Takes memory for the manifest, whatever the size of the tensors. Raises `DitError` for what
    `load` would refuse, except that classes that are not registered are only reported.
    """
    with Source(path) as source:
        members = open_archive(source)
        if members[0].name != manifest.NAME:
            old = legacy.read(source, members)
            arrays = old.state.values()
            size = sum(array.nbytes for array in arrays)
            writer = f"AINO {old.version}"
            return Report(source.path, old.version, "model", writer, len(arrays), size, [])
        reader = Reader(source, members)
        contents = reader.manifest
        found = survey(source, contents)
        reader.check_tensors()
        return Report(
            source.path,
            manifest.VERSION,
            contents.kind,
            f"AINO {contents.aino}",
            len(contents.tensors),
            _total(contents.tensors),
            found.unknown_classes,
        )
