"""Run long element-wise stretches block by block, so that they stay in the processor's cache.

Ten operations on ten million numbers read and write main memory ten times, one after the other;
in blocks they read and write it once. Results that only the stretch needs shrink to one block.
The pieces of a long stretch are shared between two threads: NumPy computes without the lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aino.compiler.layout import is_elementwise
from aino.compiler.passes.copies import is_contiguous
from aino.compiler.program import Call, Program, Storage, Value, number_array

#: Stretches over fewer numbers than this are left alone: they lie in the cache anyway.
SHORTEST = 1 << 17
#: Numbers in one block.
BLOCK = 1 << 16


@dataclass(eq=False)
class Chain(Call):
    """Element-wise calls over flat memory of one size, run together block by block.

    ``steps``: the calls. ``tails``: calls that apply a part of a flat result to memory of its
    own, as a step does to its parameters, each with the first number of its part. ``local``:
    storages that only the chain needs.
    """

    steps: list[Call] = field(default_factory=list)
    tails: list[tuple[int, Call]] = field(default_factory=list)
    size: int = 0
    local: list[Storage] = field(default_factory=list)

    def reads(self) -> list[Value]:
        """Return what the chain reads of memory that it does not keep to itself."""
        return [v for call in self._calls() for v in call.reads() if v.storage not in self.local]

    def touches(self) -> list[Value]:
        """Return what the chain writes of memory that it does not keep to itself."""
        found = [v for call in self._calls() for v in (*call.touches(), *call.results)]
        made = {v.storage for call in self.steps for v in call.results}
        return [v for v in found if v.storage not in self.local and v.storage not in made]

    def _calls(self) -> list[Call]:
        return [*self.steps, *(call for _, call in self.tails)]


def run_in_blocks(program: Program, shortest: int = SHORTEST) -> int:
    """Join long element-wise stretches into chains; return how many calls are in them."""
    calls: list[Call] = []
    stretch: list[Call] = []
    tails: list[tuple[int, Call]] = []
    joined = 0

    def close() -> None:
        nonlocal joined
        if len(stretch) + len(tails) > 1:
            joined += len(stretch) + len(tails)
            calls.append(_chain(list(stretch), list(tails)))
        else:
            calls.extend(stretch)
        stretch.clear()
        tails.clear()

    for call in program.calls:
        size = flat_size(call)
        alike = not stretch or (
            flat_size(stretch[0]) == size and _dtype(stretch[0]) == _dtype(call)
        )
        if size >= shortest and not tails and alike:
            stretch.append(call)
        elif stretch and (start := _tail_start(call, stretch)) is not None:
            tails.append((start, call))
        elif stretch and call.function is number_array:
            calls.append(call)
        else:
            close()
            if size >= shortest:
                stretch.append(call)
            else:
                calls.append(call)
    close()
    program.calls[:] = calls
    _find_local(program)
    return joined


def flat_size(call: Call) -> int:
    """Return over how many numbers a call runs in flat order, 0 if it does not."""
    if not is_elementwise(call) or call.keywords or len(call.touches()) + len(call.results) != 1:
        return 0
    target = (*call.touches(), *call.results)[0]
    if not is_contiguous(target) or target.storage.kind in ("argument", "gradient"):
        return 0
    for value in call.arguments:
        if isinstance(value, Value) and value.dtype != target.dtype:
            return 0
        if isinstance(value, Value) and value.size != 1:
            if value.shape != target.shape or not is_contiguous(value):
                return 0
        elif isinstance(value, Value) and value.shape != ():
            return 0
    return target.size


def _dtype(call: Call):
    return (*call.touches(), *call.results)[0].dtype


def _tail_start(call: Call, stretch: list[Call]) -> int | None:
    """Return where a call's part of a flat result begins, None if it applies no such part."""
    if not flat_size(call) or call.out is None:
        return None
    made = {(*c.touches(), *c.results)[0] for c in stretch}
    flats = {value.storage: value for value in made}
    if call.out.storage in flats:
        return None
    start = None
    for value in call.reads():
        if value.storage in flats:
            flat = flats[value.storage]
            start = (value.offset - flat.offset) // value.dtype.itemsize
        elif value is not call.out and value.shape != ():
            return None
    return start


def _chain(steps: list[Call], tails: list[tuple[int, Call]]) -> Chain:
    first = steps[0]
    size = flat_size(first)
    seen: set[Storage] = set()
    results = []
    for call in steps:
        for value in call.results:
            if value.storage not in seen:
                seen.add(value.storage)
                results.append(value)
    return Chain(None, "chain", (), {}, results, section=first.section, line=first.line,
                 steps=steps, tails=tails, size=size)  # fmt: skip


def _find_local(program: Program) -> None:
    """Keep to a chain what nobody else reads."""
    kept = {value.storage for value in program.outputs()}
    users: dict[Storage, set[int]] = {}
    for position, call in enumerate(program.calls):
        for value in (*call.reads(), *call.touches(), *call.results):
            users.setdefault(value.storage, set()).add(position)
    for position, call in enumerate(program.calls):
        if not isinstance(call, Chain):
            continue
        call.local = [
            value.storage
            for value in call.results
            if value.storage not in kept and users[value.storage] == {position}
        ]
        call.results = [value for value in call.results if value.storage not in call.local]
