"""The program as plain data: storages, values that are regions of them, calls that fill them.

A value is not a variable but a place: a storage, an offset, a shape and strides. Flat arrays,
their rows and transposed views are thus regions of one storage, and a write through one is seen
through all. Passes read and rewrite the list of calls; back ends print it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.pytree import parts_of


class Storage:
    """A piece of memory.

    ``kind``: ``argument`` (given at each call), ``static`` (lives outside, is read afresh and may
    be written), ``gradient`` (what a leaf's ``grad`` holds when the call begins), ``constant``
    (made alike in every trace), ``temporary`` (made by a call of the program).
    ``root``: the array that owns static and constant memory. ``whole``: its value. ``label``:
    how it is called in the source. ``leaf``: the leaf of a gradient. ``initial``: what a constant
    holds when the program begins.
    """

    __slots__ = ("kind", "root", "label", "initial", "leaf", "written", "values", "address",
                 "shadow", "whole")  # fmt: skip

    def __init__(self, kind, root=None, label="", leaf=None) -> None:
        self.kind = kind
        self.root = root
        self.label = label
        self.initial: Any = None
        self.leaf = leaf
        self.written = False
        self.values: dict[tuple, Region] = {}
        #: Where the shadow memory begins, and that memory where the trace has to keep it.
        self.address = 0
        self.shadow: Any = None
        self.whole: Any = None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.label or hex(id(self))}>"


class Region:
    """A region of a storage; ``parent`` and ``how`` say how it is cut out of another region."""

    __slots__ = ("storage", "shape", "dtype", "strides", "offset", "parent", "how")

    def __init__(self, storage, shape, dtype, strides, offset, parent=None, how=None) -> None:
        self.storage = storage
        self.shape = shape
        self.dtype = dtype
        self.strides = strides
        self.offset = offset
        self.parent = parent
        self.how = how

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def is_whole(self) -> bool:
        return self is self.storage.whole

    def __repr__(self) -> str:
        return f"{self.storage!r}{list(self.shape)}"


@dataclass(eq=False)
class Call:
    """One NumPy call: ``results = function(*arguments, **keywords)``, or a write into ``out``.

    ``method``: of a ufunc (``__call__``, ``reduce``, ``accumulate``, ``at``), else empty.
    ``writes``: regions that it changes besides. ``effect``: it must run, and in this order.
    ``primitive``, ``rule``: what it came from, for the reader. ``line``: the user's line.
    """

    function: Any
    method: str
    arguments: tuple
    keywords: dict[str, Any]
    results: list[Region]
    out: Region | None = None
    writes: list[Region] = field(default_factory=list)
    effect: bool = False
    section: str = "forward"
    primitive: str = ""
    rule: Any = None
    line: str = ""

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
    ``updates``: (container, key, number) written back at the end.
    """

    calls: list[Call]
    arguments: list[Storage]
    result: Any
    gradients: list[tuple[Any, Region | None]]
    updates: list[tuple[Any, Any, Any]]
    notes: dict[str, Any] = field(default_factory=dict)

    def outputs(self) -> list[Region]:
        """Return the regions that outlive the call: returned ones and gradients."""
        return self.returned() + [value for _, value in self.gradients if value is not None]

    def returned(self) -> list[Region]:
        """Return the regions that the caller gets for his own, each tensor's once."""
        found: list[Region] = []
        collect_result(self.result, found)
        return found

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
    call = Call(".copy", "method", (value,), {}, [region(storage, data)])
    if program.calls:
        call.section, call.line = program.calls[-1].section, program.calls[-1].line
    program.calls.append(call)
    return call.results[0]


def number_array(value, dtype):
    """Return a Python number as a 0-d array: how a live number enters NumPy calls."""
    return np.array(value, dtype)


def address(array) -> int:
    """Return where the first element of an array lies."""
    return array.__array_interface__["data"][0]


def region(storage: Storage, array, parent=None, how=None) -> Region:
    """Return the one value of a storage that covers exactly the memory of ``array``."""
    offset = address(array) - storage.address
    key = (offset, array.shape, array.strides, array.dtype)
    value = storage.values.get(key)
    if value is None:
        value = Region(storage, array.shape, array.dtype, array.strides, offset, parent, how)
        storage.values[key] = value
        if parent is None and how is None:
            storage.whole = value
    return value
