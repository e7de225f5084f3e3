"""Add up the gradients of slices in one array, instead of one array of zeros for each.

The gradient of ``x[index]`` is zero outside of the index. Where the gradients of several slices
are added, each is written, or added, into its place in the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aino.compiler.ir.analysis import Analysis, analysed
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Region, Storage, Subscript, moved
from aino.compiler.passes.common_subexpressions import rewrite
from aino.compiler.passes.copies import rewrite_gradients


@dataclass
class Placed:
    """Memory that is filled with zeros, and then in some places with values.

    ``fill``: the position of the call that makes the zeros, ``parts``: those of the calls that
    copy values into places. ``alone``: whether it is read by one call only.
    """

    fill: int
    parts: list[int]
    places: list[Region]
    alone: bool
    #: Which numbers lie in a place, and whether none lies in two.
    taken: Any = None
    apart: bool = True

    def claim(self, place: Region) -> bool:
        """Take one more place; tell whether it meets no other."""
        if self.taken is None:
            self._claim_own()
        return self._claim(place)

    def _claim_own(self) -> None:
        self.taken = np.zeros(self.places[0].storage.whole.shape, bool)
        for place in self.places:
            self._claim(place)

    def _claim(self, place: Region) -> bool:
        assert isinstance(place.cut, Subscript)
        part = self.taken[place.cut.index]
        apart = not part.any()
        part[...] = True
        self.apart = self.apart and apart
        return apart

    def is_covered(self) -> bool:
        """Tell whether the places are all of the memory, and none meets another."""
        if self.taken is None:
            self._claim_own()
        return self.apart and bool(self.taken.all())


def add_slices_in_place(program: Program) -> int:
    """Write the gradients of slices into one array; return how many calls are saved.

    Zeros that are all written over are not written.
    """
    analysis = analysed(program)
    placed = _placed(program, analysis)
    if not placed:
        return 0
    replaced: dict[Storage, Storage] = {}
    #: What an operand was called before it took up other sums: its name in the analysis.
    latest: dict[Storage, Storage] = {}
    #: What stands at a position instead of the call there.
    instead: dict[int, list[Call]] = {}
    saved = 0
    for position, call in enumerate(program.calls):
        if replaced:
            rewrite(call, replaced)
        pair = _sum_of_two(call)
        for target, source in (pair, pair[::-1]) if pair else ():
            root = placed.get(source.storage)
            if root is None or not _may_take(target, call, position, analysis, latest):
                continue
            if not _may_vanish(source.storage, root, position, program, analysis, latest):
                continue
            instead[position] = _into(target, root, program, placed)
            instead.update({place: [] for place in (root.fill, *root.parts)})
            del placed[source.storage]
            result = call.results[0].storage
            replaced[result], latest[target.storage] = target.storage, result
            target.storage.written = True
            saved += 1
            break
    for storage, own in placed.items():
        # Where other sums were taken up, they are written as late as the only one that reads it.
        if (own.alone or storage not in latest) and own.is_covered():
            instead[own.fill] = []
            saved += 1
    if saved:
        calls = enumerate(program.calls)
        program.calls[:] = [new for place, call in calls for new in instead.get(place, [call])]
        rewrite_gradients(program, replaced)
    return saved


def _placed(program: Program, analysis: Analysis) -> dict[Storage, Placed]:
    """Return the memory that holds zeros but for some places when it is first read."""
    found = {}
    for storage, writers in analysis.writers.items():
        if storage.kind != "temporary" or storage in analysis.makers or len(writers) < 2:
            continue
        readers = analysis.readers.get(storage)
        if not readers or readers[0] <= writers[-1] or storage in analysis.outputs:
            continue
        fill, *parts = [program.calls[position] for position in writers]
        if not _fills_with_zeros(fill) or not all(_is_placing(part) for part in parts):
            continue
        places = [part.target for part in parts]
        found[storage] = Placed(writers[0], writers[1:], places, len(readers) == 1)
    return found


def _fills_with_zeros(call: Call) -> bool:
    """Tell whether a call fills the whole of its memory with zeros that are none below zero."""
    if call.operation is not Operation.COPY or not call.target.is_whole:
        return False
    (source,) = call.arguments
    if not isinstance(source, Region) or source.storage.kind != "constant" or not source.is_whole:
        return False
    array = source.storage.initial if source.storage.initial is not None else source.storage.root
    if array.dtype.kind not in "fc" or source.storage.written:
        return False
    return not np.frombuffer(array.tobytes(), np.uint8).any()  # not even a minus before a zero


def _is_placing(call: Call) -> bool:
    """Tell whether a call copies a region of the same form into a part of a whole."""
    if call.operation is not Operation.COPY:
        return False
    (source,), place = call.arguments, call.target
    return (
        isinstance(source, Region)
        and source.shape == place.shape
        and source.dtype == place.dtype
        and type(place.cut) is Subscript
        and place.parent is place.storage.whole
    )


def _sum_of_two(call: Call) -> tuple[Region, Region] | None:
    """Return the operands of an addition of two arrays of one form, None of other calls."""
    if call.operation is not Operation.UFUNC or call.function is not np.add:
        return None
    if call.keywords or not call.results or len(call.arguments) != 2:
        return None
    first, second = call.arguments
    result = call.results[0]
    wholes = (first, second, result)
    if not all(isinstance(x, Region) and x.is_whole for x in wholes) or first is second:
        return None
    forms = {(x.shape, x.strides, x.dtype) for x in wholes}
    return (first, second) if len(forms) == 1 else None


def _may_take(target: Region, call: Call, position: int, analysis: Analysis, latest) -> bool:
    """Tell whether the sum can be made in the memory of one operand: nobody else wants that."""
    result = call.results[0].storage
    name = latest.get(target.storage, target.storage)
    return (
        target.storage.kind == "temporary"
        and name not in analysis.outputs
        and result not in analysis.returned
        and result not in analysis.writers
        and analysis.last_read(name) == position
        and analysis.last_write(name) < position
    )


def _may_vanish(
    storage: Storage, own: Placed, position: int, program: Program, analysis: Analysis, latest
) -> bool:
    """Tell whether nobody but the sum reads an array, and its parts hold what they held."""
    sources = [program.calls[part].arguments[0].storage for part in own.parts]
    return analysis.readers[storage] == [position] and all(
        source is not storage
        and source.kind in ("temporary", "constant")
        and _last_change(latest.get(source, source), analysis) < part
        for source, part in zip(sources, own.parts)
    )


def _last_change(storage: Storage, analysis: Analysis) -> int:
    """Return the position of the last call that makes a storage or writes into it."""
    return max(analysis.makers.get(storage, -1), analysis.last_write(storage))


def _into(target: Region, source: Placed, program: Program, placed) -> list[Call]:
    """Return the calls that add the parts of one array into another."""
    calls = []
    own = placed.get(target.storage)
    for part in source.parts:
        call = program.calls[part]
        place = moved(call.target, target.storage)
        apart = own is not None and own.claim(place)
        given = call.arguments if apart else (place, *call.arguments)
        operation, function = (Operation.COPY, None) if apart else (Operation.UFUNC, np.add)
        calls.append(
            Call(operation, function, given, {}, [], out=place, section=call.section,
                 primitive=call.primitive, rule=call.rule, line=call.line, owner=call.owner)
        )  # fmt: skip
    return calls
