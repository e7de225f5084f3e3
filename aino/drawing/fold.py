"""Makes a graph smaller: boxes become one vertex, and so do repetitions and what is far away."""

from __future__ import annotations

from typing import Any

from aino.drawing.graph import Box, Graph, Value, Vertex, counted


def fold(graph: Graph, depth: int | None, repeat: int | None, limit: int) -> None:
    """Fold what repeats more than ``repeat`` times, boxes below ``depth``, and the oldest rest."""
    if repeat is not None:
        fold_repetitions(graph, depth, repeat)
    if depth is not None:
        fold_boxes(graph, depth)
    cut(graph, limit)


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
    """Return what like units have in common: all but their names and numbers; None for none."""
    looks = tuple([_look(vertex) for vertex in vertices])
    if box is not None:
        return box.kind, box.note, box.parameters, looks
    (vertex,) = vertices
    return None if vertex.name or vertex.output else looks


def _look(vertex: Vertex) -> tuple:
    title = vertex.title if vertex.kind == "operation" else ""
    details = [text for text in vertex.details if not text.startswith("index")]
    return vertex.kind, title, vertex.formula, *details, *[x.shape for x in vertex.values]


def fold_repetitions(graph: Graph, depth: int | None, most: int) -> None:
    """Draw what follows on itself more than ``most`` times once, and the rest as one vertex."""
    pending: list[Box | None] = [None]
    while pending:
        parent = pending.pop()
        level = 0 if parent is None else parent.depth + 1
        for motifs in _repeated(graph, _units(graph, parent, level), most):
            _fold_motifs(graph, motifs, level == depth)
        if level != depth:
            pending += [box for box in _members(graph) if box.parent is parent]


def _units(graph: Graph, parent: Box | None, level: int) -> list[_Unit]:
    """Return the boxes and operations directly in a box, in the order of their beginning."""
    held: dict[Box | Vertex, list[Vertex]] = {}
    for vertex in graph.vertices:
        chain = [] if vertex.box is None else vertex.box.chain()
        if (chain[level - 1] if 0 < level <= len(chain) else None) is not parent:
            continue
        if len(chain) > level:
            held.setdefault(chain[level], []).append(vertex)
        elif vertex.kind in ("operation", "module"):
            held[vertex] = [vertex]
    units = [_Unit(key if isinstance(key, Box) else None, inside) for key, inside in held.items()]
    places = {vertex: i for i, vertex in enumerate(graph.vertices)}
    return sorted(units, key=lambda unit: max(places[vertex] for vertex in unit.vertices))


def _repeated(graph: Graph, units: list[_Unit], most: int) -> list[list[list[_Unit]]]:
    """Return the runs of motifs: each a list of like lists of units, more than ``most``."""
    numbers: dict[Any, int] = {}
    looks = [
        -1 - i if unit.likeness is None else numbers.setdefault(unit.likeness, len(numbers))
        for i, unit in enumerate(units)
    ]
    found = []
    start = 0
    while start < len(units):
        best: list[list[_Unit]] = []
        for length in range(1, min(_MOTIF, (len(units) - start) // 2) + 1):
            end = start + length
            while end < len(units) and looks[end] == looks[end - length]:
                end += 1
            count = (end - start) // length
            if count > most and count * length > sum(map(len, best)):
                motifs = [
                    units[i : i + length]
                    for i in range(start, start + count * length, length)
                ]
                motifs = motifs[: _chained(graph, motifs)]
                if len(motifs) > most and len(motifs) * length > sum(map(len, best)):
                    best = motifs
        if best:
            found.append(best)
        start += max(1, sum(map(len, best)))
    return found


def _chained(graph: Graph, motifs: list[list[_Unit]]) -> int:
    """Return how many of the motifs are used by the next one alone."""
    of_vertex = {
        vertex: i for i, motif in enumerate(motifs) for unit in motif for vertex in unit.vertices
    }
    ends = [i for vertex, i in of_vertex.items() if vertex.output]
    for edge in graph.edges:
        tail, head = of_vertex.get(edge.tail), of_vertex.get(edge.head)
        if tail is not None and head not in (tail, tail + 1):
            ends.append(tail)
    return min([len(motifs) - 1, *ends]) + 1


def _fold_motifs(graph: Graph, motifs: list[list[_Unit]], folds_here: bool) -> None:
    """Draw motifs as one vertex; where there is more to see of one, after the first of them."""
    first, last = motifs[0][0], motifs[-1][-1]
    single = len(motifs[0]) == 1
    alone = single and (first.box is None or folds_here)
    rest = motifs if alone else motifs[1:]
    members = {vertex for motif in rest for unit in motif for vertex in unit.vertices}
    for vertex, users in graph.heads().items():
        if vertex.kind in ("parameter", "constant") and users and members.issuperset(users):
            members.add(vertex)
    results = _results(graph, {vertex for unit in motifs[-1] for vertex in unit.vertices})
    times = f"{len(rest)} × "
    if not single:
        steps = " → ".join(unit.title for unit in motifs[0])
        around = last.vertices[-1].box if last.box is None else last.box.parent
        folded = Vertex("operation", f"{times}the same", "", [steps], results, around)
    elif first.box is None:
        folded = _several(first.vertices[0], last.vertices[0], times)
    else:
        boxes = [unit.box for (unit,) in rest if unit.box is not None]
        folded = module_vertex(boxes[-1], results)
        folded.title = f"{boxes[0].name} … {boxes[-1].name}"
        folded.formula = times + boxes[0].kind
        if not alone:
            folded.details.insert(0, f"each like {first.box.name}")
        if boxes[0].parameters:
            total = sum(box.parameters for box in boxes)
            folded.details[-1] = counted(total, "parameter")
    graph.merge(members, folded)


def _several(first: Vertex, last: Vertex, times: str) -> Vertex:
    """Return one vertex for a run of like operations, or of like modules without parts."""
    if last.kind == "operation":
        title = times + last.title
        return Vertex("operation", title, last.formula, last.details, last.values, last.box)
    title, kind = f"{first.title} … {last.title}", times + last.formula
    return Vertex("module", title, kind, last.details, last.values, last.box, subject=last.subject)


# What is far away


def cut(graph: Graph, limit: int) -> None:
    """Draw the oldest operations as one vertex, so that at most ``limit`` remain."""
    steps = [vertex for vertex in graph.vertices if vertex.kind in ("operation", "module")]
    old = {vertex for vertex in steps[: max(0, len(steps) - limit)] if not vertex.output}
    if not old:
        return
    earlier = {vertex for vertex in graph.vertices if vertex.kind == "more"}
    heads = graph.heads()
    lost = {v for v in graph.vertices if v not in steps and heads[v] and old.issuperset(heads[v])}
    title = counted(len(old), "earlier operation")
    graph.merge(old | earlier | lost, Vertex("more", f"more than {title}" if earlier else title))
