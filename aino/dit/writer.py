"""Tensors into the archive, in one pass over their data."""

import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from aino.dit import archive, manifest
from aino.dit.atomic import replacing
from aino.dit.handing_over import handing_over
from aino.dit.manifest import Manifest
from aino.dit.npy import make_header
from aino.dit.source import is_file

_CHUNK = 1 << 20
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-])){0,199}")
_OUR_NUMBERS = re.compile(r"tensor-[0-9]+", re.IGNORECASE)


def member_names(names: list[str]) -> list[str]:
    """Name the members so that `numpy.load` finds plain tensor names; others are numbered.

    >>> member_names(["layers.0.weight", "../x", "w", "w.npy"])
    ['layers.0.weight.npy', 'tensor-1.npy', 'w.npy', 'tensor-3.npy']
    """
    members = []
    taken = set()
    for index, name in enumerate(names):
        folded = name.lower()  # on some systems W and w are one file
        plain = _PLAIN_NAME.fullmatch(name) and not _OUR_NUMBERS.fullmatch(name)
        if not plain or folded.endswith(".npy") or folded in taken:
            members.append(f"tensor-{index}.npy")
        else:
            members.append(f"{name}.npy")
            taken.add(folded)
    return members


def write(target: object, contents: Manifest, arrays: list[np.ndarray]) -> None:
    """Write a complete file at a path, atomically, or into an open file.

    The checksums are taken from the very bytes that are written, so that a training thread that
    changes an array meanwhile cannot make a file that contradicts itself.
    """
    headers = [make_header(row.dtype, row.shape) for row in contents.tensors]
    sizes = [len(head) + row.nbytes for head, row in zip(headers, contents.tensors, strict=True)]
    length = len(manifest.dump(contents))  # all sums have the same length
    names = [manifest.NAME, *(row.member for row in contents.tensors)]
    members = archive.lay_out(names, [length, *sizes])
    with handing_over(target) if is_file(target) else replacing(target) as output:
        rows = []
        for index, (row, header) in enumerate(zip(contents.tensors, headers, strict=True)):
            place = members[index + 1].content
            output.write_at(place, header)
            crc, digest = _write_data(output, place + len(header), arrays[index], header)
            rows.append(row._replace(sha256=digest))
            members[index + 1] = members[index + 1]._replace(crc=crc)
        text = manifest.dump(contents._replace(tensors=rows))
        members[0] = members[0]._replace(crc=zlib.crc32(text))
        output.write_at(members[0].content, text)
        for member in members:
            output.write_at(member.offset, archive.local_header(member))
        output.write_at(members[-1].content + members[-1].size, archive.directory(members))


def _write_data(output: Any, place: int, array: np.ndarray, header: bytes) -> tuple[int, str]:
    """Write one array's data, and return the CRC of header and data and the SHA-256 of the data."""
    crc, digest = zlib.crc32(header), hashlib.sha256()
    for chunk in chunks(array):
        crc = zlib.crc32(chunk, crc)
        digest.update(chunk)
        output.write_at(place, chunk)
        place += len(chunk)
    return crc, digest.hexdigest()


def chunks(array: np.ndarray) -> Iterator[bytes]:
    """The array's little-endian bytes in C order, in private copies of bounded size."""
    flat = array.reshape(-1)
    if array.dtype == bool:
        flat = flat.view(np.uint8) != 0  # memory that was viewed as bool may hold other bytes
    step = max(_CHUNK // array.itemsize, 1)
    little = array.dtype.newbyteorder("<")
    for start in range(0, flat.size, step):
        yield flat[start : start + step].astype(little, copy=False).tobytes()
