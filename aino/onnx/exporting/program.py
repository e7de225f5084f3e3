"""The program that is exported, as plain data: calls, and functions of AINO's over them.

With several recordings it is that of them all: a number that is another in each is a ``Size``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.regions import Region, Storage
from aino.nn.base.module import Module
from aino.onnx.errors import OnnxExporterError


@dataclass(eq=False)
class Memory:
    """A piece of memory: the storage that it is in each run, and the first of them as the one."""

    storages: tuple[Storage, ...]

    @property
    def kind(self) -> str:
        return self.storages[0].kind


class Value:
    """A region of memory. ``parent`` and ``cut``: how it is cut out of another one."""

    def __init__(self, memory: Memory, shape: tuple, regions: tuple[Region, ...]) -> None:
        self.memory = memory
        self.shape = shape
        self.dtype: np.dtype = regions[0].dtype
        self.regions = regions
        self.parent: Value | None = None
        self.cut: Any = None
        #: Whether it covers its memory from end to end.
        self.is_whole = regions[0].is_whole

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass(eq=False)
class Step:
    """A call of the joined program; ``path`` is that of the module that made it."""

    operation: Operation
    function: Any
    arguments: tuple
    keywords: dict[str, Any]
    results: list[Value]
    out: Value | None
    writes: list[Value]
    line: str
    primitive: str
    path: str
    #: Why the runs can't be written as one call, None where they can.
    error: OnnxExporterError | None = None

    @property
    def result(self) -> Value:
        """The region that it fills."""
        return self.out if self.out is not None else self.results[0]

    def touches(self) -> list[Value]:
        """Return what it writes, be it made by it or there before."""
        return [*self.results, *([self.out] if self.out is not None else []), *self.writes]


@dataclass(eq=False)
class Whole:
    """A function as one: its row in the table, what it was given, what it returned.

    ``inner``: what it consists of, or why that can't be written call by call.
    """

    row: Any
    arguments: dict[str, Any]
    result: Any
    path: str
    inner: list[Step | Whole] | OnnxExporterError

    def given(self) -> dict[str, Any]:
        """Return what its row is called with."""
        own = {"result": self.result} if "result" in self.row.takes else {}
        return {**self.arguments, **own}


@dataclass(eq=False)
class Joined:
    """The program of all recordings."""

    arguments: list[Memory]
    items: list[Step | Whole]
    result: Any
    #: What it changes of the world outside, in words; empty where it changes nothing.
    changed: str
    #: Modules that no other called, by the beginning of the names of what is in them.
    roots: dict[str, Module]
