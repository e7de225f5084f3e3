"""What a page folds: a group for each module's call, and ranges where one would be too crowded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from aino.drawing.graph import Box, Graph, Vertex

#: More things than this side by side are put into ranges,
_CROWD = 40
#: at most so many, and if fewer, of at most so many things each.
_PARTS = 16


@dataclass(slots=True, eq=False)
class Group:
    """What can be folded: ``members`` are vertices and groups, in the order of computation.

    ``subject`` is the module of which it is a call, None for a range.
    """

    name: str = ""
    kind: str = ""
    note: str = ""
    parameters: int = 0
    mark: str = ""
    subject: Any = None
    members: list[Vertex | Group] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.name or self.kind


def grouped(graph: Graph) -> Group:
    """Return the group around everything.

    Ranges are taken in the order of computation, so that no two groups need each other.
    """
    whole = Group()
    of_box: dict[Box | None, Group] = {None: whole}
    for vertex in graph.vertices:
        for box in vertex.box.chain() if vertex.box is not None else ():
            if box not in of_box:
                said = box.name, box.kind, box.note, box.parameters, box.mark
                of_box[box] = Group(*said, box.subject)
                of_box[box.parent].members.append(of_box[box])
        of_box[vertex.box].members.append(vertex)
    heads = graph.heads()
    for group in list(of_box.values()):
        _divide(group, heads)
    return whole


def _divide(group: Group, heads: dict[Vertex, list[Vertex]]) -> None:
    """Put the members of a crowded group into ranges, and those of crowded ranges as well."""
    if len(group.members) <= _CROWD:
        return
    given = [member for member in group.members if _is_given(member)]
    steps = [member for member in group.members if not _is_given(member)]
    ranges = _ranges(steps, _range_of_steps)
    place = {
        vertex: part
        for part in ranges
        if isinstance(part, Group)
        for member in part.members
        for vertex in _vertices(member)
    }
    apart: list[Vertex | Group] = []
    for vertex in given:
        # What one range alone reads stands in it, what several read stays outside.
        users = {place.get(head) for head in heads.get(vertex, ())}  # type: ignore[arg-type]
        (owner,) = users if len(users) == 1 else (None,)
        if owner is None:
            apart.append(vertex)
        else:
            owner.members.insert(0, vertex)
    group.members = _ranges(apart, _range_of_given) + ranges
    for part in group.members:
        if isinstance(part, Group) and part.kind in (_STEPS, _GIVEN):
            _divide(part, heads)


_STEPS, _GIVEN = "steps", "inputs"


def _ranges(
    members: list[Vertex | Group], named: Callable[[list, int], Group]
) -> list[Vertex | Group]:
    if len(members) <= _CROWD // 2:
        return members
    count = min(_PARTS, -(-len(members) // _PARTS))
    starts = [i * len(members) // count for i in range(count + 1)]
    return [named(members[start:end], start) for start, end in pairwise(starts)]


def _range_of_steps(members: list, start: int) -> Group:
    ends = f"{_title(members[0])} … {_title(members[-1])}"
    name = f"{start + 1:,} to {start + len(members):,}"
    return Group(name, _STEPS, ends, members=members)


def _range_of_given(members: list, start: int) -> Group:
    return Group(f"{_title(members[0])} … {_title(members[-1])}", _GIVEN, members=members)


def _title(member: Vertex | Group) -> str:
    return member.title if isinstance(member, Group) else member.name or member.title


def _is_given(member: Vertex | Group) -> bool:
    return isinstance(member, Vertex) and member.kind in ("input", "parameter", "constant")


def _vertices(member: Vertex | Group) -> list[Vertex]:
    """Return the vertices in a member, at any depth."""
    found: list[Vertex] = []
    pending = [member]
    while pending:
        last = pending.pop()
        if isinstance(last, Group):
            pending += last.members
        else:
            found.append(last)
    return found
