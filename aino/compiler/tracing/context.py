"""Where in the code a call was recorded: the section, the primitive, the rule, the user's line."""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from types import CodeType, FrameType
from typing import NamedTuple

from aino.autograd.node import tick
from aino.compiler.guards.ownership import PACKAGE, is_ours, is_watched

_ENGINE = [os.path.join(PACKAGE, "autograd", name) for name in ("engine.py", "walk.py")]
_OPTIM = os.path.join(PACKAGE, "optim") + os.sep
_COMPILER = os.path.join(PACKAGE, "compiler") + os.sep


def user_line() -> str:
    """Return ``" (file, line n: text)"`` for the innermost line outside of AINO."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ""
    return f" ({frame.f_code.co_filename}, line {frame.f_lineno}, in {frame.f_code.co_name})"


class Place(NamedTuple):
    """What a code object says of the calls that are recorded below it."""

    kind: str
    primitive: str
    #: Whether its ``self`` may be a model or an optimizer, which are watched as a whole.
    owned: bool


#: By the identity of the code, which is kept alive for it: its hash is computed from all of it each
#: time, and the call paths of two primitives may be equal code.
_places: dict[int, tuple[Place, CodeType]] = {}


def _place_of(frame: FrameType) -> Place:
    """Return the place of a frame; it is looked at once for each code object of AINO's own."""
    code = frame.f_code
    name = code.co_filename
    primitive = name[len("<primitive ") : -1] if name.startswith("<primitive") else ""
    if primitive:
        kind = "primitive"
    elif name in _ENGINE:
        kind = "engine"
    elif name.startswith(_OPTIM):
        kind = "optim"
    elif name.startswith(_COMPILER):
        kind = "begin" if code.co_name == "run_traced" else "compiler"
    else:
        kind = "ours" if is_ours(name) else "user"
    owned = bool(code.co_argcount) and code.co_varnames[0] == "self"
    if owned and kind != "user":
        owned = is_watched(frame.f_locals.get("self"))
    place = Place(kind, primitive, owned)
    _places[id(code)] = place, code
    return place


class Context:
    """Reads the stack at every recorded call; ``owners`` are the objects whose methods ran."""

    def __init__(self) -> None:
        self.owners: dict[int, object] = {}
        #: When calls of the forward pass were recorded, and whose they were: a node is made after
        #: the last call of its kernel, so a call of the backward pass finds its module here.
        self._moments: list[int] = []
        self._owners_then: list[int] = []

    def describe(self) -> tuple[str, str, object, str, int]:
        """Return the section, the primitive, the rule's code, the user's line and the owner."""
        section, primitive, rule, line, mine = "forward", "", None, "", 0
        inner = None
        node = None
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            known = _places.get(id(code))
            kind, name, owned = _place_of(frame) if known is None else known[0]
            if kind == "primitive":
                if not primitive:
                    primitive = name
                    rule = inner if code.co_name == "pullback" else None
            elif kind == "engine":
                section = "backward" if section == "forward" else section
                node = frame.f_locals.get("node") if node is None else node
            elif kind == "optim":
                section = "update" if section == "forward" else section
            elif kind == "user":
                line = line or f"{code.co_filename}:{frame.f_lineno}"
            elif kind == "begin":
                break
            if owned:
                owner = frame.f_locals.get("self")
                if is_watched(owner):
                    self.owners.setdefault(id(owner), owner)
                    mine = mine or id(owner)
            if kind != "compiler":
                inner = code
            frame = frame.f_back
        if section == "forward":
            self._moments.append(tick())
            self._owners_then.append(mine)
        elif section == "backward" and node is not None:
            place = bisect_right(self._moments, node.sequence) - 1
            mine = self._owners_then[place] if place >= 0 else 0
        return section, primitive, rule, line, mine
