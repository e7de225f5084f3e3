"""The weights of a predictor, as constants of its file or in a file of their own."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from aino.compiler.backends.c.numbers import literal, type_of

#: Numbers of a file of weights begin at multiples of so many bytes.
_ALIGNED = 8
_WIDTH = 96


@dataclass(eq=False)
class Constant:
    """An array that is known: its name, its numbers, and what the reader is told of it."""

    name: str
    array: np.ndarray
    note: str = ""

    def text(self) -> str:
        """Return it as an array of C."""
        array = self.array
        note = f" /* {self.note} */" if self.note else ""
        length = " * ".join(map(str, array.shape)) if array.size else "1"
        head = f"static const {type_of(array.dtype)} {self.name}[{length or 1}] = {{{note}"
        return "\n".join([head, *_lines(array), "};"])


def _lines(array: np.ndarray) -> list[str]:
    """Return the numbers of an array, as many in a line as there is room for."""
    rows = array.reshape(-1, array.shape[-1]) if array.ndim and array.size else array.reshape(1, -1)
    if not array.size:
        return ["    0"]
    lines = []
    for row in rows:
        line = "   "
        for number in row:
            text = f" {literal(number, array.dtype)},"
            if len(line) + len(text) > _WIDTH:
                lines.append(line)
                line = "   "
            line += text
        lines.append(line)
    lines[-1] = lines[-1].removesuffix(",")
    return lines


def quantized(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix as int8 and a scale for each of its rows: w = scale · q, |q| at most 127.

    >>> quantized(np.array([[0.5, -1.0], [0.0, 0.0]], np.float32))[0].tolist()
    [[64, -127], [0, 0]]
    """
    rows = matrix.reshape(len(matrix), -1)
    top = np.abs(rows).max(axis=1, initial=0.0) if rows.size else np.zeros(len(rows))
    scale = np.where(top > 0, top / 127, 1.0).astype(matrix.dtype)
    whole = np.rint(rows / scale[:, None]).clip(-127, 127).astype(np.int8)
    return whole.reshape(matrix.shape), scale


def packed(constants: list[Constant]) -> tuple[bytes, dict[str, int], int]:
    """Return the file of all constants, where each begins, and what it is known by.

    It begins with that number, in the byte order of the numbers behind it.
    """
    parts, places, place = [], {}, _ALIGNED
    for constant in constants:
        places[constant.name] = place
        data = constant.array.astype(constant.array.dtype.newbyteorder("<")).tobytes()
        data += bytes(-len(data) % _ALIGNED)
        parts.append(data)
        place += len(data)
    body = b"".join(parts)
    mark = zlib.crc32(body)
    return np.uint32(mark).astype("<u4").tobytes() + bytes(_ALIGNED - 4) + body, places, mark
