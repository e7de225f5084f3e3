"""Whose memory is whose: arguments share it with each other, and with the rest, as in the trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from aino.autograd.tensor import Tensor
from aino.compiler.guards.text import Guards
from aino.compiler.ir.program import Program

#: So many arrays are compared with all others; of more the places in memory are put in order.
_FEW = 4


def written_storages(program: Program) -> list:
    """Return the storages that calls write into, in order."""
    return list(dict.fromkeys(v.storage for call in program.calls for v in call.touches()))


def guard_sharing(guards: Guards, trace, program: Program, flat, opened_in_c: bool) -> None:
    """Check that two arguments are one array or two, as before, and who else holds them.

    What the step writes lies in no other argument, and in nothing that the function holds.
    ``opened_in_c``: which arguments are the same and that none lies in what is written is known.
    """
    given = [(name, x) for name, x in flat if isinstance(x, (Tensor, np.ndarray))]
    arrays = [x.array if isinstance(x, Tensor) else x for _, x in given]
    places = [f"x{k}" for k in range(len(given))]
    conditions: list[str] = []
    if not opened_in_c:
        conditions += _same_objects(places, arrays)
        conditions += _same_objects([name for name, _ in given], [x for _, x in given])
    tensors = [(name, x) for name, x in given if isinstance(x, Tensor)]
    nodes = [(f"{name}.node", x.node) for name, x in tensors if x.node is not None]
    conditions += _same_objects([name for name, _ in nodes], [node for _, node in nodes])
    # A tensor that the function holds may be given as an argument as well: then it is that one.
    held = {id(tensor.array) for tensor in trace.tensors.values()}
    conditions += [
        f"{place} is {guards.bind('m', array)}"
        for place, array in zip(places, arrays)
        if id(array) in held
    ]
    read = trace.reading.tensors() if tensors else {}
    conditions += [f"{name} is {guards.bind('t', x)}" for name, x in tensors if id(x) in read]
    storages = written_storages(program)
    if not opened_in_c:
        roots = [s.root for s in storages if s.kind == "static"]
        _guard_roots(guards, conditions, places, roots)
    labels = {s.label for s in storages if s.kind == "argument"}
    touched = [place for place, (name, _) in zip(places, given) if name in labels]
    if touched:
        static = guards.bind("static", [s.root for s in program.storages() if s.kind == "static"])
        apart = guards.bind("apart", apart_from)
        # Of what is one array the first stands for all.
        first = {id(array): place for place, array in reversed(list(zip(places, arrays)))}
        mine = {first[id(array)]: None for place, array in zip(places, arrays) if place in touched}
        others = [place for place in first.values() if place not in mine]
        conditions.append(
            f"{apart}([{', '.join(mine)}], [{', '.join(others)}{', ' if others else ''}*{static}])"
        )
    if conditions:
        guards.need(" and ".join(conditions))


def _guard_roots(guards: Guards, conditions: list[str], places: list[str], roots: list) -> None:
    """Add that no argument lies in memory from outside that the step writes."""
    if not roots or not places:
        return
    lasting = guards.bind("roots", roots)
    apart = guards.bind("apart", apart_from)
    names = [guards.bind("root", root) for root in roots] if len(roots) <= 2 else []
    known = guards.bind("known", frozenset(map(id, roots)))
    if has_foreign_memory(roots):
        conditions += [f"{apart}([{place}], {lasting})" for place in places]
        return
    for place in places:
        if names:
            conditions += [f"{place} is not {n} and {place}.base is not {n}" for n in names]
        else:
            conditions.append(f"id({place}) not in {known} and id({place}.base) not in {known}")
        # A view of what is no array does not tell whose memory it is.
        conditions.append(
            f"({place}.base is None or {place}.base.__class__ is ndarray and "
            f"{place}.base.base is None or {apart}([{place}], {lasting}))"
        )


def has_foreign_memory(roots: list) -> bool:
    """Tell whether one of the arrays is not the owner of its memory, of which others may be."""
    return not all(root.flags.owndata for root in roots)


def _same_objects(names: list[str], items: list) -> list[str]:
    """Return the conditions that the items are the same objects, and different ones, as now."""
    first: dict[int, str] = {}
    conditions = [
        f"{name} is {first[id(item)]}"
        for name, item in zip(names, items)
        if first.setdefault(id(item), name) != name
    ]
    if len(first) == 2:
        conditions.append(" is not ".join(first.values()))
    elif len(first) > 2:
        conditions.append(
            f"len({{{', '.join(f'id({n})' for n in first.values())}}}) == {len(first)}"
        )
    return conditions


def apart_from(mine: Sequence[Any], others: Sequence[Any]) -> bool:
    """Tell whether no array of the first shares memory with another of them, or of the second."""
    if len(mine) <= _FEW:
        return not any(
            np.may_share_memory(array, other)
            for place, array in enumerate(mine)
            for other in (*mine[place + 1 :], *others)
        )
    spans = [
        (*byte_bounds(array), counts)
        for arrays, counts in ((mine, True), (others, False))
        for array in arrays
        if array.size
    ]
    return not _overlap(sorted(spans, key=itemgetter(0)))


def _overlap(spans: Iterable[tuple[int, int, bool]]) -> bool:
    """Tell whether one of those that count reaches into another; sorted by where they begin."""
    end = end_of_mine = 0
    for begin, stop, counts in spans:
        if begin < (end if counts else end_of_mine):
            return True
        end = max(end, stop)
        end_of_mine = max(end_of_mine, stop) if counts else end_of_mine
    return False
