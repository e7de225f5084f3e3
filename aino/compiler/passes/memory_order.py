"""Keep images in the memory order that convolutions work in, from one to the next.

Convolutions compute with the batch as the last axis: they lay what comes so, and what goes with
the batch first again, as users have it. Between two of them there are mostly element-wise calls,
which may run in either order. Where nothing else reads such memory it stays as it is: the copies
between the orders go, and the element-wise calls run over memory in the convolutions' order.

An array (N, C, *S) whose order is changed becomes one (C, *S, N): "turned".
"""

from __future__ import annotations

import numpy as np

from aino.autograd.rules.batch_order import lay_batch_first, lay_batch_last
from aino.compiler.ir.analysis import Analysis, analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program, map_values
from aino.compiler.ir.regions import (
    Method,
    Region,
    Storage,
    Subscript,
    contiguous_strides,
    is_contiguous,
    is_reread,
    region_at,
    slices_of,
)
from aino.compiler.passes.constants import shrunk
from aino.compiler.passes.copies import relocate_call

#: Methods of arrays that compute element by element.
_METHODS = ("astype", "copy")


def keep_batch_last(program: Program) -> int:
    """Leave memory in the order of convolutions where nobody sees it; return how many copies go."""
    if not any(_lays(call) for call in program.calls):
        return 0
    analysis = analysed(program)
    turned = _turned(program, analysis)
    if not turned:
        return 0
    return _Turning(analysis, turned).rewrite(program)


def _lays(call: Call):
    """Return which of the two copies between the orders a call is, None for others."""
    known = call.operation is Operation.KERNEL and call.out is None
    return call.function if known and call.function in (lay_batch_first, lay_batch_last) else None


def _is_elementwise(call: Call) -> bool:
    """Tell whether elements are computed of elements at the same place."""
    if call.keywords or call.writes or len(call.results) > 1:
        return False
    if call.operation is Operation.UFUNC:
        return call.function.signature is None
    if call.operation is Operation.METHOD:
        return call.function in _METHODS
    return call.operation is Operation.COPY or call.function is np.where


# Which memory may be turned


def _turned(program: Program, analysis: Analysis) -> set[Storage]:
    """Return the storages to turn: those beside a convolution, and what is computed of them."""
    uses: dict[Storage, list[Call]] = {}
    for call in program.calls:
        for value in (*call.reads(), *call.touches(), *call.results):
            uses.setdefault(value.storage, []).append(call)
    found: set[Storage] = set()
    waiting = [
        value.storage
        for call in program.calls
        if _lays(call)
        for value in (call.results if _lays(call) is lay_batch_first else call.reads())
    ]
    while waiting:
        storage = waiting.pop()
        if storage in found or not _can_turn(storage, uses[storage], analysis):
            continue
        found.add(storage)
        waiting += [call.target.storage for call in uses[storage] if _is_elementwise(call)]
    while found:
        # What these make lies in the order of what they read; it has to be turned, too.
        free = {
            value.storage
            for call in program.calls
            if call.results and call.results[0].storage not in found and _chooses_order(call)
            for value in call.reads()
        }
        if not free & found:
            break
        found -= free
    return found


def _chooses_order(call: Call) -> bool:
    """Tell whether NumPy decides on the memory order of an element-wise result, be it given or not.

    A ufunc can be given memory for its result.
    """
    return _is_elementwise(call) and call.operation is not Operation.UFUNC


def _can_turn(storage: Storage, uses: list[Call], analysis: Analysis) -> bool:
    """Tell whether nothing but convolutions and element-wise calls meets a storage."""
    whole = storage.whole
    return (
        storage.kind == "temporary"
        and storage not in analysis.outputs
        and len(whole.shape) > 2
        and is_contiguous(whole)
        and all(_allows(call, storage) for call in uses)
    )


def _allows(call: Call, storage: Storage) -> bool:
    rank = len(storage.whole.shape)
    own = [v for v in (*call.reads(), *call.touches(), *call.results) if v.storage is storage]
    if _lays(call):
        return all(value.is_whole or (is_reread(value) and value.parent.is_whole) for value in own)
    if not _is_elementwise(call) or not all(_is_sliced(value) for value in own):
        return False
    others = (*call.reads(), *call.touches(), *call.results)
    return all(len(value.shape) in (0, rank) for value in others)


def _is_sliced(value: Region) -> bool:
    """Tell whether a region is cut out of its storage by slices alone, or read as other numbers."""
    while not value.is_whole:
        if slices_of(value) is None and not is_reread(value):
            return False
        value = value.parent
    return True


# How it is turned


def _order(rank: int) -> tuple[int, ...]:
    return (*range(1, rank), 0)


def _moved_last(items: tuple) -> tuple:
    return (*items[1:], items[0])


