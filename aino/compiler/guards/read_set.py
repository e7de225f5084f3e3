"""All that was read of Python's world in a run, and what it tells: changes, a way back, guards."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.compiler.guards.places import class_place, identity_of
from aino.compiler.guards.reads import Read
from aino.compiler.guards.rows import row_of_read
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.errors import CompileError


class ReadSet:
    """What was read, each once, by where it stands.

    ``owners``: models and optimizers that were found; they are watched as a whole.
    """

    def __init__(self) -> None:
        self.owners: dict[int, object] = {}
        self.reads: dict[tuple, Read] = {}
        #: Those that only tell what the run has changed: of what the function was given, which is
        #: looked at by itself, and of what models hold, which are watched as a whole.
        self._unguarded: set[tuple] = set()
        #: What stands in the places that are read anew at each call, by what tells them apart.
        self.live: dict[tuple, Any] = {}
        #: What those are called in programs.
        self.labels: dict[tuple, str] = {}
        self._earlier: list[Read] = []

    def _read(self, holder, kind: str, key, spoken: str, before, own: bool = True) -> Read | None:
        """Note a read, unless it is known: return it where it is new."""
        place = (id(holder), kind, key)
        if identity_of(holder, kind, key) in self.live:
            return None
        if place in self._unguarded:
            self._unguarded.discard(place)
            return self.reads[place]
        if place in self.reads or (kind in ("raw", "method") and isinstance(before, type)):
            return None
        label = ""
        if type(before) is SymbolicNumber:
            # What stands in a class, read of an object of it: the number that is read there.
            stands = None if own else class_place(holder, key, spoken)
            if stands is None or stands.identity not in self.live:
                raise CompileError(f"{spoken} is set while the function runs, and read elsewhere")
            before, label = self.live[stands.identity], self.labels[stands.identity]
        read = self.reads[place] = Read(holder, kind, key, spoken, before, own)
        read.label = label
        return read

    def tensors(self) -> set[int]:
        """Return the identities of the tensors that were found by name, or in a model."""
        found: list[Any] = []
        for _, read in self.found():
            found += read.before.leaves() if read.kind == "record" else [read.before]
        for owner in self.owners.values():
            found += [
                held for name, held in vars(owner).items()
                if identity_of(owner, "attr", name) not in self.live
            ]  # fmt: skip
            for group in getattr(owner, "param_groups", ()):
                found += group["params"]
        return {id(value) for value in found if isinstance(value, Tensor)}

    def state(self) -> frozenset:
        """Return what is read as a key: plain values, and who the others are."""
        return frozenset((place, read.state()) for place, read in self.found())

    def found(self) -> list[tuple[tuple, Read]]:
        """Return what a program compares, with its place."""
        return [item for item in self.reads.items() if item[0] not in self._unguarded]

    def changed(self) -> Read | None:
        """Return the first read that gives something else than before the run."""
        for read in [*self.reads.values(), *self._earlier]:
            if not read.is_as_before():
                return read
        return None

    def restore(self) -> None:
        """Put back what a refused run has changed."""
        for read in [*self.reads.values(), *self._earlier]:
            read.put_back()

    def conditions(self, guards) -> list[tuple[str, tuple | None]]:
        """Return the conditions that every name read stands for what it stood for, with rows."""
        # Where a generator stands makes no difference: drawing from it was refused.
        # What a list that only grows holds is none, either.
        others = ("state", "grown")
        found = [read for _, read in self.found() if read.kind not in others]
        texts = [read.condition(guards) for read in found]
        return [(text, row_of_read(read, text)) for read, text in zip(found, texts)]
