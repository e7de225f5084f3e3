"""A program as text for whoever works on the compiler: one line a call, with shapes and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.regions import (
    Answer,
    Attribute,
    Given,
    Method,
    Region,
    Storage,
    Subscript,
)

#: Arguments with more parts than this are shown by their beginning.
LONGEST = 8


def called(call) -> str:
    """Return what a call is spoken of as: its function, or its operation."""
    operation, function = call.operation, call.function
    if function is None:
        return operation.value
    name = function if isinstance(function, str) else getattr(function, "__name__", str(function))
    if operation is Operation.METHOD:
        return f".{name}"
    if operation in (Operation.REDUCE, Operation.ACCUMULATE, Operation.AT):
        return f"{name}.{operation.value}"
    return name


class Printer:
    """Writes one program; storages are numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.names: dict[Storage, str] = {}
        self.lines: list[str] = []

    def write(self, program) -> str:
        """Return the text of a program."""
        self.lines = ["program:"]
        outside = [s for s in program.storages() if s.kind != "temporary"]
        for storage in outside:
            whole = storage.whole
            written = ", written" if storage.written else ""
            self.lines.append(f"  {self.storage(storage)}: {_form(whole)} {storage.kind}{written}")
        section = ""
        for call in program.calls:
            if call.section != section:
                section = call.section
                self.lines.append(f"# {section}")
            self.call(call, "  ")
        returned = ", ".join(self.region(value) for value in program.returned())
        self.lines.append(f"return ({returned})")
        for leaf, value in program.gradients:
            label = leaf if isinstance(leaf, str) else "leaf"
            shown = "None" if value is None else self.region(value)
            self.lines.append(f"  {label}.grad = {shown}")
        for effect, _ in program.stored:
            self.lines.append(f"  {effect.place.spoken} is set")
        for _, key, number in program.updates:
            self.lines.append(f"  [{key!r}] = {number.source}")
        return "\n".join(self.lines)

    def call(self, call, indent: str) -> None:
        """Append the line of a call, and those of the steps of a loop."""
        target = ", ".join(f"{self.region(value)}: {_form(value)}" for value in call.results)
        if call.out is not None:
            target = f"{self.region(call.out)}[...]: {_form(call.out)}"
        written = [self.region(value) for value in call.writes]
        inner = [self.text(item) for item in call.arguments]
        inner += [f"{key}={self.text(item)}" for key, item in call.keywords.items()]
        line = f"{indent}{target + ' = ' if target else ''}{called(call)}({', '.join(inner)})"
        notes = [f"writes {', '.join(written)}"] if written else []
        notes += [call.primitive] if call.primitive else []
        self.lines.append(f"{line}  # {'; '.join(notes)}" if notes else line)
        for step in [*getattr(call, "steps", ()), *(c for _, c in getattr(call, "tails", ()))]:
            self.call(step, indent + "  ")

    def storage(self, storage: Storage) -> str:
        """Return the name of a storage."""
        if storage not in self.names:
            self.names[storage] = f"%{len(self.names)}" + (
                f":{storage.label}" if storage.label else ""
            )
        return self.names[storage]

    def region(self, value: Region) -> str:
        """Return a region with the cuts that lead to it."""
        cut = value.cut
        if value.is_whole or cut is None or value.parent is None:
            return self.storage(value.storage)
        parent = self.region(value.parent)
        if type(cut) is Subscript:
            return f"{parent}[{self.index(cut.index)}]"
        if type(cut) is Attribute:
            return f"{parent}.{cut.name}"
        if type(cut) is Method:
            return f"{parent}.{cut.name}({', '.join(self.text(item) for item in cut.arguments)})"
        if type(cut) is Answer:
            place = "" if cut.position is None else f"[{cut.position}]"
            return f"{called(cut.call)}({parent}){place}"
        assert type(cut) is Given
        return f"{parent}<view at {value.offset}>"

    def index(self, index: Any) -> str:
        """Return an index as it stands between brackets."""
        parts = index if isinstance(index, tuple) else (index,)
        return ", ".join(self.text(part) for part in parts) or "()"

    def text(self, item: Any) -> str:
        """Return an argument."""
        if isinstance(item, Region):
            return self.region(item)
        source = getattr(item, "source", None)
        if isinstance(source, str):
            return source  # of a number that stands for itself
        if isinstance(item, (tuple, list)):
            shown = [self.text(part) for part in item[:LONGEST]]
            shown += ["..."] if len(item) > LONGEST else []
            return f"({', '.join(shown)})" if isinstance(item, tuple) else f"[{', '.join(shown)}]"
        if isinstance(item, slice):
            ends = ["" if end is None else str(end) for end in (item.start, item.stop)]
            return ":".join([*ends, str(item.step)] if item.step is not None else ends)
        if item is Ellipsis:
            return "..."
        if isinstance(item, np.dtype):
            return str(item)
        if isinstance(item, (bool, int, float, complex, str, type(None))):
            return repr(item)
        return f"<{type(item).__name__}>"


def _form(value: Region) -> str:
    return f"{value.dtype}[{', '.join(str(length) for length in value.shape)}]"


def print_program(program) -> str:
    """Return a program as text, one line a call."""
    return Printer().write(program)