class _Turning:
    """Rewrites the calls of a program over the memory that is turned."""

    def __init__(self, analysis: Analysis, turned: set[Storage]) -> None:
        self.analysis = analysis
        self.turned = turned
        #: What stands for turned memory: new memory, or what a convolution made.
        self.wholes: dict[Storage, Region] = {}
        #: What a convolution was given lies where turned memory does.
        self.moves: dict[Storage, Region] = {}
        self.known: dict[Region, Region] = {}
        self.saved = 0

    def rewrite(self, program: Program) -> int:
        calls = []
        for position, call in enumerate(program.calls):
            relocate_call(call, self.moves, self.known)
            lays = _lays(call)
            if lays is lay_batch_first and call.results[0].storage in self.turned:
                calls += self.stays(call, position)
            elif lays is lay_batch_last and call.reads()[0].storage in self.turned:
                calls += self.given(call, position)
            else:
                self.element_by_element(call)
                calls.append(call)
        program.calls[:] = calls
        return self.saved

    def stays(self, call: Call, position: int) -> list[Call]:
        """Leave what a convolution made where it is; copy it if somebody writes into it."""
        (source,), (result,) = call.reads(), call.results
        if self.is_fixed(source.storage, position) and self.is_never_written(result.storage):
            if source.is_whole and source.storage.kind == "temporary":
                self.wholes[result.storage] = source
                self.saved += 1
                return []
        call.operation, call.function = Operation.METHOD, "copy"
        call.results = [self.whole(result.storage)]
        return [call]

    def given(self, call: Call, position: int) -> list[Call]:
        """Give a convolution the turned memory itself; a copy if that is written afterwards."""
        (source,), (result,) = call.reads(), call.results
        place = self.at_its_place(source)
        fixed = self.is_fixed(source.storage, position)
        if fixed and self.is_never_written(result.storage):
            if result.storage not in self.analysis.outputs:
                self.moves[result.storage] = place
                self.saved += 1
                return []
        call.operation, call.function, call.arguments = Operation.METHOD, "copy", (place,)
        return [call]

    def is_fixed(self, storage: Storage, position: int) -> bool:
        return self.analysis.last_write(storage) < position

    def is_never_written(self, storage: Storage) -> bool:
        return storage not in self.analysis.writers

    def element_by_element(self, call: Call) -> None:
        """Run a call over turned memory, where it makes or fills such memory; else it reads it."""
        touched = (*call.reads(), *call.touches(), *call.results)
        if not any(value.storage in self.turned for value in touched):
            return
        change = self.as_it_was
        if call.target.storage in self.turned:
            change = self.at_its_place
            if call.operation is Operation.COPY:
                call.arguments = tuple([shrunk(value) for value in call.arguments])
        elif call.operation is Operation.UFUNC and call.results:
            # In the order that it had: NumPy would take that of the operands.
            call.out, call.results = call.results[0], []
            call.out.storage.written = True
        call.arguments = map_values(call.arguments, change)
        call.out = map_values(call.out, change)
        call.results = [change(value) for value in call.results]

    # Regions

    def whole(self, storage: Storage) -> Region:
        """Return the whole of what stands for turned memory."""
        if storage not in self.wholes:
            shape, dtype = _moved_last(storage.whole.shape), storage.whole.dtype
            own = Storage("temporary", label=storage.label)
            own.written = storage.written
            self.wholes[storage] = region_at(own, shape, dtype, contiguous_strides(shape, dtype), 0)
        return self.wholes[storage]

    def at_its_place(self, value: Region) -> Region:
        """Return the turned form of a region: its first axis last."""
        if not value.shape:
            return value
        if value.storage not in self.turned:
            order = _order(len(value.shape))
            return self.viewed(value, _moved_last(value.strides), order)
        if value.is_whole:
            return self.whole(value.storage)
        parent = self.at_its_place(value.parent)
        if type(value.cut) is Method:
            return region_at(
                parent.storage, parent.shape, value.dtype, parent.strides, parent.offset, parent,
                value.cut,
            )  # fmt: skip
        index = slices_of(value)
        assert index is not None
        turned = _moved_last(index)
        offset, strides = parent.offset, []
        for part, length, stride in zip(turned, parent.shape, parent.strides):
            start, _, step = part.indices(length)
            offset += start * stride
            strides.append(stride * step)
        shape = _moved_last(value.shape)
        return region_at(
            parent.storage, shape, value.dtype, tuple(strides), offset, parent, Subscript(turned)
        )

    def as_it_was(self, value: Region) -> Region:
        """Return a region of turned memory as it looked before it was."""
        if value.storage not in self.turned:
            return value
        place = self.at_its_place(value)
        order = (len(place.shape) - 1, *range(len(place.shape) - 1))
        return self.viewed(place, (place.strides[-1], *place.strides[:-1]), order)

    def viewed(self, value: Region, strides, order) -> Region:
        shape = tuple([value.shape[axis] for axis in order])
        return region_at(
            value.storage, shape, value.dtype, strides, value.offset, value,
            Method("transpose", (order,)),
        )  # fmt: skip
