"""Share calls that compute the same thing twice."""

from __future__ import annotations

import numpy as np

from aino.compiler.ir.analysis import analysed
from aino.compiler.ir.program import Call, Program, map_values
from aino.compiler.ir.regions import Region, Storage, moved
from aino.compiler.ir.symbolic import SymbolicNumber


def share_common_calls(program: Program) -> int:
    """Compute equal calls once; return how many were saved.

    Two calls are equal when function and arguments are, and no memory that they read was written
    between them. Only results that are never written afterwards are shared, and none that the
    caller gets: those belong to the caller alone.
    """
    analysis = analysed(program)
    written, own = analysis.writers, analysis.outputs
    versions: dict[Storage, int] = {}
    seen: dict[tuple, Call] = {}
    replaced: dict[Storage, Storage] = {}
    kept = []
    for call in program.calls:
        if replaced:
            rewrite(call, replaced)
        if not call.effect and not call.touches() and call.results:
            key = (
                call.operation,
                id(call.function) if not isinstance(call.function, str) else call.function,
                _key(call.arguments, versions),
                _key(tuple(sorted(call.keywords.items())), versions),
            )
            made = [value.storage for value in call.results]
            twin = seen.get(key)
            if twin is not None and not any(s in written or s in own for s in made):
                for mine, its in zip(call.results, twin.results):
                    replaced[mine.storage] = its.storage
                continue
            if twin is None and not any(s in written for s in made):
                seen[key] = call
        for value in call.touches():
            versions[value.storage] = versions.get(value.storage, 0) + 1
        kept.append(call)
    saved = len(program.calls) - len(kept)
    program.calls[:] = kept
    return saved


def rewrite(call: Call, replaced: dict[Storage, Storage]) -> None:
    """Let a call use the regions of other storages in the places of some."""

    def change(value: Region) -> Region:
        return moved(value, replaced[value.storage]) if value.storage in replaced else value

    call.arguments = map_values(call.arguments, change)
    call.keywords = {key: map_values(item, change) for key, item in call.keywords.items()}
    call.out = map_values(call.out, change)
    call.writes = map_values(call.writes, change)


def _key(item, versions):
    if isinstance(item, Region):
        return (id(item), versions.get(item.storage, 0))
    if isinstance(item, (tuple, list)):
        return tuple(_key(part, versions) for part in item)
    if isinstance(item, SymbolicNumber):
        return ("number", item.source)
    if isinstance(item, slice):
        return ("slice", item.start, item.stop, item.step)
    if isinstance(item, (int, float, complex, str, bool, type(None), np.dtype)):
        return (type(item), repr(item))
    return id(item)
