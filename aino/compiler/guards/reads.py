"""One thing that a function read of Python's world: where it stands, and what stood there."""

from __future__ import annotations

import contextlib
import copy
import functools
import random
from typing import Any

import numpy as np

from aino.compiler.guards.snapshots import Snapshot, is_plain_tuple, is_plain_value, refill, same

MISSING: Any = object()
#: Random generators that are not AINO's: a program would not draw from them again.
GENERATORS = (random.Random, np.random.Generator, np.random.RandomState)

#: How each kind of read is written: of the name ``{0}`` of what holds it, and its key ``{1}``.
_FORMS = {
    "global": "{0}[{1!r}]",
    "item": "{0}[{1!r}]",
    "attr": "{0}.{1}",
    "method": "{0}.{1}.__func__",
    "raw": "{0}.__dict__[{1!r}]",
    "cell": "{0}.cell_contents",
    "get": "{0}.get({1!r})",
    "context": "{0}.get(None)",
    "missing": "hasattr({0}, {1!r})",
    "record": "{0}",
    "grown": "{0}",
    "array": "{0}",
    "state": "{0}",
}
#: Bytes from which an array is not copied to be compared.
_LARGE = 1 << 16


class ArrayContents:
    """What an array held: its form, and its bytes."""

    __slots__ = ("contents", "form")

    def __init__(self, array) -> None:
        self.form = (array.shape, array.dtype, array.strides)
        self.contents = array.copy() if array.dtype.kind == "O" else array.tobytes()

    def fits(self, array) -> bool:
        """Tell whether an array holds what was held, to the bit."""
        if (array.shape, array.dtype, array.strides) != self.form:
            return False
        if array.dtype.kind == "O":
            return all(map(same, array.reshape(-1), self.contents.reshape(-1)))
        if array.nbytes > _LARGE and array.flags.c_contiguous:
            seen = np.frombuffer(self.contents, np.uint8)
            return np.array_equal(array.reshape(-1).view(np.uint8), seen)
        return array.tobytes() == self.contents

    def put_back(self, array) -> None:
        """Let the array hold again what it held."""
        if array.dtype.kind == "O":
            array[...] = self.contents
        else:
            array[...] = np.frombuffer(self.contents, array.dtype).reshape(array.shape)


class Read:
    """What was read: ``kind`` says how, ``before`` is what it gave before it was used.

    ``spoken``: how the user writes it. ``own``: whether an attribute is the object's own, or that
    of its class. ``label``: the name of the number that it is at each call, where that is read by
    itself.
    """

    __slots__ = ("before", "holder", "key", "kind", "label", "own", "spoken")

    def __init__(self, holder, kind: str, key, spoken: str, before, own: bool = True) -> None:
        self.holder = holder
        self.kind = kind
        self.key = key
        self.spoken = spoken
        self.own = own
        self.label = ""
        if kind in ("record", "grown"):
            before = Snapshot(holder, whole=bool(key))
        elif kind == "array":
            before = ArrayContents(holder)
        elif kind == "state":
            before = _state_of(holder)
        self.before = before

    def now(self) -> Any:
        """Return what the read gives now."""
        if self.kind in ("record", "grown"):
            return Snapshot(self.holder, whole=bool(self.key))
        if self.kind == "array":
            return ArrayContents(self.holder)
        if self.kind == "state":
            return _state_of(self.holder)
        try:
            return eval(
                _code_of(_FORMS[self.kind].format("holder", self.key)), {"holder": self.holder}
            )
        except Exception:
            return MISSING

    def is_as_before(self) -> bool:
        """Tell whether the read gives what it gave."""
        if self.kind in ("record", "array", "grown"):
            try:
                return self.before.fits(self.holder)
            except Exception:
                return False
        if self.kind == "state":
            return repr(self.now()) == repr(self.before)
        return same(self.now(), self.before)

    def state(self) -> tuple:
        """Return what is there now as a key: plain values, and who the others are."""
        if self.kind in ("state", "grown") or self.label:
            return (id(self.holder),)
        if self.kind == "record":
            now = self.before
        else:
            now = self.now()
        if self.kind == "array":
            contents = now.contents
            return now.form, contents if isinstance(contents, bytes) else id(self.holder)
        leaves = list(now.leaves()) if self.kind == "record" else [now]
        return tuple([
            (type(leaf), leaf, repr(leaf) if isinstance(leaf, (float, complex)) else "")
            if is_plain_value(leaf) else repr(leaf) if is_plain_tuple(leaf) else id(leaf)
            for leaf in leaves
        ])  # fmt: skip

    def put_back(self) -> None:
        """Undo what a run has changed."""
        if self.is_as_before():
            return
        holder, key = self.holder, self.key
        with contextlib.suppress(Exception):
            if self.kind in ("record", "grown"):
                refill(self.before)
            elif self.kind == "array":
                self.before.put_back(holder)
            elif self.kind == "state":
                _set_state(holder, self.before)
            elif self.kind == "missing":
                delattr(holder, key)
            elif not self.own:
                if key in vars(holder):  # set by the run over that of the class
                    delattr(holder, key)
            elif self.before is not MISSING:
                if self.kind in ("global", "item", "get"):
                    holder[key] = self.before
                elif self.kind == "cell":
                    holder.cell_contents = self.before
                elif self.kind == "attr":
                    setattr(holder, key, self.before)

    def condition(self, guards) -> str:
        """Return the condition that the read gives at a call what it gave."""
        holder = guards.bind_once("_holder", self.holder)
        text = _FORMS[self.kind].format(holder, self.key)
        if self.kind in ("record", "array"):
            return f"{guards.bind('fits', self.before.fits)}({text})"
        if self.kind == "missing":
            return f"not {text}"
        before = self.before
        if self.label:
            kind = guards.bind_once("_kind", type(before))
            return f"(now := {text}).__class__ is {kind} and now == {self.label}"
        bound = guards.bind("seen", before)
        if is_plain_tuple(before):
            return f"((now := {text}) is {bound} or {guards.bind('same', same)}(now, {bound}))"
        if not is_plain_value(before):
            return f"{text} is {bound}"
        if before is None or isinstance(before, bool):
            return f"{text} is {before}"
        if isinstance(before, (float, complex, np.inexact)) and (before != before or before == 0):
            return f"{guards.bind('same', same)}({text}, {bound})"
        kind = guards.bind_once("_kind", type(before))
        return f"(now := {text}).__class__ is {kind} and now == {bound}"


def _state_of(generator):
    """Return where a random generator stands."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.Generator):
        return copy.deepcopy(generator.bit_generator.state)
    return generator.get_state()


def _set_state(generator, state) -> None:
    """Let a random generator stand where it stood."""
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)


@functools.lru_cache(maxsize=4096)
def _code_of(text: str):
    return compile(text, "<read>", "eval")
