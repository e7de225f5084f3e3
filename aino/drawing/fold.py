"""Makes a graph smaller: boxes become one vertex, and so do repetitions and what is far away."""

from __future__ import annotations

import math
import re
from typing import Any

from aino.drawing.graph import Box, Graph, Value, Vertex, counted

#: A drawing of more vertices than these folds repeated blocks, then boxes, by itself.
_ROOMY = 48


def fold(graph: Graph, depth: int | None, repeat: int | None, limit: int) -> Graph:
    """Return the graph with what repeats more than ``repeat`` times folded, and deep boxes.

    ``depth`` None shows boxes as deep as there is room for. The oldest operations beyond
    ``limit`` are left out.
    """
    if depth is None and len(graph.vertices) > _ROOMY:
        graph = _fitting(graph, repeat)
    else:
        _fold_at(graph, depth, repeat)
    cut(graph, limit)
    return graph


def _fold_at(graph: Graph, depth: int | None, repeat: int | None) -> None:
    if repeat is not None:
        fold_repetitions(graph, depth, repeat)
    if depth is not None:
        fold_boxes(graph, depth)


def _fitting(graph: Graph, repeat: int | None) -> Graph:
    """Return the graph folded so that it fits, in as much detail as there is room for."""
    deepest = max([v.box.depth for v in graph.vertices if v.box is not None], default=-1)
    if repeat is not None and deepest > 0:
        repeat = min(repeat, 2)
    best = None
    for depth in [*range(1, deepest + 1), None]:
        folded = graph.copy()
        _fold_at(folded, depth, repeat)
        if best is not None and len(folded.vertices) > _ROOMY:
            break
        best = folded
    assert best is not None
    return best


def _members(graph: Graph) -> dict[Box, list[Vertex]]:
    """Return what is inside each box, at any depth, boxes in the order of their first vertex."""
    members: dict[Box, list[Vertex]] = {}
    for vertex in graph.vertices:
        for box in vertex.box.chain() if vertex.box is not None else ():
            members.setdefault(box, []).append(vertex)
    return members


def fold_boxes(graph: Graph, depth: int) -> None:
    """Draw each box that has ``depth`` boxes around it as one vertex."""
    for box, inside in _members(graph).items():
        if box.depth == depth:
            folded = module_vertex(box, _results(graph, set(inside)))
            graph.merge(set(inside), folded)


def module_vertex(box: Box, values: list[Value]) -> Vertex:
    """Return a module as one vertex."""
    vertex = Vertex("module", box.name or box.kind, box=box.parent, values=values)
    vertex.formula = box.kind if box.name else ""
    vertex.details = [box.note] if box.note else []
    if box.parameters:
        vertex.details.append(counted(box.parameters, "parameter"))
    return vertex


def _results(graph: Graph, inside: set[Vertex]) -> list[Value]:
    """Return the values that leave a set of vertices."""
    leaving = {edge.tail for edge in graph.edges if edge.tail in inside and edge.head not in inside}
    return [
        value
        for vertex in graph.vertices
        if vertex in inside and (vertex in leaving or vertex.output)
        for value in vertex.values
    ]


# Repetitions: motifs of a few units, such as one block, or the steps in the body of a loop

#: The longest motif that is looked for.
_MOTIF = 16


class _Unit:
    """A box with all it holds, or an operation: what may be repeated."""

    def __init__(self, box: Box | None, vertices: list[Vertex]) -> None:
        self.box = box
        self.vertices = vertices
        self.likeness = _likeness(box, vertices)

    @property
    def title(self) -> str:
        return self.vertices[0].title if self.box is None else self.box.kind


def _likeness(box: Box | None, vertices: list[Vertex]) -> Any:
    """Return what makes units alike, which is all but names and numbers; None: like no other."""
    looks = tuple([_look(vertex) for vertex in vertices])
    if box is not None:
        return box.kind, box.note, box.parameters, looks
    (vertex,) = vertices
    return None if vertex.name or vertex.output else looks


def _look(vertex: Vertex) -> tuple:
    title = vertex.title if vertex.kind == "operation" else ""
    details = [text for text in vertex.details if not text.startswith("index")]
    numbers = [text for text in vertex.letters.values() if re.match(r"[-\d\[]", text)]
    shapes = [x.shape for x in vertex.values]
    return vertex.kind, title, vertex.formula, *details, *numbers, *shapes


def fold_repetitions(graph: Graph, depth: int | None, most: int) -> None:
    """Of what repeats more than ``most`` times in a row draw one, and the others as one vertex."""
    heads = graph.heads()
    pending = [(0, graph.vertices)]
    while pending:
        level, vertices = pending.pop()
        units = _units(vertices, level)
        folded: set[Vertex] = set()
        for motifs in _repeated(units, heads, most):
            folded |= _fold_motifs(graph, motifs, level == depth)
        if level != depth:
            pending += [
                (level + 1, unit.vertices)
                for unit in units
                if unit.box is not None and not folded.issuperset(unit.vertices)
            ]


def _units(vertices: list[Vertex], level: int) -> list[_Unit]:
    """Return the boxes at a level and the operations beside them, in the order of their ends."""
    held: dict[Box | Vertex, list[Vertex]] = {}
    ends: dict[Box | Vertex, int] = {}
    for place, vertex in enumerate(vertices):
        chain = [] if vertex.box is None else vertex.box.chain()
        if len(chain) > level or vertex.kind in ("operation", "module"):
            key = chain[level] if len(chain) > level else vertex
            held.setdefault(key, []).append(vertex)
            ends[key] = place
    keys = sorted(held, key=ends.__getitem__)
    return [_Unit(key if isinstance(key, Box) else None, held[key]) for key in keys]


