"""The statements of a predictor: calls of its functions, loops over regions.

A statement knows the regions that it reads and writes; where these lie is known later, when its
text is asked for. ``Names`` says what they are called.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from aino.compiler.backends.c.numbers import literal, type_of
from aino.compiler.ir.regions import Region

#: A function that has to be there: its name, its dtype, and whether its matrices are int8.
Needed = tuple[str, Any, bool]
_INDICES = "ijklmn"


class Names(Protocol):
    """What regions and functions are called."""

    def place(self, region: Region) -> tuple[str, int, tuple[int, ...]]:
        """Return the name of the memory of a region, where it begins, and its strides."""

    def pointer(self, region: Region) -> str:
        """Return a pointer to the first element of a region."""

    def matrix(self, region: Region) -> str:
        """Return the arguments that a matrix of weights is: with its scales where it is int8."""

    def function(self, needed: Needed) -> str:
        """Return the name of a function."""


@dataclass(frozen=True)
class Matrix:
    """A matrix of weights among the arguments of a call."""

    region: Region


@dataclass(frozen=True)
class Moving:
    """A region among the arguments of a call in loops, which goes along with them."""

    region: Region


@dataclass(eq=False)
class Statement:
    """What all statements have. ``note`` says to the reader what it is."""

    reads: list[Region] = field(default_factory=list)
    writes: list[Region] = field(default_factory=list)
    needs: list[Needed] = field(default_factory=list)
    note: str = ""

    def lines(self, names: Names) -> list[str]:
        """Return its text."""
        raise NotImplementedError

    def works_in_place(self, region: Region) -> bool:
        """Tell whether its result may lie where this region lies, which it reads."""
        return False


@dataclass(eq=False)
class Calling(Statement):
    """A call: ``arguments`` are regions, matrices, numbers, and texts as they are.

    ``fails``: what it returns is not 0 where its inputs are wrong. ``window``: the members of a
    constant structure that it is given last. ``loops``: how often it is repeated, with regions
    that move along their first axes.
    """

    arguments: Sequence[Any] = ()
    fails: bool = False
    window: dict[str, Any] = field(default_factory=dict)
    loops: Sequence[int] = ()
    #: Whether the first argument may be where the result is.
    in_place: bool = False

    def lines(self, names: Names) -> list[str]:
        parts = [self._argument(item, names) for item in self.arguments]
        if self.window:
            parts.append("&w")
        call = f"{names.function(self.needs[0])}({', '.join(parts)})"
        if self.fails:
            found = [f"if ({call} != 0)", "    return 1;"]
        else:
            found = textwrap.wrap(f"{call};", 92, subsequent_indent="    ")
        found = _nested(0, [n for n in self.loops if n != 1], found)
        if self.window:
            lines = _filled([f".{key} = {_member(value)}" for key, value in self.window.items()])
            window = ["static const struct window w = {", *_deeper(lines), "};"]
            found = ["{", *_deeper([*window, *found]), "}"]
        return found

    def works_in_place(self, region: Region) -> bool:
        return self.in_place and region is self.arguments[0] and region.is_whole

    def _argument(self, item: Any, names: Names) -> str:
        if isinstance(item, Matrix):
            return names.matrix(item.region)
        if isinstance(item, Moving):
            strides = names.place(item.region)[2]
            moving = [s for n, s in zip(self.loops, strides) if n != 1]
            moves = [_times(_index(i), stride) for i, stride in enumerate(moving) if stride]
            return " + ".join([names.pointer(item.region), *moves])
        if isinstance(item, Region):
            return names.pointer(item)
        if isinstance(item, (float, np.floating)):
            return literal(item, self.needs[0][1])
        return "NULL" if item is None else str(item)


def _filled(parts: list[str]) -> list[str]:
    """Return parts with commas between them, as many in a line as there is room for."""
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) > 82:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{part},"
    return [*lines[:-1], lines[-1].removesuffix(",")]


def _member(value: Any) -> str:
    return f"{{{', '.join(map(str, value))}}}" if isinstance(value, (tuple, list)) else str(value)


@dataclass(eq=False)
class Looping(Statement):
    """``target[...] = formula`` for all elements; ``operands`` are regions and numbers.

    The formula has ``{0}``, ``{1}`` in the places of operands. ``compute``: the dtypes that they
    are computed in.
    """

    target: Any = None
    operands: Sequence[Any] = ()
    formula: str = "{0}"
    compute: Sequence[Any] = ()

    def lines(self, names: Names) -> list[str]:
        regions = [self.target, *[x for x in self.operands if isinstance(x, Region)]]
        shape, places = collapsed(self.target.shape, regions, names)
        elements = iter([element(name, start, strides) for name, start, strides in places])
        left = next(elements)
        texts = []
        for item, dtype in zip(self.operands, self.compute):
            if isinstance(item, Region):
                text = next(elements)
                texts.append(text if item.dtype == dtype else f"({type_of(dtype)}){text}")
            else:
                texts.append(literal(item, dtype))
        formula = in_type(self.formula, self.compute[0] if self.compute else self.target.dtype)
        for needed in self.needs:
            formula = re.sub(rf"\b{needed[0]}\(", f"{names.function(needed)}(", formula)
        right = formula.format(*texts)
        return _nested(0, shape, [f"{left} = {right};"])

    def works_in_place(self, region: Region) -> bool:
        target = self.target
        same = [x for x in self.operands if isinstance(x, Region) and x.storage is region.storage]
        return all(
            (x.shape, x.strides, x.dtype, x.offset)
            == (target.shape, target.strides, target.dtype, target.offset)
            for x in same
        )


@dataclass(eq=False)
class Gathering(Statement):
    """``target[kept] = what is found over all the rest``: a sum, a largest, a product of matrices.

    ``kept`` and ``rest`` are lengths; each operand goes along with both by its strides. ``begin``
    is what ``found`` is at first, ``step`` what becomes of it at each element, ``end`` the result.
    """

    target: Any = None
    operands: Sequence[Any] = ()
    kept: Sequence[int] = ()
    rest: Sequence[int] = ()
    #: For each operand, which of its axes go along with what is kept and with the rest; None
    #: where it does not move.
    axes: Sequence[Sequence[int | None]] = ()
    begin: str = "0"
    step: str = "found += {0}"
    end: str = "found"
    dtype: Any = None

    def lines(self, names: Names) -> list[str]:
        count = len(self.kept)
        moving = []
        for region, axes in zip((self.target, *self.operands), (range(count), *self.axes)):
            name, start, strides = names.place(region)
            own = [0 if axis is None else strides[axis] for axis in axes]
            own += [0] * (count + len(self.rest) - len(own))
            moving.append((name, start, own))
        lengths = [*self.kept, *self.rest]
        kept, outer = _merge(lengths[:count], [(n, s, o[:count]) for n, s, o in moving])
        rest, inner = _merge(lengths[count:], [(n, s, o[count:]) for n, s, o in moving])
        joined = [(n, s, (*a, *b)) for (n, s, a), (_, _, b) in zip(outer, inner)]
        left, *texts = [element(*place) for place in joined]
        dtype = self.dtype or self.target.dtype
        texts = [
            text if operand.dtype == dtype else f"({type_of(dtype)}){text}"
            for text, operand in zip(texts, self.operands)
        ]

        def formula(text: str) -> str:
            text = in_type(text, dtype)
            for needed in self.needs:
                text = re.sub(rf"\b{needed[0]}\(", f"{names.function(needed)}(", text)
            return text.format(*texts)

        body = [
            f"{type_of(dtype)} found = {formula(self.begin)};",
            *_nested(len(kept), rest, [f"{formula(self.step)};"]),
            f"{left} = {formula(self.end)};",
        ]
        return _nested(0, kept, body) if kept else ["{", *_deeper(body), "}"]


# Loops


def collapsed(shape: Sequence[int], regions: Sequence[Region], names: Names):
    """Return the loops over a shape, and how each region goes along: (name, start, strides)."""
    places = []
    for region in regions:
        name, start, strides = names.place(region)
        missing = len(shape) - len(region.shape)
        own = [0 if n == 1 else s for n, s in zip(region.shape, strides)]
        places.append((name, start, [*[0] * missing, *own]))
    return _merge(shape, places)


def _merge(shape: Sequence[int], places: list) -> tuple[list[int], list]:
    """Leave axes of one element out, and go along with those at once that lie in one piece."""
    lengths: list[int] = []
    steps: list[list[int]] = []
    for axis, length in enumerate(shape):
        if length == 1:
            continue
        own = [strides[axis] for _, _, strides in places]
        if lengths and all(a == length * b for a, b in zip(steps[-1], own)):
            lengths[-1] *= length
            steps[-1] = own
        else:
            lengths.append(length)
            steps.append(own)
    found = [
        (name, start, tuple([step[place] for step in steps]))
        for place, (name, start, _) in enumerate(places)
    ]
    return lengths, found


def _times(index: str, stride: int) -> str:
    return index if stride == 1 else f"-{index}" if stride == -1 else f"{stride} * {index}"


def element(name: str, start: int, strides: Sequence[int]) -> str:
    """Return the text of an element in loops over i, j, k ..."""
    terms = [_times(_index(place), stride) for place, stride in enumerate(strides) if stride]
    if start or not terms:
        terms.append(str(start))
    return f"{name}[{' + '.join(terms).replace('+ -', '- ')}]"


def _index(place: int) -> str:
    return _INDICES[place] if place < len(_INDICES) else f"i{place}"


def _nested(first: int, lengths: Sequence[int], body: list[str]) -> list[str]:
    """Return lines inside of loops, the outermost over the index ``first``."""
    found = body
    for place in range(len(lengths) - 1, -1, -1):
        i = _index(first + place)
        head = f"for (int {i} = 0; {i} < {lengths[place]}; {i}++)"
        alone = len(found) == 1 or (place < len(lengths) - 1)
        found = [head, *_deeper(found)] if alone else [f"{head} {{", *_deeper(found), "}"]
    return found


def _deeper(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


#: A call of a function of ``math.h``, for double or float.
MATH = re.compile(
    r"\b((?:exp|exp2|expm1|log|log2|log10|log1p|sqrt|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh"
    r"|tanh|asinh|acosh|atanh|erf|erfc|fabs|floor|ceil|trunc|rint|fmod|hypot|copysign)f?)\("
)
_DECIMAL = re.compile(r"(?<![\w.])(\d+\.\d+(?:e-?\d+)?)(?![\w.])")


def in_type(text: str, dtype: Any) -> str:
    """Return a text of C, written for double, in the type of a dtype."""
    if np.dtype(dtype) != np.float32:
        return text
    return _DECIMAL.sub(r"\1f", MATH.sub(r"\1f(", text))
