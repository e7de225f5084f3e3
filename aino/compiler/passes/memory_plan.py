"""Decides where each storage of a program lives, and which may share memory.

``bound``: memory from outside, there before the program runs. ``buffer``: made once, used at
every call. ``fresh``: made at each call, because the caller keeps it or NumPy has no ``out=``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aino.compiler.ir.analysis import Analysis, analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Storage
from aino.compiler.passes.copies import takes_out


@dataclass
class Layout:
    """``place``: storage -> bound, given, buffer or fresh. ``twin``: shares that one's memory."""

    place: dict[Storage, str] = field(default_factory=dict)
    twin: dict[Storage, Storage] = field(default_factory=dict)
    bytes_before: int = 0
    bytes_after: int = 0


def plan_memory(program: Program, reuse: bool = True) -> Layout:
    """Place every storage; with ``reuse`` buffers of the same form take turns."""
    layout = Layout()
    analysis = analysed(program)
    returned = analysis.returned
    loops = [call for call in program.calls if call.operation is Operation.LOOP]
    chained = {value.storage for loop in loops for value in loop.results}
    several = {v.storage for call in program.calls if len(call.results) > 1 for v in call.results}
    several -= chained
    for storage in program.storages():
        if storage.kind in ("static", "constant"):
            layout.place[storage] = "bound"
        elif storage.kind in ("argument", "gradient"):
            layout.place[storage] = "given"
        else:
            maker = analysis.maker(storage)
            writable = maker is None or takes_out(maker) or maker.operation is Operation.NUMBER
            writable = writable or storage in chained
            own = storage in returned or storage in several
            layout.place[storage] = "buffer" if writable and not own else "fresh"
    _share(program, layout, analysis, reuse)
    return layout


def is_elementwise(call: Call) -> bool:
    """Tell whether each element of the result depends on the same element of the arguments."""
    return call.operation is Operation.UFUNC and call.function.signature is None


def _share(program: Program, layout: Layout, analysis: Analysis, reuse: bool) -> None:
    """Give storages whose lives do not overlap the same memory, in one walk over the calls."""
    buffers = [s for s, place in layout.place.items() if place == "buffer"]
    alone = {value.storage for _, value in program.gradients if value is not None}
    alone = alone if program.keeps_gradients else set()
    free: dict[tuple, list[Storage]] = {}
    begin: dict[int, list[Storage]] = {}
    end: dict[int, list[Storage]] = {}
    for storage in buffers:
        layout.bytes_before += size_of(storage)
        begin.setdefault(analysis.first_use(storage) or 0, []).append(storage)
        last = analysis.last_use(storage)
        if storage not in analysis.outputs and last is not None:
            end.setdefault(last, []).append(storage)
    for position, call in enumerate(program.calls):
        dying = end.get(position, []) if reuse else []
        # An element-wise call may write over an operand that nobody needs any more.
        early = [
            storage
            for storage in dying
            if is_elementwise(call)
            and analysis.first_use(storage) != position
            and all(v.is_whole for v in call.reads() if v.storage is storage)
        ]
        for storage in early:
            free.setdefault(form_of(storage), []).append(_root(layout, storage))
        for storage in begin.get(position, []):
            waiting = free.get(form_of(storage))
            if waiting and reuse and storage not in alone:
                layout.twin[storage] = waiting.pop()
            else:
                layout.bytes_after += size_of(storage)
        for storage in dying:
            if storage not in early:
                free.setdefault(form_of(storage), []).append(_root(layout, storage))


def _root(layout: Layout, storage: Storage) -> Storage:
    return layout.twin.get(storage, storage)


def form_of(storage: Storage) -> tuple:
    """Return what two storages must share to lie in the same memory."""
    whole = storage.whole
    return (whole.shape, whole.strides, whole.dtype)


def size_of(storage: Storage) -> int:
    return storage.whole.size * storage.whole.dtype.itemsize
