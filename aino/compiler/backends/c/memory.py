"""Where a predictor keeps what it computes: places that are used again once they are free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.compiler.backends.c.statements import Statement
from aino.compiler.ir.regions import Region, Storage


@dataclass
class Plan:
    """The places of temporaries.

    ``group``: the storage whose memory a storage is, its own or that of one that it is computed
    in place of. ``start``: where a group begins, in elements of the pool of its dtype. ``pools``:
    how many elements each has. ``dtypes``: those of the numbers that storages hold.
    """

    group: dict[Storage, Storage] = field(default_factory=dict)
    start: dict[Storage, int] = field(default_factory=dict)
    pools: dict[np.dtype, int] = field(default_factory=dict)
    dtypes: dict[Storage, np.dtype] = field(default_factory=dict)

    def extent(self, storage: Storage) -> int:
        """Return how many numbers a storage has."""
        low, high = storage.whole.extent
        return max((high - low) // self.dtypes[storage].itemsize, 1)

    def covers(self, value: Region) -> bool:
        """Tell whether a region is all of its storage."""
        return value.size == self.extent(value.storage)


def needed(statements: list[Statement], results: list[Region]) -> list[Statement]:
    """Return the statements that lead to the results."""
    wanted = {value.storage for value in results}
    kept = []
    for statement in reversed(statements):
        if any(value.storage in wanted for value in statement.writes):
            kept.append(statement)
            wanted.update(value.storage for value in statement.reads)
    return kept[::-1]


def plan(statements: list[Statement], outputs: dict[Storage, Any]) -> Plan:
    """Place all that statements fill; ``outputs`` are storages that are filled for the caller."""
    life = _lives(statements, outputs)
    found = Plan({storage: storage for storage in life})
    for statement in statements:
        for value in statement.writes:
            found.dtypes.setdefault(value.storage, value.dtype)
    for number, statement in enumerate(statements):
        _in_place(number, statement, life, outputs, found)
    spans: dict[Storage, list[int]] = {}
    for storage, (first, last) in life.items():
        span = spans.setdefault(_root(found, storage), [first, last])
        span[:] = min(span[0], first), max(span[1], last)
    found.group = {storage: _root(found, storage) for storage in life}
    placed: list[tuple[Storage, int, int]] = []
    for storage in sorted(spans, key=lambda one: (-found.extent(one), spans[one][0])):
        if storage in outputs:
            continue
        size, dtype = found.extent(storage), found.dtypes[storage]
        busy = sorted(
            (start, end) for other, start, end in placed
            if found.dtypes[other] == dtype and _meet(spans[other], spans[storage])
        )  # fmt: skip
        place = 0
        for start, end in busy:
            if place + size <= start:
                break
            place = max(place, end)
        placed.append((storage, place, place + size))
        found.start[storage] = place
        found.pools[dtype] = max(found.pools.get(dtype, 0), place + size)
    return found


def _lives(statements: list[Statement], outputs: dict[Storage, Any]) -> dict[Storage, list[int]]:
    """Return when each storage is first and last used, of those that are computed."""
    life: dict[Storage, list[int]] = {}
    filled = {value.storage for statement in statements for value in statement.writes}
    for number, statement in enumerate(statements):
        for value in (*statement.reads, *statement.writes):
            if value.storage in filled:
                life.setdefault(value.storage, [number, number])[1] = number
    for storage in outputs:
        if storage in life:
            life[storage][1] = len(statements)
    return life


def _in_place(number: int, statement: Statement, life, outputs, found: Plan) -> None:
    """Let a result lie where an operand lies that is read here for the last time."""
    if len(statement.writes) != 1:
        return
    target = statement.writes[0]
    new = target.storage
    if life.get(new, [None])[0] != number or not found.covers(target):
        return
    for value in statement.reads:
        old = value.storage
        if old not in life or old is new or life[old][1] != number or old in outputs:
            continue
        alike = (
            found.dtypes[old] == found.dtypes[new]
            and found.extent(old) == found.extent(new)
            and found.covers(value)
        )
        if alike and statement.works_in_place(value):
            first, second = _root(found, old), _root(found, new)
            if first in outputs and second in outputs:
                continue
            # What is filled for the caller keeps its name.
            if second in outputs:
                found.group[first] = second
            else:
                found.group[second] = first
            return


def _root(found: Plan, storage: Storage) -> Storage:
    while found.group[storage] is not storage:
        storage = found.group[storage]
    return storage


def _meet(one: list[int], other: list[int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
