"""The points that the playground's network learns from: drawn, read from a table, or made here."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

#: How many points and classes there are at most.
MOST_POINTS, MOST_CLASSES = 2000, 4
#: How large a number may be, and 1 over it how small a difference, so that squares are finite.
LARGEST = 1e30
_MADE = 160


@dataclass
class Data:
    """Points in a plane, the class of each, and what is around them.

    ``points`` (points, 2); ``classes`` (points,), numbered in the order of ``labels``. ``names`` of
    the two axes. ``box``: left, right, bottom, top. ``scaled``: whether the points are of a size
    that a network wants scaled.
    """

    points: np.ndarray
    classes: np.ndarray
    labels: list[str]
    names: tuple[str, str]
    box: tuple[float, float, float, float]
    scaled: bool = False


def made(name: str, seed: int) -> Data:
    """Return points of one of the known shapes; ``ValueError`` for another name."""
    if name not in SHAPES:
        raise ValueError(f"there is no shape {name!r}; there are {', '.join(SHAPES)}")
    points, classes = SHAPES[name](np.random.default_rng(seed))
    return _in_the_square(np.round(points, 3), classes)


def drawn(rows: Any) -> Data:
    """Return points that were drawn, rows of x, y and a class; ``ValueError`` for what is none."""
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == 3 and all(map(is_number, row)) for row in rows
    ):
        raise ValueError("points are rows of x, y and the number of a class")
    if len(rows) > MOST_POINTS:
        raise ValueError(f"there are {len(rows)} points; {MOST_POINTS} at most can be drawn")
    if any(max(abs(x), abs(y)) > 2 for x, y, _ in rows):
        raise ValueError("drawn points lie between -2 and 2")
    if any(number not in range(MOST_CLASSES) for _, _, number in rows):
        raise ValueError(f"classes are numbered from 0 to {MOST_CLASSES - 1}")
    array = np.array(rows, np.float64).reshape(-1, 3)
    classes = array[:, 2].astype(np.int64)
    return _in_the_square(array[:, :2], classes)


def read(text: Any) -> Data:
    """Return the points in a table: two columns of numbers, and a last one of classes.

    A first line without numbers names the columns. Of more than three columns the first two and
    the last are taken. Raises ``ValueError`` that says what is wrong, and in which line.
    """
    if not isinstance(text, str):
        raise ValueError("a table is text")
    lines = _lines(text)
    if not lines:
        raise ValueError("the table is empty")
    names = ("x", "y")
    first = lines[0][1][:2]
    if len(first) == 2 and all(first) and not any(map(_reads_as_number, first)):
        names = (first[0], first[1])
        lines = lines[1:]
    points, labels = [], []
    for number, cells in lines:
        if len(cells) < 3:
            raise ValueError(f"line {number} has {len(cells)} columns: two numbers and a class")
        if len(cells) != len(lines[0][1]):
            raise ValueError(
                f"line {number} has {len(cells)} columns, and line {lines[0][0]} has "
                f"{len(lines[0][1])}"
            )
        pair = [_number(cell) for cell in cells[:2]]
        if None in pair:
            raise ValueError(f"line {number}: {cells[pair.index(None)]!r} is no number")
        if not cells[-1]:
            raise ValueError(f"line {number} says no class")
        points.append(pair)
        labels.append(cells[-1])
    if len(points) > MOST_POINTS:
        raise ValueError(f"the table has {len(points)} lines; {MOST_POINTS} at most")
    known = sorted(set(labels))
    if not 2 <= len(known) <= MOST_CLASSES:
        raise ValueError(
            f"the last column has {len(known)} classes, and 2 to {MOST_CLASSES} can be shown"
        )
    array = np.array(points, np.float64)
    if (np.abs(array) > LARGEST).any():
        raise ValueError(f"numbers are {LARGEST:g} at most")
    if (np.ptp(array, axis=0) <= 1 / LARGEST).any():
        raise ValueError("a column has the same number in every line")
    margin = 0.12 * (array.max(axis=0) - array.min(axis=0))
    low, high = array.min(axis=0) - margin, array.max(axis=0) + margin
    box = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    classes = np.array([known.index(label) for label in labels], np.int64)
    return Data(array, classes, known, names, box, scaled=True)


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines of a table that hold something, each with its number and its cells."""
    plain = text.removeprefix("\ufeff")
    head = next((line for line in plain.splitlines() if line.strip()), "")
    # What stands in the first line decides: numbers and names may hold spaces, seldom tabs.
    delimiter = next((one for one in "\t;, " if one in head.strip()), ",")
    lines = []
    rows = csv.reader(plain.splitlines(), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                lines.append((rows.line_num, cells))
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num} can't be read: {error}") from error
    return lines


def _in_the_square(points: np.ndarray, classes: np.ndarray) -> Data:
    count = max(2, int(classes.max(initial=0)) + 1)
    labels = [str(place) for place in range(count)]
    return Data(points, classes, labels, ("x", "y"), (-1.2, 1.2, -1.2, 1.2))


def _reads_as_number(text: str) -> bool:
    """Tell whether a text is a number, NaN and inf included."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float | None:
    """Return the number that a text is, None for what is none or not finite."""
    if not _reads_as_number(text) or "_" in text:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number, however large."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _circles(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    classes = np.arange(_MADE) % 2
    radius = np.where(classes == 1, 0.35, 0.9) + 0.09 * random.normal(size=_MADE)
    angle = 2 * np.pi * random.random(_MADE)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), classes


def _quarters(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    points = random.uniform(-1, 1, (_MADE, 2))
    points += 0.06 * np.sign(points)
    return points, (points[:, 0] * points[:, 1] > 0).astype(np.int64)


def _spiral(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    classes = np.arange(_MADE) % 2
    way = np.sqrt(random.random(_MADE)) * 0.95 + 0.05
    angle = 5.5 * way + np.pi * classes
    points = np.stack([way * np.cos(angle), way * np.sin(angle)], axis=1)
    return points + 0.03 * random.normal(size=(_MADE, 2)), classes


def _three(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    classes = np.arange(_MADE) % 3
    angle = 2 * np.pi * classes / 3 + np.pi / 2
    centres = 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centres + 0.2 * random.normal(size=(_MADE, 2)), classes


def _clouds(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    classes = np.arange(_MADE) % 2
    centres = np.where(classes[:, None] == 1, 0.5, -0.5)
    return centres + 0.22 * random.normal(size=(_MADE, 2)), classes


def _xor(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    corners = np.array([[-0.8, -0.8], [-0.8, 0.8], [0.8, -0.8], [0.8, 0.8]])
    return corners, np.array([0, 1, 1, 0])


#: name -> what makes points and their classes.
SHAPES = {
    "circles": _circles, "quarters": _quarters, "spiral": _spiral, "clouds": _clouds,
    "three": _three, "xor": _xor,
}  # fmt: skip
