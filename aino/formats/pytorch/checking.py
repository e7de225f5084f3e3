"""The last look at what a pickle left: only values, of bounded size, and nothing within itself."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.formats.pytorch.machine import Global, Machine, Unfinished
from aino.formats.pytorch.storages import Storage

_DEEPEST = 1000
_PLAIN = {int, float, str, bool, bytes, complex, type(None), Tensor}
#: A value that stands in many places is counted in each, as who walks through all of it meets it.
_MOST = 100_000_000


def check_result(machine: Machine, result: Any) -> None:
    """Refuse a result that holds what is no value, itself, or more than can be walked through."""
    sizes: dict[int, int] = {}
    inside: set[int] = set()  # the containers that are being walked through
    waiting: list[tuple[Any, bool]] = [(result, False)]
    while waiting:
        value, done = waiting.pop()
        parts = _parts(machine, value)
        if done:
            inside.discard(id(value))
            size = sizes[id(value)] = 1 + sum(sizes.get(id(part), 1) for part in parts)
            if size > _MOST:
                machine.fail("holds values in values: more than anybody could walk through")
        elif id(value) in inside:
            machine.fail("holds a container that holds itself")
        elif parts and id(value) not in sizes:
            inside.add(id(value))
            if len(inside) > _DEEPEST:
                machine.fail(f"is nested more than {_DEEPEST:,} deep")
            waiting.append((value, True))
            waiting.extend((part, False) for part in parts if type(part) not in _PLAIN)


def _parts(machine: Machine, value: Any) -> list[Any]:
    """What a container holds; nothing for a value."""
    if isinstance(value, dict):
        return [*value.values(), *getattr(value, "__dict__", {}).values()]
    if type(value) in (list, tuple):
        return list(value)
    if type(value) is Global:
        machine.fail(f"holds the name {value.name!r:.100} itself, which is no value")
    if type(value) is Unfinished:
        machine.fail(f"holds {value.what} that was never finished")
    if type(value) is Storage:
        machine.fail("holds a storage by itself; save the tensor")
    return []
