"""Run long element-wise stretches block by block, so that they stay in the processor's cache.

Ten operations on ten million numbers read and write main memory ten times, one after the other;
in blocks they read and write it once. Results that only the stretch needs shrink to one block.
The pieces of a long stretch are shared between two threads: NumPy computes without the lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aino.compiler.ir.analysis import Analysis
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Loop, Program, joined
from aino.compiler.ir.regions import Region, Storage, is_contiguous
from aino.compiler.passes.memory_plan import is_elementwise

#: Stretches over fewer numbers than this are left alone: they lie in the cache anyway.
SHORTEST = 1 << 17
#: Numbers in one block.
BLOCK = 1 << 16
#: Chains over at least this many numbers are shared between two threads.
SHARED = 8 * BLOCK


@dataclass(eq=False)
class Chain(Loop):
    """Element-wise calls over flat memory of one size, run together block by block.

    ``tails``: calls that apply a part of a flat result to memory of its own, as a step does to
    its parameters, each with the first number of its part.
    """

    tails: list[tuple[int, Call]] = field(default_factory=list)
    size: int = 0

    def calls(self) -> list[Call]:
        """Return all calls of the chain, in order."""
        return [*self.steps, *(call for _, call in self.tails)]


class Stretch:
    """Calls that are collected for one chain, and what they read and write.

    Block by block, a call may only meet memory at the block where it stands itself.
    """

    def __init__(self) -> None:
        self.steps: list[Call] = []
        self.tails: list[tuple[int, Call]] = []
        self.form: tuple = ()
        self._read: dict[Storage, set[tuple]] = {}
        self._written: dict[Storage, set[tuple]] = {}

    def takes(self, call: Call) -> bool:
        """Append a call if it works on the same numbers, block by block; tell whether it does."""
        form = (flat_size(call), _dtype(call))
        if self.tails or (self.steps and form != self.form):
            return False
        target = call.target
        if self._meets(call.reads(), self._written) or self._meets([target], self._read):
            return False
        if self._meets([target], self._written):
            return False
        self.form = form
        self.steps.append(call)
        self._note(call, target)
        return True

    def takes_tail(self, call: Call) -> bool:
        """Append a call that applies a part of a flat result; tell whether it does that."""
        start = self._start(call)
        if start is None or call.out is None:
            return False
        self.tails.append((start, call))
        self._note(call, call.out)
        return True

    def _start(self, call: Call) -> int | None:
        """Return where a call's part of a flat result begins, None if it applies no such part."""
        if not self.steps or not flat_size(call) or call.out is None:
            return None
        if _dtype(call) != self.form[1]:
            return None  # it reads the bits of the result as other numbers
        flats = {v.storage: v for c in self.steps for v in (*c.touches(), *c.results)}
        if call.out.storage in self._read or call.out.storage in self._written:
            return None
        starts = set()
        for value in call.reads():
            if value.storage in flats and value.size == call.out.size:
                flat = flats[value.storage]
                starts.add((value.offset - flat.offset) // value.dtype.itemsize)
            elif value.storage in self._written or (value is not call.out and value.shape != ()):
                return None
        return starts.pop() if len(starts) == 1 else None

    @staticmethod
    def _meets(values, known: dict[Storage, set[tuple]]) -> bool:
        """Tell whether one of the values lies in known memory, but not at the same place."""
        return any(known.get(v.storage, {_place(v)}) != {_place(v)} for v in values)

    def _note(self, call: Call, target: Region) -> None:
        for value in call.reads():
            self._read.setdefault(value.storage, set()).add(_place(value))
        self._written.setdefault(target.storage, set()).add(_place(target))

    def close(self, calls: list[Call]) -> int:
        """Append what was collected to ``calls`` and begin anew; return how many are joined."""
        count = len(self.steps) + len(self.tails)
        if count > 1:
            size = flat_size(self.steps[0])
            calls.append(joined(Chain, self.steps, tails=self.tails, size=size))
        else:
            calls.extend(self.steps)
        self.__init__()  # type: ignore[misc]
        return count if count > 1 else 0


def run_in_blocks(program: Program, shortest: int = SHORTEST) -> int:
    """Join long element-wise stretches into chains; return how many calls are in them."""
    calls: list[Call] = []
    stretch = Stretch()
    joined = 0
    for call in program.calls:
        long = flat_size(call) >= shortest
        if (long and stretch.takes(call)) or stretch.takes_tail(call):
            continue
        if stretch.steps and call.operation is Operation.NUMBER and call.results:
            calls.append(call)  # made of Python numbers: as well before the chain as after it
            continue
        joined += stretch.close(calls)
        if not (long and stretch.takes(call)):
            calls.append(call)
    joined += stretch.close(calls)
    if joined:
        program.calls[:] = calls
        _find_local(program)
    return joined


def _place(value: Region) -> tuple[int, int]:
    return value.offset, value.size


def flat_size(call: Call) -> int:
    """Return over how many numbers a call runs in flat order, 0 if it does not."""
    if not is_elementwise(call) or call.keywords or len(call.touches()) + len(call.results) != 1:
        return 0
    target = call.target
    if not is_contiguous(target) or target.storage.kind in ("argument", "gradient"):
        return 0
    for value in call.arguments:
        if isinstance(value, Region) and value.dtype != target.dtype:
            return 0
        if isinstance(value, Region) and value.size != 1:
            if value.shape != target.shape or not is_contiguous(value):
                return 0
        elif isinstance(value, Region) and value.shape != ():
            return 0
    return target.size


def _dtype(call: Call):
    return call.target.dtype


def _find_local(program: Program) -> None:
    """Keep to a chain what nobody else reads."""
    analysis = Analysis(program)
    for position, call in enumerate(program.calls):
        if not isinstance(call, Chain):
            continue
        call.local = {
            value.storage
            for value in call.results
            if value.storage not in analysis.outputs
            and analysis.first_use(value.storage) == position == analysis.last_use(value.storage)
        }
        call.results = [value for value in call.results if value.storage not in call.local]
