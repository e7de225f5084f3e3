"""Compute values where they are wanted, instead of copying them there."""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.analysis import Analysis, analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program, Returned, append_copy, map_values
from aino.compiler.ir.regions import (
    Region,
    Storage,
    is_contiguous,
    moved,
    region_at,
    reshaped,
    sliced,
)
from aino.compiler.passes.common_subexpressions import rewrite

#: Methods of ufuncs, functions, and methods of arrays whose result goes into given memory.
_UFUNCS = (Operation.UFUNC, Operation.REDUCE, Operation.ACCUMULATE)
_FUNCTIONS = (np.concatenate, np.dot)
_METHODS = ("copy", "astype")


def takes_out(call: Call) -> bool:
    """Tell whether a call can write its one result into memory that it is given."""
    if len(call.results) != 1:
        return False
    if call.operation is Operation.FUNCTION:
        return call.function in _FUNCTIONS
    if call.operation is Operation.METHOD:
        return call.function in _METHODS
    if call.operation is Operation.KERNEL:
        return hasattr(call.function, "takes_out")
    return call.operation in _UFUNCS


def elide_copies(program: Program) -> int:
    """Use the original for a copy, where neither is written afterwards; return how many.

    The copy may be, where nobody uses the original any more.
    What is returned to the caller stays a copy, unless nobody else holds the original: one
    that the call has made itself is then the caller's.
    """
    analysis = analysed(program)
    returned = analysis.returned
    #: What the caller or a leaf gets, each of which needs memory of its own.
    given = set(analysis.outputs)
    kept: list[Call] = []
    replaced: dict[Storage, Storage] = {}
    #: Those that are used for copies, too: when for the last time, the analysis doesn't know.
    shared: set[Storage] = set()
    for position, call in enumerate(program.calls):
        if replaced:
            rewrite(call, replaced)
        source = call.arguments[0] if call.arguments else None
        copies = call.operation is Operation.METHOD and call.function == "copy"
        if copies and isinstance(source, Region) and source.is_whole:
            result = call.results[0]
            handed_on = result.storage in returned
            changes = result.storage in analysis.writers
            own = source.storage.kind == "temporary" and source.storage not in given
            ours = own and not analysis.may_be_kept(source.storage)
            if handed_on:
                free = ours and analysis.maker(source.storage) is not None
            else:
                free = source.storage.kind in ("temporary", "constant")
                free = free and source.storage not in returned
            ends = (
                ours
                and source.storage not in shared
                and analysis.last_use(source.storage) == position
            )
            if (
                free
                and result.strides == source.strides
                and (ends or not changes)
                and analysis.last_write(source.storage) < position
            ):
                source.storage.written = source.storage.written or changes
                shared.add(source.storage)
                if result.storage in given:
                    given.add(source.storage)
                if handed_on:
                    returned = returned | {source.storage}
                replaced[result.storage] = source.storage
                continue
        kept.append(call)
    if replaced:
        rewrite_gradients(program, replaced)
        rewrite_returned(program, replaced)
    program.calls[:] = kept
    return len(replaced)


def rewrite_returned(program: Program, replaced: dict[Storage, Storage]) -> None:
    """Give the caller the regions of other storages in the places of some."""

    known: dict[int, Returned] = {}  # a tensor that is returned twice is one

    def moved_on(item):
        if isinstance(item, Returned) and item.value.storage in replaced:
            if id(item) not in known:
                value = moved(item.value, replaced[item.value.storage])
                known[id(item)] = Returned(value, item.original)
            return known[id(item)]
        return item

    program.map_returned(moved_on)


def rewrite_gradients(program: Program, replaced: dict[Storage, Storage]) -> None:
    """Let leaves show the regions of other storages in the places of some."""
    carrier = Call(Operation.COPY, None, tuple(value for _, value in program.gradients), {}, [])
    rewrite(carrier, replaced)
    program.gradients[:] = [
        (leaf, value) for (leaf, _), value in zip(program.gradients, carrier.arguments)
    ]


