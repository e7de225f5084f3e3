"""Lengths that are not the same for all inputs.

A function is recorded with several lengths of its dynamic dimensions. What is another number each
time is a ``Size``: it computes as numbers do, in all runs at once, and answers a question only
where all runs answer alike. How it follows from the dynamic dimensions is found when it is
written: as one of them, their products and a multiple plus a rest.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any

from aino.onnx.errors import OnnxExporterError


class Size:
    """A whole number of each run."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[int, ...]) -> None:
        self.values = values

    def __index__(self) -> int:
        raise OnnxExporterError(
            f"a number that depends on a dynamic dimension is needed as it is ({self}); give that "
            "dimension a fixed length"
        )

    __int__ = __float__ = __bool__ = __index__

    def __repr__(self) -> str:
        return f"a dynamic length, {' or '.join(map(str, self.values))}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.values)


def size_of(values) -> Any:
    """Return numbers of all runs as one: a plain number where they are the same."""
    values = tuple(values)
    return values[0] if len(set(values)) == 1 else Size(values)


def _in_all_runs(function):
    def compute(self, other):
        if not isinstance(other, (int, Size)):
            return NotImplemented
        others = other.values if isinstance(other, Size) else [other] * len(self.values)
        return size_of(function(a, b) for a, b in zip(self.values, others))

    return compute


def _turned(function):
    return lambda a, b: function(b, a)


def _asked(function):
    def ask(self, other):
        if not isinstance(other, (int, Size)):
            return NotImplemented
        others = other.values if isinstance(other, Size) else [other] * len(self.values)
        answers = {function(a, b) for a, b in zip(self.values, others)}
        if len(answers) > 1:
            raise OnnxExporterError(
                f"what is written depends on whether {self} is {function.__name__} "
                f"{other}; give the dynamic dimension a fixed length"
            )
        return answers.pop()

    return ask


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _function = getattr(operator, _name)
    setattr(Size, f"__{_name}__", _in_all_runs(_function))
    setattr(Size, f"__r{_name}__", _in_all_runs(_turned(_function)))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Size, f"__{_name}__", _asked(getattr(operator, _name)))


class Dimensions:
    """The dynamic dimensions, and how long they were in each run.

    ``lengths``: name -> its length in each run. ``places``: name -> (input, axis) that has it.
    """

    def __init__(self, lengths: dict[str, tuple[int, ...]], places: dict[str, tuple[str, int]]):
        self.lengths = lengths
        self.places = places

    def formula(self, size: Size) -> tuple[tuple[str, ...], int, int] | None:
        """Return (names, multiple, rest) of a size: names multiplied, times multiple, plus rest.

        None where it is nothing of that kind.
        """
        names = sorted(self.lengths)
        for count in (1, 2, 3):
            for chosen in itertools.combinations_with_replacement(names, count):
                product = [1] * len(size.values)
                for name in chosen:
                    product = [a * b for a, b in zip(product, self.lengths[name])]
                found = _line(product, size.values)
                if found is not None:
                    return chosen, *found
        return None


def _line(xs, ys) -> tuple[int, int] | None:
    """Return whole numbers a and b with y = a x + b for all, a not 0; None where there are none."""
    pairs = list(zip(xs, ys))
    (x0, y0) = pairs[0]
    others = [(x, y) for x, y in pairs if x != x0]
    if not others:
        return None
    a, rest = divmod(others[0][1] - y0, others[0][0] - x0)
    b = y0 - a * x0
    if rest or not a or any(y != a * x + b for x, y in pairs):
        return None
    return a, b
