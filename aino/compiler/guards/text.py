"""The text of a guard that is being written, and what it names."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.memory import clock
from aino.autograd.mode import mode
from aino.autograd.node import Leaf, tick
from aino.autograd.tensor import Tensor, make
from aino.structure_version import structure_version

#: What a dispatch returns when the call is not the one it was written for.
MISS: Any = object()


class InC:
    """What C compares and does where it makes the whole call, as the lines of a dispatch do.

    ``rows``: what stands where. ``rest``: the lines that only Python can run. ``arguments``,
    ``same``, ``fill`` and ``put`` are objects of ``aino-native`` for what the lines call them.
    """

    def __init__(self) -> None:
        self.rows: list[tuple] = []
        self.rest: list[str] = []
        self.inference: bool | None = None
        self.arguments: Any = None
        #: The lines that give the arguments and their arrays the names that ``rest`` knows.
        self.opening: list[str] = []
        self.same: Any = None
        self.fill: Any = None
        self.put: Any = None


class Guards:
    """The text of a dispatch and what it names."""

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {
            "Tensor": Tensor, "ndarray": np.ndarray, "MISS": MISS, "make": make, "mode": mode,
            "structure_version": structure_version, "tick": tick, "clock": clock, "Leaf": Leaf,
            "dtypes": dtypes, "np": np,
        }  # fmt: skip
        self.lines: list[str] = []
        self.in_c = InC()
        #: Numbers that are computed before the program runs, by their expressions.
        self.numbers: dict[str, str] = {}
        self._names: dict[int, str] = {}

    def bind(self, name: str, value) -> str:
        """Bind a value under a name of its own and return the name."""
        candidate = f"_{name}{len(self.bound)}"
        self.bound[candidate] = value
        return candidate

    def bind_once(self, name: str, value) -> str:
        """Bind a value and return its name; one that is bound already keeps the name it has."""
        known = self._names.get(id(value))
        if known is None:
            known = self._names[id(value)] = self.bind(name, value)
        return known

    def need(self, condition: str, rows: list[tuple] | None = None) -> None:
        """Let the call miss unless ``condition`` holds.

        ``rows``: those that say the same; None where there are none.
        """
        line = f"if not ({condition}): return MISS"
        self.lines.append(line)
        if rows is None:
            self.in_c.rest.append(line)
        else:
            self.in_c.rows += rows


@functools.lru_cache(maxsize=256)
def code_of(text: str, name: str):
    """Return the code of a source; models of one form have the same, and share it."""
    return compile(text, name, "exec")
