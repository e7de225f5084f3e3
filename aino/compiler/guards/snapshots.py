"""What containers and the user's objects hold, to be compared with what they hold later."""

from __future__ import annotations

import sys
import types
from argparse import Namespace
from collections import deque
from itertools import islice
from typing import Any

import numpy as np

from aino.compiler.guards.ownership import is_foreign, is_ours_type, is_watched

PLAIN = (bool, int, float, str, complex, bytes)
#: Of a container only so many items are compared, and containers within so many others.
MOST_ITEMS = 64
DEEPEST = 2


def is_record(value) -> bool:
    """Tell whether a value is known by what it holds: a container, or an object of the user's."""
    if isinstance(value, (list, dict, set, deque, tuple, types.SimpleNamespace, Namespace)):
        return True
    kind = type(value)
    return (
        not callable(value)
        and not isinstance(value, (*PLAIN, type, types.ModuleType, np.ndarray, np.generic))
        and not is_ours_type(value)
        and not is_watched(value)
        and not is_foreign(getattr(sys.modules.get(kind.__module__), "__file__", None))
    )


def entries_of(record) -> list[tuple[Any, Any]]:
    """Return what a record holds by key, place or name; of a long container the beginning."""
    if isinstance(record, dict):
        return list(islice(record.items(), MOST_ITEMS))
    if isinstance(record, (list, tuple, deque, set)):
        return list(enumerate(islice(record, MOST_ITEMS)))
    return list(islice(_attributes(record).items(), MOST_ITEMS))


def length_of(record) -> int:
    """Return how many things a record holds."""
    held = record if isinstance(record, (dict, list, tuple, deque, set)) else _attributes(record)
    return len(held)


def _attributes(record) -> dict[str, Any]:
    own = dict(getattr(record, "__dict__", {}))
    for kind in type(record).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(record, name):
                own[name] = getattr(record, name)
    return own


class Snapshot:
    """What a record held: plain values by value, records by what they held, others by identity."""

    __slots__ = ("entries", "length", "record")

    def __init__(self, record, depth: int = 0) -> None:
        self.record = record
        self.length = length_of(record)
        deep = depth < DEEPEST and self.length <= MOST_ITEMS
        self.entries = [
            (key, Snapshot(value, depth + 1) if deep and is_record(value) else value)
            for key, value in entries_of(record)
        ]

    def fits(self, record) -> bool:
        """Tell whether a record holds what was held."""
        if record is not self.record and type(record) is not type(self.record):
            return False
        if length_of(record) != self.length:
            return False
        for (key, value), (old_key, old) in zip(entries_of(record), self.entries):
            if not same(key, old_key):
                return False
            if type(old) is Snapshot:
                if value is not old.record or not old.fits(value):
                    return False
            elif not same(value, old):
                return False
        return True


def same(first, second) -> bool:
    """Tell whether two values are one object, or plain and equal; NaN is like NaN."""
    return first is second or (
        type(first) is type(second)
        and isinstance(first, (*PLAIN, np.generic))
        and bool(first == second or (first != first and second != second))
    )


def refill(snapshot: Snapshot) -> None:
    """Let a container hold again what it held, and what it held as well."""
    record = snapshot.record
    for _, value in snapshot.entries:
        if type(value) is Snapshot:
            refill(value)
    if snapshot.fits(record):
        return
    entries = [(k, v.record if type(v) is Snapshot else v) for k, v in snapshot.entries]
    if snapshot.length > MOST_ITEMS:
        # Not all of it is known: what was appended goes.
        while isinstance(record, (list, deque)) and len(record) > snapshot.length:
            record.pop()
    elif isinstance(record, list):
        record[:] = [value for _, value in entries]
    elif isinstance(record, (set, deque)):
        record.clear()
        (record.update if isinstance(record, set) else record.extend)(v for _, v in entries)
    elif isinstance(record, dict):
        record.clear()
        record.update(entries)
    elif not isinstance(record, tuple):
        for key, value in entries:
            setattr(record, key, value)