def give_own_memory(program: Program) -> int:
    """Copy what the caller gets but the program keeps: constants, and gradients made anew.

    A gradient stays in a buffer, so that one which NumPy makes at each call is copied into it.
    Return how many are copied.
    """
    analysis = analysed(program)

    def own(value: Region, copies: dict[Storage, Storage]) -> Region:
        if value.storage not in copies:
            copies[value.storage] = append_copy(program, value.storage.whole).storage
        return moved(value, copies[value.storage])

    for_caller: dict[Storage, Storage] = {}
    for_leaves: dict[Storage, Storage] = {}

    def returned(item):
        if isinstance(item, Returned) and item.original is None:
            if item.value.storage.kind == "constant":
                return Returned(own(item.value, for_caller))
        return item

    program.map_returned(returned)
    for position, (leaf, value) in enumerate(program.gradients):
        maker = analysis.maker(value.storage) if value is not None else None
        anew = maker is not None and not takes_out(maker) and maker.operation is not Operation.LOOP
        if value is not None and anew:
            program.gradients[position] = (leaf, own(value, for_leaves))
    return len(for_caller) + len(for_leaves)


def gather_in_place(program: Program) -> int:
    """Let the parts of a concatenation be computed in their places; return how many are.

    This is what writes gradients straight into the optimizer's flat array.
    """
    analysis = analysed(program)
    moves: dict[Storage, Region] = {}
    targets: set[Storage] = set()
    calls: list[Call] = []
    for position, call in enumerate(program.calls):
        copies = None
        if call.function is np.concatenate and call.keywords.get("axis", 0) is None:
            if call.results[0].storage not in analysis.returned:
                copies = _gather(call, position, analysis, moves, targets)
        calls += [call] if copies is None else copies
    if moves:
        for storage in moves:
            maker = analysis.maker(storage)
            assert maker is not None
            if maker.results[0] is storage.whole:
                maker.out, maker.results = storage.whole, []
        program.calls[:] = calls
        _relocate(program, moves)
    return len(moves)


def _gather(gathering: Call, position: int, analysis: Analysis, moves, targets):
    """Add the parts that can be made in their places to ``moves``; return copies of the others.

    None where no part can: the concatenation stays.
    """
    target = gathering.results[0]
    target_written = analysis.last_write(target.storage) > position
    moved_here: dict[Storage, Region] = {}
    copies: list[Call] = []
    start = 0
    for part in gathering.arguments[0]:
        stop = start + part.size
        place = sliced(target, start, stop)
        start = stop
        storage = part.storage
        maker = analysis.maker(storage)
        if (
            storage.kind == "temporary"
            and maker is not None
            and takes_out(maker)
            and storage not in moves
            and storage not in moved_here
            and storage not in targets
            and storage not in analysis.returned
            and storage.whole.size == part.size
            and is_contiguous(storage.whole)
            and is_contiguous(part)
            and storage.whole.dtype == target.dtype
            and analysis.last_write(storage) < position
            and not (target_written and analysis.last_read(storage) > position)
        ):
            moved_here[storage] = place
        else:
            copies.append(
                Call(
                    Operation.COPY, None, (reshaped(part, (part.size,)),), {}, [], out=place,
                    section=gathering.section, line=gathering.line,
                )
            )  # fmt: skip
    if not moved_here:
        return None
    moves.update(moved_here)
    targets.add(target.storage)
    if gathering.section == "update" and not target.storage.label:
        target.storage.label = "gradients"
    target.storage.written = True
    return copies


def relocated(value: Region, moves: dict[Storage, Region], known: dict[Region, Region]) -> Region:
    """Return where a region lies once its storage has moved."""
    storage = value.storage
    if storage not in moves:
        return value
    if value not in known:
        place = moves[storage]
        if value is storage.whole:
            known[value] = reshaped(place, value.shape)
        else:
            known[value] = region_at(
                place.storage, value.shape, value.dtype, value.strides,
                place.offset + value.offset, relocated(value.parent, moves, known), value.cut,
            )  # fmt: skip
    return known[value]


def relocate_call(call: Call, moves: dict[Storage, Region], known: dict[Region, Region]) -> None:
    """Let a call use the regions where storages have moved."""
    if not any(value.storage in moves for value in (*call.reads(), *call.touches())):
        return

    def change(value: Region) -> Region:
        return relocated(value, moves, known)

    call.arguments = map_values(call.arguments, change)
    call.keywords = {key: map_values(item, change) for key, item in call.keywords.items()}
    call.out = map_values(call.out, change)
    call.writes = map_values(call.writes, change)


def _relocate(program: Program, moves: dict[Storage, Region]) -> None:
    """Move storages into regions of another: all their values with them."""
    known: dict[Region, Region] = {}

    def change(value: Region) -> Region:
        return relocated(value, moves, known)

    for call in program.calls:
        relocate_call(call, moves, known)
    program.gradients[:] = [
        (leaf, None if value is None else change(value)) for leaf, value in program.gradients
    ]
