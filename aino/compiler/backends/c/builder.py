"""What rows write with: statements over regions, and what is known before the program runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.compiler.backends.c.statements import Calling, Gathering, Looping, Matrix, Statement
from aino.compiler.backends.c.table import DeclinedError, RefusedError
from aino.compiler.ir.program import Call, Program, map_values
from aino.compiler.ir.regions import (
    Region,
    Storage,
    is_contiguous,
    new_temporary,
    region,
    region_at,
)
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.passes.constants import contents, run


class Builder:
    """The statements of a program, as far as it has been read.

    ``quantized``: whether matrices of weights become int8. ``paths``: by the storage that a
    statement first fills, the path of the module that made it.
    """

    def __init__(self, program: Program, quantized: bool) -> None:
        self.statements: list[Statement] = []
        self.quantized = quantized
        self.paths: dict[Storage, str] = {}
        #: The path of the module whose call is being written.
        self.path = ""
        self._touched = {value.storage for call in program.calls for value in call.touches()}
        for storage in program.storages():
            if storage in self._touched and storage.kind == "constant":
                # It begins as a constant at each call, in memory of its own.
                initial = self.constant(storage.initial)
                storage.kind = "temporary"
                self.copy(initial, storage.whole)

    # What is known

    def is_known(self, value: Region) -> bool:
        """Tell whether a region holds the same at each call."""
        return value.storage.kind in ("static", "constant") and value.storage not in self._touched

    def array(self, value: Region) -> np.ndarray:
        """Return what a region holds that is known."""
        return contents(value)

    def constant(self, array: Any, label: str = "constant") -> Region:
        """Return a constant as a region."""
        array = np.array(array, order="C")
        storage = Storage("constant", array, label)
        storage.initial = array
        storage.address = array.__array_interface__["data"][0]
        self.paths[storage] = self.path
        return region(storage, array)

    def fold(self, calls: Sequence[Call]) -> bool:
        """Make calls now whose operands are all known; tell whether they are."""
        made: set[Storage] = set()
        for call in calls:
            if call.effect or call.touches() or not call.results or _has_number(call):
                return False
            if any(value.storage in self._touched for value in call.results):
                return False
            if not all(v.storage in made or self.is_known(v) for v in call.reads()):
                return False
            made.update(value.storage for value in call.results)
        for call in calls:
            arguments = map_values(call.arguments, contents)
            keywords = {key: map_values(item, contents) for key, item in call.keywords.items()}
            found = run(call, arguments, keywords)
            parts = found if isinstance(found, (tuple, list)) else [found]
            for value, part in zip(call.results, parts):
                storage = value.storage
                storage.kind, storage.label = "constant", ""
                storage.root = storage.initial = np.asarray(part)
                self.paths[storage] = self.path
        return True

    # Statements

    def add(self, statement: Statement) -> None:
        """Append a statement; raises for one that changes what lies outside."""
        for value in statement.writes:
            if value.storage.kind in ("static", "gradient"):
                raise RefusedError(
                    f"a tensor of shape {value.shape} that is changed in place; call model.eval() "
                    "before"
                )
            if value.storage.kind == "argument":
                raise RefusedError("an input that is changed in place; take a copy before")
            self.paths.setdefault(value.storage, self.path)
        self.statements.append(statement)

    def call(
        self, name: str, dtype: Any, arguments: Sequence[Any], reads: Sequence[Region],
        writes: Sequence[Region], note: str, **options: Any,
    ) -> None:  # fmt: skip
        """Append a call of one of the file's functions."""
        quantized = self.quantized and any(isinstance(x, Matrix) for x in arguments)
        needed = (name, np.dtype(dtype), quantized)
        self.add(Calling(list(reads), list(writes), [needed], note, list(arguments), **options))

    def loop(
        self, target: Region, formula: str, *operands: Any, compute: Any = None,
        needs: Sequence[str] = (), note: str = "",
    ) -> None:  # fmt: skip
        """Append ``target[...] = formula``; ``needs`` names functions of the formula."""
        if isinstance(compute, (list, tuple)):
            dtypes = [np.dtype(one) for one in compute]
        else:
            dtypes = [np.dtype(target.dtype if compute is None else compute)] * len(operands)
        items = [self._apart(self.number(x), target) for x in operands]
        regions = [x for x in items if isinstance(x, Region)]
        first = dtypes[0] if dtypes else target.dtype
        needed = [(name, first, False) for name in needs]
        note = note or ", ".join(needs)
        self.add(Looping(regions, [target], needed, note, target, items, formula, dtypes))

    def _apart(self, item: Any, target: Region) -> Any:
        """Return an operand, or a copy of one that the loop would overwrite before it is read."""
        if not isinstance(item, Region) or item.storage is not target.storage:
            return item
        same = (item.shape, item.strides, item.offset) == (
            target.shape, target.strides, target.offset)  # fmt: skip
        (low, high), (first, end) = item.extent, target.extent
        if same or high <= first or end <= low:
            return item
        found = self.new(item.shape, item.dtype)
        self.copy(item, found, "before it is overwritten")
        return found

    def number(self, item: Any) -> Any:
        """Return a known operand that is one number everywhere as that number."""
        if not isinstance(item, Region) or not self.is_known(item) or not item.size:
            return item
        array = self.array(item)
        first = array[(0,) * array.ndim]
        # Bit by bit: a minus before a zero is told apart.
        alike = array.tobytes() == first.tobytes() * array.size
        return first.item() if alike else item

    def copy(self, source: Any, target: Region, note: str = "") -> None:
        """Append a copy of a region, or a number, into another region."""
        dtype = target.dtype
        if isinstance(source, Region) and dtype.kind == "b" and source.dtype.kind != "b":
            self.loop(target, "{0} != 0", source, compute=source.dtype, note=note)
        elif isinstance(source, Region):
            self.loop(target, "{0}", source, compute=dtype, note=note)
        else:
            self.loop(target, "{0}", source, note=note)

    def gather(
        self, target: Region, operands: Sequence[Region], kept: Sequence[int],
        rest: Sequence[int], axes: Sequence[Sequence[int | None]], *, needs: Sequence[str] = (),
        dtype: Any = None, note: str = "", **texts: str,
    ) -> None:  # fmt: skip
        """Append what is found over all of ``rest``, for each of ``kept``."""
        dtype = np.dtype(target.dtype if dtype is None else dtype)
        needed = [(name, dtype, False) for name in needs]
        self.add(Gathering(
            list(operands), [target], needed, note, target, operands, kept, rest, axes,
            dtype=dtype, **texts,
        ))  # fmt: skip

    # Regions

    def new(self, shape: Sequence[int], dtype: Any) -> Region:
        """Return new memory."""
        return new_temporary(tuple(shape), np.dtype(dtype))

    def rows(self, value: Any) -> Region:
        """Return a region as one that lies in one piece: a copy where it does not."""
        if not isinstance(value, Region):
            raise DeclinedError
        if is_contiguous(value):
            return value
        if self.is_known(value):
            return self.constant(self.array(value), value.storage.label)
        found = self.new(value.shape, value.dtype)
        self.copy(value, found, "in one piece")
        return found

    def filled(self, target: Region) -> Region:
        """Return what a call fills in the place of a region: itself, or what is copied there."""
        return target if is_contiguous(target) else self.new(target.shape, target.dtype)

    def settle(self, found: Region, target: Region) -> None:
        """Bring what was filled where it belongs."""
        if found is not target:
            self.copy(found, target, "where it belongs")


