"""What a page shows, as plain data: dicts, lists, text and numbers.

A drawing tells of a moment. What was written into since then is not what was drawn: the page says
so in the place of its numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.memory import written_since
from aino.drawing.dot import derivative_lines, gradient_scale
from aino.drawing.graph import Graph, Value, Vertex
from aino.drawing.groups import Group, grouped
from aino.drawing.insets import Insets
from aino.drawing.numbers import brief
from aino.drawing.statistics import statistics

#: Arrays of up to so many elements are shown in full when they are asked for.
_SHORT = 100


def contents(
    graph: Graph, title: str, rankdir: str, depth: int | None, drawn: int, svg: str | None = None
) -> dict[str, Any]:
    """Return what a page says of a graph that was drawn when the nodes' clock showed ``drawn``.

    ``groups`` come before what is in them, the first one is everything; each names its ``parent``
    by its place in the list. ``nodes`` stand in the order of computation, with the ``group`` that
    each is in; ``edges`` are ``[tail, head, what is said of it]``, by their places in ``nodes``.
    ``pictures`` are of the neurons of dense networks, as SVG; groups and nodes name theirs by its
    place. One of everything is given as ``svg``.
    """
    insets = Insets(title, drawn, svg)
    groups: list[dict[str, Any]] = []
    inside: dict[Vertex, int] = {}
    pending: list[tuple[Group, int | None]] = [(grouped(graph), None)]
    while pending:
        group, parent = pending.pop()
        number = len(groups)
        around = {} if parent is None else groups[parent]
        groups.append(
            {"parent": parent}
            | insets.of(group.subject, around, whole=parent is None)
            | _said(name=group.name, kind=group.kind, note=group.note,
                    parameters=group.parameters, mark=group.mark)
        )  # fmt: skip
        for member in reversed(group.members):
            if isinstance(member, Group):
                pending.append((member, number))
            else:
                inside[member] = number
    shares = gradient_scale(graph)
    places = {vertex: i for i, vertex in enumerate(graph.vertices)}
    return {
        "title": title,
        "rankdir": rankdir,
        "depth": depth,
        "groups": groups,
        "nodes": [
            _node(vertex, inside[vertex], drawn)
            | insets.of(vertex.subject, groups[inside[vertex]])
            for vertex in graph.vertices
        ],
        "edges": [
            [
                places[edge.tail],
                places[edge.head],
                _said(kind=edge.kind, label=edge.label,
                      derivative=", ".join(derivative_lines(edge, 0, False)),
                      slope=None if edge.slope is None else _array(edge.slope, drawn),
                      share=shares(edge) if edge.kind == "gradient" else None),
            ]
            for edge in graph.edges
        ],
        "pictures": insets.pictures,
    }  # fmt: skip


def _said(**values: Any) -> dict[str, Any]:
    """Return what there is to say: nothing of what is empty, but a share of 0."""
    return {name: value for name, value in values.items() if value or type(value) is float}


def _node(vertex: Vertex, group: int, drawn: int) -> dict[str, Any]:
    return {"group": group, "kind": vertex.kind} | _said(
        title=vertex.title, name=vertex.name, formula=vertex.formula, spoken=vertex.spoken,
        letters=vertex.letters, details=vertex.details, output=vertex.output, line=vertex.line,
        mark=vertex.mark, values=_values(vertex, drawn),
    )  # fmt: skip


def _values(vertex: Vertex, drawn: int) -> list[dict[str, Any]]:
    """Return the values of a vertex, or the parameters of the module that it stands for."""
    if vertex.held:
        return [{"name": name} | _value(value, drawn) for name, value in vertex.held.items()]
    return [_value(value, drawn) for value in vertex.values]


def _value(value: Value, drawn: int) -> dict[str, Any]:
    dtype = "" if value.dtype is None else value.dtype.name
    said: dict[str, Any] = {"shape": list(value.shape), "dtype": dtype}
    if value.array is not None:
        said["value"] = _array(value.array, drawn)
    if value.grad is not None:
        said["grad"] = _array(value.grad, drawn)
    return said


def _array(array: np.ndarray, drawn: int) -> dict[str, Any]:
    """Return an array's figures, and the array itself where it is short."""
    if written_since(array, drawn):
        return {"stale": True}
    said = {name: _number(figure) for name, figure in statistics(array).items()}
    if array.size <= _SHORT:
        said["numbers"] = _nested(array.tolist())
    return said


def _nested(value: Any) -> Any:
    return [_nested(item) for item in value] if isinstance(value, list) else _number(value)


def _number(value: Any) -> Any:
    """Return what JSON can say: what is no finite real number becomes text."""
    if isinstance(value, complex):
        return brief(value)
    return value if math.isfinite(value) else str(value)
