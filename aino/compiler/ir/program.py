"""The program as plain data: calls in order, over regions of storages, and what the caller gets.

Passes read and rewrite the list of calls; back ends write it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from aino.compiler.ir.operations import EFFECTS, Operation
from aino.compiler.ir.printer import print_program
from aino.compiler.ir.regions import Region, Storage, address, region
from aino.pytree import mapped, parts_of


@dataclass(eq=False)
class Call:
    """One NumPy call: ``results = function(*arguments, **keywords)``, or a write into ``out``.

    ``writes``: regions that it changes besides. ``primitive``, ``rule``: what it came from, for
    the reader. ``line``: the user's line. ``owner``: the module or the optimizer whose method made
    it, by its identity.
    """

    operation: Operation
    function: Any
    arguments: tuple
    keywords: dict[str, Any]
    results: list[Region]
    out: Region | None = None
    writes: list[Region] = field(default_factory=list)
    section: str = "forward"
    primitive: str = ""
    rule: Any = None
    line: str = ""
    owner: int = 0

    @property
    def effect(self) -> bool:
        """Whether it must run, and in this order, though nobody reads what it makes."""
        return self.operation in EFFECTS

    @property
    def target(self) -> Region:
        """The one region that it fills, made by it or there before."""
        return self.out if self.out is not None else self.results[0]

    def reads(self) -> list[Region]:
        """Return the values among the arguments, in order."""
        found: list[Region] = []
        for item in self.arguments:
            if type(item) is Region:
                found.append(item)
            elif type(item) is tuple or type(item) is list:
                collect_values(item, found)
        if self.keywords:
            collect_values(tuple(self.keywords.values()), found)
        return found

    def touches(self) -> list[Region]:
        """Return the regions that the call writes into memory that existed before it."""
        return ([self.out] if self.out is not None else []) + self.writes


@dataclass(eq=False)
class Loop(Call):
    """Element-wise calls that are run together, a part of their memory at a time.

    ``steps``: the calls. ``local``: storages that only the loop needs.
    """

    steps: list[Call] = field(default_factory=list)
    local: set[Storage] = field(default_factory=set)

    def calls(self) -> list[Call]:
        """Return all calls of the loop, in order."""
        return self.steps

    def reads(self) -> list[Region]:
        """Return what the loop reads of memory that it does not keep to itself."""
        return [v for call in self.calls() for v in call.reads() if v.storage not in self.local]

    def touches(self) -> list[Region]:
        """Return what the loop writes of memory that it does not keep to itself."""
        made = {v.storage for call in self.steps for v in call.results}
        found = [v for call in self.calls() for v in (*call.touches(), *call.results)]
        return [v for v in found if v.storage not in self.local and v.storage not in made]


def joined(kind: type[Loop], steps: list[Call], **details: Any) -> Loop:
    """Return a loop of calls, which has the results of them all."""
    results: dict[Storage, Region] = {}
    for call in steps:
        for value in call.results:
            results.setdefault(value.storage, value)
    first = steps[0]
    return kind(
        Operation.LOOP, None, (), {}, list(results.values()), section=first.section,
        line=first.line, steps=steps, **details,
    )  # fmt: skip


def collect_values(tree, found: list[Region]) -> None:
    """Append the values in a nested argument to ``found``."""
    if isinstance(tree, Region):
        found.append(tree)
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            collect_values(item, found)


def map_values(tree, change):
    """Return a nested argument with every value replaced by ``change(value)``."""
    if isinstance(tree, Region):
        return change(tree)
    if isinstance(tree, tuple):
        return tuple([map_values(item, change) for item in tree])
    if isinstance(tree, list):
        return [map_values(item, change) for item in tree]
    return tree


@dataclass(eq=False)
class Program:
    """Calls in order, and what the caller gets.

    ``gradients``: leaf -> the region that its ``grad`` shows afterwards, or None.
    ``result``: the returned structure with values in the places of tensors.
    ``updates``: (container, key, number) written back at the end. ``quiet``: how functions handle
    overflow and its kin, where it is not as outside. ``unrepeatable``: what the run did that a
    program would not do again, in words. ``preconditions_first``: nothing has happened when a
    precondition finds the data unlike. ``given_gradients``: leaf -> the tensor from outside, or the
    argument's name, that its ``grad`` is set to. ``stored``: what is put into Python's world at the
    end: (effect, structure of what is put there).
    """

    calls: list[Call]
    arguments: list[Storage]
    result: Any
    gradients: list[tuple[Any, Region | None]]
    updates: list[tuple[Any, Any, Any]]
    quiet: dict[Any, dict[str, Any]] = field(default_factory=dict)
    unrepeatable: str = ""
    given_gradients: list[tuple[Any, Any]] = field(default_factory=list)
    preconditions_first: bool = False
    #: Whether gradients of the last call may still be wanted when a call raises.
    keeps_gradients: bool = False
    stored: list[tuple[Any, Any]] = field(default_factory=list)
    #: The last analysis, kept between passes that change nothing; the pipeline says when.
    keeps_analysis: bool = False
    analysis: Any = None

    def __str__(self) -> str:
        return print_program(self)

    def copy(self) -> Program:
        """Return the program with calls of its own, over the same storages."""
        calls = [replace(call, results=list(call.results)) for call in self.calls]
        return replace(
            self, calls=calls, gradients=list(self.gradients), keeps_analysis=False, analysis=None
        )

    def outputs(self) -> list[Region]:
        """Return the regions that outlive the call: returned ones and gradients."""
        return self.returned() + [value for _, value in self.gradients if value is not None]

    def returned(self) -> list[Region]:
        """Return the regions that the caller gets for his own, each tensor's once."""
        found: list[Region] = []
        seen: set[int] = set()
        for item in (self.result, *[value for _, value in self.stored]):
            collect_result(item, found, seen)
        return found

    def map_returned(self, change) -> None:
        """Replace what the caller gets, and what is put elsewhere: ``change(leaf)`` for each."""
        self.result = mapped(self.result, change)
        self.stored = [(effect, mapped(value, change)) for effect, value in self.stored]

    def storages(self) -> list[Storage]:
        """Return every storage that the program touches, in order of first use."""
        seen: dict[Storage, None] = {}
        for call in self.calls:
            for value in (*call.reads(), *call.touches(), *call.results):
                seen.setdefault(value.storage)
        for value in self.outputs():
            seen.setdefault(value.storage)
        return list(seen)