def part(value: Region, starts: Sequence[int], shape: Sequence[int]) -> Region:
    """Return the part of a region that begins there."""
    offset = value.offset + sum(a * s for a, s in zip(starts, value.strides))
    return region_at(value.storage, tuple(shape), value.dtype, value.strides, offset, value)


def in_shape(value: Region, shape: Sequence[int], strides: Sequence[int]) -> Region:
    """Return the memory of a region in another shape, with strides in bytes."""
    return region_at(value.storage, tuple(shape), value.dtype, tuple(strides), value.offset, value)


def as_rows(value: Region, shape: Sequence[int]) -> Region:
    """Return a region in one piece in another shape."""
    assert is_contiguous(value)
    assert math.prod(shape) == value.size
    strides, step = [], value.dtype.itemsize
    for length in reversed(tuple(shape)):
        strides.append(step)
        step *= length
    return in_shape(value, shape, strides[::-1])


def spoken(shape: Sequence[int]) -> str:
    """Return a shape in words."""
    return " x ".join(map(str, shape)) or "1"


def _has_number(call: Call) -> bool:
    def look(tree: Any) -> bool:
        if isinstance(tree, (tuple, list)):
            return any(look(item) for item in tree)
        return isinstance(tree, SymbolicNumber)

    return look(call.arguments)