def _repeated(
    units: list[_Unit], heads: dict[Vertex, list[Vertex]], most: int
) -> list[list[list[_Unit]]]:
    """Return the runs of motifs: more than ``most`` lists of units that are alike, in a row."""
    numbers: dict[Any, int] = {}
    looks = [
        -1 - i if unit.likeness is None else numbers.setdefault(unit.likeness, len(numbers))
        for i, unit in enumerate(units)
    ]
    places = {vertex: i for i, unit in enumerate(units) for vertex in unit.vertices}
    reach = [_reach(unit, heads, places) for unit in units]
    found = []
    start = 0
    while start < len(units):
        count, length = max(
            ((_count(looks, reach, start, length), length) for length in range(1, _MOTIF + 1)),
            key=lambda run: (run[0] > most) * run[0] * run[1],
        )
        if count > most:
            end = start + count * length
            found.append([units[i : i + length] for i in range(start, end, length)])
            start = end
        else:
            start += 1
    return found


def _reach(unit: _Unit, heads: dict[Vertex, list[Vertex]], places: dict[Vertex, int]) -> float:
    """Return the place of the last unit that uses this one; infinity if something else does."""
    if any(vertex.output for vertex in unit.vertices):
        return math.inf
    users = [places.get(head, math.inf) for vertex in unit.vertices for head in heads[vertex]]
    return max(users, default=math.inf)


def _count(looks: list[int], reach: list[float], start: int, length: int) -> int:
    """Return how often a motif repeats in a row, each used by the next one alone."""
    count = 1
    while True:
        middle = start + count * length
        end = middle + length
        if end > len(looks) or looks[middle - length : middle] != looks[middle:end]:
            return count
        if max(reach[middle - length : middle]) >= end:
            return count
        count += 1


def _fold_motifs(graph: Graph, motifs: list[list[_Unit]], folds_here: bool) -> set[Vertex]:
    """Draw motifs as one vertex; where there is more to see of one, after the first of them.

    Returns what is drawn no more.
    """
    first, last = motifs[0][0], motifs[-1][-1]
    single = len(motifs[0]) == 1
    alone = single and (first.box is None or folds_here)
    rest = motifs if alone else motifs[1:]
    members = {vertex for motif in rest for unit in motif for vertex in unit.vertices}
    for vertex, users in graph.heads().items():
        if vertex.kind in ("parameter", "constant") and users and members.issuperset(users):
            members.add(vertex)
    results = _results(graph, {vertex for unit in motifs[-1] for vertex in unit.vertices})
    if not single:
        steps = " → ".join(unit.title for unit in motifs[0])
        around = last.vertices[-1].box if last.box is None else last.box.parent
        folded = Vertex("operation", f"({steps}) × {len(rest)}", "", [], results, around)
    elif first.box is None:
        folded = _several(first.vertices[0], last.vertices[0], len(rest))
    else:
        boxes = [unit.box for (unit,) in rest if unit.box is not None]
        folded = module_vertex(boxes[-1], results)
        folded.title = f"{boxes[0].kind} × {len(rest)}"
        folded.formula = f"{boxes[0].name} … {boxes[-1].name}"
        if not alone:
            folded.details.insert(0, f"each like {first.box.name}")
        if boxes[0].parameters:
            total = sum(box.parameters for box in boxes)
            folded.details[-1] = counted(total, "parameter")
    graph.merge(members, folded)
    return members


def _several(first: Vertex, last: Vertex, count: int) -> Vertex:
    """Return one vertex for a run of like operations, or of like modules without parts."""
    if last.kind == "operation":
        title = f"{last.title} × {count}"
        return Vertex("operation", title, last.formula, last.details, last.values, last.box)
    title, kind = f"{last.formula or last.title} × {count}", f"{first.title} … {last.title}"
    details = last.details
    if details and details[-1].endswith("parameters"):
        details = [*details[:-1], details[-1] + " each"]
    return Vertex("module", title, kind, details, last.values, last.box, subject=last.subject)


# What is far away


def cut(graph: Graph, limit: int) -> None:
    """Draw the oldest operations as one vertex, so that at most ``limit`` remain.

    So are inputs and parameters that are more than that.
    """
    steps = [vertex for vertex in graph.vertices if vertex.kind in ("operation", "module")]
    old = {vertex for vertex in steps[: max(0, len(steps) - limit)] if not vertex.output}
    if old:
        earlier = {vertex for vertex in graph.vertices if vertex.kind == "more"}
        heads = graph.heads()
        known = earlier.union(steps)
        lost = {
            vertex
            for vertex in graph.vertices
            if vertex not in known and heads[vertex] and old.issuperset(heads[vertex])
        }
        title = counted(len(old), "earlier operation")
        more = Vertex("more", f"more than {title}" if earlier else title)
        graph.merge(old | earlier | lost, more)
    known = {*steps, *(vertex for vertex in graph.vertices if vertex.kind == "more")}
    given = [vertex for vertex in graph.vertices if vertex not in known and not vertex.output]
    if len(given) > limit:
        graph.merge(set(given[limit:]), Vertex("more", f"{len(given) - limit:,} more inputs"))
