"""Writes a program's stretches as tables of instructions: of many lines one call is left.

What can't be walked stays a line of Python in its place, so that every program runs. A stretch
makes exactly the calls that its lines made, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from aino.compiler.backends.native.chains import SMALL_BLOCK, ChainTable, parts_of
from aino.compiler.backends.native.instructions import OF_AXES, Constant, Instruction, described
from aino.compiler.backends.native.stretches import can_walk, on_flags
from aino.compiler.backends.numpy.comments import empty_like
from aino.compiler.backends.numpy.emit import Emitter
from aino.compiler.backends.numpy.lines import Kind, Line, Source
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.raising import raising_places
from aino.compiler.ir.regions import (
    Given,
    Region,
    Storage,
    contiguous_strides,
    reshaped,
)
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.passes.fusion import Chain
from aino.native.forms import Form
from aino.native.recording import recorded, scratch_of
from aino.native.trials import quiet_bits, stand_in, stretch_type
from aino.threads import CORES

#: Bytes of an array that stands in for one that is given: larger ones have no memory of their own.
_SMALL = 1 << 14


@dataclass(frozen=True)
class Flat:
    """An operand of a chain: a region as numbers one after the other."""

    value: Region


@dataclass
class Stretch:
    """Instructions that are walked together, and the lines that have to run before them."""

    before: list[Line] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)


class NativeEmitter(Emitter):
    """Writes one program for the walker; the text is that of the NumPy program, but for stretches.

    What a line makes by an expression and nobody outside keeps gets a buffer, so that the walker
    can fill it.
    """

    def __init__(self, program: Program, layout, name: str, containers, floats) -> None:
        super().__init__(program, layout, name, containers, floats)
        self.walked = 0
        self._raising = {id(program.calls[place]) for place in raising_places(program.calls)}
        self._kept = {value.storage for value in program.outputs()}
        self._stretch = Stretch()
        self._tell = on_flags(self.name)
        #: The name of the scratch memory that all recorded kernels have in turn, and its bytes.
        self._room, self._scratch = "", 0

    @property
    def recorded(self) -> bool:
        """Whether kernels are among what is walked."""
        return bool(self._room)

    # Which calls are walked

    def call(self, call: Call) -> None:
        """Append a call to the stretch that is open, or its lines after it."""
        table = ChainTable(call, self.program.quiet) if isinstance(call, Chain) else None
        if table is not None and table.fits:
            self._chain(table)
            return
        instructions = None if self._has_to_be_seen(call) else self._instructions(call)
        if instructions is None:
            self._close()
            super().call(call)
            return
        for instruction in instructions:
            self._append(instruction)

    def _has_to_be_seen(self, call: Call) -> bool:
        """Tell whether it counts how far the program has come where a call raises."""
        first = self.program.preconditions_first and getattr(
            call.function, "is_precondition", False
        )
        return id(call) in self._raising and not first

    def _append(self, instruction: Instruction) -> None:
        """Append an instruction to the stretch that is open; what it needs first comes before."""
        before = len(self.body)
        for operand in instruction.operands:
            value = operand.value if isinstance(operand, Flat) else operand
            if isinstance(value, Region):
                self._make_room(value.storage, instruction.call)
                self.value(value)
        self._stretch.before += self.body[before:]
        del self.body[before:]
        self._stretch.instructions.append(instruction)

    def _chain(self, table: ChainTable) -> None:
        """Append a chain, of two parts where it is for two threads."""
        parts = [self._part(table, *part) for part in parts_of(table.chain)]
        if len(parts) == 1:
            self._append(parts[0])
            return
        operands = [operand for part in parts for operand in part.operands]
        self._append(Instruction("both", operands, table.chain, parts))

    def _part(self, table: ChainTable, begin: int, end: int) -> Instruction:
        """Return a part of a chain as an instruction, with scratch memory of its own."""
        operands: list[Any] = []
        for operand in table.operands:
            if isinstance(operand, Region):
                operands.append(operand if operand.shape == () else Flat(operand))
            elif isinstance(operand, Storage):
                name = self.names.fresh("scratch")
                form = f"({SMALL_BLOCK},), np.{operand.whole.dtype.type.__name__}"
                self.prelude["memory"].append(f"{name} = np.empty({form})")
                operands.append(name)
            else:
                operands.append(operand)
        rows = []
        for function, places, first, last in table.links:
            low, high = max(first, begin), min(last, end)
            if low < high:
                rows.append(f"({self._ufunc_name(function)}, {places}, {low}, {high})")
        links = ",\n            ".join(rows)
        detail = f"({begin}, {end}, {SMALL_BLOCK}, [\n            {links},\n        ])"
        return Instruction("chain", operands, table.chain, detail, table.quiet)

    def _make_room(self, storage: Storage, call: Call) -> None:
        """Give memory to what the call makes, if it has none yet."""
        if storage in self.storage_names or self.layout.place.get(storage) != "fresh":
            return
        if storage not in self._kept:
            self.layout.place[storage] = "buffer"
            return
        made = storage.whole if storage.whole is not None else call.target
        self.body.append(Line(f"{self.storage(storage)} = {empty_like(made)}"))

    def _instructions(self, call: Call) -> list[Instruction] | None:
        """Return a call as instructions, None where it has to stay a line of Python."""
        if getattr(call.function, "is_unconditional", False):
            return self._recorded(call)
        found = described(call, self.text)
        quiet = quiet_bits(self.program.quiet.get(call.function, {}))
        if found is None or quiet is None or not self._are_apart(found):
            return None
        for one in found:
            one.quiet = quiet
            forms = tuple([
                x.array if isinstance(x, Constant) else stand_in(x.shape, x.strides, x.dtype)
                for x in one.operands
            ])  # fmt: skip
            if not can_walk(one.kind, forms, _function_and_detail(one), quiet):
                return None
        return found

    def _recorded(self, call: Call) -> list[Instruction] | None:
        """Return a kernel as what it does, if it can be recorded and writes apart from all else."""
        given = [x for x in call.arguments if isinstance(x, Region)]
        takes = hasattr(call.function, "takes_out")
        results = [call.target] if takes else call.results
        quiet = self.program.quiet.get(call.function)
        if call.keywords or quiet or len(given) != len(call.reads()):
            return None
        forms = tuple([Form.of(x) if isinstance(x, Region) else x for x in call.arguments])
        found = recorded(call.function, forms, Form.of(results[0]) if takes else None)
        if found is None or any(isinstance(x, SymbolicNumber) for x in call.arguments):
            return None
        if not takes:
            if len(found.results) != len(results):
                return None
            for value, memory in zip(results, found.results):
                if memory is None and value.dtype != object:
                    self._make_room(value.storage, call)  # of nothing
            results = [x for x, memory in zip(results, found.results) if memory is not None]
        written = [self._memory(x.storage) for x in results]
        read = [self._memory(x.storage) for x in given]
        if len(set(written)) < len(written) or set(written) & set(read):
            return None
        return [Instruction("recorded", [*given, *results], call, found)]

    def _are_apart(self, found: list[Instruction]) -> bool:
        """Tell whether what is written lies apart from what is read; of several in all of them."""
        if len(found) == 1:
            return self._is_apart(found[0])
        written = {self._memory(one.operands[0].storage) for one in found}
        read = {self._memory(x.storage) for one in found for x in one.operands[1:]}
        return not written & read

    def _is_apart(self, found: Instruction) -> bool:
        """Tell whether what is written lies apart from what is read, or is the very same."""
        operands = [operand for operand in found.operands if isinstance(operand, Region)]
        written, rest = operands[0], operands[1:]
        for value in rest:
            if self._memory(value.storage) is not self._memory(written.storage):
                continue
            (low, high), (first, last) = _extent(written), _extent(value)
            if high <= first or last <= low:
                continue
            same = low == first and value.shape == written.shape
            same = same and value.strides == written.strides and value.dtype == written.dtype
            if not same or found.kind not in ("ufunc", "copy", "choose"):
                return False
        return True

    def _memory(self, storage: Storage) -> Storage:
        while storage in self.layout.twin:
            storage = self.layout.twin[storage]
        return storage

    # What is written

    def _close(self) -> None:
        """Write the stretch that is open."""
        stretch, self._stretch = self._stretch, Stretch()
        self.body += stretch.before
        if not stretch.instructions:
            return
        slots: dict[str, Region] = {}
        numbers: list[str] = []
        rows = [(self._row(one, slots, numbers), one.call) for one in stretch.instructions]
        name = self.names.fresh("walk")
        lines = self.prelude.setdefault("stretches", [])
        for label, value in slots.items():
            lines.append(f"given_{label} = {self._stand_in(value)}")
        type_name = self._bound("Stretch", stretch_type())
        tell = self._bound("tell", self._tell)
        given = ", ".join(f"given_{label}" for label in slots)
        lines.append(f"{name} = {type_name}([{given}], {len(numbers)}, [")
        lines += [f"    {Line(text, call).text}" for text, call in rows]
        lines.append(f"], {tell}, {CORES > 1})")
        self._open_numbers()
        arguments = ", ".join([*slots, *numbers])
        self.body.append(Line(f"{name}({arguments})", stretch.instructions[-1].call, walked=True))

    def _row(self, one: Instruction, slots: dict[str, Region], numbers: list[str]) -> str:
        """Return the text of an instruction; what is given at each call joins slots and numbers."""
        if one.kind == "both":
            lists = [f"[{self._row(part, slots, numbers)}]" for part in one.detail]
            return f'("both", (), ({", ".join(lists)}), False),'
        operands = [self._operand(operand, slots) for operand in one.operands]
        self.walked += one.detail.count if one.kind == "recorded" else 1
        if one.kind == "recorded":
            return self._row_of_recorded(one, operands, slots)
        if one.kind == "number":
            detail = str(len(numbers))
            numbers.append(one.number)
        else:
            detail = self._detail(one)
        inner = ", ".join(operands) + ("," if len(operands) == 1 else "")
        return f'("{one.kind}", ({inner}), {detail}, {one.quiet}),'

    def _row_of_recorded(self, one: Instruction, operands: list[str], slots: dict) -> str:
        """Return the text of a kernel's instructions, for what it reads and writes."""
        order = [f"given_{label}" for label in slots]
        places = [f"({x}, {order.index(x)})" if x in order else x for x in operands]
        self._room = self._room or self.names.fresh("room")
        self._scratch = max(self._scratch, one.detail.size)
        name = self._bound(f"{one.call.function.__name__.strip('_')}_steps", one.detail)
        return f"*{name}.on({', '.join([self._room, *places])}),"

    def _operand(self, operand: Any, slots: dict[str, Region]) -> str:
        """Return the text of an operand; one that is given at each call joins the slots."""
        if isinstance(operand, str):
            return operand
        if isinstance(operand, Constant):
            return self._bound("number", operand.array)
        flat = isinstance(operand, Flat)
        value = operand.value if flat else operand
        name = self.value(value)
        if self._lasts(value):
            return f"{name}.reshape(-1)" if flat else name
        if flat:
            value, name = self._flat_of(value, name)
        slots.setdefault(name, value)
        return f"given_{name}"

    def _flat_of(self, value: Region, name: str) -> tuple[Region, str]:
        """Return a region of one axis for one of several, and the name of its view."""
        if len(value.shape) == 1:
            return value, name
        flat = reshaped(value, (value.size,))
        return flat, self.value(flat)

    def _lasts(self, value: Region) -> bool:
        """Tell whether a region's array is there before the program runs."""
        if type(value.cut) is Given:
            return True
        return self.layout.place.get(value.storage, "bound") in ("bound", "buffer")

    def _stand_in(self, value: Region) -> str:
        in_order = value.strides == contiguous_strides(value.shape, value.dtype)
        if not value.size or (in_order and value.size * value.dtype.itemsize < _SMALL):
            return empty_like(value)
        name = self._bound("stand_in", stand_in)
        return f"{name}({value.shape}, {value.strides}, {self.dtype(value.dtype)})"

    def _bound(self, name: str, item: Any) -> str:
        """Return the name under which an object is given to the program."""
        if id(item) not in self.objects:
            self.objects[id(item)] = self.names.fresh(name)
            self.bound[self.objects[id(item)]] = item
        return self.objects[id(item)]

    def _detail(self, one: Instruction) -> str:
        """Return the text of what belongs to the kind of an instruction."""
        function = _function_of(one)
        if one.kind in OF_AXES:
            return f"({self._ufunc_name(function)}, {one.detail})"
        if one.kind == "class_places":
            return f"({one.detail[0]}, {self._bound('unlike', one.detail[1])})"
        if function is not None:
            return self._ufunc_name(function)
        return one.detail if one.kind == "chain" else repr(one.detail)

    def _ufunc_name(self, function) -> str:
        """Return the name of a ufunc itself, not of one that is told to be quiet."""
        name = function.__name__.strip("_")
        if getattr(np, name, None) is function:
            return f"np.{name}"
        return self._bound(name, function)

    def end_of_calls(self) -> None:
        self._close()
        if self.recorded:
            text = f"{self._room} = {self._bound('scratch_of', scratch_of)}({self._scratch})"
            self.prelude["memory"].append(text)

    def emit(self, labels) -> Source:
        source = super().emit(labels)
        body = [line for line in source.body if line.kind is not Kind.TITLE]
        return replace(source, body=body, walked=self.walked > 0)


def _extent(value: Region) -> tuple[int, int]:
    """Return the bytes of a region, from where its storage begins."""
    low, high = value.extent
    whole = value.storage.whole
    begin = 0 if whole is None else whole.offset
    return low - begin, high - begin


def _function_of(one: Instruction) -> Any:
    """Return the ufunc whose loop an instruction calls, None where there is none."""
    if one.kind in ("ufunc", *OF_AXES):
        return one.call.function
    return np.matmul if one.kind in ("product", "stack") else None


def _function_and_detail(one: Instruction) -> Any:
    """Return what belongs to the kind of an instruction, as the walker takes it."""
    function = _function_of(one)
    if one.kind in OF_AXES:
        return function, one.detail
    return one.detail if function is None else function
