"""What a run changes of Python's world: counters, logs, values that are bound anew.

It is found by comparing what the function reads with what was there before, and undone at once,
so that the rest of the trace sees the world as it was; when the run becomes real it is done again,
and so it is by a program at each call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from aino.autograd.tensor import Tensor
from aino.compiler.guards.places import Place, place_of, spoken_of
from aino.compiler.guards.reads import MISSING, Read
from aino.compiler.guards.snapshots import (
    ANY,
    PLAIN,
    Snapshot,
    entries_by_key,
    is_plain_tuple,
    is_plain_value,
    same,
)
from aino.compiler.ir.program import Kept
from aino.compiler.ir.symbolic import ReadNumber, SymbolicNumber
from aino.errors import CompileError
from aino.pytree import rebuild


class Effect(NamedTuple):
    """A value that the run has put into a place, or appended to the list there."""

    place: Place
    #: What stood there, ``MISSING`` where nothing did.
    before: Any
    value: Any
    appends: bool = False

    @property
    def identity(self) -> tuple:
        """What tells it from others of the same run."""
        return (*self.place.identity, self.appends)

    def undo(self) -> None:
        """Let the place hold what it held."""
        if self.appends:
            self.place.holder.pop()
        elif self.before is MISSING:
            self.place.take_away()
        else:
            self.place.put(self.before)

    def do(self, value) -> None:
        """Do it once more, with the value as it is really."""
        if self.appends:
            self.place.holder.append(value)
        elif value is MISSING:
            self.place.take_away()
        else:
            self.place.put(value)


class Exchange:
    """The numbers that stand for others during a run, and what the run has changed.

    ``numbers``: what stands where, by place. ``held``: values of places that are read anew at each
    call besides.
    """

    def __init__(self, reading, numbers: list[tuple[Place, SymbolicNumber]], held) -> None:
        self.reading = reading
        self.numbers = numbers
        self.held: list[tuple[Place, Any]] = held
        self._real: list[tuple[Place, Any]] = []
        #: The lists and dictionaries that numbers are put into, with what they hold really.
        self._whole: dict[int, tuple[Any, Any]] = {}
        self._bent: set[int] = set()

    def begin(self) -> None:
        """Put the numbers into their places."""
        for place, _ in self.numbers:
            if place.kind == "item":
                self._whole[id(place.holder)] = (place.holder, place.holder.copy())
        for place, number in self.numbers:
            self._real.append((place, place.read()))
            place.put(number)

    def end(self) -> list[Effect]:
        """Leave everything as it was, and return what the run has changed, in order."""
        for holder, real in self._whole.values():
            self._straighten(holder, real)
        effects = {effect.identity: effect for effect in self._changes()}
        found = list(effects.values())
        for effect in reversed(found):
            effect.undo()
        touched = {effect.place.identity for effect in found}
        for place, real in self._real:
            if place.identity not in touched and id(place.holder) not in self._bent:
                place.put(real)
        self._real.clear()
        self._whole.clear()
        return found

    def _straighten(self, holder, real) -> None:
        """Give back a container that has lost entries, or moved them: that is not repeated."""
        if isinstance(holder, dict):
            if real.keys() <= holder.keys():
                return
            dict.clear(holder)
            dict.update(holder, real)
        elif len(holder) == len(real) or (len(holder) > len(real) and not self._has_moved(holder)):
            return
        else:
            holder[:] = real
        self._bent.add(id(holder))
        self.reading.trouble = CompileError(
            "the function takes entries out of a container, or adds some, whose numbers are read "
            "at every call; do it outside, after the call"
        )

    def _has_moved(self, holder: list) -> bool:
        """Tell whether a number stands somewhere else in a list that has grown."""
        places = {id(n): place.key for place, n in self.numbers if place.holder is holder}
        return any(places.get(id(x), place) != place for place, x in enumerate(holder))

    def _changes(self) -> Iterator[Effect]:
        numbers = {place.identity: number for place, number in self.numbers}
        for place, real in [*self._real, *self.held]:
            if id(place.holder) in self._bent:
                continue
            now = place.read()
            if now is not numbers.get(place.identity, real):
                yield Effect(place, real, now)
        for read in self.reading.reads.values():
            if read.kind == "grown":
                yield from _appended(read)
            elif read.kind == "record":
                yield from self._within(read.before, read.spoken)
            else:
                found = place_of(read)
                if found is None or found.identity in self.reading.live:
                    continue
                if not read.is_as_before():
                    place, now = found, found.read()
                    if now is not MISSING and not _is_unchanged(read.before, now):
                        own = read.own and read.kind != "missing" and read.before is not MISSING
                        yield Effect(place, read.before if own else MISSING, now)

    def _within(self, snapshot: Snapshot, spoken: str) -> Iterator[Effect]:
        """Yield the entries of a dictionary, a list or an object that were set, at any depth."""
        record = snapshot.record
        kind, before = snapshot.by_key()
        entries = entries_by_key(record) if kind else {}
        if type(record) is list and len(record) != len(before):
            return
        for key, now in entries.items():
            place = Place(record, kind, key, spoken_of(spoken, kind, key))
            was = before.get(key, MISSING)
            if place.identity not in self.reading.live and not _is_unchanged(was, now):
                yield Effect(place, was, now)
        for _, inner in snapshot.inner:
            yield from self._within(inner, spoken)


def _appended(read: Read) -> Iterator[Effect]:
    """Yield what was appended to a list, which holds before it what it held."""
    snapshot = read.before
    values = [
        ANY if entry is ANY else value for entry, value in zip(snapshot.entries, snapshot.values)
    ]
    if len(read.holder) > len(values) and all(map(_is_unchanged, values, read.holder)):
        for number, value in enumerate(read.holder[len(values) :]):
            yield Effect(Place(read.holder, "item", number, read.spoken), MISSING, value, True)


def _is_unchanged(before, now) -> bool:
    if now is before or before is ANY:
        return True
    if type(now) in (SymbolicNumber, ReadNumber) or isinstance(now, Tensor):
        return False
    return (type(now) in PLAIN or is_plain_tuple(now)) and same(now, before)


class ReadOut:
    """A number in what the caller gets, in place of the ``ReadNumber`` that stood there."""

    def __init__(self, number: ReadNumber) -> None:
        self.now, self.text = number.now, number.text


def read_out(item):
    """Return what stands for a leaf of what the caller gets while the program is made."""
    return ReadOut(item) if type(item) is ReadNumber else item


def settled(value):
    """Return what stands for the value of an effect while the program is made."""
    if type(value) is tuple:
        return tuple([settled(part) for part in value])
    made = type(value) in (SymbolicNumber, ReadNumber) or isinstance(value, Tensor)
    return read_out(value) if made or is_plain_value(value) else Kept(value)


def plainly(value):
    """Return a value with the numbers in it as they are; a container stays the one it is."""
    if type(value) in (SymbolicNumber, ReadNumber, ReadOut):
        return value.now
    if type(value) is Kept:
        return plainly(value.value)
    if isinstance(value, tuple):
        parts = [plainly(part) for part in value]
        if all(new is old for new, old in zip(parts, value)):
            return value
        return rebuild(type(value), parts)
    if type(value) in (list, dict):
        for key, part in list(value.items() if type(value) is dict else enumerate(value)):
            new = plainly(part)
            if new is not part:
                value[key] = new
    return value


def make_plain(reading) -> None:
    """Let no number of a trace stand in a container that the run has changed otherwise."""
    for read in reading.reads.values():
        holder = read.holder
        if type(holder) in (list, dict):
            for key, value in list(holder.items() if type(holder) is dict else enumerate(holder)):
                if type(value) in (SymbolicNumber, ReadNumber):
                    holder[key] = value.now


def is_repeatable(value, reading) -> bool:
    """Tell whether a program can make a settled value: what it computes, and what was there."""
    if type(value) is tuple:
        return all(is_repeatable(part, reading) for part in value)
    return type(value) is not Kept or reading.knows(value.value)
