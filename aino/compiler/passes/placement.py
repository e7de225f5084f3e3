"""Compute a part of an array where it belongs, instead of copying it there."""

from __future__ import annotations

from aino.compiler.ir.analysis import Analysis, analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Method, Region, Storage, is_reread, region_at, slices_of
from aino.compiler.passes.copies import relocate_call
from aino.compiler.passes.memory_plan import is_elementwise


def compute_in_place(program: Program) -> int:
    """Let element-wise calls fill a part of an array that their result is copied into.

    Nobody may read that array or write that part between the first of them and the copy, nor read
    what is copied elsewhere. Return how many copies go.
    """
    analysis = analysed(program)
    moves: dict[Storage, Region] = {}
    gone: set[int] = set()
    for position, call in enumerate(program.calls):
        place = _place(call, position, analysis, program) if _is_copy(call) else None
        if place is None or place.storage in moves:
            continue
        storage = call.reads()[0].storage
        moves[storage] = place
        gone.add(position)
    if not moves:
        return 0
    known: dict[Region, Region] = {}
    for position, call in enumerate(program.calls):
        if position in gone:
            continue
        if call.results and call.results[0].storage in moves:
            call.out, call.results = call.results[0], []
        relocate_call(call, moves, known)
    program.calls[:] = [c for position, c in enumerate(program.calls) if position not in gone]
    return len(gone)


def _is_copy(call: Call) -> bool:
    """Tell whether a call copies a whole array into a part of another."""
    if call.operation is not Operation.COPY or call.out is None or call.out.is_whole:
        return False
    (source,) = call.arguments
    return (
        isinstance(source, Region)
        and source.storage.kind == "temporary"
        and source.storage is not call.out.storage
        and call.out.storage.kind == "temporary"
        and source.shape == call.out.shape
        and source.dtype == call.out.dtype
        and _is_all(source)
    )


def _is_all(value: Region) -> bool:
    """Tell whether a region is a whole array, or that read as other numbers of the same size."""
    return value.is_whole or (is_reread(value) and value.parent.is_whole)


def _place(copy: Call, position: int, analysis: Analysis, program: Program) -> Region | None:
    """Return where the source of a copy may be computed, None where it may not be."""
    source, target = copy.reads()[0].storage, copy.out
    assert target is not None
    if source in analysis.outputs or analysis.last_use(source) != position:
        return None
    first = analysis.first_use(source)
    assert first is not None
    reads = analysis.readers.get(target.storage, ())
    if any(first <= use < position for use in reads):
        return None
    for call in program.calls[first:position]:
        touched = [*call.touches(), *call.results]
        if any(v.storage is target.storage and not _are_apart(v, target) for v in touched):
            return None
        if any(value.storage is source for value in (*call.reads(), *touched)):
            fills = is_elementwise(call) or call.operation is Operation.COPY
            own = [v for v in (*call.reads(), *touched) if v.storage is source]
            if not fills or len(touched) != 1 or not all(map(_is_all, own)):
                return None
    whole = source.whole
    if whole.dtype == target.dtype:
        return target
    cut = Method("view", (whole.dtype,))
    return region_at(
        target.storage, whole.shape, whole.dtype, target.strides, target.offset, target, cut
    )


def _are_apart(first: Region, second: Region) -> bool:
    """Tell whether it is certain that two parts of an array have no number in common."""
    one, other, parent = slices_of(first), slices_of(second), first.parent
    if one is None or other is None or parent is None or parent is not second.parent:
        return False
    return any(
        set(range(*a.indices(length))).isdisjoint(range(*b.indices(length)))
        for a, b, length in zip(one, other, parent.shape)
    )
