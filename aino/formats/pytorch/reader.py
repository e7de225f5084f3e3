"""PyTorch's files: an archive since version 1.6, one pickle after another before that."""

from __future__ import annotations

from typing import Any

from aino.formats.files import File
from aino.formats.identify import OLD_PYTORCH
from aino.formats.pytorch.archive import Member, check_stored, read_members
from aino.formats.pytorch.checking import check_result
from aino.formats.pytorch.machine import Machine
from aino.formats.pytorch.names import Names
from aino.formats.pytorch.storages import Place, Storages
from aino.formats.pytorch.stream import Stream

_PICKLE = "data.pkl"
# The memory that values may take: so much for each byte of the file, as small numbers do, and more.
_TIMES, _SLACK = 16, 32 << 20


def load_all(source: File, location: Any = None, mapped: bool = False) -> Any:
    """What a file holds: tensors, numbers, text and containers of these.

    Arguments:
        source: the file.
        location: PyTorch's ``map_location``.
        mapped: whether tensors stay in the file until they are used.
    """
    head = source.read(0, min(source.size, 512))
    if head.startswith(b"PK\3\4"):
        return _load_archive(source, location, mapped)
    if head[257:262] == b"ustar":
        raise source.error(
            "looks like a tar file of PyTorch before version 0.1.10; load it with a PyTorch that "
            "reads it, and save it anew"
        )
    if not head.startswith(OLD_PYTORCH):
        raise source.error("is cut short or damaged: it begins like a file of PyTorch before 1.6")
    return _load_old(source, location, mapped)


def _machine(stream: Stream, names: Names) -> Machine:
    return Machine(stream, names.find, names.storage, _TIMES * stream.source.size + _SLACK)


def _load_archive(source: File, location: Any, mapped: bool) -> Any:
    members = read_members(source)
    folder = _folder(source, members)
    for member in members.values():
        check_stored(source, member)
    program = members[f"{folder}/{_PICKLE}"]
    order = members.get(f"{folder}/byteorder")
    little = order is None or _text(source, order) == b"little"
    prefix = f"{folder}/data/"
    places = {
        name.removeprefix(prefix): Place(member.content, member.size, member.crc, name)
        for name, member in members.items()
        if name.startswith(prefix)
    }
    storages = Storages(source, places, location)
    if mapped:
        storages.map_file()
    stream = Stream(source, program.content, program.content + program.size, program.name)
    machine = _machine(stream, Names(storages))
    result = machine.run()
    check_result(machine, result)
    storages.fill(places, little)
    return result


def _text(source: File, member: Member) -> bytes:
    text = source.read(member.content, min(member.size, 100), member.name)
    if text not in (b"little", b"big"):
        raise source.error(f"says neither little nor big, but {text!r:.40}", member.name)
    return text


def _folder(source: File, members: dict[str, Member]) -> str:
    """The folder that all members are in; an archive of something else is refused by name."""
    folder = next(iter(members), "").partition("/")[0]
    if f"{folder}/constants.pkl" in members or any(
        name.startswith(f"{folder}/code/") for name in members
    ):
        raise source.error(
            "is a TorchScript program; where PyTorch is: "
            "torch.save(torch.jit.load(f).state_dict(), other)"
        )
    if f"{folder}/archive_format" in members:
        raise source.error("is a program of torch.export; save the state_dict() of its module")
    if f"{folder}/{_PICKLE}" not in members:
        raise source.error(f"is a zip archive without {_PICKLE}, and no checkpoint of PyTorch")
    return folder


def _load_old(source: File, location: Any, mapped: bool) -> Any:
    if mapped:
        raise source.error("was written before PyTorch 1.6, and cannot be mapped; load it whole")
    stream = Stream(source, 0, source.size)
    storages = Storages(source, None, location)
    names = Names(storages)
    machine = _machine(stream, names)
    _, version, about = machine.run(), machine.run(), machine.run()
    if version != 1001 or type(about) is not dict:
        raise source.error(f"has version {version!r:.40} of PyTorch's old format; 1001 is known")
    result = machine.run()
    check_result(machine, result)
    storages.fill(_old_places(source, machine.run(), names.sizes, stream.position), little=True)
    return result


def _old_places(source: File, keys: Any, sizes: dict[str, int], position: int) -> dict[str, Place]:
    """Where the storages are, one behind the other, each behind the count of its numbers."""
    listed = type(keys) is list and all(type(key) is str for key in keys)
    if not listed or sorted(keys) != sorted(sizes):
        raise source.error("lists other storages behind its pickle than are used in it")
    places = {}
    for key in keys:
        label = f"storage {key}"
        nbytes = int.from_bytes(source.read(position, 8, label), "little") * sizes[key]
        position += 8
        if position + nbytes > source.size:
            raise source.error(f"is cut short: it has {nbytes:,} bytes at {position:,}", label)
        places[key] = Place(position, nbytes, 0, label)
        position += nbytes
    if position != source.size:
        raise source.error(f"has {source.size - position:,} bytes behind its last storage")
    return places
