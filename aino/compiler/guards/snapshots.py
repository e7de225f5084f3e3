"""What containers and objects hold, to be compared with what they hold later.

A snapshot is as deep as what it is taken of: containers within are snapshots as well. Comparing
is done by C code, for a list of plain values by one ``==``.
"""

from __future__ import annotations

import array
import contextlib
import threading
import types
from collections import deque
from collections.abc import Iterator
from operator import is_
from typing import Any

import numpy as np

from aino.compiler.guards.ownership import is_ours_type, is_users_class, is_watched

PLAIN = (bool, int, float, str, complex, bytes)
_CONTAINERS = (list, dict, tuple, set, frozenset, deque)
_CHUNKS = (array.array, bytearray)
_FUNCTIONS = (
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, type,
    property, staticmethod, classmethod, types.MemberDescriptorType, types.GetSetDescriptorType,
)  # fmt: skip


def is_plain_value(value) -> bool:
    """Tell whether a value is compared by what it is: a number, a text, None."""
    return value is None or isinstance(value, (*PLAIN, np.generic))


def is_container(value) -> bool:
    """Tell whether a value is one of Python's containers, which are compared by what they hold."""
    return isinstance(value, (*_CONTAINERS, *_CHUNKS, types.MappingProxyType))


def has_attributes(value) -> bool:
    """Tell whether a value is an object with attributes of its own, in ``__dict__`` or slots."""
    if is_plain_value(value) or isinstance(value, (*_FUNCTIONS, np.ndarray)):
        return False
    if is_ours_type(value) or is_watched(value):
        return False
    return dictionary_of(value) is not None or any(_slots(type(value)))


def is_users_object(value) -> bool:
    """Tell whether an object is of classes that the user wrote, so that its methods are read."""
    return has_attributes(value) and all(
        is_users_class(kind) for kind in type(value).__mro__[:-1] if kind not in _CONTAINERS
    )


def is_record(value) -> bool:
    """Tell whether a value is known by what it holds: a container, or an object of Python's own."""
    return is_container(value) or (has_attributes(value) and not is_users_object(value))


def _slots(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        names = vars(base).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if name not in ("__dict__", "__weakref__"):
                mangled = name.startswith("__") and not name.endswith("__")
                yield f"_{base.__name__.lstrip('_')}{name}" if mangled else name


def dictionary_of(value) -> dict[str, Any] | None:
    """Return an object's ``__dict__``, without asking its class for it, None if it has none."""
    has = type(value).__dictoffset__ or isinstance(value, threading.local)
    found = value.__dict__ if has else None
    return found if isinstance(found, dict) else None


def attributes_of(record) -> dict[str, Any]:
    """Return the attributes that an object has of its own."""
    own = dict(dictionary_of(record) or {})
    for name in _slots(type(record)):
        with contextlib.suppress(AttributeError):
            own[name] = object.__getattribute__(record, name)
    return own


def entries_of(record) -> list:
    """Return what a record holds as a flat list: the keys of a dictionary, then its values."""
    if isinstance(record, dict):
        return [*dict.keys(record), *dict.values(record)]
    if isinstance(record, (list, tuple, set, frozenset, deque)):
        return list(record)
    if isinstance(record, types.MappingProxyType):
        return [*record.keys(), *record.values()]
    if isinstance(record, _CHUNKS):
        return [bytes(record), getattr(record, "typecode", "")]
    own = attributes_of(record)
    return [*own, *own.values()]


def same(first, second) -> bool:
    """Tell whether two values are one object, or plain and equal; NaN is like NaN, 0.0 not -0.0."""
    if first is second:
        return True
    if type(second) is Snapshot:
        return second.fits(first)
    return (
        type(first) is type(second)
        and isinstance(first, (*PLAIN, np.generic))
        and bool(first == second or (first != first and second != second))
        and (not isinstance(first, (float, complex, np.inexact)) or repr(first) == repr(second))
    )


def _is_sure(value) -> bool:
    """Tell whether what equals a value is the same to every reader; 1 is also 1.0 and True."""
    kind = type(value)
    return value is None or kind is str or kind is bytes or (kind is float and value % 1 != 0)


class Snapshot:
    """What a record held: plain values by value, records by what they held, others by identity."""

    __slots__ = ("entries", "inner", "kind", "record", "sure", "values", "whole")

    def __init__(self, record, whole: bool = False, known: dict | None = None) -> None:
        known = {} if known is None else known
        known[id(record)] = self
        self.record = record
        self.kind = type(record)
        #: Whether objects of the user's inside are records, too.
        self.whole = whole
        self.values = entries_of(record)
        self.entries = [self._held(value, known) for value in self.values]
        self.inner = [
            (place, entry) for place, entry in enumerate(self.entries) if type(entry) is Snapshot
        ]
        self.sure = all(map(_is_sure, self.entries))

    def _held(self, value, known: dict):
        if is_record(value) or (self.whole and has_attributes(value)):
            # One that holds itself is known by its identity in there.
            return value if id(value) in known else Snapshot(value, self.whole, dict(known))
        return value

    def fits(self, record) -> bool:
        """Tell whether a record holds what was held."""
        if type(record) is not self.kind:
            return False
        values = record if self.kind is list else entries_of(record)
        if self.sure:
            return values == self.entries
        if len(values) != len(self.entries):
            return False
        if all(map(is_, values, self.values)):
            return all([entry.fits(values[place]) for place, entry in self.inner])
        return all(map(same, values, self.entries))

    def leaves(self) -> Iterator[Any]:
        """Yield what is held that is no record itself, at any depth."""
        for entry in self.entries:
            if type(entry) is Snapshot:
                yield from entry.leaves()
            else:
                yield entry


def refill(snapshot: Snapshot) -> None:
    """Let a container hold again what it held, and what it held as well."""
    for _, entry in snapshot.inner:
        refill(entry)
    record = snapshot.record
    if snapshot.fits(record):
        return
    values = snapshot.values
    if isinstance(record, list):
        record[:] = values
    elif isinstance(record, dict):
        half = len(values) // 2
        dict.clear(record)
        dict.update(record, zip(values[:half], values[half:]))
    elif isinstance(record, (set, deque)):
        record.clear()
        (record.update if isinstance(record, set) else record.extend)(values)
    elif isinstance(record, _CHUNKS):
        del record[:]
        record.extend(values[0]) if isinstance(record, bytearray) else record.frombytes(values[0])
    elif not isinstance(record, (tuple, frozenset, types.MappingProxyType)):
        names = values[: len(values) // 2]
        for name in attributes_of(record):
            if name not in names:
                object.__delattr__(record, name)
        for name, value in zip(names, values[len(names) :]):
            object.__setattr__(record, name, value)
