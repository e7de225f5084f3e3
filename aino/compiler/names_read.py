"""What the user's functions read by name: globals, closures and attributes of their objects.

A program is made for the objects that these names stood for; a name bound anew makes it trace
anew.
"""

from __future__ import annotations

import dis
import types
from typing import Any

_PLAIN = (bool, int, float, str, complex, bytes)
_FIXED = (types.ModuleType, type, types.BuiltinFunctionType)


def same_names(door, trace, function) -> list[str]:
    """Return the conditions that every name read in a trace stands for what it stood for.

    Only the compiled function's own closure is known; of other functions globals and
    the attributes of their first argument, which is ``self`` in methods.
    """
    found: list[str] = []
    seen: set[tuple[int, str]] = set()

    def add(owner, name: str, text: str, value) -> None:
        if (id(owner), name) in seen or isinstance(value, _FIXED):
            return
        seen.add((id(owner), name))
        bound = door.bind("seen", value)
        text = text.format(owner=door.bind("owner", owner))
        if isinstance(value, _PLAIN):
            found.append(f"{text}.__class__ is {bound}.__class__ and {text} == {bound}")
        else:
            found.append(f"{text} is {bound}")

    function = getattr(function, "__func__", function)
    if isinstance(function, types.FunctionType):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                add(cell, name, "{owner}.cell_contents", cell.cell_contents)
            except ValueError:  # not bound yet
                continue
    for (code, _), (globals_, reference) in trace.context.frames.items():
        owner = reference()
        names, attributes = names_read(code)
        for name in names:
            if name in globals_:
                add(globals_, name, f"{{owner}}.get({name!r})", globals_[name])
        for name in attributes:
            if name in getattr(owner, "__dict__", ()):
                add(owner, name, f"{{owner}}.__dict__.get({name!r})", vars(owner)[name])
    return found


def names_read(code) -> tuple[set[str], set[str]]:
    """Return the globals that a function reads, and the attributes of its first argument."""
    names: set[str] = set()
    attributes: set[str] = set()
    before: Any = None
    first = code.co_varnames[0] if code.co_argcount else ""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and before == first:
            attributes.add(step.argval)
        before = step.argval if step.opname.startswith("LOAD_FAST") else None
    return names, attributes
