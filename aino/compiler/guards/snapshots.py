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
from collections.abc import Iterator, Mapping
from operator import is_
from typing import Any

import numpy as np

from aino.compiler.guards.ownership import is_ours_type, is_users_class, is_watched

#: Stands in a snapshot for a value that is read by itself at each call.
ANY: Any = object()
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


def is_plain_tuple(value) -> bool:
    """Tell whether a value is a tuple of plain values, which is compared by what it holds."""
    return type(value) is tuple and all(is_plain_value(x) or is_plain_tuple(x) for x in value)


def is_container(value) -> bool:
    """Tell whether a value is one of Python's containers, which are compared by what they hold."""
    return isinstance(value, (*_CONTAINERS, *_CHUNKS, types.MappingProxyType))


def has_attributes(value) -> bool:
    """Tell whether a value is an object with attributes of its own, in ``__dict__`` or slots."""
    if is_plain_value(value) or isinstance(value, (*_FUNCTIONS, np.ndarray)):
        return False
    if is_ours_type(value) or is_watched(value):
        return False
    return hides(value) or dictionary_of(value) is not None or any(_slots(type(value)))


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
    found = getattr(value, "__dict__", None) if has else None
    return found if isinstance(found, dict) else None


def hides(value) -> bool:
    """Tell whether an object has a dictionary that it doesn't show, as a TypeVar from 3.12 on."""
    return type(value).__dictoffset__ != 0 and dictionary_of(value) is None


def hidden_of(value, name: str, missing: Any) -> Any:
    """Return what an object has under a name in a dictionary that it doesn't show."""
    if not hides(value) or any(name in vars(base) for base in type(value).__mro__):
        return missing
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return missing


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
    if first is second or second is ANY:
        return True
    if type(second) is Snapshot:
        return second.fits(first)
    if type(first) is tuple and type(second) is tuple:
        return len(first) == len(second) and all(map(same, first, second))
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
            elif entry is not ANY:
                yield entry

    def by_key(self) -> tuple[str, dict]:
        """Return what was held by key: of a dictionary, a list ("item"), an object ("attr")."""
        if type(self.record) is list:
            return "item", dict(enumerate(self.values))
        kind = kind_of_entries(self.record)
        count = len(self.values) // 2 if kind else 0
        return kind, dict(zip(self.values[:count], self.values[count:])) if kind else {}

    def open(self, places: Mapping[tuple, Any]) -> None:
        """Take the entries in these places, of whatever depth, for what is read by itself.

        ``places``: what really stands there, while a number may stand for it.
        """
        for _, entry in self.inner:
            entry.open(places)
        kind, entries = self.by_key()
        first = len(self.values) - len(entries)
        for at, key in enumerate(entries, first):
            if (id(self.record), kind, key) in places:
                self.entries[at] = ANY
                self.values[at] = places[id(self.record), kind, key]
                self.inner = [(place, entry) for place, entry in self.inner if place != at]
                self.sure = False


def kind_of_entries(record) -> str:
    """Return how what a record holds is reached by itself; "" where it is not."""
    if isinstance(record, dict) or type(record) is list:
        return "item"
    closed = (*_CONTAINERS, *_CHUNKS, types.MappingProxyType)
    return "" if isinstance(record, closed) else "attr"


def entries_by_key(record) -> dict:
    """Return what a dictionary, a list or an object holds now, by key."""
    if isinstance(record, dict):
        return dict(dict.items(record))
    return dict(enumerate(record)) if type(record) is list else attributes_of(record)


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
