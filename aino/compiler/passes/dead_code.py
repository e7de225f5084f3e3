"""Drop calls whose results nobody reads."""

from __future__ import annotations

from aino.compiler.ir.analysis import LASTING
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Storage


def put_preconditions_first(program: Program) -> int:
    """Move calls that may find the data unlike to the beginning; return how many are there.

    The program knows whether all of them are: a computed value may be what they look at.
    """
    first: list[Call] = []
    rest: list[Call] = []
    written: set[Storage] = set()
    there = True
    for call in program.calls:
        if getattr(call.function, "is_precondition", False):
            reads = {value.storage for value in call.reads()}
            outside = all(s.kind in (*LASTING, "constant") and s not in written for s in reads)
            there = there and outside
            (first if outside else rest).append(call)
        else:
            rest.append(call)
        written.update(value.storage for value in call.touches())
    program.calls[:] = first + rest
    program.preconditions_first = there
    return len(first)


def put_checks_first(program: Program) -> int:
    """Move checks of what is there before the program runs to its beginning; return how many.

    One that raises does so before anything has been done. What is computed from that alone, for a
    check to look at, moves with it.
    """
    written: set[Storage] = set()
    makers: dict[Storage, Call] = {}
    checks: list[Call] = []
    for call in program.calls:
        touched = [value.storage for value in call.touches()]
        reads = {value.storage for value in call.reads()} - written
        ready = len(reads) == len({value.storage for value in call.reads()}) and all(
            storage.kind in (*LASTING, "constant") or storage in makers for storage in reads
        )
        written.update(touched)
        if not ready or touched or call.operation in (Operation.DRAW, Operation.SEED):
            continue
        if call.operation is Operation.CHECK:
            checks.append(call)
        makers.update((value.storage, call) for value in call.results)
    wanted, waiting = set(), list(checks)
    while waiting:
        call = waiting.pop()
        if id(call) not in wanted:
            wanted.add(id(call))
            waiting += [makers[v.storage] for v in call.reads() if v.storage in makers]
    first = [call for call in program.calls if id(call) in wanted]
    program.calls[:] = first + [call for call in program.calls if id(call) not in wanted]
    return len(checks)


def drop_dead_calls(program: Program) -> int:
    """Remove calls that neither lead to an output nor write lasting memory; return how many."""
    needed: set[Storage] = {value.storage for value in program.outputs()}
    kept = []
    for call in reversed(program.calls):
        touched = [value.storage for value in call.touches()]
        made = [value.storage for value in call.results]
        if not (
            call.effect
            or any(s.kind in LASTING or s in needed for s in touched)
            or any(s in needed for s in made)
        ):
            continue
        kept.append(call)
        needed.difference_update(made)
        needed.update(value.storage for value in call.reads())
        needed.update(touched)
    dropped = len(program.calls) - len(kept)
    program.calls[:] = reversed(kept)
    return dropped