class Returned:
    """A tensor in the returned structure: its region, and the tensor itself if it exists already.

    ``original``: None for a tensor made by the program, the name of an argument, or a tensor that
    the function holds.
    """

    __slots__ = ("value", "original")

    def __init__(self, value: Region, original=None) -> None:
        self.value = value
        self.original = original


class Kept:
    """An object of Python's world in the returned structure: it is that one, whatever it holds."""

    __slots__ = ("value",)

    def __init__(self, value) -> None:
        self.value = value

    def __eq__(self, other) -> bool:
        return type(other) is Kept and other.value is self.value

    __hash__ = None  # type: ignore[assignment]


class NumberOf(tuple):
    """A number in the returned structure: its expression in pieces, strings and ``Returned``."""

    __slots__ = ()


def collect_result(tree, found: list[Region], seen=None) -> None:
    """Append the regions of a returned structure to ``found``, once for each tensor."""
    seen = set() if seen is None else seen
    if isinstance(tree, Returned):
        if tree.original is None and id(tree) not in seen:
            seen.add(id(tree))
            found.append(tree.value)
    else:
        for part in parts_of(tree):
            collect_result(part, found, seen)


def append_copy(program: Program, value: Region) -> Region:
    """Append a call that copies a region; return the copy."""
    data = np.empty(value.shape, value.dtype)
    storage = Storage("temporary")
    storage.address = address(data)
    call = Call(Operation.METHOD, "copy", (value,), {}, [region(storage, data)])
    if program.calls:
        call.section, call.line = program.calls[-1].section, program.calls[-1].line
    program.calls.append(call)
    return call.results[0]
