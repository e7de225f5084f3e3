"""Places in Python's world that hold one value: an attribute, an entry, a global, a cell.

A program reads some of them at every call, and sets some anew, as the function does.
"""

from __future__ import annotations

import types
from typing import Any

from aino.compiler.guards.ownership import is_watched
from aino.compiler.guards.reads import MISSING, Read
from aino.compiler.guards.snapshots import dictionary_of, hidden_of, is_plain_value
from aino.structure_version import structure_version

#: Which kinds of reads find a value in a place, and how that is reached.
_KINDS = {
    "global": "item", "item": "item", "get": "item", "attr": "attr", "missing": "attr",
    "cell": "cell",
}  # fmt: skip


def identity_of(holder, kind: str, key) -> tuple:
    """Return what tells the place of a read from others; a module's attributes are its globals."""
    kind = _KINDS.get(kind, kind)
    if kind == "attr" and isinstance(holder, types.ModuleType):
        return (id(vars(holder)), "item", key)
    return (id(holder), kind, key)


def class_place(owner, key: str, spoken: str) -> Place | None:
    """Return the place of an attribute that an object, or a class, has of a class."""
    kinds = (owner if isinstance(owner, type) else type(owner)).__mro__
    base = next((kind for kind in kinds if key in vars(kind)), None)
    return None if base is None else Place(base, "attr", key, spoken)


class Place:
    """One place: what holds the value, and under which name or key.

    ``spoken``: how the user writes it. ``label``: what it is called in programs.
    """

    __slots__ = ("holder", "key", "kind", "label", "spoken")

    def __init__(self, holder, kind: str, key, spoken: str) -> None:
        self.holder = holder
        self.kind = _KINDS[kind]
        self.key = key
        self.spoken = spoken
        self.label = ""

    @property
    def identity(self) -> tuple:
        return identity_of(self.holder, self.kind, self.key)

    def read(self) -> Any:
        """Return what stands there of its holder's own, ``MISSING`` if nothing does."""
        holder, key = self.holder, self.key
        if self.kind == "item":
            try:
                return dict.__getitem__(holder, key) if isinstance(holder, dict) else holder[key]
            except Exception:
                return MISSING
        if self.kind == "cell":
            try:
                return holder.cell_contents
            except ValueError:
                return MISSING
        if isinstance(holder, type):
            return vars(holder).get(key, MISSING)
        own = dictionary_of(holder)
        if own is not None and key in own:
            return own[key]
        slot = getattr(type(holder), key, None)
        if isinstance(slot, types.MemberDescriptorType):
            try:
                return slot.__get__(holder)
            except AttributeError:
                pass
        return hidden_of(holder, key, MISSING)

    def put(self, value) -> None:
        """Let a value stand there, without asking code of the holder's class."""
        holder, key = self.holder, self.key
        if self.kind == "item":
            if isinstance(holder, dict):
                dict.__setitem__(holder, key, value)
            else:
                holder[key] = value
        elif self.kind == "cell":
            holder.cell_contents = value
        elif isinstance(holder, type):
            type.__setattr__(holder, key, value)
        else:
            object.__setattr__(holder, key, value)

    def take_away(self) -> None:
        """Let nothing stand there."""
        if self.kind == "item":
            dict.__delitem__(self.holder, self.key)
        elif self.kind == "cell":
            del self.holder.cell_contents
        elif isinstance(self.holder, type):
            type.__delattr__(self.holder, self.key)
        else:
            object.__delattr__(self.holder, self.key)

    @property
    def is_exchangeable(self) -> bool:
        """Whether a number may stand there for the time of a trace."""
        if self.kind == "item":
            return isinstance(self.holder, (dict, list))
        return self.read() is not MISSING

    def expression(self, guards) -> str:
        """Return the expression that reads it."""
        holder = guards.bind_once("_holder", self.holder)
        if self.kind == "item":
            key = repr(self.key) if is_plain_value(self.key) else guards.bind("key", self.key)
            return f"{holder}[{key}]"
        return f"{holder}.{self.key if self.kind == 'attr' else 'cell_contents'}"

    def assignment(self, guards, value: str) -> list[str]:
        """Return the lines that set it, as the function has set it."""
        kind = type(self.holder)
        watched = self.kind == "attr" and is_watched(self.holder)
        if self.kind == "attr" and not watched and kind.__setattr__ is not object.__setattr__:
            # What the class does beside setting it has been seen by itself.
            return [f"{guards.bind('put', self.put)}({value})"]
        if watched:
            # Other programs watch the model as a whole; this one knows what it has done.
            moved = guards.bind("moved", _put_in_module)
            holder = guards.bind_once("_holder", self.holder)
            return [f"{moved}({holder}, {self.key!r}, {value})", "seen[0] += 1"]
        return [f"{self.expression(guards)} = {value}"]


def _put_in_module(holder, key: str, value) -> None:
    object.__setattr__(holder, key, value)
    structure_version.move()


def spoken_of(spoken: str, kind: str, key) -> str:
    """Return how the user writes an entry, or an attribute, of what he writes so."""
    return f"{spoken}.{key}" if kind == "attr" else f"{spoken}[{key!r}]"


def place_of(read: Read) -> Place | None:
    """Return the place that a read found its value in, None if it is in none."""
    return Place(read.holder, read.kind, read.key, read.spoken) if read.kind in _KINDS else None
