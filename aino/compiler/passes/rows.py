"""Run element-wise calls over large arrays of many axes by rows, as ``fusion`` does flat ones.

A pooled image, the mask of a ramp and the gradients that go through them are parts and views of
arrays, so that they have no flat order in common. But all of them begin with the same axis: some
of its rows go through all calls while they stay in the cache, and half of them on another thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aino.compiler.ir.analysis import Analysis
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Loop, Program, joined
from aino.compiler.ir.regions import Region, Storage
from aino.compiler.passes.copies import takes_out
from aino.compiler.passes.memory_plan import is_elementwise

#: A stretch goes over so many numbers in all at least; less is as quick call by call.
WORTH_ROWS = 1 << 22
#: So many numbers of a row and its neighbours go through the calls at once.
ROW_BLOCK = 1 << 17


@dataclass(eq=False)
class Rows(Loop):
    """Element-wise calls over arrays that have their first axis in common, run block by block.

    ``rows``: how long that axis is. ``whole``: regions that each block reads whole.
    """

    rows: int = 0
    whole: set[Region] = field(default_factory=set)

    @property
    def work(self) -> int:
        """Over how many numbers all of the calls go."""
        return sum([call.target.size for call in self.steps])


class _Stretch:
    """Calls that are collected, and what they read and write.

    Block by block, a call may only meet what is written at the rows where it stands itself.
    """

    def __init__(self) -> None:
        self.steps: list[Call] = []
        self.rows = 0
        #: storage -> how far apart its rows lie, for what is written.
        self._written: dict[Storage, int] = {}
        self._read: dict[Storage, list[Region]] = {}
        self.whole: set[Region] = set()

    def takes(self, call: Call) -> bool:
        """Append a call if it works on the same rows; tell whether it does."""
        target = _target(call)
        if target is None or (self.steps and target.shape[0] != self.rows):
            return False
        sliced, whole = [], []
        for value in call.reads():
            if len(value.shape) == len(target.shape) and value.shape[0] == target.shape[0]:
                sliced.append(value)
            else:
                whole.append(value)
        step = target.strides[0]
        before = [*self._read.get(target.storage, ()), target]
        fits = self._written.get(target.storage, step) == step
        fits = fits and all([_keeps_to_rows(value, step) for value in before])
        fits = fits and not any([value in self.whole for value in before])
        for value in sliced:
            if value.storage is target.storage:
                fits = fits and _keeps_to_rows(value, step)
            elif value.storage in self._written:
                fits = fits and _keeps_to_rows(value, self._written[value.storage])
        written = {*self._written, target.storage}
        fits = fits and not any([value.storage in written for value in whole])
        if not fits:
            return False
        self.rows = target.shape[0]
        self.steps.append(call)
        self._written[target.storage] = step
        for value in (*sliced, *whole):
            self._read.setdefault(value.storage, []).append(value)
        self.whole.update(whole)
        return True

    def close(self, calls: list[Call]) -> int:
        """Append what was collected to ``calls``; return how many are joined."""
        loop = joined(Rows, self.steps, rows=self.rows, whole=self.whole) if self.steps else None
        if isinstance(loop, Rows) and len(self.steps) > 1 and loop.work >= WORTH_ROWS:
            calls.append(loop)
            return len(self.steps)
        calls.extend(self.steps)
        return 0


def run_by_rows(program: Program) -> int:
    """Join element-wise calls over large arrays; return how many calls are joined."""
    calls: list[Call] = []
    stretch = _Stretch()
    joined = 0
    for call in program.calls:
        if stretch.takes(call):
            continue
        joined += stretch.close(calls)
        stretch = _Stretch()
        if not stretch.takes(call):
            calls.append(call)
    joined += stretch.close(calls)
    if joined:
        program.calls[:] = calls
        _find_local(program)
    return joined


def _target(call: Call) -> Region | None:
    """Return what an element-wise call over rows fills, None if it is no such call."""
    if isinstance(call, Loop) or call.keywords or len(call.touches()) + len(call.results) != 1:
        return None
    if not is_copy(call):
        if not is_elementwise(call):
            return None
        if not all([isinstance(item, (Region, int, float)) for item in call.arguments]):
            return None
    target = call.target
    if target.storage.kind in ("argument", "gradient") or len(target.shape) < 2:
        return None
    if target.shape[0] < 2 or not target.size or target.storage.whole is None:
        return None
    if any([len(value.shape) > len(target.shape) for value in call.reads()]):
        return None
    return target if _keeps_to_rows(target, target.strides[0]) else None


def is_copy(call: Call) -> bool:
    """Tell whether a call copies its first argument, into another dtype perhaps."""
    if call.operation is Operation.METHOD:
        copies = takes_out(call)
    else:
        copies = call.operation is Operation.COPY
    return copies and isinstance(call.arguments[0], Region)


def _keeps_to_rows(value: Region, step: int) -> bool:
    """Tell whether rows of a region lie in rows of its storage, which are so many bytes apart."""
    if not value.shape or value.strides[0] != step or step <= 0:
        return False
    low, high = value.extent
    high -= (value.shape[0] - 1) * step
    return low >= 0 and high <= step


def _find_local(program: Program) -> None:
    """Keep to a loop what nobody else needs."""
    analysis = Analysis(program)
    for position, call in enumerate(program.calls):
        if not isinstance(call, Rows):
            continue
        written = {step.target.storage for step in call.steps}
        call.local = {
            storage
            for storage in written
            if storage.kind == "temporary"
            and storage not in analysis.outputs
            and analysis.first_use(storage) == position == analysis.last_use(storage)
            and storage.whole.shape[0] == call.rows
            and _keeps_to_rows(storage.whole, storage.whole.strides[0])
        }
        call.results = [value for value in call.results if value.storage not in call.local]
