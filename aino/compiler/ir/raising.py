"""Which calls of a program may raise for what the data are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region, Storage

_INDEXED = {np.take, np.put, np.take_along_axis, np.put_along_axis, np.choose}


def is_check(call: Call) -> bool:
    """Tell whether a call raises where values are wrong, so that others need not."""
    return call.operation is Operation.CHECK or getattr(call.function, "is_precondition", False)


def may_raise(call: Call) -> bool:
    """Tell whether a call may raise: a check, what takes an index, a decomposition of matrices."""
    if is_check(call) or call.operation is Operation.AT or _index_of(call):
        return True
    return (getattr(call.function, "__module__", "") or "").startswith("numpy.linalg")


def raising_places(calls: Sequence[Call]) -> list[int]:
    """Return the places of the calls that may raise; an index that was checked does not."""
    checked: set[Storage] = set()
    found = []
    for place, call in enumerate(calls):
        reads = [value.storage for value in call.reads()]
        if is_check(call):
            checked.update(reads)
        same = is_check(call) or call.operation in (Operation.METHOD, Operation.ATTRIBUTE)
        if same and reads and all(storage in checked for storage in reads):
            checked.update(value.storage for value in call.results)
        index = _index_of(call)
        known = index and all(part.storage in checked for part in index)
        if may_raise(call) and not known:
            found.append(place)
    return found


def _index_of(call: Call) -> list[Region]:
    """Return the computed parts of the index that a call takes."""
    taking = call.operation is Operation.FUNCTION and call.function in _INDEXED
    if not taking and call.operation not in (Operation.GET, Operation.SET):
        return []
    if call.function is np.take and "clip" in (*call.arguments[4:], call.keywords.get("mode")):
        return []
    index = call.arguments[1]
    parts = index if isinstance(index, tuple) else (index,)
    return [part for part in parts if isinstance(part, Region)]


def keeps_old_gradients(calls: Sequence[Call], resets: Iterable[int]) -> bool:
    """Tell whether a call may raise while gradients still are those of the last run.

    ``resets``: how many calls had been made when each leaf was given another gradient first.
    Checks of what was there before come first of all.
    """
    before = calls[: max(resets, default=0)]
    return any(
        not is_check(before[place])
        or any(v.storage.kind == "temporary" or v.storage.written for v in before[place].reads())
        for place in raising_places(before)
    )
