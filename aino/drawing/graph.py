"""What is drawn: vertices, edges and boxes, as plain data that folding and writing work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(slots=True, eq=False)
class Value:
    """What an operation computed, or what it was given; what is not known is None."""

    shape: tuple[int, ...]
    dtype: np.dtype | None = None
    array: np.ndarray | None = None
    grad: np.ndarray | None = None


@dataclass(slots=True, eq=False)
class Box:
    """One call of a module, or a module that is not run: a frame around its vertices.

    ``start`` and ``end`` are the ticks of the nodes' clock between which it was called. ``mark``
    is ``failed`` where something was raised inside. ``subject`` is the module.
    """

    name: str
    kind: str
    note: str = ""
    parameters: int = 0
    parent: Box | None = None
    start: int = 0
    end: int = 0
    mark: str = ""
    subject: Any = None

    def chain(self) -> list[Box]:
        """Return the boxes from the outermost to this one."""
        chain: list[Box] = []
        box: Box | None = self
        while box is not None:
            chain.append(box)
            box = box.parent
        return chain[::-1]

    @property
    def depth(self) -> int:
        """How many boxes are around this one."""
        return len(self.chain()) - 1


@dataclass(slots=True, eq=False)
class Vertex:
    """One thing in the drawing.

    ``kind`` is ``input``, ``parameter``, ``constant``, ``operation``, ``module`` (folded into
    one), ``gradient`` (a step of the backward pass) or ``more`` (what was left out).
    """

    kind: str
    title: str
    formula: str = ""
    details: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    box: Box | None = None
    #: The name of what it computed, where somebody has given it one.
    name: str = ""
    output: bool = False
    #: The module that it stands for, and what its parameters hold, by their names.
    subject: Any = None
    held: dict[str, Value] = field(default_factory=dict)
    #: The formula in the names of what it was given, with numbers where there are numbers:
    #: ``h = 2 · x``; and what stands for each letter of the formula.
    spoken: str = ""
    #: What formulas call what it computed: its name, or a number among its kind, ``v₁``.
    said: str = ""
    letters: dict[str, str] = field(default_factory=dict)
    #: Where in the user's program it was computed, where that is known: ``train.py:12  h = 2 * x``.
    line: str = ""
    #: ``passed`` for a module that did nothing, ``failed`` where something was raised, ``nan``
    #: where the first numbers appeared that are none.
    mark: str = ""


@dataclass(slots=True, eq=False)
class Edge:
    """A value on its way.

    ``kind``: ``gradient`` where its gradient comes back, ``constant`` where none does,
    ``unseen`` where the edge only says what is drawn after what, ``backward`` between gradients,
    ``turn`` where the backward pass begins.
    """

    tail: Vertex
    head: Vertex
    label: str = ""
    kind: str = "gradient"
    #: The local derivative, of the head by the tail, as a formula: ``cos x``; and as numbers.
    derivative: str = ""
    #: The letters of the head's formula that the tail stands for.
    letters: list[str] = field(default_factory=list)
    slope: np.ndarray | None = None
    #: How long the gradient is that comes back here; None: all of the tail's, or nobody knows.
    back: float | None = None


def counted(count: int, what: str) -> str:
    """Return a number of things: ``1,024 parameters``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


class Graph:
    """Vertices in the order in which they were computed, and the edges between them."""

    def __init__(self, vertices: Iterable[Vertex] = (), edges: Iterable[Edge] = ()) -> None:
        self.vertices = list(vertices)
        self.edges = list(edges)

    def copy(self) -> Graph:
        """Return a graph of the same vertices that can be folded by itself."""
        return Graph(self.vertices, [replace(edge) for edge in self.edges])

    def heads(self) -> dict[Vertex, list[Vertex]]:
        """Return, for each vertex, those that use it."""
        heads: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in self.vertices}
        for edge in self.edges:
            heads[edge.tail].append(edge.head)
        return heads

    def merge(self, members: set[Vertex], into: Vertex) -> None:
        """Draw one vertex in the place of several; it is an output if one of them was."""
        last = max(i for i, vertex in enumerate(self.vertices) if vertex in members)
        self.vertices.insert(last + 1, into)
        self.vertices = [vertex for vertex in self.vertices if vertex not in members]
        into.output = into.output or any(vertex.output for vertex in members)
        edges: dict[tuple[Vertex, Vertex], Edge] = {}
        for edge in self.edges:
            inner = edge.tail in members, edge.head in members
            if any(inner):
                if all(inner):
                    continue
                edge.tail, edge.head = (into, edge.head) if inner[0] else (edge.tail, into)
                if inner[1]:
                    edge.label = edge.derivative = ""
                    edge.slope = None
            known = edges.setdefault((edge.tail, edge.head), edge)
            if edge.kind == "gradient":
                known.kind = edge.kind
            if edge is not known:
                known.back = None
        self.edges = list(edges.values())
