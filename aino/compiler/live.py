"""Which values of Python's world the programs of a function read at every call.

A number that has been another twice is read like a float argument from then on, and so is what
the function itself sets anew at its calls; all else that is read is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aino.compiler.guards.arguments import Dynamic, is_own_name
from aino.compiler.guards.places import Place, class_place, place_of, spoken_of
from aino.compiler.guards.reads import MISSING, Read
from aino.compiler.guards.snapshots import Snapshot
from aino.compiler.guards.structure import numbers_of
from aino.compiler.ir.program import NumberOf, Returned
from aino.compiler.ir.symbolic import SymbolicNumber

#: How often a number has to be another before it is read at every call.
CHANGES = 2
#: How many places at most are read at every call.
MOST = 64


class LiveValues:
    """The places that are read at every call, and what is known of those that may become so."""

    def __init__(self) -> None:
        self.places: dict[tuple, Place] = {}
        self._labels: set[str] = set()
        self._changes: dict[tuple, int] = {}
        #: Numbers that the function needs as they are: compared, with a program for each value.
        self._fixed: set[tuple] = set()
        #: Those that no trace has come through with yet.
        self._new: set[tuple] = set()
        #: The numbers of modules of AINO's own, as they were at the last trace.
        self._of_modules: dict[tuple, tuple[Place, Any]] = {}

    def flat(self, taken) -> list[tuple[str, Any, Place]]:
        """Return name, value and place of all that is there; ``taken`` are names of arguments."""
        found = []
        for place in self.places.values():
            value = place.read()
            if value is not MISSING:
                label = place.label
                while label in taken:
                    label += "_"
                found.append((label, Dynamic(value) if type(value) is int else value, place))
        return found

    def of(self, specialization, taken) -> list[tuple[str, Any, Place]]:
        """Return what the program of a specialization reads, as it stands there now."""
        return [
            (label, Dynamic(value) if type(value) is int else value, place)
            for label, place in specialization.traced_run.trace.places.items()
            for value in (place.read(),)
        ]

    def add(self, place: Place) -> None:
        """Read a place at every call from now on."""
        key = place.identity
        if key in self.places or key in self._fixed or len(self.places) >= MOST:
            return
        if not place.is_exchangeable:
            return
        place.label = self._label(place.spoken)
        self.places[key] = place
        self._new.add(key)

    def _label(self, spoken: str) -> str:
        label = re.sub(r"\W+", "_", spoken).strip("_") or "value"
        while is_own_name(label) or label in self._labels:
            label = f"{label}_" if label[0].isalpha() else f"value_{label}"
        self._labels.add(label)
        return label

    def fix(self, place: Place) -> None:
        """Compare a number again, which the function needs as it is."""
        self._fixed.add(place.identity)
        self.places.pop(place.identity, None)
        self._new.discard(place.identity)

    def is_fixed(self, place: Place) -> bool:
        """Tell whether a place is compared for good."""
        return place.identity in self._fixed

    def fix_new(self) -> bool:
        """Compare again what no trace has come through with; tell whether there was anything."""
        found = [self.places[key] for key in self._new]
        for place in found:
            self.fix(place)
        return bool(found)

    def came_through(self, traced_run) -> None:
        """Note that a trace came through: what the function has set is read from now on."""
        self._new.clear()
        for effect, value in traced_run.program.stored:
            numbers = (int, float, SymbolicNumber, NumberOf, Returned)
            if not effect.appends and type(value) in numbers:
                self.add(effect.place)
        self._note_modules(traced_run.trace.context.owners.values())

    # What changes between traces

    def look(self, reads) -> None:
        """Count the numbers that are not what they were when the function was traced last."""
        changed = [place for read in reads for place in _changed_numbers(read)]
        for place, before in self._of_modules.values():
            if _is_another_number(before, place.read()):
                changed.append(place)
        for key, place in {place.identity: place for place in changed}.items():
            self._changes[key] = self._changes.get(key, 0) + 1
            if self._changes[key] >= CHANGES:
                self.add(place)

    def _note_modules(self, owners) -> None:
        """Note the numbers of modules, for the next look."""
        self._of_modules = {}
        for module, key, value in numbers_of(owners):
            place = Place(module, "attr", key, f"{type(module).__name__.lower()}.{key}")
            self._of_modules[place.identity] = (place, value)


def _is_another_number(before, now) -> bool:
    kind = type(before)
    return kind in (int, float) and type(now) is kind and repr(now) != repr(before)


def _changed_numbers(read: Read) -> Iterator[Place]:
    """Yield the places of a read at which another number stands than before."""
    if read.kind == "record":
        yield from _changed_entries(read.before, read.spoken)
        return
    place = place_of(read)
    if place is None or read.kind == "missing" or not _is_another_number(read.before, read.now()):
        return
    if not read.own:
        stands = class_place(read.holder, read.key, read.spoken)
        if stands is None or place.read() is not MISSING:
            return
        place = stands
    yield place


def _changed_entries(snapshot: Snapshot, spoken: str) -> Iterator[Place]:
    kind, before = snapshot.by_key()
    for key, value in before.items():
        if type(value) in (int, float):
            place = Place(snapshot.record, kind, key, spoken_of(spoken, kind, key))
            if _is_another_number(value, place.read()):
                yield place
    for _, inner in snapshot.inner:
        yield from _changed_entries(inner, spoken)
