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


class Guards:
    """The text of a dispatch and what it names."""

    def __init__(self) -> None:
        self.bound: dict[str, Any] = {
            "Tensor": Tensor, "ndarray": np.ndarray, "MISS": MISS, "make": make, "mode": mode,
            "structure_version": structure_version, "tick": tick, "clock": clock, "Leaf": Leaf,
            "dtypes": dtypes, "np": np,
        }  # fmt: skip
        self.lines: list[str] = []
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

    def need(self, condition: str) -> None:
        """Let the call miss unless ``condition`` holds."""
        self.lines.append(f"if not ({condition}): return MISS")


@functools.lru_cache(maxsize=256)
def code_of(text: str, name: str):
    """Return the code of a source; models of one form have the same, and share it."""
    return compile(text, name, "exec")
