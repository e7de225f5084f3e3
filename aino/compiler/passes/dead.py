"""Drop calls whose results nobody reads."""

from __future__ import annotations

from aino.compiler.program import Program, Storage

#: Memory that outlives the call.
LASTING = ("static", "argument", "gradient")


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
